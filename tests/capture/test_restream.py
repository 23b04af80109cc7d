"""A camera that refuses, and go2rtc shares its stream on; go2rtc's answers are those of a server of this machine."""

from collections.abc import AsyncGenerator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
import sys
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import aiohttp
from aiohttp import web
from camera_lab import films
from camera_lab.door import Door
from camera_lab.faces import Appearance
from camera_lab.rtsp import RtspServer
from homeassistant import components
from homeassistant.components.camera import Camera
from homeassistant.core import HomeAssistant
from PIL import Image
import pytest

from custom_components.familiar_faces.capture.camera_stream import CameraStream
from custom_components.familiar_faces.capture.restream import Restream
from custom_components.familiar_faces.capture.stream_origin import Origin, StreamEnd
from custom_components.familiar_faces.capture.stream_reader import StreamAddress
from custom_components.familiar_faces.internals import go2rtc_server
from custom_components.familiar_faces.internals.go2rtc_server import async_restream_of, check

from ..common.waiting import until

NAME = "generic_door_1"


class Go2rtc:
    """Its API, as far as it is asked."""

    def __init__(self) -> None:
        self.about: Any = {"version": "1.9.14"}
        self.streams: Any = {NAME: {"producers": []}}
        self.status = 200
        self.asked = 0

    async def answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        answer = self.about if request.path == "/api" else self.streams
        return web.json_response(answer, status=self.status)


@pytest.fixture
async def go2rtc(
    local_streams: None, hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[Go2rtc]:
    """Return a server that Home Assistant uses."""
    folder = Path(next(iter(components.__path__))) / "go2rtc"
    package = ModuleType("homeassistant.components.go2rtc")
    spec = spec_from_file_location("homeassistant.components.go2rtc.util", folder / "util.py")
    assert spec is not None
    assert spec.loader is not None
    util = module_from_spec(spec)
    spec.loader.exec_module(util)
    monkeypatch.setitem(sys.modules, package.__name__, package)
    monkeypatch.setitem(sys.modules, util.__name__, util)
    server = Go2rtc()
    app = web.Application()
    app.add_routes([web.get("/api", server.answer), web.get("/api/streams", server.answer)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession() as session:
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        hass.data["go2rtc"] = SimpleNamespace(url=url, session=session)
        hass.config.components.add("go2rtc")
        assert check(hass)
        yield server
    await runner.cleanup()


def a_camera(provider: str | None = "go2rtc") -> Camera:
    """Return what is asked of a camera entity."""
    return cast(
        Camera,
        SimpleNamespace(
            unique_id="door 1".replace(" ", "_"),
            entity_id="camera.door",
            platform=SimpleNamespace(platform_name="generic"),
            webrtc_provider=None if provider is None else SimpleNamespace(domain=provider),
        ),
    )


@pytest.mark.parametrize(
    ("about", "address"),
    [
        ({"rtsp": {"listen": ":8555"}}, f"rtsp://127.0.0.1:8555/{NAME}"),
        ({"rtsp": {"listen": "127.0.0.1:18554"}}, f"rtsp://127.0.0.1:18554/{NAME}"),
        ({"rtsp": {"listen": ""}}, f"rtsp://127.0.0.1:8554/{NAME}"),
        ({}, f"rtsp://127.0.0.1:8554/{NAME}"),
        ({"rtsp": None}, f"rtsp://127.0.0.1:8554/{NAME}"),
    ],
)
async def test_where_it_is(hass: HomeAssistant, go2rtc: Go2rtc, about: object, address: str) -> None:
    go2rtc.about = about
    assert await async_restream_of(hass, a_camera()) == address


async def test_where_there_is_none(hass: HomeAssistant, go2rtc: Go2rtc) -> None:
    assert await async_restream_of(hass, a_camera(None)) is None
    assert await async_restream_of(hass, a_camera("another")) is None
    assert go2rtc.asked == 0
    go2rtc.streams = {"another_camera": {}}
    assert await async_restream_of(hass, a_camera()) is None
    for odd in range(3):
        go2rtc.streams = ([], "?", None)[odd]
        assert await async_restream_of(hass, a_camera()) is None
    go2rtc.streams, go2rtc.status = {NAME: {}}, 401
    assert await async_restream_of(hass, a_camera()) is None


async def test_another_home_assistant(hass: HomeAssistant, go2rtc: Go2rtc) -> None:
    """One that keeps it in another way is noticed, and no camera of go2rtc's is guessed."""
    hass.data["go2rtc"] = SimpleNamespace(address="somewhere")
    assert not check(hass)
    assert await async_restream_of(hass, a_camera()) is None
    hass.data.pop("go2rtc")
    assert check(hass)
    assert await async_restream_of(hass, a_camera()) is None
    hass.config.components.remove("go2rtc")
    hass.data["go2rtc"] = SimpleNamespace(address="somewhere")
    assert check(hass), "it is not used"


async def test_it_is_read_where_the_camera_refuses(
    hass: HomeAssistant, go2rtc: Go2rtc, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("RGB", (60, 60), (230, 20, 20)).save(tmp_path / "red.png")
    who = Appearance("red", tmp_path / "red.png", (60, 60), 20, moves=False)
    door = Door({"red": await films.make(tmp_path, films.Format(films.H264, 320, 180, 1, fps=10), who)})
    server = RtspServer(door)
    server.path = NAME
    await server.start()
    door.start()
    go2rtc.about = {"rtsp": {"listen": f"127.0.0.1:{server.port}"}}

    async def find() -> list[Origin]:
        # Nobody listens there.
        return [StreamAddress("rtsp://127.0.0.1:1/door"), Restream(hass, a_camera())]

    stream = CameraStream("door", find, warm=True)
    stream.async_start()
    try:
        await until(lambda: stream.running)
        assert server.opened == 1
        assert stream.size > 0
        # One that is lost is tried again, and told once neither has it.
        monkeypatch.setattr(go2rtc_server, "SECONDS", 0.5)
        go2rtc.streams = {}
        await server.stop()
        await until(lambda: stream.end is StreamEnd.REFUSED)
        assert stream.size == 0
    finally:
        await stream.async_stop()
        await door.stop()
