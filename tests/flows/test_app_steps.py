"""Setting up with the engine's app, which the Supervisor announces."""

from collections.abc import AsyncIterator
import re
from typing import Any
from unittest.mock import patch

from aiohttp import web
from aiohttp.test_utils import TestServer
from homeassistant.components.hassio.const import DATA_COMPONENT
from homeassistant.components.hassio.handler import HassIO
from homeassistant.config_entries import (
    SOURCE_HASSIO,
    SOURCE_IGNORE,
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    ConfigEntryState,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.service_info.hassio import HassioServiceInfo
from homeassistant.loader import async_get_integration
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from yarl import URL

from custom_components.familiar_faces.const import CONF_SWITCHED_OFF, CONF_WHERE, DOMAIN, EVERYWHERE, Where
from custom_components.familiar_faces.flows import app_steps
from custom_components.familiar_faces.flows.app_steps import APP
from custom_components.familiar_faces.host.engine_errors import EnvironmentFailed
from custom_components.familiar_faces.host.room import Room, Survey
from custom_components.familiar_faces.household.engine_app import app_of
from custom_components.familiar_faces.hub import Hub

from ..common.engine_process import EngineProcess
from ..common.steps import Result

pytestmark = pytest.mark.own_engine

TOKEN = "a secret for the tests"
SLUG = "0a1b2c3d_familiar_faces"
UUID = "5e2b0d9cf5b94d6cbcd1ddba6c2bdb1c"


def announced(url: str, token: str = TOKEN, **other: object) -> HassioServiceInfo:
    """Return what Home Assistant makes of the app's announcement."""
    where = URL(url)
    config = {"host": where.host, "port": where.port, "token": token, "addon": "Familiar Faces", **other}
    return HassioServiceInfo(config=config, name="Familiar Faces", slug=SLUG, uuid=UUID)


async def _announce(hass: HomeAssistant, info: HassioServiceInfo) -> Result:
    return await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_HASSIO}, data=info)


def _data(url: str, token: str = TOKEN) -> dict[str, Any]:
    return {
        CONF_WHERE: Where.ANOTHER_MACHINE,
        "url": url,
        "token": token,
        "verify_ssl": True,
        "app": SLUG,
    }


async def test_one_click(hass: HomeAssistant, elsewhere: EngineProcess, config_folder: object) -> None:
    """The app is offered by its name, and one click sets it up, token included."""
    result = await _announce(hass, announced(elsewhere.url))
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "hassio_confirm")
    shown_there = result["description_placeholders"]
    assert shown_there is not None
    assert shown_there["app"] == "Familiar Faces"
    assert re.fullmatch(r"Familiar Faces: \*\*\d+ ms\*\* a picture", shown_there["time"])
    (shown,) = hass.config_entries.flow.async_progress()
    assert shown["context"]["title_placeholders"] == {"name": "Familiar Faces"}
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    entry = result["result"]
    assert entry.data == _data(elsewhere.url)
    assert await entry.runtime_data.engine.wait_ready(30)
    # Home Assistant removes the entry that has the announcement's id when the app is uninstalled.
    assert entry.unique_id == APP != UUID
    await hass.async_block_till_done()

    again = await _announce(hass, announced(elsewhere.url))
    assert again["reason"] == "single_instance_allowed"
    assert entry.state is ConfigEntryState.LOADED
    assert await hass.config_entries.async_unload(entry.entry_id)


async def test_not_there_yet(hass: HomeAssistant, elsewhere: EngineProcess, config_folder: object) -> None:
    """An app that does not answer, or refuses its own token, is said to, and the next click tries again."""
    result = await _announce(hass, announced(elsewhere.url, "another secret, also long enough"))
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {})
    assert result["errors"] == {"base": "invalid_auth"}
    # It announces its new token while the dialog is open.
    newer = await _announce(hass, announced("http://127.0.0.1:9"))
    assert newer["reason"] == "already_in_progress"
    hass.config_entries.flow.async_abort(result["flow_id"])

    result = await _announce(hass, announced("http://127.0.0.1:9"))
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {})
    assert result["errors"] == {"base": "cannot_connect"}
    assert not hass.config_entries.async_entries(DOMAIN)


@pytest.mark.parametrize(
    "wrong",
    [
        {"token": None},
        {"token": "short"},
        {"port": "8127"},
        {"host": "a b"},
        {"host": "evil/..//x"},
        {"port": 0},
    ],
)
async def test_another_version(hass: HomeAssistant, wrong: dict[str, object]) -> None:
    """What is not an announcement as this version knows it is said to be of another."""
    info = announced("http://app:8127")
    info.config |= wrong
    assert (await _announce(hass, info))["reason"] == "not_our_app"


@pytest.fixture
async def supervisor(hass: HomeAssistant, sockets: None) -> AsyncIterator[list[dict[str, Any]]]:
    """A Supervisor, asked with Home Assistant's own client; what apps told it is the list."""
    messages: list[dict[str, Any]] = []

    async def discovery(_request: web.Request) -> web.Response:
        return web.json_response({"result": "ok", "data": {"discovery": messages, "services": {}}})

    app = web.Application()
    app.router.add_get("/discovery", discovery)
    server = TestServer(app)
    await server.start_server()
    hass.config.components.add("hassio")
    hass.data[DATA_COMPONENT] = HassIO(hass.loop, async_get_clientsession(hass), f"127.0.0.1:{server.port}")
    yield messages
    await server.close()


def _message(url: str, token: str = TOKEN, slug: str = SLUG) -> dict[str, Any]:
    """Return what the Supervisor says that an app announced."""
    return {"addon": slug, "service": DOMAIN, "uuid": UUID, "config": announced(url, token).config}


async def test_installed_anew(
    hass: HomeAssistant,
    elsewhere: EngineProcess,
    config_folder: object,
    supervisor: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A new token is taken over by itself, also when the app says it a moment later, and the books are kept."""
    monkeypatch.setattr(app_steps, "ASK_AGAIN", (0.5, 0.5, 0.5))
    supervisor.append(_message(elsewhere.url, "the token of before"))
    data = {**_data(elsewhere.url, "the token of before"), CONF_SWITCHED_OFF: [EVERYWHERE]}
    entry = MockConfigEntry(domain=DOMAIN, title="Familiar Faces", data=data)
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await entry.runtime_data.engine.wait_settled(30)
    supervisor[:] = [_message("http://127.0.0.1:9", slug="another_app"), _message(elsewhere.url)]
    await hass.async_block_till_done()
    assert not hass.config_entries.flow.async_progress(), "nobody is asked for a token that nobody knows"
    assert {**_data(elsewhere.url), CONF_SWITCHED_OFF: [EVERYWHERE]}.items() <= entry.data.items()
    assert await entry.runtime_data.engine.wait_ready(30)
    assert await hass.config_entries.async_unload(entry.entry_id)


async def test_says_its_token_late(
    hass: HomeAssistant,
    elsewhere: EngineProcess,
    supervisor: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An app that has not said its token is waited for with a button, and what is wrong is said there."""
    monkeypatch.setattr(app_steps, "ASK_AGAIN", (0.0,))
    entry = MockConfigEntry(domain=DOMAIN, title="Familiar Faces", data=_data(elsewhere.url, "x" * 16))
    entry.add_to_hass(hass)
    result = await entry.start_reauth_flow(hass)
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "reauth_app")
    for messages, error in (
        ([], "not_announced"),
        ([_message(elsewhere.url, "another secret, also long enough")], "invalid_auth"),
        ([_message("http://127.0.0.1:9")], "cannot_connect"),
    ):
        supervisor[:] = messages
        result = await hass.config_entries.flow.async_configure(result["flow_id"], {})
        assert result["errors"] == {"base": error}
    supervisor[:] = [_message(elsewhere.url)]
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {})
    assert result["reason"] == "reauth_successful"
    assert entry.data == _data(elsewhere.url)


async def test_entered_by_hand(
    hass: HomeAssistant, supervisor: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of an engine that is no app, or of an app that is not known, the owner is asked for the token."""
    monkeypatch.setattr(app_steps, "ASK_AGAIN", (0.0,))
    data = {CONF_WHERE: Where.ANOTHER_MACHINE, "url": "http://app:8127/", "token": "x", "verify_ssl": True}
    entry = MockConfigEntry(domain=DOMAIN, title="Familiar Faces", data=data)
    entry.add_to_hass(hass)
    result = await entry.start_reauth_flow(hass)
    assert result["step_id"] == "reauth_confirm"
    assert app_of(data) == "app"
    assert app_of({**data, "url": "http://0a1b2c3d-familiar-faces:8127"}) == SLUG
    assert app_of({CONF_WHERE: Where.THIS_MACHINE}) is None


async def _choice(hass: HomeAssistant, *, here: bool = True) -> Result:
    """Press Add, and return the page that asks where the engine runs."""
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    failed = None if here else EnvironmentFailed("unsupported_platform", "a small board")
    survey = Survey(Room(1 << 40, 1 << 40), 1, 1, failed)
    with (
        patch("tests.conftest.PreparedBefore.ready", return_value=False),
        patch("tests.conftest.PreparedBefore.survey", return_value=survey),
    ):
        return await hass.config_entries.flow.async_configure(result["flow_id"], {})


def _times(page: Result) -> str:
    shown = page["description_placeholders"]
    assert shown is not None
    times: str = shown["times"]
    return times


@pytest.mark.parametrize("here", [True, False])
async def test_first_choice_compares_what_is_there(
    hass: HomeAssistant,
    elsewhere: EngineProcess,
    config_folder: object,
    supervisor: list[dict[str, Any]],
    here: bool,
) -> None:
    """Anyone who adds the integration by hand is told of the app as well, how quick it is, and takes it with a click."""
    supervisor[:] = [
        _message("http://127.0.0.1:9", slug="of_something_else") | {"service": "mqtt"},
        _message(elsewhere.url),
    ]
    offered = await _announce(hass, announced(elsewhere.url))
    page = await _choice(hass, here=here)
    assert (page["type"], page["step_id"]) == (FlowResultType.MENU, "where" if here else "elsewhere")
    own = [Where.THIS_MACHINE] if here else []
    assert page["menu_options"] == [*own, "app", Where.ANOTHER_MACHINE]
    first, second = _times(page).strip().splitlines()[-2:]
    known = "can be measured after it is installed" if here else "cannot run the engine"
    assert first == f"- On this machine: {known}"
    assert re.fullmatch(r"- In the app: \*\*\d+ ms\*\* a picture", second)
    done = await hass.config_entries.flow.async_configure(page["flow_id"], {"next_step_id": "app"})
    assert done["type"] is FlowResultType.CREATE_ENTRY
    entry = done["result"]
    assert entry.data == _data(elsewhere.url)
    assert entry.unique_id == APP
    assert await entry.runtime_data.engine.wait_ready(30)
    await hass.async_block_till_done()
    left = {each["flow_id"] for each in hass.config_entries.flow.async_progress()}
    assert offered["flow_id"] not in left
    assert await hass.config_entries.async_unload(entry.entry_id)


async def test_first_choice_with_an_app_that_does_not_answer(
    hass: HomeAssistant, config_folder: object, supervisor: list[dict[str, Any]]
) -> None:
    """It is said before it is chosen, and the choice leads to a page that says it again and tries again."""
    supervisor[:] = [_message("http://127.0.0.1:9")]
    page = await _choice(hass)
    assert _times(page).endswith("\n- In the app: does not answer")
    result = await hass.config_entries.flow.async_configure(page["flow_id"], {"next_step_id": "app"})
    assert (result["step_id"], result["errors"]) == ("hassio_confirm", {"base": "cannot_connect"})
    assert not hass.config_entries.async_entries(DOMAIN)


@pytest.mark.parametrize("messages", [[], [{"addon": SLUG, "service": DOMAIN, "uuid": UUID, "config": {}}]])
async def test_first_choice_without_an_app(
    hass: HomeAssistant,
    config_folder: object,
    supervisor: list[dict[str, Any]],
    messages: list[dict[str, Any]],
) -> None:
    """With nothing to choose from, and with an app of another version, nothing is measured."""
    supervisor[:] = messages
    page = await _choice(hass)
    assert page["menu_options"] == [Where.THIS_MACHINE, Where.ANOTHER_MACHINE]
    assert _times(page) == ""


async def test_moving_to_the_app(
    hass: HomeAssistant, elsewhere: EngineProcess, supervisor: list[dict[str, Any]], hub: Hub
) -> None:
    """Somebody whose engine runs on this machine compares it with the app, and moves with one click."""
    supervisor[:] = [_message(elsewhere.url)]
    assert await hub.engine.wait_ready(30)
    page = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_RECONFIGURE, "entry_id": hub.entry.entry_id}
    )
    for line, place in zip(_times(page).splitlines()[-2:], ("On this machine", "In the app"), strict=True):
        assert re.fullmatch(rf"- {place}: \*\*\d+ ms\*\* a picture", line)
    done = await hass.config_entries.flow.async_configure(page["flow_id"], {"next_step_id": "app"})
    assert done["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert _data(elsewhere.url).items() <= hub.entry.data.items()
    assert await hub.entry.runtime_data.engine.wait_ready(30)


async def test_supervisor_that_fails(
    hass: HomeAssistant, config_folder: object, socket_enabled: None
) -> None:
    """The page is shown without the app where the Supervisor does not answer."""
    hass.config.components.add("hassio")
    hass.data[DATA_COMPONENT] = HassIO(hass.loop, async_get_clientsession(hass), "127.0.0.1:9")
    page = await _choice(hass)
    assert page["menu_options"] == [Where.THIS_MACHINE, Where.ANOTHER_MACHINE]


@pytest.mark.parametrize("source", [SOURCE_USER, SOURCE_HASSIO])
async def test_one_engine_is_enough(hass: HomeAssistant, source: str) -> None:
    """With an entry there is neither a button for a second one nor an offer of the app."""
    data = {CONF_WHERE: Where.THIS_MACHINE}
    entry = MockConfigEntry(domain=DOMAIN, title="Familiar Faces", data=data)
    entry.add_to_hass(hass)
    info = announced("http://app:8127") if source == SOURCE_HASSIO else None
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": source}, data=info)
    assert result["reason"] == "single_instance_allowed"
    assert entry.data == data
    assert (await async_get_integration(hass, DOMAIN)).single_config_entry, (
        "the frontend shows no button then"
    )


async def test_ignored(hass: HomeAssistant, socket_enabled: None) -> None:
    """An app that the owner does not want is not offered again."""
    result = await _announce(hass, announced("http://127.0.0.1:9"))
    await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_IGNORE}, data={"unique_id": APP, "title": "Familiar Faces"}
    )
    assert not [
        each for each in hass.config_entries.flow.async_progress() if each["flow_id"] == result["flow_id"]
    ]
    assert (await _announce(hass, announced("http://127.0.0.1:9")))["reason"] == "single_instance_allowed"


async def test_only_one(hass: HomeAssistant, elsewhere: EngineProcess, config_folder: object) -> None:
    """There is one entry, whichever dialog is quicker."""
    by_hand = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    found = await _announce(hass, announced(elsewhere.url))
    made = await hass.config_entries.flow.async_configure(found["flow_id"], {})
    assert made["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    assert by_hand["flow_id"] not in {each["flow_id"] for each in hass.config_entries.flow.async_progress()}
    again = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert again["reason"] == "single_instance_allowed"
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    assert await hass.config_entries.async_unload(entry.entry_id)
