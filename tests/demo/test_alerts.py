"""The demo's check of what phones were told: whatever is missing, too many or otherwise is found, and said.

The run itself is part of `test_connections`.
"""

from dataclasses import replace
import json

import pytest

from demo.alerts import ASKED_AGAIN, DOORS, FRIEND, IPHONE, PIXEL, Story, expected, summary
from demo.house import NAME
from demo.told import Told, differences

RIGHT = expected()


def test_what_is_expected_is_right() -> None:
    assert differences(expected(), RIGHT) == []


def test_the_story_has_all_that_it_is_to_show() -> None:
    """Nobody is told of themselves, names come with pictures, and strangers without."""
    steps = list(dict.fromkeys(each.step for each in RIGHT))
    assert steps[:2] == [FRIEND, NAME]
    assert steps[-1] == ASKED_AGAIN
    assert len(steps) == 5
    assert {each.phone for each in RIGHT if each.step == NAME} == {PIXEL}
    assert not any(NAME in each.message for each in RIGHT if each.phone == IPHONE)
    for each in RIGHT:
        assert each.picture is (each.message.split()[0] in (NAME, FRIEND))
    # One notification a visit at each phone, and the correction changes the first one.
    tags = {step: {each.tag for each in RIGHT if each.step == step} for step in steps}
    assert [*tags.values()] == [{1}, {2}, {3}, {4}, {1}]
    # Each comes to a door of their own, which is named; the correction names the first one.
    doors = {step: {each.title for each in RIGHT if each.step == step} for step in steps}
    assert doors == {step: {DOORS.get(step, DOORS[FRIEND])} for step in steps}
    assert len(set(DOORS.values())) == len(DOORS)
    assert all(each.title.lower() in each.message for each in RIGHT)


@pytest.mark.parametrize("number", range(len(RIGHT)))
def test_a_missing_one_is_found(number: int) -> None:
    told = [each for index, each in enumerate(RIGHT) if index != number]
    lines = differences(RIGHT, told)
    assert any(line.lstrip().startswith("- ") and RIGHT[number].line in line for line in lines)


@pytest.mark.parametrize("number", range(len(RIGHT)))
def test_one_too_many_is_found(number: int) -> None:
    told = [*RIGHT[: number + 1], RIGHT[number], *RIGHT[number + 1 :]]
    lines = differences(RIGHT, told)
    assert any(line.lstrip().startswith("+ ") and RIGHT[number].line in line for line in lines)


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Back door"},
        {"message": "Somebody else is at the front door."},
        {"tag": 9},
        {"silent": True},
        {"cleared": True, "message": "clear_notification"},
        {"picture": False},
        {"buttons": ()},
        {"buttons": ("Not them", "Right", "Mute 1 h")},
        {"phone": "A third one"},
        {"step": "earlier"},
    ],
)
def test_whatever_is_otherwise_is_found(change: dict[str, object]) -> None:
    number = next(
        index for index, each in enumerate(RIGHT) if each.phone == IPHONE and each.picture and not each.silent
    )
    wrong = replace(RIGHT[number], **change)  # type: ignore[arg-type]
    lines = differences(RIGHT, [*RIGHT[:number], wrong, *RIGHT[number + 1 :]])
    assert any(line.lstrip().startswith("- ") and RIGHT[number].line in line for line in lines)
    assert any(line.lstrip().startswith("+ ") and wrong.line in line for line in lines)


def test_the_order_counts_at_a_phone_and_not_between_two() -> None:
    first = [each for each in RIGHT if each.step == FRIEND]
    rest = RIGHT[len(first) :]
    at_once, named, other = first
    assert (at_once.phone, named.phone, other.phone) == (PIXEL, PIXEL, IPHONE)
    assert differences(RIGHT, [at_once, other, named, *rest]) == []
    assert differences(RIGHT, [named, at_once, other, *rest])


def test_what_comes_too_late_is_found() -> None:
    """A notification of somebody who came before is not one of who comes now."""
    late = [*RIGHT[1:4], RIGHT[0], *RIGHT[4:]]
    assert differences(RIGHT, late)


def test_the_last_line_tells_all() -> None:
    line = json.loads(json.dumps(summary(Story(RIGHT, ["wrong"]))))
    assert line["right"] is False
    assert line["notifications"][1] == {
        "step": FRIEND,
        "phone": PIXEL,
        "title": "Front door",
        "message": f"{FRIEND} is at the front door.",
        "tag": 1,
        "silent": True,
        "cleared": False,
        "picture": True,
        "buttons": ["Right", "Not them", "Mute 1 h"],
    }


def test_a_line_says_it_in_words() -> None:
    told = Told("step", "Pixel", "Door", "Somebody.", 2, silent=True, picture=True, buttons=("Yes",))
    assert told.line == "Pixel #2: Door: Somebody. (silently, with a picture) [Yes]"
    assert replace(told, cleared=True).line == "Pixel #2: taken away"
