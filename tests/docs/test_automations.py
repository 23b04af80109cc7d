"""The examples of the docs: Home Assistant takes each as an automation, and what they name is there."""

from collections.abc import Iterator
import re
from typing import Any
from urllib.parse import quote

from homeassistant.components.automation.config import ValidationStatus, async_validate_config_item
from homeassistant.components.automation.const import DOMAIN as AUTOMATION
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv, template
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from homeassistant.util.yaml import parse_yaml
import pytest

from custom_components.familiar_faces import const, event
from custom_components.familiar_faces.condition import CONDITIONS
from custom_components.familiar_faces.const import DOMAIN
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.trigger import TRIGGERS
from demo.album import NAMES

from ..common.automations import VARIABLES, device_of
from ..common.documents import DOCS, PAGES, README, WRITTEN
from ..common.people_on_record import DAY, a_consent, put_on_record
from ..common.source import ROOT

BLUEPRINT_PAGE = DOCS / "automations.md"
REFERENCE = DOCS / "automations-yaml.md"
BLUEPRINTS = ROOT / "blueprints" / "automation" / DOMAIN
FENCED = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
IN_TRIGGER = re.compile(r"\btrigger\.(\w+)")
ANY_TRIGGER = {"trigger": "time", "at": "12:00:00"}
ATTRIBUTES = [
    value for name, value in vars(event).items() if name.startswith("ATTR_") and hasattr(const, name)
]
OF_STATE = {"to_state", "from_state"}
"""What the trigger of a state tells besides."""


def examples() -> Iterator[Any]:
    """Return each example, named by its file and line."""
    for page in WRITTEN:
        if page.name == "dashboard.md":
            # Cards, which `test_reference.py` tries.
            continue
        text = page.read_text()
        for found in FENCED.finditer(text):
            line = text.count("\n", 0, found.start()) + 1
            yield pytest.param(found[1], id=f"{page.name}:{line}")


@pytest.fixture
async def devices(hass: HomeAssistant, hub: Hub) -> dict[str, str]:
    """Return the ids of the devices that the examples are about, by the words that stand for them."""
    now = dt_util.utcnow()
    await put_on_record(hass, hub, a_consent(now - DAY, now + 300 * DAY), "anna", "Anna")
    return {"ANNA": device_of(hass, "anna"), "FRONT_DOOR": device_of(hass, next(iter(hub.watchers)))}


def actions(config: Any) -> Iterator[dict[str, Any]]:
    """Return the actions of this integration in a configuration, however deep."""
    if isinstance(config, dict):
        if str(config.get("action")).startswith(f"{DOMAIN}."):
            yield config
        config = list(config.values())
    for each in config if isinstance(config, list) else ():
        yield from actions(each)


@pytest.mark.parametrize("example", examples())
async def test_example(hass: HomeAssistant, hub: Hub, devices: dict[str, str], example: str) -> None:
    """Each example is an automation that Home Assistant takes, or the actions of one."""
    assert await async_setup_component(hass, AUTOMATION, {})
    assert await async_setup_component(hass, "notify", {})
    for word, device_id in devices.items():
        example = re.sub(rf"\b{word}\b", device_id, example)
    config: Any = parse_yaml(example)
    if "actions" not in config:
        config = {"actions": [config]}
    config.setdefault("triggers", [ANY_TRIGGER])
    taken = await async_validate_config_item(hass, "example", {"id": "example", "alias": "Example", **config})
    assert taken is not None
    assert taken.validation_status == ValidationStatus.OK, taken.validation_error
    for each in actions(config):
        schema = hass.services.async_services_internal()[DOMAIN][each["action"].split(".")[1]].schema
        assert schema is not None
        schema(template.render_complex(cv.template_complex(each.get("data", {})), {}))
    for told in IN_TRIGGER.findall(example):
        assert told in {*VARIABLES, *OF_STATE}, told


def test_examples_are_found() -> None:
    """The pattern that finds the examples finds all of them."""
    texts = [page.read_text() for page in WRITTEN if page.name != "dashboard.md"]
    assert len(list(examples())) == sum(text.count("```yaml") for text in texts) > 10


def test_everything_is_named() -> None:
    """The reference names what templates can use, every attribute, every trigger and condition, and no other."""
    text = REFERENCE.read_text()
    named = set(re.findall(r"`([a-z_]+)`", text))
    assert {each for each in VARIABLES if each not in ("platform", "description")} <= named
    assert set(ATTRIBUTES) <= named
    used = set(re.findall(rf"(?:trigger|condition): {DOMAIN}\.(\w+)", text))
    assert used == {*TRIGGERS, *CONDITIONS}


def test_blueprints_are_linked() -> None:
    """Each blueprint has its import link, and each link its blueprint."""
    text = BLUEPRINT_PAGE.read_text()
    linked = re.findall(r"blueprint_url=([^)]+)\)", text)
    sources: list[dict[str, str]] = []
    for path in BLUEPRINTS.glob("*.yaml"):
        read: Any = parse_yaml(path.read_text().replace("!input", ""))
        sources.append(read["blueprint"])
    assert sorted(linked) == sorted(quote(each["source_url"], safe="") for each in sources)
    for each in sources:
        name = each["name"].removeprefix("Familiar Faces: ")
        assert f"**{name[0].upper()}{name[1:]}**" in text


def test_pictures_are_there() -> None:
    """Each picture of the docs is there, none is left over, and each is small enough to be read on the road."""
    pages = [*PAGES, README]
    shown = {name for page in pages for name in re.findall(r"images/([\w-]+\.png)", page.read_text())}
    there = {path.name: path.stat().st_size for path in (DOCS / "images").glob("*.png")}
    assert shown == set(there)
    # One walk takes them all: script/demo --scenario first-hour --docs docs/images
    assert shown == {f"{name}.png" for name in NAMES}
    assert max(there.values()) < 150_000
