"""What a user reads when the vault could not do what they asked for."""

from enum import StrEnum

from homeassistant.exceptions import HomeAssistantError

from ..const import DOMAIN
from ..vault.errors import VaultError


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


def vault_failed(
    err: VaultError | OSError, failed: Failed, kind: type[HomeAssistantError] = HomeAssistantError
) -> HomeAssistantError:
    """Return the error that says what could not be done, and why."""
    return kind(
        translation_domain=DOMAIN,
        translation_key=failed,
        translation_placeholders={"reason": str(err)},
    )
