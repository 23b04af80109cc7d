"""SHA-256 of files and bytes, by the examples of FIPS 180-4."""

from pathlib import Path

import pytest

from custom_components.familiar_faces.engine.digests import sha256_of, sha256_of_file

EXAMPLES = [
    (b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (b"a" * 1_000_000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    # Longer than what the event loop makes itself.
    (b"\0" * 2_097_152, "5647f05ec18958947d32874eeb788fa396a05d0bab7c1b71f112ceb7e9b31eee"),
]


@pytest.mark.parametrize(("data", "expected"), EXAMPLES, ids=["short", "long", "elsewhere"])
async def test_sha256(tmp_path: Path, data: bytes, expected: str) -> None:
    """A file and the same bytes have the same one."""
    assert await sha256_of(data) == expected
    path = tmp_path / "file"
    path.write_bytes(data)
    assert sha256_of_file(path) == expected
