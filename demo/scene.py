"""What a door's camera shows: the same garden always, and the person who comes up the path."""

from dataclasses import dataclass
from functools import cache
from io import BytesIO
import math
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter

from .pictures import ASTRONAUT, Person, cut_out, picture

WIDTH, HEIGHT = 1280, 720
JPEG_QUALITY = 80
FAR, NEAR = 60, 140
"""How wide a visitor's face is when they come and when they stand before the door, pixels."""
STEPS = 8
"""Frames that it takes to come near."""
HEDGE = 606
"""Where the hedge begins that visitors stand behind, pixels from above."""
LEAVES = 20
"""How far its leaves stand out above that, pixels at most."""


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody's coming, once; nobody's when `person` is None."""

    person: Person | None
    seed: int


def frame(visit: Visit, number: int) -> bytes:
    """Return frame `number` of a visit as a JPEG. The same two give the same frame, and any others another."""
    # Not for secrets: the same demo is to look the same each time.
    random = Random(f"{visit.seed}/{number}")
    daylight = Random(visit.seed).uniform(0.78, 1.12)
    image = garden().copy()
    rain = 0.0
    if visit.person is not None:
        rain = visit.person.blurred * _stand(image, visit.person, number, random)
        foreground = hedge()
        image.paste(foreground, (0, HEDGE - LEAVES), foreground)
    light = daylight * random.uniform(0.96, 1.04)
    image = ImageEnhance.Brightness(image).enhance(light)
    image = _tint(image, random.uniform(0.97, 1.03))
    image = image.filter(ImageFilter.BoxBlur(random.uniform(0.3, 0.6)))
    image = _noisy(image, random)
    if rain:
        image = image.filter(ImageFilter.GaussianBlur(rain))
    return _jpeg(image, JPEG_QUALITY)


def photos(person: Person = ASTRONAUT) -> list[bytes]:
    """Return photos to enrol somebody with: none is a frame of the camera, and no two are alike."""
    portrait = picture(person)
    # A wall as high as is needed to turn the picture without an empty corner.
    wall = 80
    tall = Image.new("RGB", (portrait.width, portrait.height + wall))
    tall.paste(portrait.crop((0, 0, portrait.width, wall)).transpose(Image.Transpose.FLIP_TOP_BOTTOM), (0, 0))
    tall.paste(portrait, (0, wall))
    # Crop (left, top, right, bottom), mirrored, degrees, brightness, contrast, size.
    variants = (
        ((90, 0, 370, 280), False, 0.0, 1.0, 1.0, 640),
        ((60, 0, 400, 330), False, -9.0, 1.35, 0.8, 340),
        ((120, 0, 340, 230), True, -6.0, 0.65, 0.9, 480),
    )
    result = []
    for number, (box, mirrored, degrees, brightness, contrast, size) in enumerate(variants):
        left, top, right, bottom = box
        photo = tall.rotate(degrees, Image.Resampling.BICUBIC, center=(228, wall + 105))
        photo = photo.crop((left, top + wall, right, bottom + wall))
        if mirrored:
            photo = photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        photo = ImageEnhance.Brightness(photo).enhance(brightness)
        photo = ImageEnhance.Contrast(photo).enhance(contrast)
        photo = photo.resize((size, round(size * photo.height / photo.width)), Image.Resampling.LANCZOS)
        # The last one as an older telephone takes it.
        if number == len(variants) - 1:
            photo = _noisy(photo.filter(ImageFilter.GaussianBlur(1.2)), Random(number))
        result.append(_jpeg(photo, 92))
    return result


def selfies(person: Person) -> list[bytes]:
    """Return photos to enrol somebody with who stands in a picture with others: each before a plain wall."""
    figure = cut_out(person)
    side = max(figure.size)
    wall = Image.new("RGB", (round(1.3 * side), round(1.1 * side)), (188, 182, 172))
    wall.paste(figure, ((wall.width - figure.width) // 2, wall.height - figure.height), figure)
    result = []
    for mirrored, degrees, light, width in (
        (False, 0.0, 1.05, 800),
        (True, -6.0, 0.8, 640),
        (False, 8.0, 1.2, 720),
    ):
        photo = wall.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if mirrored else wall
        photo = photo.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=(188, 182, 172))
        photo = ImageEnhance.Brightness(photo).enhance(light)
        size = (width, round(width * photo.height / photo.width))
        result.append(_jpeg(photo.resize(size, Image.Resampling.LANCZOS), 92))
    return result


@cache
def garden() -> Image.Image:
    """Return the view without anybody, before any noise."""
    random = Random("garden")
    sky = Image.linear_gradient("L").resize((WIDTH, HEIGHT))
    image = Image.composite(
        Image.new("RGB", (WIDTH, HEIGHT), (222, 228, 230)),
        Image.new("RGB", (WIDTH, HEIGHT), (150, 182, 210)),
        sky,
    )
    draw = ImageDraw.Draw(image)
    # The house across the street.
    draw.polygon([(60, 210), (640, 210), (560, 90), (150, 90)], fill=(118, 74, 62))
    draw.rectangle((90, 208, 610, 430), fill=(176, 150, 128))
    for x in (140, 300, 460):
        draw.rectangle((x - 6, 246, x + 106, 366), fill=(236, 232, 224))
        draw.rectangle((x, 252, x + 100, 360), fill=(96, 112, 124))
        draw.line((x + 50, 252, x + 50, 360), fill=(236, 232, 224), width=5)
    # Trees, the street, the lawn and the path.
    for x, y, size in ((760, 300, 120), (900, 270, 150), (1090, 290, 140), (1230, 280, 130), (20, 330, 90)):
        for _ in range(160):
            angle, away = random.uniform(0, math.tau), size * math.sqrt(random.random())
            leaf, shade = random.randint(10, 26), random.randint(-18, 26)
            where = (x + away * math.cos(angle), y + 0.8 * away * math.sin(angle))
            draw.ellipse(
                (where[0] - leaf, where[1] - leaf, where[0] + leaf, where[1] + leaf),
                fill=(70 + shade, 98 + shade, 62 + shade),
            )
    draw.rectangle((0, 400, WIDTH, 446), fill=(128, 128, 130))
    draw.rectangle((0, 440, WIDTH, 450), fill=(168, 166, 162))
    draw.rectangle((0, 450, WIDTH, HEIGHT), fill=(96, 128, 74))
    draw.polygon([(590, 450), (690, 450), (900, HEIGHT), (380, HEIGHT)], fill=(170, 160, 148))
    image = image.filter(ImageFilter.GaussianBlur(2.2))
    image.paste(hedge(), (0, HEDGE - LEAVES), hedge())
    # The post of the porch, close to the camera.
    draw = ImageDraw.Draw(image)
    for x in range(46):
        shade = round(70 * math.sin(math.pi * (x + 8) / 62))
        draw.line((WIDTH - 70 + x, 0, WIDTH - 70 + x, HEIGHT), fill=(120 + shade, 116 + shade, 108 + shade))
    return image


@cache
def hedge() -> Image.Image:
    """Return the hedge in the foreground, RGBA, as wide as the view and its lowest part."""
    random = Random("hedge")
    height = HEIGHT - HEDGE + LEAVES
    image = Image.new("RGBA", (WIDTH, height), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, LEAVES + 14, WIDTH, height), fill=(40, 62, 36, 255))
    for _ in range(3600):
        down = random.random()
        x = random.uniform(-10, WIDTH + 10)
        y = LEAVES + 6 + (height - LEAVES) * down + 5 * math.sin(x / 37)
        leaf = random.uniform(4, 9)
        shade = random.randint(-16, 34) - round(24 * down)
        box = (x - leaf, y - leaf * 0.7, x + leaf, y + leaf * 0.7)
        draw.ellipse(box, fill=(56 + shade, 88 + shade, 48 + shade, 255))
    return image.filter(ImageFilter.GaussianBlur(1.0))


def _stand(image: Image.Image, person: Person, number: int, random: Random) -> float:
    """Put a visitor into the view: from step to step nearer, then before the door, never quite still.

    Return how wide the face is, pixels.
    """
    near = min(number / STEPS, 1.0)
    face = (FAR + (NEAR - 6 - FAR) * near) * random.uniform(0.96, 1.04)
    scale = face / person.face_width
    figure = cut_out(person)
    # A head is turned a little, and so looks a little narrower.
    size = (round(figure.width * scale * random.uniform(0.94, 1.0)), round(figure.height * scale))
    figure = figure.resize(size, Image.Resampling.LANCZOS)
    # Around the middle of the cut, which stays behind the hedge.
    degrees = 5 * math.sin(number * 0.9) + random.uniform(-2, 2)
    across, below = size[0] // 6, size[1] // 16
    canvas = Image.new("RGBA", (size[0] + 2 * across, size[1] + 2 * below), (0, 0, 0, 0))
    canvas.paste(figure, (across, below))
    canvas = canvas.rotate(degrees, Image.Resampling.BILINEAR, center=(canvas.width / 2, below + size[1]))
    # The shade of the porch is on who stands in it.
    alpha = canvas.getchannel("A")
    colours = ImageEnhance.Color(ImageEnhance.Brightness(canvas.convert("RGB")).enhance(0.92)).enhance(0.85)
    x = round(640 + 90 * (1 - near) + 14 * math.sin(number * 0.7) + random.uniform(-6, 6) - canvas.width / 2)
    # Leaning aside must not lift the cut over the hedge.
    y = HEDGE + round(8 + 0.07 * size[0]) - size[1] - below
    image.paste(colours, (x, y), alpha)
    return face


def _tint(image: Image.Image, warmth: float) -> Image.Image:
    """Return the image warmer (over 1) or colder."""
    red, green, blue = image.split()
    return Image.merge(
        "RGB",
        (
            red.point([min(255, round(value * warmth)) for value in range(256)]),
            green,
            blue.point([min(255, round(value / warmth)) for value in range(256)]),
        ),
    )


def _noisy(image: Image.Image, random: Random) -> Image.Image:
    """Return the image with the noise of a small sensor, a few grey levels."""
    pixels = Image.frombytes("L", image.size, random.randbytes(image.width * image.height))
    # The mean of a few neighbours is nearly Gaussian; 128 stands for none.
    noise = pixels.filter(ImageFilter.BoxBlur(1)).point(
        [round(128 + (value - 128) * 0.22) for value in range(256)]
    )
    return ImageChops.add(image, Image.merge("RGB", (noise, noise, noise)), 1, -128)


def _jpeg(image: Image.Image, quality: int) -> bytes:
    """Return the image as a JPEG without any metadata."""
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()
