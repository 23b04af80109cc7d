"""Takes out of a HEIC or AVIF photo what a decoder does not need, as `metadata` does for the other formats.

Places in these files are counted from their beginning, so nothing is taken out: what is not known to be needed is
overwritten with zeros. Kept are the picture's own data, the tiles that it is made of and what lies over it, and of
the boxes that describe it those that say where the data is and how it is decoded and turned. EXIF, XMP, names,
dates, colour profiles, thumbnails, depth pictures and films go.
"""

from typing import Final

from ..engine.heif_boxes import Box, DamagedBoxesError, boxes, read_heif

_FULL: Final = 4
"""Bytes of a box's version and flags."""
_DESCRIBES: Final = frozenset({b"hdlr", b"pitm", b"iinf", b"iref", b"iprp", b"iloc", b"idat"})
_PROPERTIES: Final = frozenset(
    {
        b"ispe",
        b"hvcC",
        b"av1C",
        b"pixi",
        b"irot",
        b"imir",
        b"clap",
        b"auxC",
        b"pasp",
        b"a1op",
        b"lsel",
        b"a1lx",
    }
)
_PICTURES: Final = frozenset({b"hvc1", b"hev1", b"lhv1", b"av01", b"grid", b"iden", b"iovl"})
_COLOURS: Final = b"nclx"
"""The kind of a colour box that holds four numbers, instead of a profile."""


def without_heif_metadata(image: bytes) -> bytes:
    """Return the photo with zeros for everything beside its picture.

    One that makes no sense is cut off after its first box: the engine refuses that, and no place is in it.
    """
    try:
        return _cleared(image)
    except DamagedBoxesError:
        # The words by which the engine knows what it is, and nothing else.
        return b"\0\0\0\x10ftyp" + image[8:12] + bytes(4)


def _cleared(image: bytes) -> bytes:
    """Return the photo cleared; raise DamagedBoxesError."""
    kept = sorted(read_heif(image).data)
    cleared = bytearray(len(image))
    described = False
    for box in boxes(image, 0, len(image)):
        if box.kind == b"ftyp":
            _keep(image, cleared, box.start, box.end)
        elif box.kind == b"meta" and not described:
            described = True
            _keep(image, cleared, box.start, box.body + _FULL)
            _clear_meta(image, cleared, Box(box.kind, box.start, box.body + _FULL, box.end))
        else:
            _head(image, cleared, box, b"mdat" if box.kind == b"mdat" else b"free")
    for start, end in kept:
        _keep(image, cleared, start, end)
    return bytes(cleared)


def _clear_meta(image: bytes, cleared: bytearray, meta: Box) -> None:
    for box in boxes(image, meta.body, meta.end):
        if box.kind not in _DESCRIBES:
            _head(image, cleared, box, b"free")
        elif box.kind == b"idat":
            _head(image, cleared, box, box.kind)
        elif box.kind == b"hdlr":
            # Up to the kind; behind it is a name.
            _keep(image, cleared, box.start, min(box.body + _FULL + 8, box.end))
        elif box.kind == b"iinf":
            _clear_names(image, cleared, box)
        elif box.kind == b"iprp":
            _clear_properties(image, cleared, box)
        else:
            _keep(image, cleared, box.start, box.end)


def _clear_names(image: bytes, cleared: bytearray, iinf: Box) -> None:
    """Keep the numbers and kinds of the items; behind them are names, and of EXIF and XMP what they are."""
    first = iinf.body + _FULL + (4 if image[iinf.body] else 2)
    _keep(image, cleared, iinf.start, min(first, iinf.end))
    for box in boxes(image, first, iinf.end):
        _head(image, cleared, box, box.kind)
        # Version and flags, number, protection, kind.
        known = _FULL + (4 if image[box.body] == 3 else 2) + 2 + 4
        end = min(box.body + known, box.end)
        _keep(image, cleared, box.body, end)
        if image[end - 4 : end] not in _PICTURES:
            # A decoder that looks for EXIF would complain of zeros.
            cleared[end - 4 : end] = b"none"


def _clear_properties(image: bytes, cleared: bytearray, iprp: Box) -> None:
    _keep(image, cleared, iprp.start, iprp.body)
    for part in boxes(image, iprp.body, iprp.end):
        if part.kind != b"ipco":
            if part.kind == b"ipma":
                _keep(image, cleared, part.start, part.end)
            else:
                _head(image, cleared, part, b"free")
            continue
        _keep(image, cleared, part.start, part.body)
        for box in boxes(image, part.body, part.end):
            known = box.kind in _PROPERTIES or (
                box.kind == b"colr" and image[box.body : box.body + 4] == _COLOURS
            )
            if known:
                _keep(image, cleared, box.start, box.end)
            else:
                # They are counted, so something has to be there.
                _head(image, cleared, box, b"free")


def _head(image: bytes, cleared: bytearray, box: Box, kind: bytes) -> None:
    """Keep that there is a box, and its size."""
    _keep(image, cleared, box.start, box.body)
    cleared[box.start + 4 : box.start + 8] = kind


def _keep(image: bytes, cleared: bytearray, start: int, end: int) -> None:
    cleared[start:end] = image[start:end]
