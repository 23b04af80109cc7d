"""Marks: with the key, they show whose visits caused something. Without it, they are random.

Home Assistant gives whatever happens a context, and what follows from it a context with that one as its parent. A
context's id is 16 bytes, so it can carry a mark: then what came of somebody's visits is found by where it came from,
and not by how they are called. Two marks of one person have nothing in common without the key.
"""

from collections.abc import Callable, Collection
import hashlib
import os
import threading

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

SIZE = 16
"""Bytes of a mark: one block of AES."""
_TAG = 8
"""Bytes of it that stand for a person. That a random id looks like one of a given person: once in 2**64."""


class Marks:
    """Makes marks, and tells whose they are. Any thread may call any method."""

    def __init__(self, key: bytes) -> None:
        """Use a key of 32 bytes. It opens nothing else."""
        self.key = key
        # Each mark is one block by itself, random but for the tag: nothing is chained.
        self._cipher = Cipher(AES(key), ECB())
        # Kept, as making one takes longer than what it does, and a large home needs a thousand marks at once.
        self._encryptor = self._cipher.encryptor()
        self._lock = threading.Lock()

    def new(self, person_id: str) -> bytes:
        """Return a mark of a person, another one each time."""
        block = _tag(person_id) + os.urandom(SIZE - _TAG)
        with self._lock:
            return self._encryptor.update(block)

    def finder(self, person_ids: Collection[str]) -> Callable[[Collection[bytes]], set[bytes]]:
        """Return what finds the marks of these people among ids of 16 bytes; others are passed over."""
        tags = {_tag(person_id) for person_id in person_ids}

        def find(ids: Collection[bytes]) -> set[bytes]:
            whole = [each for each in ids if len(each) == SIZE] if tags else []
            decryptor = self._cipher.decryptor()
            plain = decryptor.update(b"".join(whole)) + decryptor.finalize()
            starts = range(0, len(plain), SIZE)
            return {each for each, at in zip(whole, starts, strict=True) if plain[at : at + _TAG] in tags}

        return find


def _tag(person_id: str) -> bytes:
    return hashlib.blake2b(person_id.encode(), digest_size=_TAG).digest()
