"""Encryption of one row: AES-256-GCM, bound to the place where it lies."""

import json
import os
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .errors import VaultDamaged

_FORMAT = 1
_NONCE = 12
"""Bytes; random nonces of 96 bits are good for 2**32 messages a key (NIST SP 800-38D, 8.3)."""

type Place = tuple[str | int | None, ...]
"""Kind of row, its id, the person's id and every plain column: what a row cannot be moved away from."""


def seal(key: bytes, plain: bytes, place: Place) -> bytes:
    """Return `plain` encrypted under `key` (32 bytes) for this place."""
    nonce = os.urandom(_NONCE)
    return bytes((_FORMAT,)) + nonce + AESGCM(key).encrypt(nonce, plain, _bound(place))


def unseal(key: bytes, blob: bytes, place: Place) -> bytes:
    """Return what was sealed; raise VaultDamaged, naming the kind of row, when it was changed or moved."""
    if len(blob) <= _NONCE or blob[0] != _FORMAT:
        raise VaultDamaged(f"a {place[0]} row is not a sealed one")
    try:
        return AESGCM(key).decrypt(blob[1 : 1 + _NONCE], blob[1 + _NONCE :], _bound(place))
    except InvalidTag as err:
        raise VaultDamaged(f"a {place[0]} row was changed, moved or cut") from err


def seal_json(key: bytes, data: dict[str, Any], place: Place) -> bytes:
    """Return `data` encrypted as JSON."""
    return seal(key, json.dumps(data, separators=(",", ":")).encode(), place)


def unseal_json(key: bytes, blob: bytes, place: Place) -> dict[str, Any]:
    """Return what `seal_json` was given; raise VaultDamaged otherwise."""
    try:
        data = json.loads(unseal(key, blob, place))
    except ValueError as err:
        raise VaultDamaged(f"a {place[0]} row is not JSON") from err
    if not isinstance(data, dict):
        raise VaultDamaged(f"a {place[0]} row is not an object")
    return data


def _bound(place: Place) -> bytes:
    """Return a place as associated data: JSON, so that no two places read alike."""
    return json.dumps([_FORMAT, *place], separators=(",", ":")).encode()
