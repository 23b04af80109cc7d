"""Where the demo's home is, and how to find that in whatever leaves it."""

from collections.abc import Iterator
import re
import struct

from demo.home import HOME, LATITUDE, LONGITUDE
from demo.search import base64_of

TEXTS = {
    # Three digits are a hundred metres.
    "latitude": str(LATITUDE)[:6],
    "longitude": str(LONGITUDE)[:5],
    "name": HOME.split(",", maxsplit=1)[0],
    "address": HOME.split()[-2],
}
NUMBERS = {"latitude": LATITUDE, "longitude": LONGITUDE}
CLOCK = re.compile(rb"\d\d:\d\d:\d\d[.,]\d+|\d{9,}\.\d+")
"""A time of day or seconds since 1970: their fraction may look like degrees by accident."""
PLACES = re.compile("latitude|longitude|location|gps|address|altitude|elevation|geo", re.IGNORECASE)
"""What a place is called as a key."""


def found_in(data: bytes) -> list[str]:
    """Return what of where home is stands in some bytes, as a text or as a number."""
    lower = CLOCK.sub(b" ", data.lower())
    return [
        name
        for name, text in TEXTS.items()
        if any(form in lower for form in _plain(text.lower()))
        or any(form in data for form in base64_of(text.encode()))
        or any(form in data for form in _packed(NUMBERS.get(name)))
    ]


def _plain(text: str) -> Iterator[bytes]:
    yield from (text.encode(), text.encode("utf-16-le"), text.encode("utf-16-be"))
    yield from (text.replace(" ", blank).encode() for blank in ("%20", "+"))


def _packed(number: float | None) -> Iterator[bytes]:
    if number is not None:
        yield from (struct.pack(form, number) for form in ("<d", ">d", "<f", ">f"))
