"""What a user reads when the vault could not do what they asked for."""

from enum import StrEnum
import re

from homeassistant.core import async_get_hass_or_none, callback
from homeassistant.exceptions import HomeAssistantError

from ..const import DOMAIN
from ..vault.errors import VaultError
from .words import say_at_once

SENTENCES = "vault_error"
"""The group of sentences that say what is wrong with the vault."""


class Failed(StrEnum):
    """What could not be done, by the sentence that says so."""

    BACKUP = "backup_failed"
    CONSENT = "consent_failed"
    CORRECTING = "correction_failed"
    DISCARDING = "discard_failed"
    FORGETTING = "forget_failed"
    IDENTIFYING = "identify_not_logged"
    INVITING = "invitation_failed"
    OPENING = "vault_failed"
    PHOTO = "photo_failed"
    PURGING = "purge_failed"
    READING = "reading_failed"


@callback
def vault_failed(
    err: VaultError | OSError, failed: Failed, kind: type[HomeAssistantError] = HomeAssistantError
) -> HomeAssistantError:
    """Return the error that says what could not be done, and why."""
    return kind(
        translation_domain=DOMAIN,
        translation_key=failed,
        translation_placeholders={"reason": _reason(err)},
    )


def key_of(kind: type[VaultError]) -> str:
    """Return the key of the sentence that says what is wrong."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


def _reason(err: VaultError | OSError) -> str:
    """Return why, in the language of the user who asks; in English as long as no texts are loaded."""
    hass = async_get_hass_or_none()
    if hass is None or not isinstance(err, VaultError):
        return str(err)
    key = key_of(type(err))
    said = say_at_once(hass, SENTENCES, key)
    if said == key:
        return str(err)
    return f"{said} ({err.detail})" if err.detail else said
