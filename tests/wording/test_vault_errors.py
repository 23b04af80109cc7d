"""What users read when the vault could not do something: in their language, with the cause."""

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryError
from homeassistant.helpers.translation import async_get_translations
import pytest

from custom_components.familiar_faces.const import DOMAIN
from custom_components.familiar_faces.vault.errors import ErasedLater, VaultClosed, VaultUnwritable
from custom_components.familiar_faces.wording.vault_errors import Failed, vault_failed


@pytest.fixture
async def german(hass: HomeAssistant, enable_custom_integrations: None) -> None:
    """Have Home Assistant speak German."""
    hass.config.language = "de"
    await async_get_translations(hass, "de", "selector", [DOMAIN])


@pytest.mark.usefixtures("german")
async def test_the_reason_is_in_the_language_of_the_user() -> None:
    """With what the system said about it behind the sentence."""
    err = vault_failed(VaultUnwritable("SQLITE_FULL"), Failed.CONSENT)
    assert err.translation_key == "consent_failed"
    assert err.translation_placeholders == {
        "reason": "Der Tresor ist nicht beschreibbar. Der Datenträger ist voll, schreibgeschützt oder defekt. (SQLITE_FULL)"
    }
    (reason,) = (vault_failed(ErasedLater(), Failed.FORGETTING).translation_placeholders or {}).values()
    assert reason.startswith("Das gilt ab jetzt")


@pytest.mark.usefixtures("german")
async def test_what_the_system_says_is_said_as_it_is() -> None:
    err = vault_failed(OSError("Read-only file system"), Failed.OPENING, ConfigEntryError)
    assert isinstance(err, ConfigEntryError)
    assert err.translation_placeholders == {"reason": "Read-only file system"}


def test_without_texts_it_is_in_english() -> None:
    err = vault_failed(VaultClosed(), Failed.READING)
    assert err.translation_placeholders == {"reason": "The vault is closed."}
