"""Photos in the formats of phones, which only the engine's environment can write."""

from functools import cache
from io import BytesIO
from pathlib import Path
import tempfile

from PIL import Image

from .engine_process import run_in_engine

_WRITE = """
from PIL import Image
import pillow_heif
pillow_heif.register_heif_opener()
folder, kind, orientation, place, tile = sys.argv[1:]
with Image.open(f"{folder}/photo.png") as image:
    # Written as the file's own way of turning only when it is the image's already.
    exif = image.getexif()
    exif[0x0112] = int(orientation)
    if place:
        exif[0x010e] = place
    more = {} if kind == "heic" else {"exif": exif}
    if kind == "heic":
        pillow_heif.options.GRID_TILE_SIZE = int(tile)
    else:
        more["speed"] = 10
    image.save(f"{folder}/photo.{kind}", quality=85, **more)
print("null")
"""


@cache
def _written(png: bytes, kind: str, orientation: int, place: str, tile: int) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "photo.png").write_bytes(png)
        run_in_engine(_WRITE, folder, kind, orientation, place, tile)
        return Path(folder, f"photo.{kind}").read_bytes()


def phone_photo(
    image: Image.Image, kind: str, *, orientation: int = 1, place: str = "", tile: int = 0
) -> bytes:
    """Return an image as `heic` or `avif`; both keep the EXIF orientation as their own way of turning.

    `place`: words for its EXIF. `tile`: how many pixels wide and high the parts are that a HEIC is made of, 0 for one.
    """
    data = BytesIO()
    image.save(data, "PNG", compress_level=1)
    return _written(data.getvalue(), kind, orientation, place, tile)
