"""A real engine elsewhere, broken in each way in which it can be: what the home shows, and that it is back by itself."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
import re
import shutil
import signal

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.familiar_faces.const import CONF_FINGERPRINT, CONF_WHERE, DOMAIN, Where
from custom_components.familiar_faces.host import remote
from custom_components.familiar_faces.host.engine import EngineStatus
from custom_components.familiar_faces.host.engine_errors import EngineError
from custom_components.familiar_faces.household.issues import ENGINE_AWAY, ENGINE_FELL_BACK
from custom_components.familiar_faces.hub import Hub
from demo.certificates import make_certificate

from ..common.engine_process import ENGINE, EngineProcess
from ..common.pictures import astronaut, jpeg
from ..common.waiting import until
from ..conftest import FrontDoor, set_up

pytestmark = [pytest.mark.own_engine, pytest.mark.usefixtures("sockets")]

TOKEN = "a secret for the tests"
SENSOR = "sensor.familiar_faces_engine"
CLOCK = """\
import runpy, sys, time
right = time.time
time.time = lambda: right() + {seconds}
sys.argv[0] = {program!r}
runpy.run_path({program!r}, run_name="__main__")
"""


class Wire:
    """What lies between the home and the engine. It passes everything on until it is told otherwise."""

    def __init__(self) -> None:
        self.port = 0
        self.target = 0
        self.answers: bytes | None = None
        """What is answered in the engine's place."""
        self.swallows = False
        """Whether everything is taken, and nothing answered: as by a machine that lost its power."""
        self._open: set[asyncio.StreamWriter] = set()

    async def serve(self) -> asyncio.Server:
        """Listen."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        return server

    def cut(self) -> None:
        """End what is connected."""
        for writer in tuple(self._open):
            writer.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        with suppress(OSError):
            if self.swallows:
                while await reader.read(65536):
                    pass
            elif self.answers is not None:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(self.answers)
                await writer.drain()
            else:
                there, back = await asyncio.open_connection("127.0.0.1", self.target)
                self._open.add(back)
                await asyncio.gather(self._pass(reader, back), self._pass(there, writer))
                self._open.discard(back)
        self._open.discard(writer)
        writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()


class Away:
    """An engine on another machine, the wire to it, and what can happen to both."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.wire = Wire()
        self._folder = folder
        self._arguments = arguments
        self.engine = self._process()

    def _process(
        self, token: str = TOKEN, program: Path = ENGINE / "__main__.py", more: tuple[str, ...] = ()
    ) -> EngineProcess:
        port = ["--port", str(self.wire.target)] if self.wire.target else []
        return EngineProcess(token=token, arguments=[*self._arguments, *more, *port], program=program)

    async def start(self) -> None:
        """Start it, on the port that it had before."""
        await asyncio.to_thread(self.engine.start, 120)
        self.wire.target = int(self.engine.url.rpartition(":")[2])

    async def end(self) -> None:
        """Kill it."""
        if self.engine.process is not None and self.engine.process.poll() is None:
            await asyncio.to_thread(self.engine.kill)

    async def replace(self, **by: object) -> None:
        """Have another one in its place."""
        await self.end()
        self.engine = self._process(**by)  # type: ignore[arg-type]
        await self.start()

    def signal(self, number: signal.Signals) -> None:
        """Tell it something."""
        assert self.engine.process is not None
        self.engine.process.send_signal(number)

    def of_protocol(self, protocol: int) -> Path:
        """Return the program of an engine that speaks this protocol and no other."""
        folder = self._folder / f"protocol-{protocol}" / "engine"
        shutil.copytree(ENGINE, folder, ignore=shutil.ignore_patterns("__pycache__"))
        path = folder / "__init__.py"
        text, changed = re.subn(
            r"^(PROTOCOL|OLDEST) = \d+$", rf"\1 = {protocol}", path.read_text("utf-8"), flags=re.MULTILINE
        )
        assert changed == 2
        path.write_text(text, "utf-8")
        # It looks beside itself for its version.
        shutil.copy(ENGINE.parent / "manifest.json", folder.parent)
        return folder / "__main__.py"

    def pictures(self) -> int:
        """Return how many pictures the engine was asked about since it started."""
        text = self.engine.request("GET", "/metrics").body.decode()
        counted = re.findall(r"^familiar_faces_pictures_total\{.*\} (\S+)$", text, re.MULTILINE)
        return round(sum(map(float, counted)))


@pytest.fixture
async def away(tmp_path: Path) -> AsyncGenerator[Away]:
    """Return an engine that runs on another machine, as far as the home can tell."""
    it = Away(tmp_path)
    async with await it.wire.serve() as server:
        await it.start()
        yield it
        await it.end()
        it.wire.cut()
        server.close()


@pytest.fixture
async def home(
    hass: HomeAssistant,
    front_door: FrontDoor,
    entry: MockConfigEntry,
    away: Away,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncGenerator[Hub]:
    """Return a home that uses it, with a camera."""
    monkeypatch.setattr(remote, "AGAIN", 0.1)
    data = {
        CONF_WHERE: Where.ANOTHER_MACHINE,
        "url": f"http://127.0.0.1:{away.wire.port}",
        "token": TOKEN,
        "verify_ssl": True,
    }
    hass.config_entries.async_update_entry(entry, data=data)
    yield await set_up(hass, entry)
    if entry.state.recoverable:
        await hass.config_entries.async_unload(entry.entry_id)


async def gone(away: Away) -> None:
    await away.end()


async def frozen(away: Away) -> None:
    away.signal(signal.SIGSTOP)


async def half_open(away: Away) -> None:
    away.wire.swallows = True


async def proxy_500(away: Away) -> None:
    away.wire.answers = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\nsorr"


async def too_new(away: Away) -> None:
    await away.replace(program=await asyncio.to_thread(away.of_protocol, 3))


async def too_old(away: Away) -> None:
    await away.replace(program=await asyncio.to_thread(away.of_protocol, 0))


async def wrong_token(away: Away) -> None:
    await away.replace(token="another secret of somebody")


async def put_right(away: Away) -> None:
    """Have everything as it was."""
    away.wire.swallows, away.wire.answers = False, None
    if away.engine.process is not None and away.engine.process.poll() is None:
        away.signal(signal.SIGCONT)
    else:
        await away.replace()
    if (away.engine.token, away.engine.program) != (TOKEN, ENGINE / "__main__.py"):
        await away.replace()


def unavailable(hass: HomeAssistant) -> set[str]:
    return {state.entity_id for state in hass.states.async_all() if state.state == "unavailable"}


async def until_away(hass: HomeAssistant, home: Hub) -> str:
    """Wait until the home knows that it is away, and return the reason that it shows."""
    home.engine.report_timeout()
    await until(lambda: home.engine.status is EngineStatus.UNAVAILABLE, 60)
    await hass.async_block_till_done()
    state = hass.states.get(SENSOR)
    assert state is not None
    assert state.state == "failed"
    reason: str = state.attributes["reason"]
    return reason


async def until_back(hass: HomeAssistant, home: Hub) -> None:
    """Wait until the home uses it again, and says nothing of what was."""
    await until(lambda: home.engine.status is EngineStatus.READY, 90)
    await hass.async_block_till_done()
    assert ir.async_get(hass).async_get_issue(DOMAIN, ENGINE_AWAY) is None
    state = hass.states.get(SENSOR)
    assert state is not None
    assert (state.state, "reason" in state.attributes) == ("ready", False)


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("breaks", "said"),
    [
        (gone, "cannot be reached"),
        (frozen, "did not answer"),
        (half_open, "did not answer"),
        (proxy_500, "500"),
        (too_new, "too new for this version"),
        (too_old, "too old for this version"),
        (wrong_token, "token"),
    ],
)
async def test_it_is_said_and_back_by_itself(
    hass: HomeAssistant, home: Hub, away: Away, breaks: Callable[[Away], Awaitable[None]], said: str
) -> None:
    """What needs the engine is unavailable, the owner reads why, and no picture is kept to be looked at later."""
    photo = jpeg(astronaut())
    assert len((await home.client.faces(photo)).faces) == 1
    before = unavailable(hass)
    await breaks(away)
    away.wire.cut()
    reason = await until_away(hass, home)
    with pytest.raises(EngineError):
        await home.client.faces(photo, timeout=2)
    assert said in reason
    assert "event.front_door_visitor" in unavailable(hass) - before
    issue = ir.async_get(hass).async_get_issue(DOMAIN, ENGINE_AWAY)
    if breaks is wrong_token:
        # A dialog asks for the right one in its place.
        (flow,) = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
        assert (flow["context"]["source"], issue) == ("reauth", None)
    else:
        assert issue is not None
        assert issue.translation_placeholders == {"reason": reason}

    await put_right(away)
    away.wire.cut()
    await until_back(hass, home)
    assert unavailable(hass) == before
    if breaks in (gone, too_new, too_old, wrong_token):
        assert await asyncio.to_thread(away.pictures) == 0, "nothing was kept for it"
    assert len((await home.client.faces(photo)).faces) == 1


async def test_a_certificate_that_is_another(
    hass: HomeAssistant,
    front_door: FrontDoor,
    entry: MockConfigEntry,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The engine is not used while it shows a certificate that the home does not know, and by itself when it does again."""
    monkeypatch.setattr(remote, "AGAIN", 0.1)
    certificate, key, digest = make_certificate(tmp_path)
    right = certificate.read_bytes(), key.read_bytes()
    (tmp_path / "other").mkdir()
    other = tuple(path.read_bytes() for path in make_certificate(tmp_path / "other")[:2])
    away = Away(tmp_path, "--tls-certificate", str(certificate), "--tls-key", str(key))

    def show(shown: tuple[bytes, ...]) -> None:
        certificate.write_bytes(shown[0])
        key.write_bytes(shown[1])
        away.signal(signal.SIGHUP)

    async with await away.wire.serve():
        await away.start()
        try:
            where = {"url": f"https://127.0.0.1:{away.wire.port}", "token": TOKEN, "verify_ssl": True}
            data = {CONF_WHERE: Where.ANOTHER_MACHINE, CONF_FINGERPRINT: digest.hex(), **where}
            hass.config_entries.async_update_entry(entry, data=data)
            home = await set_up(hass, entry)
            show(other)
            await asyncio.sleep(0.5)
            away.wire.cut()
            assert "certificate" in await until_away(hass, home)
            show(right)
            await until_back(hass, home)
            assert len((await home.client.faces(jpeg(astronaut()))).faces) == 1
            assert await hass.config_entries.async_unload(entry.entry_id)
        finally:
            await away.end()
            away.wire.cut()


async def test_a_graphics_card_that_is_not_there(hass: HomeAssistant, home: Hub, away: Away) -> None:
    """People are recognised, and the owner is told that it is not as they asked for."""
    issue_id = f"{ENGINE_FELL_BACK}_http://127.0.0.1:{away.wire.port}"

    def issue() -> ir.IssueEntry | None:
        return ir.async_get(hass).async_get_issue(DOMAIN, issue_id)

    async def start_with(*options: str) -> None:
        await away.replace(more=options)
        away.wire.cut()
        home.engine.report_timeout()

    assert issue() is None
    await start_with("--provider", "cuda")
    await until(lambda: issue() is not None, 60)
    told = issue()
    assert told is not None
    assert told.severity is ir.IssueSeverity.WARNING
    assert told.translation_placeholders is not None
    assert "onnxruntime-gpu" in told.translation_placeholders["reason"]
    assert home.engine.status is EngineStatus.READY
    assert len((await home.client.faces(jpeg(astronaut()))).faces) == 1
    await start_with()
    await until(lambda: issue() is None, 60)


@pytest.mark.parametrize("days", [-400, 400])
async def test_a_clock_that_is_wrong_there(
    hass: HomeAssistant, home: Hub, away: Away, tmp_path: Path, days: int
) -> None:
    """The clocks of the two machines do not matter."""
    program = tmp_path / "another_time.py"
    program.write_text(CLOCK.format(seconds=days * 86400, program=str(ENGINE / "__main__.py")))
    await away.replace(program=program)
    away.wire.cut()
    home.engine.report_timeout()
    await until(lambda: home.engine.status is EngineStatus.READY, 60)
    assert len((await home.client.faces(jpeg(astronaut()))).faces) == 1
    dated = away.engine.request("GET", "/v1/alive").headers["Date"]
    assert abs((parsedate_to_datetime(dated) - datetime.now(UTC)).days - days) <= 1
