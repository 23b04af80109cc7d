"""What may come in through the vault's door."""

from datetime import UTC

import numpy as np

from ..people.person import Consent, Embedding
from .records import Detail

_UNIT = 0.01
"""How far an embedding's length may be from 1."""


def about(consent: Consent) -> dict[str, Detail]:
    """Return what the audit log says of a consent: all but who gave it."""
    return {
        "consent_id": consent.consent_id,
        "method": consent.method.value,
        "on_behalf_of_child": consent.on_behalf_of_child,
        "text_version": consent.text_version,
        "valid_until": consent.valid_until.astimezone(UTC).isoformat(),
        # How many, None for all; which ones is the person's affair.
        "cameras": None if consent.choices.cameras is None else len(consent.choices.cameras),
        "keeping": consent.choices.keeping.value,
        "pictures": consent.choices.pictures,
        "uploads": consent.choices.uploads,
    }


def check_text(text: str, what: str) -> None:
    """Raise ValueError when a text is empty."""
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"{what} is not empty")


def checked_embedding(embedding: Embedding) -> Embedding:
    """Return a copy of an embedding; raise ValueError when it could never be compared."""
    vector = np.array(embedding, dtype=np.float32)
    if vector.ndim != 1 or vector.size == 0 or not np.isfinite(vector).all():
        raise ValueError("an embedding is one row of finite numbers")
    if abs(float(np.linalg.norm(vector)) - 1) > _UNIT:
        raise ValueError("an embedding has length 1")
    return vector
