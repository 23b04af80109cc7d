"""The middle of an embedding space: what all faces have in common, and therefore says nothing about who it is.

A recogniser's embeddings are not spread around zero. What a face shares with every other one, the more so the
poorer its picture is, makes strangers look alike; taking it away is the simplest normalisation against a
cohort of people who are in no gallery. Measured on the LFW development people (40 with three photos each, 208
probes; half of 1,208 strangers gave the middle, the other half was compared, and the reverse),
share named rightly when 0.1 % of strangers are named, as it was / around the middle: 45 px 1.000 / 1.000,
30 px 0.990 / 0.993, dark 0.930 / 0.950, blurred 0.880 / 0.935. Normalising each comparison by the
similarities to a cohort (AS-norm, the 50 or 200 nearest) was no better, nor was whitening by what varies
within a person, and both cost more. It also makes the similarities of strangers mean the same in every light:
zero on average, with the same spread.
"""

from functools import cache

import numpy as np

from .fitted import CENTRE, CENTRE_SPACES
from .person import Embedding


@cache
def centre_of(model: str) -> Embedding | None:
    """Return the middle of the embedding space `model`, (d,); None for a space whose middle is not known.

    It is the mean of the faces of about 1,200 people, each counting once: nobody's face, and no secret.
    """
    if model not in CENTRE_SPACES:
        return None
    centre = np.frombuffer(CENTRE, dtype="<f2").astype(np.float32)
    centre.setflags(write=False)
    return centre


def around(embedding: Embedding, centre: Embedding | None) -> Embedding:
    """Return an embedding, or rows of them, (d,) or (n, d), as seen from the middle (d,), at unit length.

    Without a middle, or of another length than it, they come back as they are at unit length.
    """
    if centre is not None and embedding.shape[-1:] == centre.shape:
        embedding = embedding - centre
    length = np.linalg.norm(embedding, axis=-1, keepdims=True)
    # What lies in the middle itself resembles nobody, which is the right answer.
    seen: Embedding = np.where(length > 1e-6, embedding / np.maximum(length, 1e-6), 0.0).astype(np.float32)
    return seen
