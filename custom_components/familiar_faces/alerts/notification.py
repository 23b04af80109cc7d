"""What is sent to a recipient, before it takes the form that their phone understands. Pure."""

from dataclasses import dataclass

LINK_MINUTES = 10
"""How long a picture can be fetched: a phone does so as soon as it is told."""


@dataclass(frozen=True, slots=True)
class Button:
    """An answer that a recipient can give."""

    title: str
    action: str = ""
    """What the phone fires when it is pressed; empty for a button that opens something."""
    uri: str | None = None
    """The path that is opened."""
    asks: bool = False
    """Whether its reader writes something with it."""
    destructive: bool = False
    """Whether something is taken away by it."""


@dataclass(frozen=True, slots=True)
class Notification:
    """One state of a notification; another one with the same tag takes its place."""

    tag: str
    title: str
    message: str
    picture: str | None = None
    """The signed path of a picture (JPEG) at this Home Assistant."""
    critical: bool = False
    silent: bool = False
    """Whether it only says more of what was heard already."""
    buttons: tuple[Button, ...] = ()
    opens: str | None = None
    """The path that a tap opens."""
