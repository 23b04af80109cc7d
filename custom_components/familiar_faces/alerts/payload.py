"""A notification as the companion apps of Android and iOS understand it. Pure.

Source: companion.home-assistant.io/docs/notifications. Each app passes over what only the other knows.
"""

from typing import Any

from .notification import Notification

CLEAR = "clear_notification"
GROUP = "familiar_faces"


def companion_data(notification: Notification) -> dict[str, Any]:
    """Return the `data` of a notify action."""
    data: dict[str, Any] = {
        "tag": notification.tag,
        "group": GROUP,
        # Android: without these a phone that sleeps is told only when it wakes up.
        "ttl": 0,
        "priority": "high",
        "channel": "Familiar Faces",
        "alert_once": notification.silent,
        "push": _push(notification),
    }
    if notification.critical and not notification.silent:
        data["channel"] = "alarm_stream"
    if notification.picture is not None:
        data["image"] = notification.picture
        data["attachment"] = {"url": notification.picture, "content-type": "jpeg"}
    if notification.opens is not None:
        data["clickAction"] = data["url"] = notification.opens
    if notification.buttons:
        data["actions"] = [
            {"action": "URI", "title": each.title, "uri": each.uri}
            if each.uri is not None
            else {"action": each.action, "title": each.title}
            for each in notification.buttons
        ]
    return data


def _push(notification: Notification) -> dict[str, Any]:
    """Return what iOS is told about sound."""
    if notification.silent:
        return {"interruption-level": "passive", "sound": "none"}
    if notification.critical:
        return {"interruption-level": "critical", "sound": {"name": "default", "critical": 1, "volume": 1.0}}
    return {"interruption-level": "time-sensitive", "sound": "default"}


def companion_clear(tag: str) -> dict[str, Any]:
    """Return what makes a phone take a notification away."""
    return {"message": CLEAR, "data": {"tag": tag}}
