"""The panel is there while the integration runs, with the program that was built, and is gone afterwards."""

import ast
from datetime import timedelta
from http import HTTPStatus
import logging
from pathlib import Path
import re

from homeassistant.components import frontend
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.panel import program

from ..common.source import FOLDER, ROOT, parse
from ..common.texts import ENGLISH_TREE
from ..conftest import FrontDoor, set_up

SOURCES = ROOT / "frontend" / "src"
LARGEST = 120 * 1024


@pytest.fixture
async def with_frontend(hass: HomeAssistant, front_door: FrontDoor, real_engine: None) -> None:
    """Have Home Assistant's frontend be there first, as in a home."""
    assert await async_setup_component(hass, "frontend", {})


async def test_it_comes_and_goes(hass: HomeAssistant, with_frontend: None, entry: MockConfigEntry) -> None:
    """Unloading leaves neither the panel nor the card's program, but for a moment in which it may be loaded again."""
    urls = hass.data[frontend.DATA_EXTRA_MODULE_URL]
    await set_up(hass, entry)
    panel = hass.data[frontend.DATA_PANELS]["familiar-faces"]
    assert (panel.sidebar_title, panel.require_admin) == ("Familiar Faces", False)
    (url,) = [each for each in urls.urls if "familiar_faces" in each]
    assert panel.config is not None
    assert panel.config["_panel_custom"]["module_url"] == url

    async def shown(later: timedelta = timedelta()) -> tuple[bool, bool]:
        async_fire_time_changed(hass, dt_util.utcnow() + later)
        await hass.async_block_till_done()
        program = any("familiar_faces" in each for each in urls.urls)
        return "familiar-faces" in hass.data[frontend.DATA_PANELS], program

    # Loaded again, it is there all the while: nobody who looks at it is led away.
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert await shown() == (True, True)
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert await shown(timedelta(minutes=1)) == (True, True)
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert await shown(timedelta(minutes=1)) == (False, False)
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert await shown() == (True, True)
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    assert await shown() == (False, False)
    await hass.config_entries.async_set_disabled_by(entry.entry_id, None)
    assert await shown() == (True, True)
    await hass.config_entries.async_remove(entry.entry_id)
    assert await shown() == (False, False)


async def test_not_built(
    hass: HomeAssistant,
    with_frontend: None,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Everything else works, and one line says what is missing."""
    monkeypatch.setattr(program, "PROGRAM", tmp_path / "none.js")
    program.read_program.cache_clear()
    try:
        await set_up(hass, entry)
        assert "familiar-faces" not in hass.data[frontend.DATA_PANELS]
        lines = [each for each in caplog.records if each.name == program.__name__]
        assert [each.levelno for each in lines] == [logging.WARNING]
        assert "script/setup frontend" in lines[0].getMessage()
        assert await hass.config_entries.async_unload(entry.entry_id)
    finally:
        program.read_program.cache_clear()


async def test_the_program(hub: Hub, hass_client_no_auth: ClientSessionGenerator, sockets: None) -> None:
    """Browsers may keep it, and get it compressed."""
    client = await hass_client_no_auth()
    answer = await client.get(program.PROGRAM_PATH)
    assert answer.status == HTTPStatus.OK
    assert answer.content_type == "text/javascript"
    assert "immutable" in answer.headers["Cache-Control"]
    assert await answer.read() == program.PROGRAM.read_bytes()
    built = program.read_program()
    assert built is not None
    assert len(built.compressed) < LARGEST
    assert built.digest in built.url


def test_nothing_is_set_as_markup() -> None:
    """Names and cameras come from people: no way is used by which they would be read as HTML."""
    ways = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|unsafeHTML|unsafeSVG|unsafeStatic|document\.write|\beval\b"
    )
    found = [path.name for path in SOURCES.rglob("*.ts") if ways.search(path.read_text("utf-8"))]
    assert found == []


def test_no_other_address() -> None:
    """The program asks this Home Assistant, and nobody else."""
    code = program.PROGRAM.read_text("utf-8")
    addresses = set(re.findall(r"https?://[\w.-]+", code)) - {"http://www.w3.org"}
    assert {each for each in addresses if "lit.dev" not in each and "github.com" not in each} == set()
    assert (
        re.search(r"\bfetch\(|XMLHttpRequest|sendBeacon|localStorage|sessionStorage|WebSocket", code) is None
    )


def test_every_text_is_used() -> None:
    """No text is kept that nothing says, and each that is made of two parts begins as a known one."""
    code = "\n".join(path.read_text("utf-8") for path in SOURCES.rglob("*.ts"))
    prefixes = {f"{section}.{prefix}" for section, prefix in re.findall(r"`(\w+)\.(\w*)\$\{", code)} | {
        f"{section}.{prefix}" for section, prefix in re.findall(r'keyed\(\s*"(\w+)",\s*`(\w+)\$\{', code)
    }
    # Of some sections the integration sends the name: it has to know it.
    sent = set(re.findall(r'keyed\("(\w+)", [a-z.]+\)', code))
    names = {
        node.value
        for path in FOLDER.rglob("*.py")
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    left = [
        key
        for section, texts in ENGLISH_TREE["config_panel"].items()
        for key, name in ((f"{section}.{name}", name) for name in texts)
        if f'"{key}"' not in code
        and not any(key.startswith(each) for each in prefixes)
        and not (section in sent and name in names)
    ]
    assert left == []
