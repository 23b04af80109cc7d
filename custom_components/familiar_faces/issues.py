"""Repair issues: what the owner has to know and can mend."""

from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import CONF_NAME
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er, issue_registry as ir

from .const import CONF_CAMERA, CONF_PERSON_ID, CONF_TRIGGERS, DOMAIN, SUBENTRY_CAMERA, SUBENTRY_PERSON
from .host.engine import Engine, EngineStatus
from .host.errors import EngineRefused, EnvironmentFailed
from .people.person import Person

ENGINE_FAILED = "engine_failed"
ENTITY_MISSING = "entity_missing"
NOTHING_STORED = "nothing_stored"
PERSON_UNREADABLE = "person_unreadable"


@callback
def async_check_engine(hass: HomeAssistant, engine: Engine) -> None:
    """Say that nobody is recognised while the engine cannot be prepared; starting anew is not an issue."""
    if engine.status is EngineStatus.READY:
        ir.async_delete_issue(hass, DOMAIN, ENGINE_FAILED)
    elif engine.status is EngineStatus.UNAVAILABLE and not isinstance(engine.problem, EngineRefused):
        problem = engine.problem
        reason = problem.detail if isinstance(problem, EnvironmentFailed) else str(problem)
        _async_create(hass, ENGINE_FAILED, ENGINE_FAILED, ir.IssueSeverity.ERROR, reason=reason)


@callback
def async_check_camera(hass: HomeAssistant, subentry: ConfigSubentry) -> None:
    """Say which entities of a camera are gone. One that is only unavailable comes back by itself."""
    registry = er.async_get(hass)
    for entity_id in (subentry.data[CONF_CAMERA], *subentry.data.get(CONF_TRIGGERS, ())):
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
def async_check_people(
    hass: HomeAssistant, subentries: list[ConfigSubentry], people: dict[str, Person], damaged: list[str]
) -> None:
    """Say of whom nothing is stored, and of how many what is stored cannot be read."""
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
def async_clear_subentry(hass: HomeAssistant, subentry: ConfigSubentry) -> None:
    """Take back what was said of a camera or a person that was removed or changed."""
    if subentry.subentry_type == SUBENTRY_CAMERA:
        for entity_id in (subentry.data[CONF_CAMERA], *subentry.data.get(CONF_TRIGGERS, ())):
            ir.async_delete_issue(hass, DOMAIN, f"{ENTITY_MISSING}_{subentry.subentry_id}_{entity_id}")
    elif subentry.subentry_type == SUBENTRY_PERSON:
        ir.async_delete_issue(hass, DOMAIN, f"{NOTHING_STORED}_{subentry.data[CONF_PERSON_ID]}")


@callback
def _async_create(
    hass: HomeAssistant, issue_id: str, key: str, severity: ir.IssueSeverity, **placeholders: str
) -> None:
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_id,
        is_fixable=False,
        severity=severity,
        translation_key=key,
        translation_placeholders=placeholders,
    )
