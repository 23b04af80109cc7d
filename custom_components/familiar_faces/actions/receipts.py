"""The receipt of an erasure as actions answer it."""

from homeassistant.exceptions import HomeAssistantError
from homeassistant.util.json import JsonObjectType

from ..const import DOMAIN
from ..vault.errors import VaultError
from ..vault.records import Receipt


def answer_receipt(person_id: str, receipt: Receipt | None) -> JsonObjectType:
    """Return what a receipt says; None when nothing was kept of them. Never a name."""
    if receipt is None:
        return {"person_id": person_id, "erased": None}
    return {
        "person_id": person_id,
        "forgotten_at": receipt.forgotten_at.isoformat(),
        "finished_at": None if receipt.finished_at is None else receipt.finished_at.isoformat(),
        "verified": receipt.verified,
        "erased": {
            "templates": receipt.templates,
            "photos": receipt.photos,
            "visits": receipt.visits,
            "pictures": receipt.pictures,
            "consents": receipt.consents,
            "invitations": receipt.invitations,
        },
        "elsewhere": dict(receipt.reached),
    }


def erasing_failed(err: VaultError) -> HomeAssistantError:
    """Return what is said when somebody could not be erased."""
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key="forget_failed",
        translation_placeholders={"reason": str(err)},
    )
