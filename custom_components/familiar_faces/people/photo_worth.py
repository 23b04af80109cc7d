"""What each of a person's reference photos is worth beside the others."""

from collections.abc import Sequence
from enum import StrEnum

from .likeness import outliers
from .person import Template
from .templates import compared, distinct


class Worth(StrEnum):
    """What is to be said of a reference photo."""

    GOOD = "good"
    LITTLE = "little"
    """It is nearly the same as one before it, so it adds little."""
    ODD = "odd"
    """It seems to show somebody else than the others."""
    ASIDE = "aside"
    """It is set aside: nobody is compared with it."""
    OLD_MODEL = "old_model"
    """Another model made its face data, so it cannot be compared with."""


def worths(templates: Sequence[Template]) -> dict[str, Worth]:
    """Return what each of a person's templates is worth, by their ids. See `likeness.outliers` for `ODD`."""
    found = {each.template_id: Worth.OLD_MODEL if each.usable else Worth.ASIDE for each in templates}
    in_use = compared(templates) if templates else []
    embeddings = [each.embedding for each in in_use]
    for group in distinct(embeddings):
        for place, index in enumerate(group):
            found[in_use[index].template_id] = Worth.LITTLE if place else Worth.GOOD
    if in_use:
        for index in outliers(embeddings, in_use[0].model):
            found[in_use[index].template_id] = Worth.ODD
    return found
