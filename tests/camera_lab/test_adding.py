"""The dialog is answered by what it asks, today's and others."""

from typing import Any

from camera_lab.adding import fill
import pytest

from demo.client import DemoFailed

CAMERA: list[dict[str, Any]] = [
    {"name": "camera", "required": True, "selector": {"entity": {}}},
    {
        "name": "mode",
        "required": True,
        "default": "on_ring",
        "selector": {"select": {"options": ["on_ring", "on_motion", "always"]}},
    },
    {"name": "public_space", "required": True, "default": False, "selector": {"boolean": {}}},
]
PICTURES: list[dict[str, Any]] = [
    {
        "name": "source",
        "required": True,
        "description": {"suggested_value": "camera.door_main"},
        "selector": {"select": {"options": [{"value": "camera.door_sub"}, {"value": "camera.door_main"}]}},
    },
    {
        "name": "stream",
        "required": True,
        "selector": {"select": {"options": ["warm", "on_trigger", "never"]}},
    },
    {
        "name": "more",
        "type": "expandable",
        "schema": [
            {
                "name": "turn",
                "required": True,
                "default": "0",
                "selector": {"select": {"options": ["0", "90"]}},
            },
            {"name": "wait", "default": 0, "selector": {"number": {}}},
            {"name": "note", "selector": {"text": {}}},
        ],
    },
]
ANSWERS = {
    "camera": "camera.door",
    "mode": "on_ring",
    "public_space": False,
    "stream": "on_trigger",
    "turn": 0,
}


def test_a_form_is_filled_in() -> None:
    assert fill("user", CAMERA, ANSWERS) == {
        "camera": "camera.door",
        "mode": "on_ring",
        "public_space": False,
    }


def test_what_is_suggested_stays_and_sections_are_filled_in() -> None:
    assert fill("pictures", PICTURES, ANSWERS) == {
        "source": "camera.door_main",
        "stream": "on_trigger",
        "more": {"turn": "0", "wait": 0},
    }


def test_what_cannot_be_chosen_is_not_answered() -> None:
    without = [PICTURES[1] | {"selector": {"select": {"options": ["never"]}}}]
    assert fill("pictures", without, ANSWERS) == {"stream": "never"}


def test_an_unknown_question_is_said() -> None:
    asked = [{"name": "colour", "required": True, "selector": {"text": {}}}]
    with pytest.raises(DemoFailed, match="paint asks for colour"):
        fill("paint", asked, ANSWERS)
