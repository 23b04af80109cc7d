"""Repair issues: what the owner has to know and can mend."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from functools import partial

from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import CONF_NAME, __version__ as HA_VERSION
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.util import dt as dt_util

from ..const import CONF_PERSON_ID, DOMAIN, SUBENTRY_ALERT, SUBENTRY_CAMERA, SUBENTRY_PERSON
from ..host.engine import Engine, EngineStatus
from ..host.engine_errors import EngineRefused
from ..host.process import EngineProcess
from ..internals.missing import TOLD_BY, async_missing, async_not_forgettable
from ..people.names import cleaned
from ..people.person import ConsentState, Person
from ..vault.errors import (
    VaultDamaged,
    VaultError,
    VaultKeyMissing,
    VaultKeyWrong,
    VaultMigrationFailed,
    VaultMissing,
    VaultTooNew,
    VaultUnwritable,
)
from ..vault.retention import Retention
from ..visits.fitness import Fitness
from ..wording.dates import say_day
from ..wording.words import say_at_once
from .engine_trouble import async_trouble
from .subentries import entities_of

AFTER_FAILURES = 3
"""After so many looks in a row without a fresh picture, the owner is told."""
ALERT_ABOUT_NOBODY = "alert_about_nobody"
ALERT_RECIPIENT_GONE = "alert_recipient_gone"
CAMERA_NOBODY_AGREED = "camera_nobody_agreed"
CAMERA_NO_PICTURE = "camera_no_picture"
CAMERA_OLD_PICTURE = "camera_old_picture"
CAMERA_POSTER = "camera_poster"
CAMERA_TURNED = "camera_turned"
CLOCK_DOUBTED = "clock_doubted"
CONSENT_EXPIRED = "consent_expired"
CONSENT_EXPIRING = "consent_expiring"
ENGINE_AWAY = "engine_away"
ENGINE_FAILED = "engine_failed"
ENGINE_FELL_BACK = "engine_fell_back"
ENGINE_PARTLY_AWAY = "engine_partly_away"
ENTITY_MISSING = "entity_missing"
FORGETTING_INCOMPLETE = "forgetting_incomplete"
LINKS_GUESSED = "links_guessed"
NOTHING_STORED = "nothing_stored"
NO_PEOPLE = "no_people"
PERSON_UNREADABLE = "person_unreadable"
PHONES_NOT_TOLD = "phones_not_told"
PHOTOS_REMADE = "photos_remade"
PHOTOS_UNUSABLE = "photos_unusable"
NOT_ERASED = "not_erased"
REMOVAL_UNFINISHED = "removal_unfinished"
RESTORED = "restored"
VAULT_DAMAGED = "vault_damaged"
VAULT_KEY_EXPOSED = "vault_key_exposed"
VAULT_KEY_LOST = "vault_key_lost"
VAULT_MISSING = "vault_missing"
VAULT_TOO_NEW = "vault_too_new"
VAULT_UNWRITABLE = "vault_unwritable"
OF_PICTURES = {
    Fitness.NO_PICTURE: CAMERA_NO_PICTURE,
    Fitness.OLD_PICTURE: CAMERA_OLD_PICTURE,
    Fitness.TURNED: CAMERA_TURNED,
}
_OF_CONSENTS = (f"{CONSENT_EXPIRED}_", f"{CONSENT_EXPIRING}_")
_WRITTEN = frozenset({"alert", "camera", "name"})
"""What stands in the words of an issue that somebody wrote."""
VAULT_PROBLEMS = (VAULT_DAMAGED, VAULT_KEY_LOST, VAULT_MISSING, VAULT_TOO_NEW, VAULT_UNWRITABLE)


@callback
def async_check_engine(hass: HomeAssistant, engine: Engine) -> None:
    """Say that nobody is recognised while the engine cannot be prepared; starting again is not an issue."""
    _async_check_parts(hass, engine)
    if engine.status is EngineStatus.READY:
        for issue_id in (ENGINE_AWAY, ENGINE_FAILED):
            ir.async_delete_issue(hass, DOMAIN, issue_id)
    elif engine.status is not EngineStatus.UNAVAILABLE or isinstance(engine.problem, EngineRefused):
        return
    elif isinstance(engine, EngineProcess):
        # Why is said in the dialog: by then it may be for another reason.
        _async_create_fixable(hass, ENGINE_FAILED, ENGINE_FAILED, ir.IssueSeverity.ERROR)
    else:
        reason = async_trouble(hass, engine.problem)
        _async_create(hass, ENGINE_AWAY, ENGINE_AWAY, ir.IssueSeverity.ERROR, reason=reason)


@callback
def _async_check_parts(hass: HomeAssistant, engine: Engine) -> None:
    """Say which of several engines is not used while another does its work, and which goes without its card."""
    away = engine.parts_away if engine.status is EngineStatus.READY else {}
    _async_keep(hass, ENGINE_PARTLY_AWAY, away)
    for address, problem in away.items():
        _async_create(
            hass,
            f"{ENGINE_PARTLY_AWAY}_{address}",
            ENGINE_PARTLY_AWAY,
            ir.IssueSeverity.WARNING,
            address=address,
            reason=async_trouble(hass, problem),
        )
    _async_keep(hass, ENGINE_FELL_BACK, engine.fell_back)
    for address, reason in engine.fell_back.items():
        _async_create(
            hass,
            f"{ENGINE_FELL_BACK}_{address}",
            ENGINE_FELL_BACK,
            ir.IssueSeverity.WARNING,
            address=address,
            reason=reason,
        )


@callback
def _async_keep(hass: HomeAssistant, kind: str, addresses: Collection[str]) -> None:
    """Delete the issues of a kind that are about other addresses."""
    kept = {f"{kind}_{address}" for address in addresses}
    for domain, issue_id in list(ir.async_get(hass).issues):
        if domain == DOMAIN and issue_id.startswith(f"{kind}_") and issue_id not in kept:
            ir.async_delete_issue(hass, DOMAIN, issue_id)


@callback
def async_check_remaking(hass: HomeAssistant, *, done: int, total: int, unusable: int) -> None:
    """Say how many reference photos another model has been through, and of how many it makes nothing."""
    if done < total:
        _async_create(
            hass,
            PHOTOS_REMADE,
            PHOTOS_REMADE,
            ir.IssueSeverity.WARNING,
            done=str(done),
            total=str(total),
        )
    else:
        ir.async_delete_issue(hass, DOMAIN, PHOTOS_REMADE)
    if unusable:
        _async_create(hass, PHOTOS_UNUSABLE, PHOTOS_UNUSABLE, ir.IssueSeverity.WARNING, count=str(unusable))
    else:
        ir.async_delete_issue(hass, DOMAIN, PHOTOS_UNUSABLE)


@callback
def async_check_internals(hass: HomeAssistant) -> None:
    """Say what this Home Assistant keeps in another way than is known here, and what does not work therefore."""
    unforgettable = async_not_forgettable(hass)
    if unforgettable:
        _async_create(
            hass,
            FORGETTING_INCOMPLETE,
            FORGETTING_INCOMPLETE,
            ir.IssueSeverity.ERROR,
            version=HA_VERSION,
            what=", ".join(unforgettable),
        )
    else:
        ir.async_delete_issue(hass, DOMAIN, FORGETTING_INCOMPLETE)
    if TOLD_BY & set(async_missing(hass)):
        _async_create(hass, PHONES_NOT_TOLD, PHONES_NOT_TOLD, ir.IssueSeverity.ERROR, version=HA_VERSION)
    else:
        ir.async_delete_issue(hass, DOMAIN, PHONES_NOT_TOLD)


@callback
def async_links_guessed(hass: HomeAssistant) -> None:
    """Say that many links were tried that open nothing."""
    _async_create(hass, LINKS_GUESSED, LINKS_GUESSED, ir.IssueSeverity.WARNING)


@callback
def async_check_camera(hass: HomeAssistant, subentry: ConfigSubentry) -> None:
    """Say which entities of a camera are gone. One that is only unavailable comes back by itself."""
    registry = er.async_get(hass)
    for entity_id in entities_of(subentry):
        issue_id = f"{ENTITY_MISSING}_{subentry.subentry_id}_{entity_id}"
        if hass.states.get(entity_id) is not None or registry.async_get(entity_id) is not None:
            ir.async_delete_issue(hass, DOMAIN, issue_id)
        else:
            _async_create(
                hass,
                issue_id,
                ENTITY_MISSING,
                ir.IssueSeverity.WARNING,
                camera=subentry.title,
                entity=entity_id,
            )


@callback
def async_check_pictures(
    hass: HomeAssistant, camera_id: str, title: str, fitness: Fitness | None, *, failures: int
) -> None:
    """Say that a camera gives no fresh pictures, look after look, or that its picture is turned."""
    said = OF_PICTURES.get(fitness) if fitness is not None else None
    if said is not None and fitness is not Fitness.TURNED and failures < AFTER_FAILURES:
        return
    for key in OF_PICTURES.values():
        if key != said:
            ir.async_delete_issue(hass, DOMAIN, f"{key}_{camera_id}")
    issue_id, severity = f"{said}_{camera_id}", ir.IssueSeverity.WARNING
    if said == CAMERA_NO_PICTURE:
        _async_create(hass, issue_id, CAMERA_NO_PICTURE, severity, camera=title)
    elif said == CAMERA_OLD_PICTURE:
        _async_create(hass, issue_id, CAMERA_OLD_PICTURE, severity, camera=title)
    elif said == CAMERA_TURNED:
        _async_create(hass, issue_id, CAMERA_TURNED, severity, camera=title)


@callback
def async_check_posters(hass: HomeAssistant, camera_id: str, title: str, *, found: bool) -> None:
    """Say that a camera sees a face that never moves; the dialog has it ignored."""
    issue_id = f"{CAMERA_POSTER}_{camera_id}"
    if found:
        _async_create_fixable(hass, issue_id, CAMERA_POSTER, ir.IssueSeverity.WARNING, camera=title)
    else:
        ir.async_delete_issue(hass, DOMAIN, issue_id)


@callback
def async_check_agreed(hass: HomeAssistant, camera_id: str, title: str, *, nobody: bool) -> None:
    """Say that none of the people who are here agreed to be recognised at a camera; the dialog asks them all."""
    issue_id = f"{CAMERA_NOBODY_AGREED}_{camera_id}"
    if nobody:
        _async_create_fixable(hass, issue_id, CAMERA_NOBODY_AGREED, ir.IssueSeverity.WARNING, camera=title)
    else:
        ir.async_delete_issue(hass, DOMAIN, issue_id)


@callback
def async_check_anybody(hass: HomeAssistant, *, nobody: bool) -> None:
    """Say that there are cameras and nobody to recognise; the dialog invites somebody."""
    if nobody:
        _async_create_fixable(hass, NO_PEOPLE, NO_PEOPLE, ir.IssueSeverity.WARNING)
    else:
        ir.async_delete_issue(hass, DOMAIN, NO_PEOPLE)


@callback
def async_check_alert(hass: HomeAssistant, alert_id: str, title: str, *, gone: bool) -> None:
    """Say that a recipient of an alert can no longer be notified."""
    issue_id = f"{ALERT_RECIPIENT_GONE}_{alert_id}"
    if gone:
        _async_create(hass, issue_id, ALERT_RECIPIENT_GONE, ir.IssueSeverity.WARNING, alert=title)
    else:
        ir.async_delete_issue(hass, DOMAIN, issue_id)


@callback
def async_check_about(hass: HomeAssistant, alert_id: str, title: str, *, nobody: bool) -> None:
    """Say that the people or the cameras of an alert are gone."""
    issue_id = f"{ALERT_ABOUT_NOBODY}_{alert_id}"
    if nobody:
        _async_create(hass, issue_id, ALERT_ABOUT_NOBODY, ir.IssueSeverity.WARNING, alert=title)
    else:
        ir.async_delete_issue(hass, DOMAIN, issue_id)


@callback
def async_check_people(
    hass: HomeAssistant, subentries: list[ConfigSubentry], people: Collection[str], damaged: list[str]
) -> None:
    """Raise an issue for people without stored data, and one with the number of unreadable people."""
    for subentry in subentries:
        if subentry.subentry_type != SUBENTRY_PERSON:
            continue
        person_id = subentry.data[CONF_PERSON_ID]
        issue_id = f"{NOTHING_STORED}_{person_id}"
        if person_id in people or person_id in damaged:
            ir.async_delete_issue(hass, DOMAIN, issue_id)
        else:
            _async_create(
                hass, issue_id, NOTHING_STORED, ir.IssueSeverity.WARNING, name=subentry.data[CONF_NAME]
            )
    if damaged:
        _async_create(
            hass, PERSON_UNREADABLE, PERSON_UNREADABLE, ir.IssueSeverity.ERROR, count=str(len(damaged))
        )
    else:
        ir.async_delete_issue(hass, DOMAIN, PERSON_UNREADABLE)


@callback
def async_check_clock(hass: HomeAssistant, *, doubted: bool) -> None:
    """Ask whether the time is right. What it should be is said in the dialog."""
    if doubted:
        _async_create_fixable(hass, CLOCK_DOUBTED, CLOCK_DOUBTED, ir.IssueSeverity.ERROR)
    else:
        ir.async_delete_issue(hass, DOMAIN, CLOCK_DOUBTED)


def async_check_erasing(hass: HomeAssistant, left: Collection[str]) -> None:
    """Say from which stores of Home Assistant somebody who was forgotten is not erased yet."""
    if left:
        _async_create(hass, NOT_ERASED, NOT_ERASED, ir.IssueSeverity.ERROR, stores=_stores(hass, left))
    else:
        ir.async_delete_issue(hass, DOMAIN, NOT_ERASED)


@callback
def async_check_removal(hass: HomeAssistant, left: Collection[str]) -> None:
    """Say where something of those is left who were known before the integration was removed, or started over.

    It outlives restarts, for without an entry nothing of this integration runs that could say it again.
    """
    if left:
        stores = _stores(hass, left)
        _async_create_lasting(
            hass, REMOVAL_UNFINISHED, REMOVAL_UNFINISHED, ir.IssueSeverity.ERROR, stores=stores
        )
    else:
        ir.async_delete_issue(hass, DOMAIN, REMOVAL_UNFINISHED)


def _stores(hass: HomeAssistant, left: Collection[str]) -> str:
    return ", ".join(say_at_once(hass, "stores", each) for each in sorted(left))


@callback
def async_check_restored(hass: HomeAssistant, held: bool) -> None:
    """Ask which people of a restored backup to keep. The names are said in the dialog, and stored nowhere."""
    if held:
        _async_create_fixable(hass, RESTORED, RESTORED, ir.IssueSeverity.ERROR)
    else:
        ir.async_delete_issue(hass, DOMAIN, RESTORED)


@callback
def async_check_vault(hass: HomeAssistant, problem: VaultError | OSError | None) -> None:
    """Say why the vault cannot be used, and what can be done about it; nothing while it can be."""
    said = None
    match problem:
        case VaultKeyMissing() | VaultKeyWrong():
            said = VAULT_KEY_LOST
            _async_create_fixable(hass, VAULT_KEY_LOST, VAULT_KEY_LOST, ir.IssueSeverity.ERROR)
        case VaultMissing():
            said = VAULT_MISSING
            _async_create_fixable(hass, VAULT_MISSING, VAULT_MISSING, ir.IssueSeverity.ERROR)
        case VaultDamaged() | VaultMigrationFailed():
            said = VAULT_DAMAGED
            _async_create_fixable(hass, VAULT_DAMAGED, VAULT_DAMAGED, ir.IssueSeverity.ERROR)
        case VaultTooNew():
            said = VAULT_TOO_NEW
            _async_create_fixable(hass, VAULT_TOO_NEW, VAULT_TOO_NEW, ir.IssueSeverity.ERROR)
        case VaultUnwritable() | OSError():
            said = VAULT_UNWRITABLE
            _async_create(
                hass, VAULT_UNWRITABLE, VAULT_UNWRITABLE, ir.IssueSeverity.ERROR, reason=str(problem)
            )
    for issue_id in VAULT_PROBLEMS:
        if issue_id != said:
            ir.async_delete_issue(hass, DOMAIN, issue_id)


@callback
def async_key_was_exposed(hass: HomeAssistant) -> None:
    """Say that others could have read the key file. It is put right already; what they read is not."""
    _async_create(hass, VAULT_KEY_EXPOSED, VAULT_KEY_EXPOSED, ir.IssueSeverity.WARNING)


@callback
def async_check_consents(
    hass: HomeAssistant, people: Iterable[Person], now: datetime, retention: Retention
) -> None:
    """Say whose consent is coming to its end, and whose has: then there is still time to ask them again."""
    said: set[str] = set()
    for person in people:
        if person.consent is None:
            continue
        last_day = _day(hass, person.consent.valid_until - timedelta(microseconds=1))
        match person.consent.state(now):
            case ConsentState.EXPIRING:
                said.add(issue_id := f"{CONSENT_EXPIRING}_{person.person_id}")
                _async_create(
                    hass,
                    issue_id,
                    CONSENT_EXPIRING,
                    ir.IssueSeverity.WARNING,
                    name=person.name,
                    day=last_day,
                )
            case ConsentState.EXPIRED:
                said.add(issue_id := f"{CONSENT_EXPIRED}_{person.person_id}")
                _async_create(
                    hass,
                    issue_id,
                    CONSENT_EXPIRED,
                    ir.IssueSeverity.ERROR,
                    name=person.name,
                    day=last_day,
                    erased=_day(hass, person.consent.valid_until + retention.after_expiry),
                )
    for domain, issue_id in list(ir.async_get(hass).issues):
        if domain == DOMAIN and issue_id not in said and issue_id.startswith(_OF_CONSENTS):
            ir.async_delete_issue(hass, DOMAIN, issue_id)


def _day(hass: HomeAssistant, at: datetime) -> str:
    """Return a day in this home's time zone."""
    return say_day(hass, dt_util.as_local(at).date())


@callback
def async_clear_subentry(hass: HomeAssistant, subentry: ConfigSubentry) -> None:
    """Take back what was said of a camera, a person or an alert that was removed or changed."""
    if subentry.subentry_type == SUBENTRY_CAMERA:
        for entity_id in entities_of(subentry):
            ir.async_delete_issue(hass, DOMAIN, f"{ENTITY_MISSING}_{subentry.subentry_id}_{entity_id}")
        for key in (CAMERA_NOBODY_AGREED, CAMERA_POSTER, *OF_PICTURES.values()):
            ir.async_delete_issue(hass, DOMAIN, f"{key}_{subentry.subentry_id}")
    elif subentry.subentry_type == SUBENTRY_ALERT:
        for key in (ALERT_ABOUT_NOBODY, ALERT_RECIPIENT_GONE):
            ir.async_delete_issue(hass, DOMAIN, f"{key}_{subentry.subentry_id}")
    elif subentry.subentry_type == SUBENTRY_PERSON:
        for key in (NOTHING_STORED, CONSENT_EXPIRED, CONSENT_EXPIRING):
            ir.async_delete_issue(hass, DOMAIN, f"{key}_{subentry.data[CONF_PERSON_ID]}")


@callback
def _async_create(
    hass: HomeAssistant,
    issue_id: str,
    key: str,
    severity: ir.IssueSeverity,
    *,
    is_fixable: bool = False,
    is_persistent: bool = False,
    **placeholders: str,
) -> None:
    """Create an issue; a persistent one is shown again after a restart, whether this integration is loaded or not."""
    # Titles of cameras and alerts are whatever somebody wrote, and are shown as a part of Markdown.
    for each in _WRITTEN & placeholders.keys():
        placeholders[each] = cleaned(placeholders[each])
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_id,
        is_fixable=is_fixable,
        is_persistent=is_persistent,
        severity=severity,
        translation_key=key,
        translation_placeholders=placeholders or None,
    )


_async_create_fixable = partial(_async_create, is_fixable=True)
_async_create_lasting = partial(_async_create, is_persistent=True)
