"""A receipt in words, as dialogs show it."""

from homeassistant.core import HomeAssistant, callback

from ..erasing.mentions import ERASABLE, Kind, Place
from ..vault.records import Receipt
from ..wording.dates import say_moment
from ..wording.words import say_at_once

VAULT = ("templates", "photos", "visits", "pictures", "consents", "invitations")
HOME = ("entities", "states", "events", "statistics", "restored_states", "traces", "notifications")
RECORDER = ("database_server", "not_repacked", "not_running")
SENTENCES = (
    "elsewhere",
    "everywhere",
    "going_on",
    "heading",
    "not_reached",
    "not_verified",
    "not_yet",
    "nothing",
)


@callback
def receipt_words(hass: HomeAssistant, receipt: Receipt) -> str:
    """Return what a receipt says, as Markdown: what, how much, whether it was looked for again, and what stays."""

    def say(key: str, **values: str) -> str:
        return say_at_once(hass, "receipt", key, **values)

    when = say_moment(hass, receipt.forgotten_at)
    counted = [(what, getattr(receipt, what)) for what in VAULT]
    counted += [(what, receipt.reached.get(what)) for what in HOME]
    lines = [f"- {say(what)}: {count}" for what, count in counted if count]
    said = [f"**{say('heading', when=when, person_id=receipt.person_id[:8])}**"]
    said.append("\n".join(lines) or say("nothing"))
    said.append(_state(hass, receipt))
    if (recorder := receipt.reached.get("recorder")) in RECORDER:
        said.append(say(str(recorder)))
    if places := _mentioned(hass, receipt):
        said.append(say("elsewhere", places=", ".join(places)))
    said.append(say("not_reached"))
    return "\n\n".join(said)


@callback
def mention_words(hass: HomeAssistant, place: Place) -> str:
    """Return where a name is mentioned."""
    return say_at_once(hass, "mention", place.kind, where=place.where)


def _state(hass: HomeAssistant, receipt: Receipt) -> str:
    if receipt.everywhere:
        return say_at_once(hass, "receipt", "everywhere")
    if left := receipt.reached.get("not_yet"):
        stores = ", ".join(say_at_once(hass, "stores", each) for each in str(left).split(", "))
        return say_at_once(hass, "receipt", "not_yet", stores=stores)
    return say_at_once(hass, "receipt", "not_verified" if receipt.finished_at else "going_on")


def _mentioned(hass: HomeAssistant, receipt: Receipt) -> list[str]:
    return [
        mention_words(hass, Place(kind, where))
        for kind in Kind
        for where in str(receipt.reached.get(f"mentioned_{kind}") or "").split(", ")
        if where
    ]


def choosable(places: list[Place]) -> list[Place]:
    """Return those that can be cleared of a name."""
    return [place for place in places if place.kind in ERASABLE]
