"""Home Assistant's internals: each check passes on the Home Assistant that is supported, and fails when something is gone."""

from collections.abc import Callable
from pathlib import Path

from homeassistant.components import persistent_notification
from homeassistant.components.event import EventEntity
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.restore_state import async_get as async_get_restored
from homeassistant.setup import async_setup_component
import pytest

from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.internals.missing import CHECKS, async_missing
from tests.common.home import MakeRecorder, home
from tests.common.source import FOLDER
from tests.conftest import an_entry


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
    modules = {path.stem for path in (FOLDER / "internals").glob("*.py")} - {"__init__", "missing", "wanted"}
    assert modules == CHECKS.keys()


@pytest.mark.parametrize(
    ("module", "place", "name"),
    [
        ("restored_states", async_get_restored, "last_states"),
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
    """A Home Assistant that has no such thing any more is told from one that has."""
    assert async_missing(hass) == []
    with monkeypatch.context() as gone:
        gone.delattr(place(hass), name)
        assert async_missing(hass) == [module]
