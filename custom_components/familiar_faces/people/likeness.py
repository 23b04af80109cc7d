"""Likeness among a person's own photos, and with other people: what to ask and to warn of when enrolling.

Cosines are counted around the middle of the embedding space, as `Gallery` counts them.
"""

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from .centre import around, centre_of
from .gallery import Candidate, Gallery
from .person import Embedding
from .templates import centroid, distinct, middles

NOT_SAME = 0.25
"""Cosine between photos below which they are of different people; see `outliers` for what it costs."""

LOOK_ALIKE = 0.6
"""Cosine between two people's centroids from which the camera may not tell them apart.

Measured with the LFW development people, three photos each: no two of 40 people are above 0.30, none of them
and any of 923 others above 0.39, and one person enrolled twice with different photos is at 0.65 or more.
Look-alikes between these were made by moving one person's templates towards another's. Share of single
frames whose margin is then below 0.08, so that the visit is unclear, by the cosine between the centroids:

| cosine | as is | 45 px | 30 px | 45 px, dark |
|---|---|---|---|---|
| 0.50 to 0.55 | 0.0 % | 0.0 % | 0.0 % | 0.0 % |
| 0.55 to 0.60 | 0.0 % | 0.0 % | 0.5 % | 0.3 % |
| 0.60 to 0.65 | 0.3 % | 0.3 % | 1.3 % | 1.9 % |
| 0.70 to 0.75 | 0.9 % | 1.1 % | 2.7 % | 3.9 % |
| 0.80 to 0.85 | 10 % | 13 % | 21 % | 28 % |
| 0.90 to 0.95 | 80 % | 83 % | 85 % | 87 % |
"""


def outliers(embeddings: Sequence[Embedding], model: str) -> list[int]:
    """Return which of a person's photos seem to show somebody else, as indices.

    `embeddings`: (d,) unit length, all of `model`. The photos are joined to individuals by average linkage
    (Sokal and Michener, 1958) down to `NOT_SAME`, nearly the same photos counting once; the largest
    individual is the person. Where two are the largest there is no telling which: then all are returned.

    Measured on the LFW development people, 50 draws of each of 40. False alarms: sets of one person of which
    anything is returned. Caught: sets whose last photos are another person's, of which all those are:

    | photos | another's | false alarms | caught | caught by leaving one out | by the nearest photo |
    |---|---|---|---|---|---|
    | 2 | 1 | 0.2 % | 99.5 % | 99.5 % | 99.5 % |
    | 3 | 1 | 0.1 % | 99.5 % | 99.7 % | 99.4 % |
    | 4 | 2 | 0.0 % | 99.5 % | 12.8 % | 1.7 % |
    | 5 | 1 | 0.0 % | 100.0 % | 99.7 % | 98.7 % |
    | 5 | 2 | 0.0 % | 100.0 % | 44.6 % | 1.6 % |

    Leaving one out: likeness of each photo with the middle of the others; of three it accuses a right one
    too in 4.1 % of sets, joining in 0.5 %. Relatives are more alike than the people of this set, and will
    be caught less often.
    """
    groups = distinct(embeddings)
    individuals = _individuals(around(middles(embeddings, groups), centre_of(model))) if groups else []
    if len(individuals) < 2:
        return []
    largest = max(len(each) for each in individuals)
    likely = [each for each in individuals if len(each) == largest]
    person = likely[0] if len(likely) == 1 else []
    return sorted(index for number, group in enumerate(groups) if number not in person for index in group)


def look_alikes(
    embeddings: Sequence[Embedding], gallery: Gallery, now: datetime, *, person_id: str
) -> tuple[Candidate, ...]:
    """Return who looks like a person to the camera, the likest first; only people who may be recognised.

    `embeddings`: the person's, at least one, (d,) unit length, of the gallery's model. Raises ValueError as
    `Gallery.compare` does.
    """
    found = gallery.compare(centroid(embeddings)[None], [1.0], now).candidates
    return tuple(each for each in found if each.person_id != person_id and each.similarity >= LOOK_ALIKE)


def _individuals(rows: Embedding) -> list[list[int]]:
    """Return which of (n, d) unit-length rows are one individual, joined from the likest on."""
    individuals = [[number] for number in range(len(rows))]
    # The mean likeness of the members; a joined individual's is the mean of the two, by their sizes.
    likeness = (rows @ rows.T).astype(np.float64)
    np.fill_diagonal(likeness, -np.inf)
    while True:
        first, second = sorted(divmod(int(likeness.argmax()), len(rows)))
        if likeness[first, second] < NOT_SAME:
            break
        sizes = len(individuals[first]), len(individuals[second])
        joined = (sizes[0] * likeness[first] + sizes[1] * likeness[second]) / sum(sizes)
        likeness[first, :] = likeness[:, first] = joined
        likeness[second, :] = likeness[:, second] = likeness[first, first] = -np.inf
        individuals[first] += individuals[second]
        individuals[second] = []
    return [each for each in individuals if each]
