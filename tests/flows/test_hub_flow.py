"""Setting up the hub: the first page, this machine, another machine, and changing one's mind."""

import asyncio
from collections.abc import AsyncGenerator, Callable
import gc
import re
from unittest.mock import patch

from aiohttp import web
from homeassistant.config_entries import SOURCE_USER, ConfigEntryState, FlowType
from homeassistant.const import CONF_TOKEN, CONF_URL, CONF_VERIFY_SSL
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.familiar_faces.const import (
    CONF_FORGETTING,
    CONF_PEOPLE,
    CONF_WHERE,
    DOMAIN,
    SUBENTRY_CAMERA,
    Where,
)
from custom_components.familiar_faces.flows.hub_flow import _whole_address
from custom_components.familiar_faces.host.engine import EngineStatus
from custom_components.familiar_faces.host.engine_errors import EnvironmentFailed
from custom_components.familiar_faces.host.room import Room, Survey
from custom_components.familiar_faces.hub import Hub

from ..common.engine_process import EngineProcess
from ..common.pictures import enrolment_photos
from ..common.steps import Result, enrol, times_of, use_engine
from ..conftest import PreparedBefore

pytestmark = pytest.mark.own_engine

TOKEN = "a secret for the tests"


async def _start(hass: HomeAssistant) -> Result:
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "user")
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {})
    assert (result["type"], result["step_id"]) == (FlowResultType.MENU, "where")
    return result


async def _choose(hass: HomeAssistant, result: Result, option: str) -> Result:
    return await hass.config_entries.flow.async_configure(result["flow_id"], {"next_step_id": option})


async def test_this_machine(hass: HomeAssistant, real_engine: None, config_folder: object) -> None:
    """The first page leads to an engine on this machine, which becomes ready."""

    prepared = asyncio.Event()

    async def prepare(self: object, progress: Callable[[float, str], None]) -> None:
        progress(0.5, "install")
        await prepared.wait()

    with patch("tests.conftest.PreparedBefore.prepare", prepare):
        result = await _choose(hass, await _start(hass), Where.THIS_MACHINE)
        assert result["type"] is FlowResultType.SHOW_PROGRESS
        prepared.set()
        await hass.async_block_till_done()
        result = await hass.config_entries.flow.async_configure(result["flow_id"])
    assert result["type"] is FlowResultType.CREATE_ENTRY
    entry = result["result"]
    assert entry.data == {CONF_WHERE: Where.THIS_MACHINE}
    assert entry.state is ConfigEntryState.LOADED
    assert await entry.runtime_data.engine.wait_ready(30)
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert result["reason"] == "single_instance_allowed"
    assert await hass.config_entries.async_unload(entry.entry_id)


async def test_the_first_camera_comes_next(
    hass: HomeAssistant, elsewhere: EngineProcess, config_folder: object
) -> None:
    """A home with cameras goes on with the first of them, in the same dialog; one without is not asked for any."""
    result = await _choose(hass, await _start(hass), Where.ANOTHER_MACHINE)
    result = await hass.config_entries.flow.async_configure(
        result["flow_id"], {CONF_URL: elsewhere.url, CONF_TOKEN: TOKEN, CONF_VERIFY_SSL: True}
    )
    result = await use_engine(hass, result)
    assert "next_flow" not in result
    assert await hass.config_entries.async_remove(result["result"].entry_id)

    hass.states.async_set("camera.front_door", "idle")
    result = await _choose(hass, await _start(hass), Where.ANOTHER_MACHINE)
    result = await hass.config_entries.flow.async_configure(
        result["flow_id"], {CONF_URL: elsewhere.url, CONF_TOKEN: TOKEN, CONF_VERIFY_SSL: True}
    )
    result = await use_engine(hass, result)
    kind, flow_id = result["next_flow"]
    assert kind is FlowType.CONFIG_SUBENTRIES_FLOW
    asked = await hass.config_entries.subentries.async_configure(flow_id)
    assert (asked["type"], asked["step_id"]) == (FlowResultType.FORM, "user")
    assert asked["handler"] == (result["result"].entry_id, SUBENTRY_CAMERA)
    assert await hass.config_entries.async_unload(result["result"].entry_id)


async def test_this_machine_cannot_run_it(
    hass: HomeAssistant, elsewhere: EngineProcess, config_folder: object
) -> None:
    """Where the engine cannot be built the flow says why, and leads on to another machine."""
    failed = EnvironmentFailed("self_check_failed", "it does not start")
    with patch("tests.conftest.PreparedBefore.prepare", side_effect=failed):
        result = await _choose(hass, await _start(hass), Where.THIS_MACHINE)
        await hass.async_block_till_done()
        result = await hass.config_entries.flow.async_configure(result["flow_id"])
    assert (result["type"], result["step_id"]) == (FlowResultType.MENU, "cannot_prepare")
    shown = result["description_placeholders"]
    assert shown is not None
    assert "does not start here" in shown["reason"]
    assert shown["docs"].endswith("/docs/engine.md")
    result = await _choose(hass, result, Where.ANOTHER_MACHINE)
    assert result["description_placeholders"]["docs"].endswith("/docs/engine.md")
    result = await hass.config_entries.flow.async_configure(
        result["flow_id"], {"url": elsewhere.url, "token": TOKEN, "verify_ssl": True}
    )
    result = await use_engine(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    assert await hass.config_entries.async_unload(result["result"].entry_id)


async def test_the_first_choice_says_what_this_machine_has(hass: HomeAssistant, real_engine: None) -> None:
    """What works here is offered first, with what it needs and what there is."""
    result = await _start(hass)
    assert result["menu_options"] == [Where.THIS_MACHINE, Where.ANOTHER_MACHINE]
    assert result["description_placeholders"] == {
        "fetched": "160 MB",
        "times": "",
        "disk": "900 MB",
        "memory": "450 MB",
        "free_disk": "50 GB",
        "free_memory": "8000 MB",
    }


@pytest.mark.parametrize(
    ("reason_key", "options"),
    [
        ("unsupported_platform", [Where.ANOTHER_MACHINE]),
        ("no_space", [Where.ANOTHER_MACHINE, Where.THIS_MACHINE]),
        ("no_memory", [Where.ANOTHER_MACHINE, Where.THIS_MACHINE]),
    ],
)
async def test_what_does_not_work_here_is_not_recommended(
    hass: HomeAssistant, real_engine: None, reason_key: str, options: list[str]
) -> None:
    """A machine that cannot run the engine is told so before anything is chosen."""
    survey = Survey(Room(100_000_000, None), 900_000_000, 400_000_000, EnvironmentFailed(reason_key, "x"))
    with patch("tests.conftest.PreparedBefore.surveyed", survey):
        result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
        result = await hass.config_entries.flow.async_configure(result["flow_id"], {})
        assert (result["type"], result["step_id"]) == (FlowResultType.MENU, "elsewhere")
        # Looked at once more, when the dialog is opened again.
        result = await hass.config_entries.flow.async_configure(result["flow_id"])
    assert result["step_id"] == "elsewhere"
    assert result["menu_options"] == options
    shown = result["description_placeholders"]
    assert shown is not None
    assert (shown["free_disk"], shown["free_memory"]) == ("100 MB", "?")
    assert shown["reason"] != reason_key
    # There is room now.
    result = await hass.config_entries.flow.async_configure(result["flow_id"])
    assert result["step_id"] == "where"


@pytest.mark.parametrize(
    ("reason_key", "what"),
    [
        ("offline", ""),
        ("hash_refused", "numpy==2.4.0"),
        ("import_failed", "onnxruntime"),
        ("no_permission", "/config/.cache"),
        ("no_space", ""),
        ("no_memory", ""),
        ("no_python", "/usr/local/bin/python3"),
        ("weights_failed", ""),
        ("disk_failing", ""),
    ],
)
async def test_try_again_says_what_is_wrong_and_takes_nothing_for_granted(
    hass: HomeAssistant,
    real_engine: None,
    engine_place: PreparedBefore,
    config_folder: object,
    reason_key: str,
    what: str,
) -> None:
    """Each reason has its sentence, and each try after it looks closer than the first."""
    failed = EnvironmentFailed(reason_key, "the log's text", what)
    with (
        patch("tests.conftest.PreparedBefore.prepare", side_effect=[failed, failed, None]) as prepare,
        patch("tests.conftest.PreparedBefore.distrust") as distrust,
    ):
        result = await _choose(hass, await _start(hass), Where.THIS_MACHINE)
        for tries in (1, 2):
            await hass.async_block_till_done()
            if result["type"] is FlowResultType.SHOW_PROGRESS:
                result = await hass.config_entries.flow.async_configure(result["flow_id"])
            assert (result["type"], result["step_id"]) == (FlowResultType.MENU, "cannot_prepare")
            reason = result["description_placeholders"]["reason"]
            assert what in reason
            assert reason != reason_key
            assert "{" not in reason
            assert (prepare.call_count, distrust.call_count) == (tries, tries - 1)
            result = await _choose(hass, result, Where.THIS_MACHINE)
        await hass.async_block_till_done()
        assert (prepare.call_count, distrust.call_count) == (3, 2)
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    assert await hass.config_entries.async_unload(entry.entry_id)


@pytest.fixture
async def somebody_else(socket_enabled: None) -> AsyncGenerator[str]:
    """Return the address of a web server that is no engine."""

    async def hello(request: web.Request) -> web.Response:
        return web.Response(text="<html>router login</html>")

    app = web.Application()
    app.router.add_get("/{path:.*}", hello)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield site.name
    await runner.cleanup()


@pytest.fixture
async def moved(socket_enabled: None, elsewhere: EngineProcess) -> AsyncGenerator[str]:
    """Return the address of what sends everybody to an engine."""

    async def away(request: web.Request) -> web.Response:
        return web.Response(status=307, headers={"Location": f"{elsewhere.url}{request.path}"})

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", away)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield site.name
    await runner.cleanup()


@pytest.mark.parametrize(
    ("said", "used"),
    [
        ("192.168.1.20", "http://192.168.1.20:8127"),
        (" nas.local ", "http://nas.local:8127"),
        ("192.168.1.20:9000", "http://192.168.1.20:9000"),
        ("nas:8127/engine", "http://nas:8127/engine"),
        ("[fe80::1]", "http://[fe80::1]:8127"),
        ("http://nas", "http://nas"),
        ("https://engine.example.org", "https://engine.example.org"),
        ("not an address", "not an address"),
        ("nas:port", "nas:port"),
        ("", ""),
    ],
)
def test_what_is_left_out_of_an_address(said: str, used: str) -> None:
    """An address is taken as people write it."""
    assert _whole_address(said) == used


async def test_another_machine_is_tried_before_it_is_saved(
    hass: HomeAssistant, elsewhere: EngineProcess, somebody_else: str, moved: str, config_folder: object
) -> None:
    """Each mistake is named at its field, and the right answer makes the entry."""
    result = await _choose(hass, await _start(hass), Where.ANOTHER_MACHINE)
    for url, token, errors in (
        ("not an address", TOKEN, {"url": "invalid_url"}),
        ("ftp://127.0.0.1", TOKEN, {"url": "invalid_url"}),
        ("http://127.0.0.1:9", TOKEN, {"url": "cannot_connect"}),
        (somebody_else, TOKEN, {"url": "not_an_engine"}),
        (moved, TOKEN, {"url": "redirects"}),
        (elsewhere.url, "wrong", {"token": "invalid_auth"}),
        (elsewhere.url, TOKEN, None),
    ):
        result = await hass.config_entries.flow.async_configure(
            result["flow_id"], {"url": url, "token": token, "verify_ssl": True}
        )
        assert result.get("errors") == errors, url
    assert not hass.config_entries.async_entries(DOMAIN)
    result = await use_engine(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    entry = result["result"]
    assert await entry.runtime_data.engine.wait_ready(30)
    await hass.async_block_till_done()

    # It goes away: what needs it is unavailable, the hub says so, and nothing else is lost.
    elsewhere.kill()
    entry.runtime_data.engine.report_timeout()
    async with asyncio.timeout(60):
        while entry.runtime_data.engine.status is not EngineStatus.UNAVAILABLE:
            await asyncio.sleep(0.1)
    await hass.async_block_till_done()
    assert hass.states.get("sensor.familiar_faces_people").state == "0"
    assert hass.states.get("sensor.familiar_faces_engine").state == "failed"
    assert await hass.config_entries.async_unload(entry.entry_id)


async def test_an_address_is_measured_before_it_is_used(
    hass: HomeAssistant, elsewhere: EngineProcess, config_folder: object
) -> None:
    """The time of what was typed is shown first, and the way back leads to the form as it was filled in."""
    typed = {"url": elsewhere.url, "token": TOKEN, "verify_ssl": True}
    with patch("tests.conftest.PreparedBefore.ready", return_value=False):
        result = await _choose(hass, await _start(hass), Where.ANOTHER_MACHINE)
        result = await hass.config_entries.flow.async_configure(result["flow_id"], typed)
    assert (result["type"], result["step_id"]) == (FlowResultType.MENU, "measured")
    assert result["menu_options"] == ["use", Where.ANOTHER_MACHINE, "where"]
    first, here = times_of(result)
    assert re.fullmatch(rf"- {re.escape(elsewhere.url)}: \*\*[1-9]\d* ms\*\* a picture", first)
    assert here == "- On this machine: can be measured after it is installed"
    assert not hass.config_entries.async_entries(DOMAIN), "nothing is saved yet"
    form = await _choose(hass, result, Where.ANOTHER_MACHINE)
    schema = form["data_schema"]
    assert schema is not None
    filled = {str(key): (key.description or {}).get("suggested_value") for key in schema.schema}
    assert typed.items() <= filled.items()
    # It goes away meanwhile: the page says so, and another place can be chosen.
    page = await hass.config_entries.flow.async_configure(form["flow_id"], typed)
    elsewhere.kill()
    page = await hass.config_entries.flow.async_configure(page["flow_id"])
    assert times_of(page)[0] == f"- {elsewhere.url}: does not answer"
    page = await _choose(hass, page, "where")
    assert (page["type"], page["step_id"]) == (FlowResultType.MENU, "where")
    hass.config_entries.flow.async_abort(page["flow_id"])


@pytest.mark.usefixtures("sockets")
async def test_this_machine_is_measured_once_it_is_prepared(
    hass: HomeAssistant, elsewhere: EngineProcess, config_folder: object
) -> None:
    """Somebody who moves here from another engine sees both times before the engine is changed."""
    entry = _entry_elsewhere(hass, elsewhere)
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert await entry.runtime_data.engine.wait_ready(30)
    with patch("tests.conftest.PreparedBefore.ready", return_value=False):
        page = await entry.start_reconfigure_flow(hass)
    assert times_of(page)[0] == "- On this machine: can be measured after it is installed"

    async def prepare(self: object, progress: Callable[[float, str], None]) -> None:
        """It is there in a moment: the tests share one."""

    with patch("tests.conftest.PreparedBefore.prepare", prepare):
        page = await _choose(hass, page, Where.THIS_MACHINE)
        await hass.async_block_till_done()
        page = await hass.config_entries.flow.async_configure(page["flow_id"])
    assert page["menu_options"] == ["use", "where"]
    for line, place in zip(times_of(page), ("On this machine", elsewhere.url), strict=True):
        assert re.fullmatch(rf"- {re.escape(place)}: \*\*[1-9]\d* ms\*\* a picture", line)
    assert entry.data["url"] == elsewhere.url, "it is not changed yet"
    done = await use_engine(hass, page)
    assert done["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert entry.data == {CONF_WHERE: Where.THIS_MACHINE}
    assert await entry.runtime_data.engine.wait_ready(30)
    assert await hass.config_entries.async_unload(entry.entry_id)


async def test_token_that_is_refused_later(
    hass: HomeAssistant, elsewhere: EngineProcess, config_folder: object
) -> None:
    """A refused token asks for another one, and the entry goes on with it."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="Familiar Faces",
        data={CONF_WHERE: Where.ANOTHER_MACHINE, "url": elsewhere.url, "token": "old", "verify_ssl": True},
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await entry.runtime_data.engine.wait_settled(30)
    await hass.async_block_till_done()
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["step_id"] == "reauth_confirm"
    result = await hass.config_entries.flow.async_configure(flow["flow_id"], {"token": "still wrong"})
    assert result["errors"] == {"token": "invalid_auth"}
    result = await hass.config_entries.flow.async_configure(flow["flow_id"], {"token": TOKEN})
    assert result["reason"] == "reauth_successful"
    await hass.async_block_till_done()
    assert entry.data["token"] == TOKEN
    assert await entry.runtime_data.engine.wait_ready(30)
    assert await hass.config_entries.async_unload(entry.entry_id)


async def test_moving_the_engine(
    hass: HomeAssistant, elsewhere: EngineProcess, entry: MockConfigEntry
) -> None:
    """Reconfiguring moves the engine to another machine, and keeps everything else."""
    assert await hass.config_entries.async_setup(entry.entry_id)
    result = await entry.start_reconfigure_flow(hass)
    assert result["step_id"] == "where"
    result = await _choose(hass, result, Where.ANOTHER_MACHINE)
    result = await hass.config_entries.flow.async_configure(
        result["flow_id"], {"url": elsewhere.url, "token": TOKEN, "verify_ssl": True}
    )
    result = await use_engine(hass, result)
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert entry.data["url"] == elsewhere.url
    assert await entry.runtime_data.engine.wait_ready(30)
    assert len(entry.subentries) == 1
    assert await hass.config_entries.async_unload(entry.entry_id)


def _entry_elsewhere(hass: HomeAssistant, elsewhere: EngineProcess) -> MockConfigEntry:
    data = {CONF_WHERE: Where.ANOTHER_MACHINE, "url": elsewhere.url, "token": TOKEN, "verify_ssl": True}
    entry = MockConfigEntry(domain=DOMAIN, title="Familiar Faces", data=data)
    entry.add_to_hass(hass)
    return entry


async def test_reconfiguring_keeps_the_books(
    hass: HomeAssistant, elsewhere: EngineProcess, config_folder: object
) -> None:
    """Somebody who was removed while the disk was full is erased after the engine has moved as well."""
    entry = _entry_elsewhere(hass, elsewhere)
    assert await hass.config_entries.async_setup(entry.entry_id)
    hub = entry.runtime_data
    assert await hub.engine.wait_ready(30)
    person_id = await enrol(hass, entry, enrolment_photos()[:1])
    hass.config_entries.async_update_entry(entry, data={**entry.data, CONF_FORGETTING: [person_id]})
    await hass.async_block_till_done()
    result = await _choose(hass, await entry.start_reconfigure_flow(hass), Where.ANOTHER_MACHINE)
    result = await hass.config_entries.flow.async_configure(
        result["flow_id"], {"url": elsewhere.url, "token": TOKEN, "verify_ssl": False}
    )
    await use_engine(hass, result)
    assert entry.data["verify_ssl"] is False
    assert (entry.data[CONF_FORGETTING], entry.data[CONF_PEOPLE]) == ([person_id], [person_id])
    await hass.async_block_till_done(wait_background_tasks=True)
    assert entry.runtime_data is not hub
    stored = await hass.async_add_executor_job(entry.runtime_data.vault.stored)
    assert (stored.people, stored.templates) == (0, 0)
    assert CONF_FORGETTING not in entry.data
    assert await hass.config_entries.async_unload(entry.entry_id)


async def test_same_choice_tries_again(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """An engine that stands still starts again when the same is chosen as before."""
    await hub.engine.stop()
    before = dict(entry.data)
    with (
        patch("tests.conftest.PreparedBefore.prepare"),
        patch("tests.conftest.PreparedBefore.distrust") as distrust,
    ):
        await _choose(hass, await entry.start_reconfigure_flow(hass), Where.THIS_MACHINE)
        await hass.async_block_till_done(wait_background_tasks=True)
    assert distrust.called, "what was there before is looked at closely"
    assert not hass.config_entries.flow.async_progress()
    assert entry.data == before
    assert entry.runtime_data is not hub
    assert await entry.runtime_data.engine.wait_ready(30)


async def test_same_token_tries_again(
    hass: HomeAssistant, elsewhere: EngineProcess, config_folder: object
) -> None:
    """An engine that takes the old token again is used again, and one that is away is said to be away."""
    entry = _entry_elsewhere(hass, elsewhere)
    assert await hass.config_entries.async_setup(entry.entry_id)
    hub = entry.runtime_data
    result = await entry.start_reauth_flow(hass)
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {"token": TOKEN})
    assert result["reason"] == "reauth_successful"
    await hass.async_block_till_done()
    assert entry.runtime_data is not hub
    assert await entry.runtime_data.engine.wait_ready(30)

    elsewhere.kill()
    result = await entry.start_reauth_flow(hass)
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {"token": TOKEN})
    assert result["errors"] == {"base": "cannot_connect"}
    assert await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.parametrize("fails", [False, True], ids=["cancelled", "fails then"])
@pytest.mark.parametrize("there", [False, True], ids=["first", "again"])
async def test_dialog_is_closed_while_preparing(
    hass: HomeAssistant,
    real_engine: None,
    engine_place: PreparedBefore,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    there: bool,
    fails: bool,
) -> None:
    """Preparing ends with the dialog, and what was prepared goes when no entry needs it."""
    monkeypatch.setattr(engine_place, "removed", False)
    ended: list[str] = []

    async def prepare(self: object, progress: Callable[[float, str], None]) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("cancelled")
            if fails:
                raise EnvironmentFailed("install_failed", "killed") from None
            raise

    if not there:
        await hass.config_entries.async_remove(entry.entry_id)
        monkeypatch.setattr(engine_place, "removed", False)
    with patch("tests.conftest.PreparedBefore.prepare", prepare):
        result = await entry.start_reconfigure_flow(hass) if there else await _start(hass)
        result = await _choose(hass, result, Where.THIS_MACHINE)
        assert result["type"] is FlowResultType.SHOW_PROGRESS
        hass.config_entries.flow.async_abort(result["flow_id"])
        await hass.async_block_till_done(wait_background_tasks=True)
    assert ended == ["cancelled"]
    assert engine_place.removed is not there
    gc.collect()
    assert "never retrieved" not in caplog.text


async def test_dialog_is_closed_after_failing(
    hass: HomeAssistant,
    real_engine: None,
    engine_place: PreparedBefore,
    config_folder: object,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is left of a failed preparation goes with the dialog."""
    monkeypatch.setattr(engine_place, "removed", False)
    with patch("tests.conftest.PreparedBefore.prepare", side_effect=EnvironmentFailed("offline", "no net")):
        result = await _choose(hass, await _start(hass), Where.THIS_MACHINE)
        await hass.async_block_till_done()
    assert not engine_place.removed
    hass.config_entries.flow.async_abort(result["flow_id"])
    await hass.async_block_till_done(wait_background_tasks=True)
    assert engine_place.removed
