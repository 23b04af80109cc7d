"""What an erasure finds and its receipt as plain data, for actions and the panel."""

from homeassistant.exceptions import ServiceValidationError
from homeassistant.util.json import JsonObjectType, JsonValueType

from ..const import DOMAIN
from ..vault.records import Receipt
from .mentions import ERASABLE, Place, place_of

MENTIONED = "mentioned_"


def answer_receipt(person_id: str, receipt: Receipt | None) -> JsonObjectType:
    """Return what a receipt says; None when nothing was kept of them. Never a name."""
    if receipt is None:
        return {"person_id": person_id, "erased": None}
    return {
        "person_id": person_id,
        "forgotten_at": receipt.forgotten_at.isoformat(),
        "finished_at": None if receipt.finished_at is None else receipt.finished_at.isoformat(),
        # Only when everything was looked at again, in Home Assistant too.
        "verified": receipt.everywhere,
        "not_yet": _listed(receipt, "not_yet"),
        "erased": {**receipt.erased},
        "elsewhere": {key: value for key, value in receipt.reached.items() if not _is_list(key)},
        "mentioned": {
            key.removeprefix(MENTIONED): _listed(receipt, key)
            for key in receipt.reached
            if key.startswith(MENTIONED) and _is_list(key)
        },
    }


def _is_list(key: str) -> bool:
    return key == "not_yet" or (key.startswith(MENTIONED) and key != f"{MENTIONED}elsewhere")


def _listed(receipt: Receipt, key: str) -> list[JsonValueType]:
    said = receipt.reached.get(key)
    return [*said.split(", ")] if isinstance(said, str) and said else []


def answer_mention(place: Place) -> JsonObjectType:
    """Return where else a name stands, and whether it can be erased there."""
    return {
        "place": place.key,
        "kind": str(place.kind),
        "where": place.where,
        "erasable": place.kind in ERASABLE,
    }


def place_to_clear(key: str) -> Place:
    """Return a place of others that can be cleared of a name; raise ServiceValidationError."""
    try:
        place = place_of(key)
    except ValueError:
        place = None
    if place is None or place.kind not in ERASABLE:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="unknown_place",
            translation_placeholders={"place": key},
        )
    return place
