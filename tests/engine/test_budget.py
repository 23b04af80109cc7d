"""What decoding takes is known before it begins."""

import io

from PIL import Image
import pytest

from custom_components.familiar_faces.engine.budget import APART, MAX_DECODED, NEAR, plan
from custom_components.familiar_faces.engine.headers import (
    Header,
    Jpeg,
    Kind,
    TooLargeError,
    only_picture,
    read_header,
)
from tests.common import hostile


def _jpeg(*, held: int = 0, scans: int = 1, slow: bool = False, refines: bool = False) -> Jpeg:
    return Jpeg(0, refines, True, 3, 16, held, scans, slow)


@pytest.mark.parametrize(
    ("header", "length", "finest", "apart"),
    [
        (Header(3840, 2160, jpeg=_jpeg()), 2_000_000, 1, False),
        (Header(4000, 3000, jpeg=_jpeg()), 5_000_000, 1, False),
        (Header(6000, 4000, jpeg=_jpeg()), 9_000_000, 2, False),
        (Header(8160, 6144, jpeg=_jpeg()), 20_000_000, 2, True),
        (Header(16384, 12288, jpeg=_jpeg()), 60_000_000, 4, True),
        (Header(1600, 1200, jpeg=_jpeg(held=6_000_000, scans=10, refines=True)), 300_000, 1, False),
        (Header(1600, 1200, jpeg=_jpeg(held=6_000_000, scans=90, refines=True)), 300_000, 1, True),
        (Header(1920, 1080, jpeg=_jpeg(slow=True)), 300_000, 1, True),
        (Header(1920, 1080, True, Kind.PNG, 11, 5.5), 2_000_000, 1, False),
        (Header(4000, 3000, True, Kind.PNG, 11, 5.5), 2_000_000, 1, True),
        (Header(100, 100, False, Kind.MOVING_WEBP, 20, 20), 1000, 1, True),
        (Header(100, 100, False, Kind.HEIC, 4.6, 4.6), 1000, 1, True),
    ],
)
def test_what_is_small_and_quick_is_decoded_near(
    header: Header, length: int, finest: int, apart: bool
) -> None:
    planned = plan(header, length)
    assert (planned.finest, planned.apart) == (finest, apart)


@pytest.mark.parametrize(
    "header",
    [
        Header(7071, 7071, True, Kind.PNG, 11, 5.5),
        Header(16384, 12289, jpeg=_jpeg()),
        Header(8000, 6000, jpeg=_jpeg(held=8000 * 6000 * 3, scans=10, refines=True)),
        Header(8064, 6048, False, Kind.HEIC, 4.6, 4.6),
        Header(3000, 3000, False, Kind.MOVING_WEBP, 20, 20),
        Header(100, 100, False, Kind.PNG, 3, 5.5),
    ],
)
def test_what_takes_too_much_is_refused(header: Header) -> None:
    with pytest.raises(TooLargeError, match=f"the image has {header.width} x {header.height} pixels"):
        plan(header, APART if header.width == 100 else 1000)


def test_the_budgets_hold_for_what_is_decoded() -> None:
    assert MAX_DECODED * 3 <= NEAR < APART


def test_scans_and_kinds_are_read() -> None:
    many = read_header(hostile.many_scans(64, 48, 30)).jpeg
    assert many is not None
    assert many.scans > 30
    grey = Image.new("RGB", (64, 48))
    assert read_header(hostile.saved(grey, "WEBP")).kind is Kind.WEBP
    more = {"save_all": True, "append_images": [Image.new("RGB", (64, 48), "red")]}
    assert read_header(hostile.saved(grey, "WEBP", **more)).kind is Kind.MOVING_WEBP


def test_a_png_is_left_with_its_picture() -> None:
    image = hostile.flat_png(20, 10, chunks=[hostile.profile(1), *hostile.texts(3, 1)])
    bare = only_picture(image)
    assert b"zTXt" not in bare
    assert b"iCCP" not in bare
    with Image.open(io.BytesIO(bare)) as shown:
        shown.load()
        assert shown.size == (20, 10)
