"""The receipt of an erasure as plain data, for actions and the panel."""

from homeassistant.exceptions import HomeAssistantError
from homeassistant.util.json import JsonObjectType, JsonValueType

from ..const import DOMAIN
from ..vault.errors import VaultError
from ..vault.records import Receipt

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
        "erased": {
            "templates": receipt.templates,
            "photos": receipt.photos,
            "visits": receipt.visits,
            "pictures": receipt.pictures,
            "consents": receipt.consents,
            "invitations": receipt.invitations,
        },
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


def erasing_failed(err: VaultError) -> HomeAssistantError:
    """Return what is said when somebody could not be erased."""
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key="forget_failed",
        translation_placeholders={"reason": str(err)},
    )
