"""Several engines and certificates of one's own, in the dialog, and what is said when one of the engines is away."""

import asyncio
from collections.abc import Generator
from pathlib import Path
import re
from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import SOURCE_RECONFIGURE, SOURCE_USER, ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
import pytest

from custom_components.familiar_faces.const import CONF_WHERE, DOMAIN, Where
from custom_components.familiar_faces.household.issues import ENGINE_PARTLY_AWAY
from demo.certificates import make_certificate

from ..common.engine_process import EngineProcess
from ..common.pictures import astronaut, jpeg
from ..common.steps import Result, times_of, use_engine
from ..common.waiting import until

pytestmark = [pytest.mark.own_engine, pytest.mark.usefixtures("config_folder")]

TOKEN = "a secret for the tests"


@pytest.fixture
def another(elsewhere: EngineProcess) -> Generator[EngineProcess]:
    """Return a second engine with the same token."""
    engine = EngineProcess(token=elsewhere.token).start()
    yield engine
    engine.kill()


async def ask(hass: HomeAssistant) -> Result:
    """Go on to the form for an engine on another machine."""
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {})
    return await hass.config_entries.flow.async_configure(
        result["flow_id"], {"next_step_id": Where.ANOTHER_MACHINE}
    )


async def fill_in(hass: HomeAssistant, form: Result, **said: Any) -> Result:
    """Fill the form in, and use the engine when it answers."""
    data = {"token": TOKEN, "verify_ssl": True, **said}
    page = await hass.config_entries.flow.async_configure(form["flow_id"], data)
    return page if page["type"] is FlowResultType.FORM else await use_engine(hass, page)


def said_of(hass: HomeAssistant, address: str) -> ir.IssueEntry | None:
    """Return the repair about one engine of several."""
    return ir.async_get(hass).async_get_issue(DOMAIN, f"{ENGINE_PARTLY_AWAY}_{address}")


async def test_each_further_address_is_tried(
    hass: HomeAssistant, elsewhere: EngineProcess, another: EngineProcess, other_program: Path
) -> None:
    """What is wrong is said at the field of the further ones; what is right is used, each once."""
    form = await ask(hass)
    model = EngineProcess(token=TOKEN, program=other_program).start()
    try:
        for others, error in (
            (["http://127.0.0.1:9"], "cannot_connect"),
            ([another.url, "no address"], "invalid_url"),
            ([model.url], "another_model"),
        ):
            form = await fill_in(hass, form, url=elsewhere.url, other_urls=others)
            assert form["errors"] == {"other_urls": error}
    finally:
        model.kill()
    done = await fill_in(hass, form, url=elsewhere.url, other_urls=[another.url.removeprefix("http://")])
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert done["data"] == {
        CONF_WHERE: Where.ANOTHER_MACHINE,
        "url": elsewhere.url,
        "other_urls": [another.url],
        "token": TOKEN,
        "verify_ssl": True,
    }
    assert await done["result"].runtime_data.engine.wait_ready(30)
    assert await hass.config_entries.async_unload(done["result"].entry_id)


async def test_one_that_goes_away_is_named_in_a_repair_until_it_is_back(
    hass: HomeAssistant, elsewhere: EngineProcess, another: EngineProcess
) -> None:
    """The other one goes on meanwhile, and no picture is lost."""
    done = await fill_in(hass, await ask(hass), url=elsewhere.url, other_urls=[another.url])
    hub = done["result"].runtime_data
    assert await hub.engine.wait_ready(30)
    port = another.url.rpartition(":")[2]
    picture = jpeg(astronaut())
    another.kill()
    for _ in range(4):
        assert len((await hub.client.faces(picture)).faces) == 1
    hub.engine.report_timeout()
    await until(lambda: said_of(hass, another.url) is not None)
    shown = said_of(hass, another.url)
    assert shown is not None
    assert shown.severity is ir.IssueSeverity.WARNING
    assert shown.translation_placeholders is not None
    assert shown.translation_placeholders["address"] == another.url
    assert "cannot be reached" in shown.translation_placeholders["reason"]
    assert said_of(hass, elsewhere.url) is None
    assert len((await hub.client.faces(picture)).faces) == 1

    back = await asyncio.to_thread(EngineProcess(token=TOKEN, arguments=["--port", port]).start)
    try:
        await until(lambda: said_of(hass, another.url) is None)
    finally:
        back.kill()
    assert await hass.config_entries.async_unload(done["result"].entry_id)


async def test_a_certificate_of_ones_own_is_known_by_its_fingerprint(
    hass: HomeAssistant, real_engine: None, socket_enabled: None, tmp_path: Path
) -> None:
    """What is no fingerprint, and another certificate, are told apart at their fields."""
    certificate, key, digest = make_certificate(tmp_path)
    options = ["--tls-certificate", str(certificate), "--tls-key", str(key)]
    engine = EngineProcess(token=TOKEN, arguments=options).start()
    try:
        form = await ask(hass)
        for fingerprint, errors in (
            ("00:11:22", {"fingerprint": "invalid_fingerprint"}),
            ("0" * 64, {"url": "certificate"}),
            ("", {"url": "certificate"}),
        ):
            form = await fill_in(hass, form, url=engine.url, fingerprint=fingerprint)
            assert form["errors"] == errors, fingerprint
        # As openssl prints it.
        said = f"sha256 Fingerprint={digest.hex(':').upper()}"
        done = await fill_in(hass, form, url=engine.url, fingerprint=said)
        assert done["type"] is FlowResultType.CREATE_ENTRY
        hub = done["result"].runtime_data
        assert await hub.engine.wait_ready(30)
        assert len((await hub.client.faces(jpeg(astronaut()))).faces) == 1
        assert await hass.config_entries.async_unload(done["result"].entry_id)
    finally:
        engine.kill()


@pytest.mark.usefixtures("sockets")
async def test_changing_the_engine_shows_how_long_each_takes(
    hass: HomeAssistant, elsewhere: EngineProcess, another: EngineProcess
) -> None:
    """Each is asked at that moment: those that are used, and the one that is installed here."""
    done = await fill_in(hass, await ask(hass), url=elsewhere.url, other_urls=[another.url])
    entry = done["result"]
    assert await entry.runtime_data.engine.wait_ready(30)
    another.kill()
    menu = await entry_reconfigured(hass, entry)
    here, first, second = times_of(menu)
    for line, place in ((here, "On this machine"), (first, elsewhere.url)):
        found = re.fullmatch(rf"- {re.escape(place)}: \*\*(\d+) ms\*\* a picture", line)
        assert found is not None, line
        assert int(found[1]) > 0
    assert second == f"- {another.url}: does not answer"
    assert await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.usefixtures("sockets")
async def test_each_address_is_measured_before_it_is_used(
    hass: HomeAssistant, elsewhere: EngineProcess, another: EngineProcess
) -> None:
    """Of several addresses each has a line, the first one first, and an engine that is used already only one."""
    said = {"token": TOKEN, "verify_ssl": True, "url": elsewhere.url, "other_urls": [another.url]}
    form = await ask(hass)
    page = await hass.config_entries.flow.async_configure(form["flow_id"], said)
    places = [elsewhere.url, another.url, "On this machine"]
    for line, place in zip(times_of(page), places, strict=True):
        assert re.fullmatch(rf"- {re.escape(place)}: \*\*[1-9]\d* ms\*\* a picture", line)
    entry = (await use_engine(hass, page))["result"]
    assert await entry.runtime_data.engine.wait_ready(30)
    menu = await entry_reconfigured(hass, entry)
    form = await hass.config_entries.flow.async_configure(
        menu["flow_id"], {"next_step_id": Where.ANOTHER_MACHINE}
    )
    page = await hass.config_entries.flow.async_configure(form["flow_id"], said)
    assert [line.partition(": **")[0] for line in times_of(page)] == [f"- {place}" for place in places]
    hass.config_entries.flow.async_abort(page["flow_id"])
    assert await hass.config_entries.async_unload(entry.entry_id)


async def test_an_engine_that_is_not_installed_here_is_not_measured(
    hass: HomeAssistant, elsewhere: EngineProcess
) -> None:
    done = await fill_in(hass, await ask(hass), url=elsewhere.url)
    with patch("tests.conftest.PreparedBefore.ready", return_value=False):
        menu = await entry_reconfigured(hass, done["result"])
    assert times_of(menu)[0] == "- On this machine: can be measured after it is installed"
    assert await hass.config_entries.async_unload(done["result"].entry_id)


async def entry_reconfigured(hass: HomeAssistant, entry: ConfigEntry) -> Result:
    """Press Reconfigure, and return what is shown."""
    return await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id}
    )
