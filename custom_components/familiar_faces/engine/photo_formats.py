"""The formats of photos: how a file of each begins, and how browsers and file names say it.

Imported on both sides, so it needs nothing.
"""

from enum import StrEnum

PNG_START = b"\x89PNG\r\n\x1a\n"
_HEIC_BRANDS = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"mif1", b"mif2", b"msf1", b"heif", b"hevc", b"hevx"}
)
_AVIF_BRANDS = frozenset({b"avif", b"avis"})


class PhotoFormat(StrEnum):
    """A format that the engine reads."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    HEIC = "heic"
    AVIF = "avif"


SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif", ".avif")
"""How the names of their files end."""
ACCEPT = ",".join((*(f"image/{each}" for each in (*PhotoFormat, "heif")), *SUFFIXES))
"""What a browser's field for files offers: some go by the type, some by the name."""


def photo_format(data: bytes) -> PhotoFormat | None:
    """Return the format of a file by its first 128 bytes, None for everything else.

    ITU-T T.81 (JPEG), the W3C's PNG, RFC 9649 (WebP), and ISO/IEC 23008-12 (HEIC, AVIF).
    """
    if data[:3] == b"\xff\xd8\xff":
        return PhotoFormat.JPEG
    if data[: len(PNG_START)] == PNG_START:
        return PhotoFormat.PNG
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return PhotoFormat.WEBP
    if data[4:8] != b"ftyp":
        return None
    # The first brand is the best use; what a reader has to know comes behind it.
    brands = (data[8:12], *(data[at : at + 4] for at in range(16, min(int.from_bytes(data[:4]), 128), 4)))
    if any(each in _AVIF_BRANDS for each in brands):
        return PhotoFormat.AVIF
    return PhotoFormat.HEIC if any(each in _HEIC_BRANDS for each in brands) else None
