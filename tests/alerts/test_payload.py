"""What the companion apps of Android and iOS are sent."""

import json
import re
from typing import Any

import pytest

from custom_components.familiar_faces.alerts.notification import Button, Notification
from custom_components.familiar_faces.alerts.payload import companion, companion_clear, markdown

TOKEN = "A" * 43
PICTURE = f"/api/familiar_faces/notification/{'p' * 22}?authSig={'s' * 330}"
BUTTONS = (
    Button("Right", f"FAMILIAR_FACES_{TOKEN}"),
    Button("Not them", f"FAMILIAR_FACES_{TOKEN}", destructive=True),
    Button("Who is it?", uri=f"/familiar_faces/who/{TOKEN}"),
)
MOST_PUSHED = 4096
"""Bytes that the push servers take at most.

Sources: developer.apple.com/documentation/usernotifications/generating-a-remote-notification,
firebase.google.com/docs/cloud-messaging/concept-options.
"""


def told(**changes: Any) -> Notification:
    """Return a notification."""
    notification: dict[str, Any] = {
        "tag": "familiar_faces_1234",
        "title": "Front door",
        "message": "Anna is at the front door.",
    }
    return Notification(**(notification | changes))


def text_alone(data: dict[str, Any]) -> dict[str, str]:
    """Return what Android's app gets, as its push server flattens it; it refuses what is not text."""
    flat = {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in data.items()}
    for number, action in enumerate(data.get("actions", ()), 1):
        for key, value in action.items():
            assert isinstance(value, str), key
            flat[f"action_{number}_{'key' if key == 'action' else key}"] = value
    return flat


@pytest.mark.parametrize("apple", [False, True])
def test_same_place(apple: bool) -> None:
    """Each state takes the place of the one before, and all lie together."""
    first, second = (companion(told(silent=silent), apple=apple)["data"] for silent in (False, True))
    assert first["tag"] == second["tag"] == "familiar_faces_1234"
    # Android knows a notification by both.
    assert first["group"] == second["group"] == "familiar_faces"


def test_silence() -> None:
    """What only reads differently makes no sound, which each platform is told in its own way."""
    assert companion(told(silent=True), apple=False)["data"]["alert_once"] is True
    assert companion(told(), apple=False)["data"]["alert_once"] is False
    push = companion(told(silent=True), apple=True)["data"]["push"]
    assert push == {"interruption-level": "passive", "sound": "none"}
    assert companion(told(), apple=True)["data"]["push"]["sound"] == "default"


def test_critical() -> None:
    """A critical one rings through, once: its later states do not."""
    ringing = companion(told(critical=True), apple=False)["data"]
    assert (ringing["channel"], ringing["ttl"], ringing["priority"]) == ("alarm_stream", 0, "high")
    assert companion(told(critical=True, silent=True), apple=False)["data"]["channel"] == "Familiar Faces"
    assert companion(told(), apple=False)["data"]["channel"] == "Familiar Faces"
    push = companion(told(critical=True), apple=True)["data"]["push"]
    assert push["interruption-level"] == "critical"
    assert push["sound"] == {"name": "default", "critical": 1, "volume": 1.0}
    silent = companion(told(critical=True, silent=True), apple=True)["data"]["push"]
    assert silent["interruption-level"] == "passive"
    assert companion(told(), apple=True)["data"]["push"]["interruption-level"] == "time-sensitive"


@pytest.mark.parametrize("apple", [False, True])
def test_picture(apple: bool) -> None:
    """A picture is a path of this Home Assistant; without one nothing is said of it."""
    assert companion(told(picture=PICTURE), apple=apple)["data"]["image"] == PICTURE
    assert "image" not in companion(told(), apple=apple)["data"]


def test_tap() -> None:
    """A tap opens a path, which the two call differently."""
    opens = "/?more-info-entity-id=camera.front_door"
    android, apple = (companion(told(opens=opens), apple=each)["data"] for each in (False, True))
    assert (android["clickAction"], apple["url"]) == (opens, opens)
    assert "url" not in android
    assert "clickAction" not in apple
    assert "clickAction" not in companion(told(), apple=False)["data"]


def test_buttons_on_android() -> None:
    """Nobody answers on a phone that is locked; what is not text breaks the whole notification."""
    flat = text_alone(companion(told(buttons=BUTTONS), apple=False)["data"])
    assert [flat[f"action_{number}_title"] for number in (1, 2, 3)] == ["Right", "Not them", "Who is it?"]
    assert [flat[f"action_{number}_key"] for number in (1, 2, 3)] == [*[BUTTONS[0].action] * 2, "URI"]
    assert flat["action_3_uri"] == BUTTONS[2].uri
    assert [flat[f"action_{number}_authenticationRequired"] for number in (1, 2, 3)] == ["true"] * 3


def test_buttons_on_apple() -> None:
    """The app there takes a truth value, and colours what takes something away."""
    actions = companion(told(buttons=BUTTONS), apple=True)["data"]["actions"]
    assert all(each["authenticationRequired"] is True for each in actions)
    assert [each.get("destructive") for each in actions] == [None, True, None]
    assert (actions[2]["action"], actions[2]["uri"]) == ("URI", BUTTONS[2].uri)


def test_three_buttons() -> None:
    """Android shows three, so no more are sent."""
    assert len(companion(told(buttons=BUTTONS * 2), apple=False)["data"]["actions"]) == 3
    assert "actions" not in companion(told(), apple=False)["data"]


@pytest.mark.parametrize("apple", [False, True])
def test_small_enough(apple: bool) -> None:
    """The push servers take the longest one: four long names at two cameras, everything with it."""
    message = f"{', '.join(['Wilhelmina Alexandra Catharina van der Bergh-Ķempe'] * 8)} is at the door."
    notification = told(message=message, picture=PICTURE, buttons=BUTTONS, critical=True, opens="/" * 80)
    assert len(json.dumps(companion(notification, apple=apple)).encode()) < MOST_PUSHED - 500


def test_markup_in_a_name() -> None:
    """Android reads markup in a message; a name is shown as it is written."""
    sent = companion(told(title="<b>Door</b>", message="<img src=x> is there."), apple=False)
    assert "<" not in sent["title"] + sent["message"]
    assert "img src=x" in sent["message"]


@pytest.mark.parametrize(
    "name",
    ["![x](https://example.com/x.png)", "[Anna](https://example.com)", "<b>Anna</b>", "**An_n_a**", "`a`"],
)
def test_markdown_in_a_name(name: str) -> None:
    """Home Assistant reads Markdown; nothing of a name is a link, a picture or a tag in it."""
    shown = markdown(name)
    # Every sign that means anything there has a backslash before it.
    assert not set("*_`[]<>!") & set(re.sub(r"\\.", "", shown))
    assert shown.replace("\\", "") == name


def test_plain_text_stays() -> None:
    """What is said of most people is not touched."""
    assert markdown("Anna is at the front door.") == "Anna is at the front door."
    assert companion(told(), apple=True)["message"] == "Anna is at the front door."


def test_clear() -> None:
    """A notification is taken away by its tag."""
    assert companion_clear("t") == {"message": "clear_notification", "data": {"tag": "t"}}
