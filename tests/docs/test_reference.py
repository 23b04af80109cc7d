"""The reference pages have every action with each field, every option and every entity; the dashboard has real ones."""

from collections.abc import Iterator, Mapping
from importlib import import_module
import json
from pathlib import Path
import re
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity import EntityDescription
from homeassistant.util import dt as dt_util
from homeassistant.util.yaml import parse_yaml
import pytest
import yaml

from custom_components.familiar_faces.const import DOMAIN
from custom_components.familiar_faces.hub import Hub

from ..common.documents import DOCS, README, WRITTEN
from ..common.people_on_record import DAY, a_consent, put_on_record
from ..common.source import FOLDER

ACTIONS = "\n".join((DOCS / name).read_text() for name in ("actions.md", "actions-people.md"))
OPTIONS = "\n".join((DOCS / name).read_text() for name in ("options.md", "options-people.md"))
ENTITIES = (DOCS / "entities.md").read_text()
DASHBOARD = (DOCS / "dashboard.md").read_text()
TEXTS: dict[str, Any] = json.loads((FOLDER / "translations" / "en.json").read_text())
SERVICES: dict[str, dict[str, Any] | None] = yaml.safe_load((FOLDER / "services.yaml").read_text())
PLATFORMS = ("binary_sensor", "button", "calendar", "event", "image", "sensor", "switch")
YAML = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NO_CHOICE = {"qr"}
"""Fields that show something and ask for nothing."""


def section(name: str) -> str:
    """Return what the pages say of an action."""
    found = re.search(rf"^## {name}\n(.*?)(?=^## |\Z)", ACTIONS, re.MULTILINE | re.DOTALL)
    assert found is not None, f"no section on {name}"
    return found[1]


@pytest.mark.parametrize("action", SERVICES)
def test_each_action_has_its_fields_and_an_example(action: str) -> None:
    text = section(action)
    fields = (SERVICES[action] or {}).get("fields", {})
    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == list(fields)
    for name, field in fields.items():
        assert (f"| `{name}` | required |" in text) is bool(field.get("required"))
    examples = [parse_yaml(each) for each in YAML.findall(text)]
    assert any(isinstance(each, dict) and each["action"] == f"{DOMAIN}.{action}" for each in examples)
    assert f"[`{action}`](" in (DOCS / "actions.md").read_text(), "not in the list of all actions"


def test_no_other_action_is_named() -> None:
    """Neither on these pages nor on another: an action that is gone is gone from the docs."""
    named = {
        name
        for page in WRITTEN
        for name in re.findall(rf"(?:action: |`){DOMAIN}\.(\w+)`?", page.read_text())
        if name not in TEXTS["triggers"] and name not in TEXTS["conditions"]
    }
    # A file of Home Assistant's storage is named after the integration, too.
    assert named - {"unfinished"} <= SERVICES.keys()


def labels(texts: Mapping[str, Any]) -> Iterator[str]:
    """Yield the label of each field that the forms of a flow ask for."""
    for key, text in texts.items():
        if key == "data" and isinstance(text, dict):
            yield from (label for name, label in text.items() if name not in NO_CHOICE)
        elif isinstance(text, dict):
            yield from labels(text)


@pytest.mark.parametrize("kind", ["config", "options", "config_subentries"])
def test_each_option_is_named(kind: str) -> None:
    """By its label, as the dialog shows it."""
    asked = set(labels(TEXTS[kind]))
    assert asked
    assert {each for each in asked if f"**{each}**" not in OPTIONS} == set()


@pytest.mark.parametrize("page", [README, *WRITTEN], ids=lambda page: page.name)
def test_the_menu_has_what_pages_lead_to(page: Path) -> None:
    """A choice of the options that was renamed is renamed here too."""
    choices = set(TEXTS["options"]["step"]["init"]["menu_options"].values())
    assert set(re.findall(r"Configure > ([^*>]+)\*", page.read_text())) <= choices


def names() -> Iterator[str]:
    """Yield the name of each entity and of each of its attributes."""
    for entities in TEXTS["entity"].values():
        for entity in entities.values():
            yield entity["name"]
            for key, attribute in entity.get("state_attributes", {}).items():
                if key != "event_type":
                    yield attribute["name"]


@pytest.mark.parametrize("name", sorted(set(names())))
def test_each_entity_and_attribute_is_named(name: str) -> None:
    assert f"**{name}**" in ENTITIES


def descriptions() -> Iterator[tuple[str, EntityDescription]]:
    """Yield every entity's description with its platform."""
    for platform in PLATFORMS:
        module = import_module(f"custom_components.{DOMAIN}.{platform}")
        for value in vars(module).values():
            several = value if isinstance(value, tuple) else (value,)
            # Home Assistant makes the classes of descriptions in a way that `isinstance` does not see through.
            yield from (
                (platform, each)
                for each in several
                if hasattr(each, "entity_registry_enabled_default") and not isinstance(each, type)
            )


def test_what_is_off_is_said_to_be_off() -> None:
    """Each row of an entity says whether it is on without being asked for."""
    rows = re.findall(r"^\| \*\*(.+?)\*\* \| ([\w ]+) \| (on|off) \|", ENTITIES, re.MULTILINE)
    told = {(name, kind.replace(" ", "_"), shown) for name, kind, shown in rows}
    shown = {
        (
            TEXTS["entity"][platform][each.translation_key]["name"],
            platform,
            "on" if each.entity_registry_enabled_default else "off",
        )
        for platform, each in descriptions()
    }
    assert told == shown


def entity_ids(config: Any) -> Iterator[str]:
    """Yield the entities that a view names."""
    if isinstance(config, dict):
        for key, value in config.items():
            if key in ("entity", "entity_id"):
                yield from [value] if isinstance(value, str) else value
            else:
                yield from entity_ids(value)
    elif isinstance(config, list):
        for each in config:
            yield from entity_ids(each)


async def test_the_dashboard_names_entities_that_exist(hass: HomeAssistant, hub: Hub) -> None:
    """For one camera and one person, called as in the demo; what is off would show as missing."""
    now = dt_util.utcnow()
    await put_on_record(hass, hub, a_consent(now - DAY, now + 300 * DAY), "eileen", "Eileen")
    await hass.async_block_till_done()
    view, button = (parse_yaml(each) for each in YAML.findall(DASHBOARD))
    assert isinstance(view, dict)
    named = set(entity_ids(view))
    assert len(named) > 10
    registry = er.async_get(hass)
    entries = {name: registry.async_get(name) for name in named}
    assert [name for name, each in entries.items() if each is None or each.disabled] == []
    assert isinstance(button, dict)
    domain, _, action = button["tap_action"]["perform_action"].partition(".")
    assert hass.services.has_service(domain, action)
