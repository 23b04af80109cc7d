"""A notification as the companion apps understand it, and as Home Assistant itself shows it. Pure.

Source: companion.home-assistant.io/docs/notifications, and what the apps and their push servers make of it:
- notifications-basic, "Replacing" and "Clearing": by the tag. iOS replaces no critical notification, and takes
  only the newest of a tag away.
- notifications-basic, "Alert Once": on Android what replaces a notification that is still shown is silent with
  it. "Sounds" and "Interruption Level": on iOS `passive` and the sound `none` are.
- notifications-basic, "Opening a URL": a path of the frontend, `clickAction` on Android and `url` on iOS.
- critical-notifications: on Android `ttl` and `priority` wake a phone that sleeps, and the channel `alarm_stream`
  rings also when it is muted; on iOS the interruption level and the sound do.
- notification-attachments: a path at this Home Assistant, whose address the app knows; on iOS `image` is
  a JPEG also without an ending.
- actionable-notifications: Android shows three buttons. `textInput` has the reader write something, `reply_text`. Google's push server takes text alone, Apple's app a real
  truth value, so the two are told `authenticationRequired` differently.
"""

from typing import Any

from .notification import Button, Notification

CLEAR = "clear_notification"
GROUP = "familiar_faces"
CHANNEL = "Familiar Faces"
"""What the user of an Android phone finds the sound and the importance of our notifications under."""
ALARM = "alarm_stream"
MOST_BUTTONS = 3
_MARKUP = str.maketrans({"<": "‹", ">": "›"})
_MARKDOWN = str.maketrans({each: f"\\{each}" for each in "\\`*_[]<>!"})


def companion(notification: Notification, *, apple: bool) -> dict[str, Any]:
    """Return what a notify action of a phone takes; `apple`: for the app of iOS and macOS."""
    data: dict[str, Any] = {"tag": notification.tag, "group": GROUP}
    if notification.picture is not None:
        data["image"] = notification.picture
    if notification.buttons:
        data["actions"] = [_action(each, apple=apple) for each in notification.buttons[:MOST_BUTTONS]]
    data |= _apple(notification) if apple else _android(notification)
    return {
        # Android reads markup, and a name may hold anything.
        "title": notification.title.translate(_MARKUP),
        "message": notification.message.translate(_MARKUP),
        "data": data,
    }


def _android(notification: Notification) -> dict[str, Any]:
    # A silent one that its reader has put away before would ring out from the stream of alarms.
    rings = notification.critical and not notification.silent
    data: dict[str, Any] = {
        "ttl": 0,
        "priority": "high",
        "channel": ALARM if rings else CHANNEL,
        "importance": "high",
        "alert_once": notification.silent,
    }
    if notification.opens is not None:
        data["clickAction"] = notification.opens
    return data


def _apple(notification: Notification) -> dict[str, Any]:
    if notification.silent:
        push: dict[str, Any] = {"interruption-level": "passive", "sound": "none"}
    elif notification.critical:
        sound = {"name": "default", "critical": 1, "volume": 1.0}
        push = {"interruption-level": "critical", "sound": sound}
    else:
        push = {"interruption-level": "time-sensitive", "sound": "default"}
    return {"push": push} | ({} if notification.opens is None else {"url": notification.opens})


def _action(button: Button, *, apple: bool) -> dict[str, Any]:
    """Return a button. Anyone who finds the phone locked cannot press it."""
    action: dict[str, Any] = {"title": button.title, "authenticationRequired": True if apple else "true"}
    if button.uri is not None:
        return action | {"action": "URI", "uri": button.uri}
    action["action"] = button.action
    if button.asks:
        action["behavior"] = "textInput"
    return action | {"destructive": True} if apple and button.destructive else action


def companion_clear(tag: str) -> dict[str, Any]:
    """Return what makes a phone take a notification away."""
    return {"message": CLEAR, "data": {"tag": tag}}


def markdown(text: str) -> str:
    """Return a text so that Home Assistant, which reads Markdown, shows it as it is."""
    return text.translate(_MARKDOWN)
