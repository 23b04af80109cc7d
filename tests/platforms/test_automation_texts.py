"""What the editor shows of triggers and conditions: whole, in every language, and offered where they fit."""

from typing import Any

from homeassistant.components.websocket_api.automation import (
    async_get_conditions_for_target,
    async_get_triggers_for_target,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers import condition as conditions, trigger as triggers
from homeassistant.helpers.icon import async_get_icons
from homeassistant.helpers.selector import selector
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util import dt as dt_util
import pytest

from custom_components.familiar_faces import device_condition, device_trigger
from custom_components.familiar_faces.condition import CONDITIONS
from custom_components.familiar_faces.const import DOMAIN, SUBENTRY_CAMERA, SUBENTRY_PERSON
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.trigger import TRIGGERS

from ..common.automations import device_of
from ..common.people_on_record import DAY, a_consent, put_on_record

KINDS: dict[str, tuple[Any, dict[str, Any]]] = {
    "triggers": (triggers, TRIGGERS),
    "conditions": (conditions, CONDITIONS),
}
LANGUAGES = ("en", "nl", "de")


async def described(hass: HomeAssistant, kind: str) -> dict[str, dict[str, Any]]:
    """Return what Home Assistant hands to the editor of ours."""
    found = await KINDS[kind][0].async_get_all_descriptions(hass)
    ours = {
        key.removeprefix(f"{DOMAIN}."): each for key, each in found.items() if key.startswith(f"{DOMAIN}.")
    }
    assert all(each is not None for each in ours.values())
    return ours


def fields_of(schema: Any) -> set[str]:
    """Return the options that a schema takes."""
    (options,) = [value for key, value in schema.schema.items() if key == "options"]
    return {str(key) for key in getattr(options, "schema", options)}


@pytest.mark.usefixtures("hub")
@pytest.mark.parametrize("kind", KINDS)
async def test_descriptions(hass: HomeAssistant, kind: str) -> None:
    """Everything that there is, is described with all that it takes, in selectors that take what they show."""
    found, classes = await described(hass, kind), KINDS[kind][1]
    assert found.keys() == classes.keys()
    for key, each in found.items():
        assert each["fields"].keys() == fields_of(classes[key]._schema), key
        assert each["target"]["entity"][0]["integration"] == DOMAIN
        for field in each["fields"].values():
            assert selector(field["selector"])


@pytest.mark.usefixtures("hub")
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
async def test_texts(hass: HomeAssistant, kind: str, language: str) -> None:
    """Every one and every field of it has a name and a description, and none is left over."""
    texts = await async_get_translations(hass, language, kind, {DOMAIN})
    wanted = set()
    for key, each in (await described(hass, kind)).items():
        for path in (key, *(f"{key}.fields.{field}" for field in each["fields"])):
            wanted |= {f"component.{DOMAIN}.{kind}.{path}.{text}" for text in ("name", "description")}
    assert texts.keys() == wanted
    assert all(texts.values())


@pytest.mark.usefixtures("hub")
@pytest.mark.parametrize("language", LANGUAGES)
async def test_texts_of_devices(hass: HomeAssistant, language: str) -> None:
    """Everything that a device offers, and what else can be chosen of it, has a text."""
    texts = await async_get_translations(hass, language, "device_automation", {DOMAIN})
    types = {
        "trigger_type": [type_ for each in device_trigger.TYPES.values() for type_ in each],
        "condition_type": [type_ for each in device_condition.TYPES.values() for type_ in each],
        "extra_fields": ["for", "within"],
        "extra_fields_descriptions": ["for", "within"],
    }
    assert texts.keys() == {
        f"component.{DOMAIN}.device_automation.{group}.{key}" for group, keys in types.items() for key in keys
    }
    assert device_condition.TYPES.keys() == device_trigger.TYPES.keys() == {SUBENTRY_CAMERA, SUBENTRY_PERSON}


@pytest.mark.usefixtures("hub")
@pytest.mark.parametrize("kind", KINDS)
async def test_icons(hass: HomeAssistant, kind: str) -> None:
    """Every one has an icon of its own."""
    icons = (await async_get_icons(hass, kind, [DOMAIN]))[DOMAIN]
    assert icons.keys() == KINDS[kind][1].keys()
    shown = [each[kind.removesuffix("s")] for each in icons.values()]
    assert len(set(shown)) == len(shown)
    assert all(icon.startswith("mdi:") for icon in shown)


async def test_offered_for_a_target(hass: HomeAssistant, hub: Hub) -> None:
    """The editor offers them for the devices and entities that they are about, and for no others."""
    now = dt_util.utcnow()
    await put_on_record(hass, hub, a_consent(now - DAY, now + 300 * DAY), "anna", "Anna")
    front = device_of(hass, next(iter(hub.watchers)))
    about_visits = {f"{DOMAIN}.{key}" for key in TRIGGERS}

    async def offered(target: dict[str, Any]) -> tuple[set[str], set[str]]:
        triggers_of_it, conditions_of_it = (
            {key for key in found if key.startswith(f"{DOMAIN}.")}
            for found in (
                await async_get_triggers_for_target(hass, target, False),
                await async_get_conditions_for_target(hass, target, False),
            )
        )
        return triggers_of_it, conditions_of_it

    everything = (about_visits, {f"{DOMAIN}.{key}" for key in CONDITIONS})
    assert await offered({"device_id": [device_of(hass, "anna")]}) == everything
    assert await offered({"entity_id": ["event.anna_seen"]}) == (about_visits, {f"{DOMAIN}.was_seen_within"})
    # Who is there is said of people; of a camera, who was.
    assert await offered({"device_id": [front]}) == (about_visits, {f"{DOMAIN}.was_seen_within"})
    assert await offered({"entity_id": ["camera.front_door", "input_button.doorbell"]}) == (set(), set())
