"""Corrections: what follows for a person's templates when a visit was not theirs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from .person import Template

GUARD_STEP = 0.05
"""How much more than the wrong match is demanded of the next face that looks like it.

Two photos of one individual differ by 0.054 (standard deviation) in their similarity to somebody else, in the
LFW development set (40 people with three photos each, 208 others). Where one photo would have been named wrongly
at 0.20, 419 of 1,881 others of the same individual reach that too, 201 of them nearest to the same template: a
guard without a step stops 125 of these, 0.02 stops 163, 0.05 stops 191, 0.10 all 201. What is nearest to another
template is only stopped by another correction. Of the person's own 425 photos nearest to that template none was
lost, with any of these steps.
"""

GUARD_MOST = 0.95
"""The highest guard. Between this and 1 lies the photo itself, and nothing else."""


@dataclass(frozen=True, slots=True)
class WrongMatch:
    """What is to be changed about the template that caused a wrong match."""

    template: Template
    """The template as it is to be from now on."""
    set_aside: bool
    """Whether it is no longer compared with; False when it is the last one that can be."""


def after_wrong_match(
    templates: Sequence[Template], template_id: str | None, similarity: float | None
) -> WrongMatch | None:
    """Return what changes when the match by a template was wrong, None when it is gone.

    `templates`: all of the person's. `template_id`: the one that the face resembled most. `similarity`: the
    visit's with the person's centroid, -1 to 1; None when it was not noted: then there is no guard.

    The template is set aside unless it is the person's last usable one of its model, and gets a guard: a face
    that is nearest to it has to be more similar to the person than the wrong match was. A guard is only ever
    raised. Nothing of the face itself is needed, nor kept.
    """
    template = next((each for each in templates if each.template_id == template_id), None)
    if template is None:
        return None
    guard = template.guard
    if similarity is not None:
        guard = max(min(similarity + GUARD_STEP, GUARD_MOST), -1.0 if guard is None else guard)
    others = [each for each in templates if each.usable and each.model == template.model]
    set_aside = any(each.template_id != template_id for each in others)
    usable = template.usable and not set_aside
    return WrongMatch(replace(template, usable=usable, guard=guard), set_aside)
