#!/usr/bin/env python3
"""Make a folder of pictures that show nobody, for script/eval empty: photos, drawn scenes, parts of clips.

Run it with the project's own Python: .venv/bin/python script/empty_pictures.py DIR
"""

import argparse
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

PHOTOS = (
    "brick.png",
    "cell.png",
    "chelsea.png",
    "chessboard_RGB.png",
    "clock_motion.png",
    "coffee.png",
    "color.png",
    "grass.png",
    "gravel.png",
    "horse.png",
    "hubble_deep_field.jpg",
    "ihc.png",
    "microaneurysms.png",
    "moon.png",
    "motorcycle_left.png",
    "motorcycle_right.png",
    "page.png",
    "phantom.png",
    "retina.jpg",
    "rocket.jpg",
    "text.png",
)
"""Those of scikit-image without a person: things, a garage, a cat, textures, print. Its coins show heads."""
SIZE = (960, 540)
DRAWN = 240
"""How many scenes are drawn, of all kinds in turn."""
BODY = (0.25, 0.4, 0.75, 1.0)
"""Which part of a clip's frame is taken, as shares: a body without its head, with whatever is printed on a shirt."""
EVERY = 30
"""Every so many frames of a clip one is taken."""

type Floats = NDArray[np.float64]
type Draw = Callable[[np.random.Generator], Image.Image]


def main() -> None:
    """Fill the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "folder", type=Path, metavar="DIR", help="is made; pictures of the same name are replaced"
    )
    parser.add_argument(
        "--bodies", type=Path, metavar="CLIPS", help="<person>/*.mkv with heads in the upper two fifths"
    )
    parser.add_argument(
        "--drawn", type=int, default=DRAWN, metavar="N", help=f"drawn scenes (default {DRAWN})"
    )
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    made = 0
    for name, image in (*_photos(), *_drawn(asked.drawn), *(_bodies(asked.bodies) if asked.bodies else ())):
        image.convert("RGB").save(asked.folder / f"{name}.jpg", quality=92)
        made += 1
    print(f"{made} pictures in {asked.folder}")


def _photos() -> Iterator[tuple[str, Image.Image]]:
    spec = find_spec("skimage")
    if spec is None or spec.origin is None:
        raise SystemExit("scikit-image is missing: run script/setup")
    for name in PHOTOS:
        with Image.open(Path(spec.origin).parent / "data" / name) as image:
            yield f"photo-{Path(name).stem}", image.convert("RGB")


def _drawn(count: int) -> Iterator[tuple[str, Image.Image]]:
    kinds = list(_KINDS.items())
    for number in range(count):
        name, draw = kinds[number % len(kinds)]
        yield f"{name}-{number:04d}", draw(np.random.default_rng(number))


def _bodies(folder: Path) -> Iterator[tuple[str, Image.Image]]:
    for path in sorted(folder.glob("*/*.mkv")):
        with av.open(str(path)) as clip:
            for number, frame in enumerate(clip.decode(video=0)):
                if number % EVERY == 0:
                    image = Image.fromarray(frame.to_ndarray(format="rgb24"))
                    left, top, right, bottom = BODY
                    width, height = image.size
                    part = (
                        round(left * width),
                        round(top * height),
                        round(right * width),
                        round(bottom * height),
                    )
                    yield f"body-{path.stem}-{number:05d}", image.crop(part)


def _rough(random: np.random.Generator, power: float, stretch: tuple[float, float] = (1.0, 1.0)) -> Floats:
    """Return noise whose strength falls with its frequency, 0 to 1: clouds, bark, plaster, water."""
    width, height = SIZE
    across = np.fft.rfftfreq(width)[None, :] * stretch[0]
    down = np.fft.fftfreq(height)[:, None] * stretch[1]
    falls = np.maximum(np.hypot(across, down), 1 / width) ** -power
    phases = np.exp(2j * np.pi * random.random(falls.shape))
    made = np.fft.irfft2(falls * phases, (height, width))
    low, high = np.percentile(made, [1, 99])
    return np.asarray(np.clip((made - low) / (high - low), 0, 1), np.float64)


def _between(share: Floats, random: np.random.Generator) -> Image.Image:
    """Return a picture that goes from one colour to another."""
    dark, pale = random.integers(0, 120, 3), random.integers(100, 256, 3)
    return Image.fromarray(
        (dark + share[..., None] * (pale - dark.astype(float))).clip(0, 255).astype(np.uint8)
    )


def _surface(random: np.random.Generator) -> Image.Image:
    stretch = (float(random.uniform(0.2, 3)), float(random.uniform(0.2, 3)))
    return _between(_rough(random, float(random.uniform(0.8, 2.2)), stretch), random)


def _foliage(random: np.random.Generator) -> Image.Image:
    """Return a bush: leaves on twigs on branches, those behind darker."""
    image = _between(_rough(random, 1.6) * 0.4, random)
    draw = ImageDraw.Draw(image)
    width, height = SIZE

    def grow(x: float, y: float, angle: float, length: float, depth: int) -> None:
        end = (x + np.cos(angle) * length, y - np.sin(angle) * length)
        draw.line((x, y, *end), fill=(60, 45, 30), width=max(1, depth))
        if depth == 0:
            size = float(random.uniform(4, 16))
            green = int(random.integers(50, 200))
            shade = (int(green * random.uniform(0.3, 0.9)), green, int(green * random.uniform(0.1, 0.5)))
            draw.ellipse((end[0] - size, end[1] - size / 2, end[0] + size, end[1] + size / 2), fill=shade)
            return
        for _ in range(int(random.integers(2, 5))):
            grow(
                *end,
                angle + float(random.normal(0, 0.6)),
                length * float(random.uniform(0.5, 0.9)),
                depth - 1,
            )

    for _ in range(int(random.integers(4, 12))):
        grow(float(random.uniform(0, width)), height, float(random.normal(np.pi / 2, 0.3)), height / 5, 4)
    return image.filter(ImageFilter.GaussianBlur(float(random.uniform(0, 1.5))))


def _night(random: np.random.Generator) -> Image.Image:
    """Return a street at night: lamps and windows, some out of focus, and their light on the ground."""
    width, height = SIZE
    image = Image.fromarray((np.repeat(_rough(random, 1.5)[..., None], 3, 2) * 40).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for _ in range(int(random.integers(6, 40))):
        x, y, size = random.uniform(0, width), random.uniform(0, height), random.uniform(2, 30)
        warm = int(random.integers(120, 256))
        shade = (warm, int(warm * random.uniform(0.6, 1)), int(warm * random.uniform(0.3, 1)))
        if random.random() < 0.5:
            draw.ellipse((x - size, y - size, x + size, y + size), fill=shade)
        else:
            draw.rectangle((x - size, y - 1.4 * size, x + size, y + 1.4 * size), fill=shade)
    blurred = image.filter(ImageFilter.GaussianBlur(float(random.uniform(1, 6))))
    return blurred if random.random() < 0.5 else Image.blend(image, blurred, 0.5)


def _pattern(random: np.random.Generator) -> Image.Image:
    """Return tiles, a fence, a carpet or a curtain: what repeats."""
    width, height = SIZE
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    waves = [
        np.sin(x * np.cos(turn) / pitch + y * np.sin(turn) / pitch)
        for turn, pitch in zip(random.uniform(0, np.pi, 3), random.uniform(3, 40, 3), strict=True)
    ]
    share = sum(waves[1:], waves[0]) / 3
    if random.random() < 0.5:
        share = np.sign(share)
    return _between(np.clip(0.5 + 0.4 * share + 0.2 * (_rough(random, 1.2) - 0.5), 0, 1), random)


def _things(random: np.random.Generator) -> Image.Image:
    """Return round and square things in groups, as eyes and mouths would be: parcels, wheels, sockets, bins."""
    image = _surface(random)
    draw = ImageDraw.Draw(image)
    width, height = SIZE
    for _ in range(int(random.integers(3, 25))):
        x, y, size = random.uniform(0, width), random.uniform(0, height), random.uniform(15, 120)
        outside, inside = (tuple(random.integers(0, 256, 3).tolist()) for _ in range(2))
        shape = draw.ellipse if random.random() < 0.6 else draw.rectangle
        shape((x - size, y - 1.25 * size, x + size, y + 1.25 * size), fill=outside)
        spot = size * random.uniform(0.1, 0.3)
        for dx, dy in ((-0.4, -0.3), (0.4, -0.3), (0, 0.15), (0, 0.65)):
            if random.random() < 0.75:
                at = (x + dx * size, y + dy * size)
                draw.ellipse((at[0] - spot, at[1] - spot, at[0] + spot, at[1] + spot), fill=inside)
    return image.filter(ImageFilter.GaussianBlur(float(random.uniform(0, 3))))


_KINDS: dict[str, Draw] = {
    "surface": _surface,
    "foliage": _foliage,
    "night": _night,
    "pattern": _pattern,
    "things": _things,
}

if __name__ == "__main__":
    main()
