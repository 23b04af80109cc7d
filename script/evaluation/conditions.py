"""What a camera does to a picture: the light, what people wear, how it hangs, its lens, its sensor, its compression."""

import argparse
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from hashlib import blake2b
from typing import Any

import cv2
import numpy as np

from custom_components.familiar_faces.engine.pixels import Pixels, encode_jpeg

from .mounting import fisheye, framed, from_above, moved, rolled, scaled, turned
from .places import Place
from .scenes import NOISE, NOISE_OF, Scene, light, noisy
from .worn import Worn, wear

LIGHT = 0.25
"""Which share of the light is left in the dark."""
JPEG = 95
"""Quality at which a changed picture is sent, when no other is asked for."""
MOST_TILT = 25.0
"""Degrees by which a movement leaves the horizontal at most."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A picture as a camera sends it."""

    data: bytes
    place: Place | None
    """Where the labelled face has to be; None when it was not known before."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What is done to a picture, see `apply` for the order; nothing at all sends the file as it is."""

    face_width: int | None = None
    """Scale the picture so that the labelled face becomes this wide, pixels."""
    blur: float | None = None
    """Standard deviation of a Gaussian, pixels of the scaled picture."""
    dark: bool = False
    grey: bool = False
    jpeg: int | None = None
    worn: tuple[Worn, ...] = ()
    scene: Scene | None = None
    light: float | None = None
    """How much of the light is left, percent."""
    motion: int | None = None
    """How far the face moves while the shutter is open, pixels of the scaled picture."""
    roll: float | None = None
    """Degrees clockwise by which the head is tilted."""
    turned: int | None = None
    """Degrees clockwise, 90, 180 or 270, by which the camera is turned."""
    above: bool = False
    fisheye: bool = False
    framed: bool = False
    """Put the face into the middle of a plain frame of 640x480."""
    enlarged: int | None = None
    """Enlarge what came of it until the labelled face is this wide, pixels."""

    @property
    def as_is(self) -> bool:
        """Return whether pictures stay as they are."""
        return self == Condition()

    @property
    def needs_place(self) -> bool:
        """Return whether it must be known where the labelled face is."""
        anywhere = replace(self, blur=None, dark=False, grey=False, jpeg=None, light=None, motion=None)
        return not anywhere.as_is

    def to_json(self) -> dict[str, Any]:
        """Return what was asked for, without the rest."""
        return {name: value for name, value in asdict(self).items() if value not in (None, False, ())}

    def __str__(self) -> str:
        """Return the condition in words."""
        words = [
            *self.worn,
            str(self.scene or ""),
            "" if self.roll is None else f"roll {self.roll:g}",
            "" if self.turned is None else f"turned {self.turned}",
            "from above" if self.above else "",
            "fisheye" if self.fisheye else "",
            f"{self.face_width} px" if self.face_width is not None else "",
            "in a frame of 640x480" if self.framed else "",
            f"blur {self.blur:g}" if self.blur is not None else "",
            f"motion {self.motion}" if self.motion is not None else "",
            "dark" if self.dark else "",
            f"{self.light:g} % of the light" if self.light is not None else "",
            "grey" if self.grey else "",
            f"enlarged to {self.enlarged} px" if self.enlarged is not None else "",
            f"JPEG {self.jpeg}" if self.jpeg is not None else "",
        ]
        return ", ".join(word for word in words if word) or "as is"

    def apply(self, image: Pixels, place: Place | None, name: str) -> Sent:
        """Return the picture as a camera would send it, a JPEG.

        `place`: where the labelled face is in `image`; see `needs_place`. `name`: seeds the noise and the way of the
        movement, so that a picture always gets the same.
        """
        if self.needs_place:
            if place is None:
                raise ValueError("where the face is must be known to change it")
            image, place = self._before_the_lens(image, place)
        random = np.random.default_rng(int.from_bytes(blake2b(name.encode(), digest_size=8).digest()))
        image = self._on_the_sensor(image, random)
        if self.grey:
            image = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
        if self.enlarged is not None and place is not None:
            image, place = scaled(image, place, self.enlarged / place.width)
        return Sent(encode_jpeg(image, JPEG if self.jpeg is None else self.jpeg), place)

    def _before_the_lens(self, image: Pixels, place: Place) -> tuple[Pixels, Place]:
        for each in self.worn:
            image = wear(image, place, each)
        if self.roll is not None:
            image, place = rolled(image, place, self.roll)
        if self.above:
            image, place = from_above(image, place)
        if self.fisheye:
            image, place = fisheye(image, place)
        if self.face_width is not None:
            image, place = scaled(image, place, self.face_width / place.width)
        if self.framed:
            image, place = framed(image, place)
        if self.scene is not None:
            image = light(image, place, self.scene)
        if self.turned is not None:
            image, place = turned(image, place, self.turned)
        return image, place

    def _on_the_sensor(self, image: Pixels, random: np.random.Generator) -> Pixels:
        if self.blur is not None:
            image = cv2.GaussianBlur(image, (0, 0), self.blur)
        if self.dark:
            image = noisy(image, NOISE, random, LIGHT)
        if self.motion is not None:
            image = moved(image, self.motion, float(random.uniform(-MOST_TILT, MOST_TILT)))
        if self.light is not None:
            image = noisy(image, NOISE, random, self.light / 100)
        if self.scene is not None:
            image = noisy(image, NOISE_OF[self.scene], random)
        return image


def _named(width: int) -> dict[str, Condition]:
    """Return what a door camera does to a face of a width, by name."""
    plain = {
        **{str(scene): Condition(scene=scene) for scene in Scene},
        **{str(worn): Condition(worn=(worn,)) for worn in Worn},
        "cap and sunglasses": Condition(worn=(Worn.CAP, Worn.SUNGLASSES)),
        **{f"motion {length}": Condition(motion=length) for length in (7, 11, 15)},
        **{f"roll {degrees}": Condition(roll=degrees) for degrees in (15, 20, 30)},
        **{f"turned {degrees}": Condition(turned=degrees) for degrees in (90, 180, 270)},
        "from above": Condition(above=True),
        "fisheye": Condition(fisheye=True),
        **{f"JPEG {quality}": Condition(jpeg=quality) for quality in (15, 30)},
        "10 % of the light": Condition(light=10),
    }
    return {
        "porch": Condition(face_width=40, scene=Scene.LAMP_ABOVE, motion=5, jpeg=50),
        **{name: replace(condition, face_width=width) for name, condition in plain.items()},
        **{f"{small} px enlarged": Condition(face_width=small, enlarged=width) for small in (12, 15, 20)},
    }


NAMED = _named(60)
"""What makes recognition hard at a door, each on faces 60 pixels wide but for the porch."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Let the caller choose a condition."""
    group = parser.add_argument_group(
        "camera conditions", "what the camera sees; the pictures to enrol with stay as they are"
    )
    group.add_argument(
        "--condition", choices=NAMED, metavar="NAME", help=f"one of: {', '.join(NAMED)}".replace("%", "%%")
    )
    for worn in Worn:
        group.add_argument(
            f"--{_option(worn)}",
            action="append_const",
            dest="worn",
            const=worn,
            help=f"people with a {worn}, drawn on" if worn in _ONE else f"people with {worn}, drawn on",
        )
    group.add_argument(
        "--scene", type=Scene, choices=list(Scene), metavar="SCENE", help=f"one of: {', '.join(Scene)}"
    )
    group.add_argument(
        "--roll", type=between(float, -180, 180), metavar="N", help="heads tilted by N degrees, clockwise"
    )
    group.add_argument(
        "--turned",
        type=int,
        choices=(90, 180, 270),
        help="the camera is turned by so many degrees, clockwise",
    )
    group.add_argument("--above", action="store_true", help="seen from above")
    group.add_argument("--fisheye", action="store_true", help="far from the middle of a fisheye's picture")
    group.add_argument("--framed", action="store_true", help="in the middle of a plain grey frame of 640x480")
    group.add_argument(
        "--face-width", type=between(int, 8, 1000), metavar="W", help="labelled faces are W pixels wide"
    )
    group.add_argument(
        "--blur", type=between(float, 0.1, 20), metavar="SIGMA", help="out of focus, Gaussian, pixels"
    )
    group.add_argument(
        "--motion", type=between(int, 2, 100), metavar="N", help="faces move by N pixels in each picture"
    )
    group.add_argument(
        "--dark",
        action="store_true",
        help=f"{LIGHT * 100:g} %% of the light, and noise of {NOISE:g} grey levels",
    )
    group.add_argument(
        "--light", type=between(float, 1, 100), metavar="N", help="N %% of the light, and the same noise"
    )
    group.add_argument("--grey", action="store_true", help="without colour, as at night")
    group.add_argument(
        "--enlarged", type=between(int, 8, 1000), metavar="W", help="then enlarged to faces W pixels wide"
    )
    group.add_argument(
        "--jpeg", type=between(int, 1, 100), metavar="Q", help=f"JPEG quality ({JPEG} for a changed picture)"
    )


def chosen(asked: argparse.Namespace) -> Condition:
    """Return the condition that was asked for; what is said beside a name takes the place of its own."""
    named = NAMED[asked.condition] if asked.condition else Condition()
    asked_for = Condition(
        face_width=asked.face_width,
        blur=asked.blur,
        dark=asked.dark,
        grey=asked.grey,
        jpeg=asked.jpeg,
        worn=tuple(asked.worn or ()),
        scene=asked.scene,
        light=asked.light,
        motion=asked.motion,
        roll=asked.roll,
        turned=asked.turned,
        above=asked.above,
        fisheye=asked.fisheye,
        framed=asked.framed,
        enlarged=asked.enlarged,
    )
    changed = {
        name: value
        for name in Condition.__slots__
        if (value := getattr(asked_for, name)) not in (None, False, ())
    }
    return replace(named, **changed)


_ONE = (Worn.CAP, Worn.MASK, Worn.SCARF)


def _option(worn: Worn) -> str:
    return worn.replace(" ", "-")


def between(kind: type[int | float], least: float, most: float) -> Callable[[str], float]:
    """Return a function that reads a number in a range."""

    def number(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            value = kind(-1)
        if not least <= value <= most:
            what = "a whole number" if kind is int else "a number"
            raise argparse.ArgumentTypeError(f"{text!r} is not {what} from {least:g} to {most:g}")
        return value

    return number
