"""Keys: one in a file, which wraps one for each person."""

import base64
import binascii
import hmac
import json
import os
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from .errors import VaultKeyWrong
from .files import telling_unwritable, write_whole
from .sealed import seal, unseal

_KEY = 32
"""Bytes of every key: AES-256 and HMAC-SHA256."""
_TAG = 16
"""Bytes that tell one camera of a household from another."""
_WHAT = "Familiar Faces vault key"


class Keys:
    """What the key file opens. Its own key is used for nothing but to derive these (HKDF, RFC 5869)."""

    def __init__(self, master: bytes) -> None:
        """Derive a key for each use, so that none is used for two things."""
        self._wrapping = _derive(master, "wrapping")
        self.audit = _derive(master, "audit")
        self.chain = _derive(master, "chain")
        self.review = _derive(master, "review")
        self.tombstone = _derive(master, "tombstone")
        self.leaving = _derive(master, "leaving")
        self.rows = _derive(master, "rows")
        self.heads = _derive(master, "heads")
        self.counts = _derive(master, "counts")
        self.links = _derive(master, "links")
        self.mark = _derive(master, "mark")
        self.marks = _derive(master, "marks")
        self._cameras = _derive(master, "cameras")
        self.fingerprint = _derive(master, "fingerprint")
        """Tells which key belongs to a store, and nothing about the key."""

    def new_person_key(self, person_id: str) -> tuple[bytes, bytes]:
        """Return a new person's random key, bare and wrapped."""
        key = os.urandom(_KEY)
        return key, seal(self._wrapping, key, ("key", person_id))

    def person_key(self, person_id: str, wrapped: bytes) -> bytes:
        """Return a person's key; raise VaultDamaged when it is not that person's."""
        return unseal(self._wrapping, wrapped, ("key", person_id))

    def camera_tag(self, camera_id: str) -> bytes:
        """Return what stands for a camera in the clear: it can be looked for, and says nothing without the key."""
        return hmac.digest(self._cameras, camera_id.encode(), "sha256")[:_TAG]

    def fits(self, fingerprint: bytes) -> bool:
        """Return whether a store with this fingerprint was made with these keys."""
        return hmac.compare_digest(self.fingerprint, fingerprint)


def create_keys(path: Path) -> Keys:
    """Write a new key file and return what it opens."""
    master = os.urandom(_KEY)
    text = json.dumps({"what": _WHAT, "version": 1, "key": base64.b64encode(master).decode()})
    write_whole(path, f"{text}\n".encode())
    return Keys(master)


def load_keys(path: Path) -> Keys | None:
    """Return what a key file opens, None without one; raise VaultKeyWrong when it is no key file."""
    with telling_unwritable():
        try:
            text = path.read_bytes()
        except FileNotFoundError:
            return None
    try:
        data = json.loads(text)
        if data["what"] != _WHAT or data["version"] != 1:
            raise VaultKeyWrong("not a key file of this version")
        master = base64.b64decode(data["key"], validate=True)
    except (binascii.Error, KeyError, TypeError, ValueError) as err:
        raise VaultKeyWrong("the key file cannot be read") from err
    if len(master) != _KEY:
        raise VaultKeyWrong("the key has the wrong length")
    return Keys(master)


def _derive(master: bytes, use: str) -> bytes:
    return HKDF(SHA256(), _KEY, salt=None, info=f"familiar_faces/vault/1/{use}".encode()).derive(master)
