"""Choosing otherwise, by a person who is logged in here: a new consent of their own, with the text before them."""

from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256

from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..household.household import Household
from ..people.choices import Choices
from ..people.person import ConsentMethod, Person
from ..vault.errors import UnknownPerson, VaultError
from ..wording.vault_errors import Failed, vault_failed
from .record import ConsentRefused, Refusal, async_put_on_record, build_consent, last_day
from .text import async_consent_text


@dataclass(frozen=True, slots=True)
class Offered:
    """What somebody would agree to."""

    text: str
    """Its paragraphs are parted by empty lines."""
    read: str
    """A fingerprint of the text, with which they say that they read it."""
    last_day: date


async def async_offered(household: Household, person: Person, language: str) -> Offered:
    """Return what a person would agree to now, in one of `wording.words.LANGUAGES`."""
    child = _is_child(person)
    text = await async_consent_text(household, language, name=person.own_name, child=child)
    read = sha256(text.encode()).hexdigest()[:16]
    return Offered(text, read, last_day(household.retention, dt_util.now().date(), child=child))


async def async_choose(
    household: Household, person: Person, choices: Choices, *, language: str, read: str
) -> datetime:
    """Put a person's own new consent on record, and return until when it counts; raise what they are to read.

    `read`: the fingerprint of the text that they were shown.
    """
    if _is_child(person):
        # A yes for a child is its guardian's, on the personal link that they were given.
        raise await _async_refused(household, Refusal.CHILD_NEEDS_GUARDIAN, language)
    offered = await async_offered(household, person, language)
    if read != offered.read:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="consent_text_changed")
    try:
        consent = build_consent(
            household,
            name=person.own_name,
            child=False,
            given_by=person.own_name,
            method=ConsentMethod.OWN_DEVICE,
            choices=choices,
            text=offered.text,
            language=language,
        )
        await household.async_whole(async_put_on_record(household, person.person_id, consent))
    except ConsentRefused as err:
        raise await _async_refused(household, err.refusal, language) from err
    except UnknownPerson as err:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="person_gone") from err
    except VaultError as err:
        raise vault_failed(err, Failed.CONSENT) from err
    return consent.valid_until


async def _async_refused(household: Household, refusal: Refusal, language: str) -> ServiceValidationError:
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key="consent_refused",
        translation_placeholders={"reason": await async_say_refusal(household, refusal, language)},
    )


async def async_say_refusal(household: Household, refusal: Refusal, language: str) -> str:
    """Return the sentence that the dialog says."""
    words = await async_get_translations(household.hass, language, "config_subentries", [DOMAIN])
    return words.get(f"component.{DOMAIN}.config_subentries.person.error.{refusal}", str(refusal))


def _is_child(person: Person) -> bool:
    return person.consent is not None and person.consent.on_behalf_of_child
