"""The people of the demo: cut out of sample pictures that other packages carry."""

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

type Outline = tuple[tuple[int, int], ...]


class PictureMissing(Exception):
    """A package that carries a picture is not installed."""


@dataclass(frozen=True, slots=True)
class Person:
    """Where a person stands in a sample picture."""

    package: str
    path: str
    outline: Outline
    """Head and shoulders, pixels of the picture; the last two points are the cut below them."""
    face_width: int
    """As the detector measures it, pixels."""
    blurred: float = 0.0
    """How much rain on the camera's glass blurs the view while they are there, as a share of the face's width."""


# skimage.data.astronaut(): NASA's portrait of Eileen Collins, in the public domain.
ASTRONAUT = Person(
    "skimage",
    "data/astronaut.png",
    (
        (155, 100), (154, 78), (158, 52), (172, 38), (190, 27), (210, 18), (232, 15), (252, 18), (270, 27),
        (284, 38), (294, 52), (301, 72), (301, 92), (295, 114), (287, 124), (279, 134), (268, 139), (262, 160),
        (257, 174), (272, 184), (288, 202), (300, 222), (305, 238), (328, 247), (345, 260), (354, 280),
        (362, 312), (365, 345), (25, 345), (28, 318), (46, 274), (62, 254), (90, 234), (113, 216), (114, 186), (124, 168),
        (139, 156), (160, 149), (186, 149), (183, 132), (172, 126), (166, 114),
    ),
    87,
)  # fmt: skip
# A scene from a television series.
GUEST = Person(
    "insightface",
    "data/images/t1.jpg",
    (
        (466, 270), (465, 250), (470, 235), (482, 228), (502, 219), (530, 219), (565, 225), (590, 240),
        (606, 264), (606, 292), (596, 314), (590, 336), (582, 356), (566, 370), (552, 388), (566, 410),
        (580, 434), (586, 470), (592, 510), (594, 520), (346, 520), (341, 486), (344, 440), (361, 404),
        (390, 385), (432, 366), (458, 342), (466, 318), (463, 306), (468, 292),
    ),
    100,
)  # fmt: skip
NEIGHBOUR = Person(
    "insightface",
    "data/images/t1.jpg",
    (
        (750, 350), (748, 330), (746, 322), (756, 308), (772, 298), (784, 291), (812, 289), (840, 300),
        (860, 318), (872, 336), (874, 350), (869, 378), (872, 392), (892, 397), (903, 402), (906, 440),
        (909, 486), (917, 522), (921, 552), (642, 552), (648, 526), (672, 496), (690, 466), (704, 446), (722, 434), (746, 424), (752, 410), (747, 392),
        (748, 372),
    ),
    108,
)  # fmt: skip


def find(person: Person) -> Path:
    """Return the file of a person's picture; raise PictureMissing. The package is not imported."""
    spec = find_spec(person.package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / person.path
        if path.is_file():
            return path
    raise PictureMissing(f"{person.package} does not hold {person.path}")


@cache
def picture(person: Person) -> Image.Image:
    """Return the whole picture."""
    with Image.open(find(person)) as image:
        return image.convert("RGB")


@cache
def cut_out(person: Person) -> Image.Image:
    """Return head and shoulders alone, RGBA, with soft edges; its lower edge is the cut."""
    image = picture(person)
    # Four times as fine, so that the outline has no steps.
    mask = Image.new("L", (image.width * 4, image.height * 4))
    ImageDraw.Draw(mask).polygon([(x * 4, y * 4) for x, y in person.outline], fill=255)
    mask = mask.resize(image.size, Image.Resampling.BOX)
    # Pull the edge in by a pixel: what lies on it is half background.
    mask = mask.filter(ImageFilter.MinFilter(3)).filter(ImageFilter.GaussianBlur(1.4))
    whole = image.copy()
    whole.putalpha(mask)
    left, top = (min(each) for each in zip(*person.outline, strict=True))
    right, bottom = (max(each) for each in zip(*person.outline, strict=True))
    # The cut itself is not to be soft: it is hidden behind the hedge.
    return whole.crop((left - 3, top - 3, right + 3, bottom - 4))
