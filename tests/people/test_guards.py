"""What follows for the templates when a visit was not the person's."""

from typing import Any

import pytest

from custom_components.familiar_faces.people.guards import GUARD_MOST, GUARD_STEP, after_wrong_match
from tests.common.vectors import Axis, MakePerson


def test_the_template_is_set_aside_and_guards(make_person: MakePerson, axis: Axis) -> None:
    templates = make_person("Anna", axis(0), axis(1)).templates

    change = after_wrong_match(templates, "Anna-1", 0.5)

    assert change.set_aside
    assert change.template.template_id == "Anna-1"
    assert not change.template.usable
    assert change.template.guard == pytest.approx(0.5 + GUARD_STEP)
    assert change.template.embedding is templates[1].embedding


@pytest.mark.parametrize(
    "other", [{"usable": (True, False)}, {}], ids=["the other one is set aside", "there is no other"]
)
def test_the_last_usable_template_stays(make_person: MakePerson, axis: Axis, other: dict[str, Any]) -> None:
    templates = make_person("Anna", *(axis(0), axis(1))[: 2 if other else 1], **other).templates

    change = after_wrong_match(templates, "Anna-0", 0.5)

    assert not change.set_aside
    assert change.template.usable
    assert change.template.guard == pytest.approx(0.5 + GUARD_STEP)


def test_a_template_of_another_model_cannot_stand_in(make_person: MakePerson, axis: Axis) -> None:
    templates = (
        *make_person("Anna", axis(0)).templates,
        *make_person("Another", axis(1), model="another").templates,
    )

    assert not after_wrong_match(templates, "Anna-0", 0.5).set_aside


def test_a_guard_is_only_raised_and_never_out_of_reach(make_person: MakePerson, axis: Axis) -> None:
    templates = make_person("Anna", axis(0), axis(1)).templates

    first = after_wrong_match(templates, "Anna-0", 0.6).template
    second = after_wrong_match((first, templates[1]), "Anna-0", 0.4)
    assert second.template.guard == first.guard
    assert not second.template.usable
    raised = after_wrong_match((first, templates[1]), "Anna-0", 0.7).template.guard
    assert raised is not None
    assert first.guard is not None
    assert raised > first.guard
    assert after_wrong_match(templates, "Anna-0", 0.99).template.guard == GUARD_MOST
    assert after_wrong_match(templates, "Anna-0", None).template.guard is None
    assert after_wrong_match((first, templates[1]), "Anna-0", None).template.guard == first.guard


@pytest.mark.parametrize("template_id", [None, "gone"])
def test_without_the_template_nothing_changes(
    make_person: MakePerson, axis: Axis, template_id: str | None
) -> None:
    assert after_wrong_match(make_person("Anna", axis(0)).templates, template_id, 0.5) is None
