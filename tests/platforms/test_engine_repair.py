"""An engine on this machine that fails: said where the owner looks, and tried again when they ask for it."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from http import HTTPStatus

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.familiar_faces.const import DOMAIN
from custom_components.familiar_faces.host.engine import EngineStatus
from custom_components.familiar_faces.host.engine_errors import (
    EngineBroken,
    EngineUnavailable,
    EnvironmentFailed,
)
from custom_components.familiar_faces.household.engine_trouble import async_trouble
from custom_components.familiar_faces.household.issues import ENGINE_FAILED

from ..common.owner import MakeClient, Owner, Result
from ..common.source import FOLDER, reasons_of_the_environment
from ..common.texts import read_json
from ..conftest import FrontDoor, PreparedBefore

pytestmark = pytest.mark.own_engine

SENSOR = "sensor.familiar_faces_engine"


class Damaged:
    """The engine's place, which fails until it is put right."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.failure: EnvironmentFailed | None = EnvironmentFailed(
            "hash_refused", "the log's text", "numpy==2.0"
        )
        self.distrusted = 0
        self.go_on = asyncio.Event()
        self.go_on.set()
        self._good = False
        # In the class: what is put back into the one that the tests share would hide what others patch in the class.
        monkeypatch.setattr(PreparedBefore, "ready", self._ready)
        monkeypatch.setattr(PreparedBefore, "prepare", self._prepare)
        monkeypatch.setattr(PreparedBefore, "distrust", self._distrust)

    def _ready(self) -> bool:
        return self._good

    def _distrust(self) -> None:
        self.distrusted += 1

    async def _prepare(self, progress: Callable[[float, str], None]) -> None:
        progress(0.5, "install")
        await self.go_on.wait()
        if self.failure is not None:
            raise self.failure
        self._good = True


@pytest.fixture
def damaged(monkeypatch: pytest.MonkeyPatch) -> Damaged:
    return Damaged(monkeypatch)


@pytest.fixture
async def failing(
    hass: HomeAssistant, front_door: FrontDoor, damaged: Damaged, sockets: None, entry: MockConfigEntry
) -> AsyncGenerator[MockConfigEntry]:
    """Return an entry whose engine fails."""
    hass.config.language = "de"
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert await entry.runtime_data.engine.wait_settled(30) is EngineStatus.UNAVAILABLE
    await hass.async_block_till_done()
    yield entry
    if entry.state.recoverable:
        await hass.config_entries.async_unload(entry.entry_id)


def texts(language: str) -> dict[str, str]:
    options: dict[str, str] = read_json(FOLDER / "translations" / f"{language}.json")["selector"][
        "cannot_prepare"
    ]["options"]
    return options


async def see(owner: Owner, shown: Result) -> Result:
    """Return what the dialog shows once it has gone on by itself."""
    response = await owner.client.get(f"/api/repairs/issues/fix/{shown['flow_id']}")
    assert response.status == HTTPStatus.OK
    result: Result = await response.json()
    return result


async def test_the_sensor_and_the_repair_say_why_and_the_repair_tries_anew(
    hass: HomeAssistant, failing: MockConfigEntry, damaged: Damaged, aiohttp_client: MakeClient
) -> None:
    """Said in this home's language, tried for real each time it is asked, and gone when it works."""
    refused = texts("de")["hash_refused"].replace("{what}", "numpy==2.0")
    state = hass.states.get(SENSOR)
    assert state is not None
    assert (state.state, state.attributes["reason"]) == ("failed", refused)
    owner = await Owner.log_in(hass, aiohttp_client)
    assert list(await owner.issues()) == [ENGINE_FAILED]
    shown = await owner.repair(ENGINE_FAILED)
    assert (shown["step_id"], shown["description_placeholders"]["reason"]) == ("confirm", refused)

    damaged.failure = EnvironmentFailed("import_failed", "the log's text", "cv2")
    for tries in (1, 2):
        damaged.go_on.clear()
        waiting = await owner.answer(shown, {})
        assert (waiting["type"], waiting["progress_action"]) == ("progress", "try_again")
        damaged.go_on.set()
        await hass.async_block_till_done()
        shown = await see(owner, waiting)
        assert shown["step_id"] == "still_failing"
        assert shown["description_placeholders"]["reason"] == texts("de")["import_failed"].replace(
            "{what}", "cv2"
        )
        assert damaged.distrusted == tries

    damaged.failure = None
    damaged.go_on.clear()
    waiting = await owner.answer(shown, {})
    damaged.go_on.set()
    await hass.async_block_till_done()
    done = await see(owner, waiting)
    assert done["type"] == "create_entry"
    assert await failing.runtime_data.engine.wait_ready(30)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert await owner.issues() == {}
    state = hass.states.get(SENSOR)
    assert state is not None
    assert state.state == "ready"
    assert "reason" not in state.attributes


async def test_a_closed_dialog_stops_trying(
    hass: HomeAssistant, failing: MockConfigEntry, damaged: Damaged, aiohttp_client: MakeClient
) -> None:
    owner = await Owner.log_in(hass, aiohttp_client)
    shown = await owner.repair(ENGINE_FAILED)
    damaged.go_on.clear()
    waiting = await owner.answer(shown, {})
    assert waiting["type"] == "progress"
    response = await owner.client.delete(f"/api/repairs/issues/fix/{shown['flow_id']}")
    assert response.status == HTTPStatus.OK
    await hass.async_block_till_done(wait_background_tasks=True)
    assert list(await owner.issues()) == [ENGINE_FAILED]


async def test_another_reason_is_said_when_it_is_another(
    hass: HomeAssistant, failing: MockConfigEntry, damaged: Damaged
) -> None:
    """The kind of failure stays the same, and the sentence follows the reason."""
    engine = failing.runtime_data.engine
    engine._set_status(EngineStatus.UNAVAILABLE, EnvironmentFailed("offline", "no network"))
    await hass.async_block_till_done()
    state = hass.states.get(SENSOR)
    assert state is not None
    assert state.attributes["reason"] == texts("de")["offline"]


@pytest.mark.parametrize("language", ["en", "de", "nl"])
async def test_every_reason_has_its_sentence(
    hass: HomeAssistant, failing: MockConfigEntry, language: str
) -> None:
    """Each names what it is about, and none is left with a placeholder or a key."""
    hass.config.language = language
    from homeassistant.helpers.translation import async_load_integrations

    await async_load_integrations(hass, {DOMAIN})
    said = {
        key: async_trouble(hass, EnvironmentFailed(key, "detail", "this-one"))
        for key in reasons_of_the_environment()
    }
    assert len(set(said.values())) == len(said)
    for key, sentence in said.items():
        assert sentence != key
        assert "{" not in sentence
        assert ("this-one" in sentence) is ("{what}" in texts(language)[key])
    for key in ("hash_refused", "import_failed", "no_permission", "no_python"):
        assert "this-one" in said[key], key
    assert async_trouble(hass, EngineBroken("x", "import", "cv2")) == texts(language)[
        "import_failed"
    ].replace("{what}", "cv2")
    assert async_trouble(hass, EngineBroken("x", "weights")) == texts(language)["weights_failed"]
    assert async_trouble(hass, EngineBroken("x", "start")) == texts(language)["self_check_failed"]
    assert async_trouble(hass, EngineUnavailable("It is away")) == "It is away"
    assert async_trouble(hass, None) == ""
