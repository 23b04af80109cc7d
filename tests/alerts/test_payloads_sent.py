"""What reaches an engine on another machine: pictures, and never where they were taken."""

from collections.abc import AsyncGenerator
from io import BytesIO

from aiohttp import web
from homeassistant.core import HomeAssistant
from PIL import Image
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.familiar_faces.const import CONF_WHERE, Where

from ..common.answering import proving
from ..common.engine_process import EngineProcess
from ..common.pictures import astronaut, enrolment_photos
from ..common.steps import enrol, ring, visits
from ..conftest import FrontDoor, set_up

pytestmark = pytest.mark.usefixtures("entity_registry_enabled_by_default")

COMMENT, GPS, LATITUDE, ORIENTATION = 0x9286, 0x8825, 2, 0x0112
TOKEN = "a secret for the tests"
PLACE = b"52.370216 N 4.895168 E"


class Between:
    """What stands before an engine on another machine, and notes the pictures that it is sent."""

    def __init__(self, hass: HomeAssistant, engine: EngineProcess) -> None:
        """Hand everything on to this engine."""
        self.images: list[bytes] = []
        self._hass = hass
        self._engine = engine

    async def hand_on(self, request: web.Request) -> web.Response:
        """Return what the engine answers."""
        body = await request.read()
        if request.method == "POST":
            self.images.append(body)
        answer = await self._hass.async_add_executor_job(
            self._engine.request, request.method, request.path_qs, body
        )
        return web.Response(body=answer.body, status=answer.status, content_type="application/json")


@pytest.fixture
async def between(hass: HomeAssistant, entry: MockConfigEntry, sockets: None) -> AsyncGenerator[Between]:
    """Return what stands before the engine of the entry, which is on another machine."""
    engine = await hass.async_add_executor_job(EngineProcess().start)
    between = Between(hass, engine)
    app = web.Application(client_max_size=50 * 1024**2)
    app.router.add_route("*", "/{path:.*}", between.hand_on)
    app.on_response_prepare.append(proving(TOKEN))
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    data = {CONF_WHERE: Where.ANOTHER_MACHINE, "url": site.name, "token": TOKEN, "verify_ssl": True}
    hass.config_entries.async_update_entry(entry, data=data)
    yield between
    await runner.cleanup()
    await hass.async_add_executor_job(engine.stop)


def taken_at_home(image: bytes) -> bytes:
    """Return a photo as a phone saves it: lying on its side, the place beside it, and a film behind it."""
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    exif[COMMENT] = PLACE
    exif.get_ifd(GPS)[LATITUDE] = (52.0, 22.0, 12.5)
    data = BytesIO()
    with Image.open(BytesIO(image)) as opened:
        lying = opened.transpose(Image.Transpose.ROTATE_90)
        lying.save(data, "JPEG", quality=90, exif=exif, comment=PLACE, xmp=b"<gps>" + PLACE + b"</gps>")
    return data.getvalue() + b"\0\0\0\x18ftypmp42\xa9xyz" + PLACE


async def test_no_place_reaches_another_machine(
    hass: HomeAssistant, front_door: FrontDoor, entry: MockConfigEntry, between: Between
) -> None:
    """Neither with an uploaded photo nor with a camera's frame, and who is on them is known anyway."""
    hub = await set_up(hass, entry)
    photos = [taken_at_home(photo) for photo in enrolment_photos()]
    with Image.open(BytesIO(photos[0])) as opened:
        assert opened.getexif().get_ifd(GPS)[LATITUDE] == (52, 22, 12.5)
    assert photos[0].count(PLACE) == 4
    await enrol(hass, entry, photos)
    uploads = len(between.images)
    assert uploads >= len(photos)

    front_door.frames = [taken_at_home(frame) for frame in visits(astronaut())]
    await ring(hass, hub)
    assert len(between.images) > uploads
    assert hass.states.get("sensor.front_door_last_visitor").state == "Eileen"

    for image in between.images:
        assert PLACE not in image
        with Image.open(BytesIO(image)) as opened:
            opened.load()
            exif = opened.getexif()
            assert dict(exif) == {ORIENTATION: 6}
            assert not exif.get_ifd(GPS)
    assert await hass.config_entries.async_unload(entry.entry_id)
