"""Home Assistant's internals: each check passes on the Home Assistant that is supported, and fails when something is gone."""

from collections.abc import Callable
from pathlib import Path

from homeassistant.components import persistent_notification
from homeassistant.components.event import EventEntity
from homeassistant.const import __version__ as HA_VERSION
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er, issue_registry as ir
from homeassistant.helpers.restore_state import async_get as async_get_restored
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.familiar_faces.const import DOMAIN
from custom_components.familiar_faces.household.issues import (
    FORGETTING_INCOMPLETE,
    NO_PEOPLE,
    PHONES_NOT_TOLD,
    async_check_internals,
)
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.internals import missing
from custom_components.familiar_faces.internals.missing import CHECKS, async_missing, async_not_forgettable
from tests.common.home import MakeRecorder, home
from tests.common.source import FOLDER
from tests.conftest import an_entry, hub_of


async def test_nothing_is_missing(hass: HomeAssistant, hub: Hub) -> None:
    """All that is reached for is there."""
    assert await async_setup_component(hass, "automation", {})
    assert async_missing(hass) == []


async def test_nothing_is_missing_in_a_recorder(
    tmp_path: Path, async_test_recorder: MakeRecorder, real_engine: None
) -> None:
    """Nor in the recorder, which is not everywhere."""
    async with home(tmp_path / "config", async_test_recorder, an_entry()) as running:
        assert running.recorder is not None
        assert async_missing(running.hass) == []


def test_every_module_is_checked() -> None:
    """A module of the room that reaches for something has a check, and it is asked."""
    modules = {path.stem for path in (FOLDER / "internals").glob("*.py")} - {
        "__init__",
        "missing",
        "unreachable",
        "wanted",
    }
    assert modules == CHECKS.keys()


@pytest.mark.parametrize(
    ("module", "place", "name"),
    [
        ("restored_states", async_get_restored, "entities"),
        ("restored_states", async_get_restored, "store"),
        ("registry_remains", er.async_get, "deleted_entities"),
        ("registry_remains", dr.async_get, "_deleted_devices"),
        ("stored_files", er.async_get, "_store"),
        ("stored_files", lambda hass: hass.config_entries, "_store"),
        ("own_notifications", lambda _: persistent_notification, "_async_get_or_create_notifications"),
        ("event_entities", lambda _: EventEntity, "_EventEntity__last_event_type"),
    ],
)
async def test_what_is_gone_is_noticed(
    hass: HomeAssistant,
    monkeypatch: pytest.MonkeyPatch,
    module: str,
    place: Callable[[HomeAssistant], object],
    name: str,
) -> None:
    """A Home Assistant that no longer has such a thing is told from one that has."""
    assert async_missing(hass) == []
    with monkeypatch.context() as gone:
        gone.delattr(place(hass), name)
        assert async_missing(hass) == [module]


async def test_restored_states_under_another_name_are_noticed(hass: HomeAssistant) -> None:
    """They are held under other names in 2026.11 than before: so may they be again, and beside the known ones too."""
    stored = vars(async_get_restored(hass))
    assert "restored_states" not in async_missing(hass)
    stored["last_states_by_something_else"] = {}
    assert async_missing(hass) == ["restored_states"]
    del stored["last_states_by_something_else"]
    (name, *_) = sorted(name for name in stored if name.startswith("last_states"))
    stored["renamed"] = stored.pop(name)
    assert async_missing(hass) == ["restored_states"]


async def test_what_is_gone_is_told(hass: HomeAssistant, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """The owner is told what does not work, in words of their language, and no more once it is there again."""
    registry = ir.async_get(hass)

    def told() -> set[str]:
        return {issue_id for domain, issue_id in registry.issues if domain == DOMAIN} - {NO_PEOPLE}

    async_check_internals(hass)
    assert told() == set()
    with monkeypatch.context() as gone:
        gone.delattr(persistent_notification, "_async_get_or_create_notifications")
        async_check_internals(hass)
        assert told() == {FORGETTING_INCOMPLETE}
        assert async_not_forgettable(hass) == ["own_notifications"]
        issue = registry.async_get_issue(DOMAIN, FORGETTING_INCOMPLETE)
        assert issue is not None
        assert issue.translation_placeholders == {
            "version": HA_VERSION,
            "what": "own_notifications",
        }
    async_check_internals(hass)
    assert told() == set()
    monkeypatch.setattr(missing, "CHECKS", {**CHECKS, "companion_app": lambda _hass: False})
    async_check_internals(hass)
    assert told() == {PHONES_NOT_TOLD}
    assert async_not_forgettable(hass) == []


async def test_it_is_told_at_the_set_up(
    hass: HomeAssistant, real_engine: None, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anyone who updates Home Assistant is told at its start, before anybody is forgotten."""
    monkeypatch.delattr(EventEntity, "_EventEntity__last_event_type")
    async with hub_of(hass, entry):
        assert ir.async_get(hass).async_get_issue(DOMAIN, FORGETTING_INCOMPLETE) is not None
