"""The search for where home is sees through what a library might do to a text or a number."""

from base64 import b64encode
import struct

import pytest

from demo.home import HOME, LATITUDE, LONGITUDE
from tests.common.whereabouts import found_in


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (f"at {LATITUDE:.4f}".encode(), ["latitude"]),
        (f"{{'x': {LONGITUDE}}}".encode("utf-16-le"), ["longitude"]),
        (HOME.upper().encode(), ["name", "address"]),
        (HOME.replace(" ", "%20").encode(), ["name", "address"]),
        (b"..." + struct.pack("<d", LATITUDE), ["latitude"]),
        (b"..." + struct.pack(">f", LONGITUDE), ["longitude"]),
        (b"Eileen is at the front door, 52.1 % sure", []),
    ],
)
def test_forms(data: bytes, found: list[str]) -> None:
    """Each form is found, and nothing else."""
    assert found_in(data) == found


@pytest.mark.parametrize("lead", range(3))
@pytest.mark.parametrize("rest", ["", " and", "!!", "?"])
def test_base64(lead: int, rest: str) -> None:
    """A text is found inside something that was encoded as a whole."""
    assert found_in(b64encode(b"-" * lead + f"{HOME}{rest}".encode())) == ["name", "address"]
