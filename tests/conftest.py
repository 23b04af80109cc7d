"""A real Home Assistant with a camera whose frames are chosen, a doorbell, and the real engine."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import cache
import math
import os
from pathlib import Path
import pickle
import shutil
import traceback
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from homeassistant.components.camera import Camera
from homeassistant.config_entries import ConfigEntry, ConfigSubentryData
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util, slugify
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, setup_test_component_platform
import pytest_socket

from custom_components.familiar_faces.capture.known_pictures import LATELY
from custom_components.familiar_faces.const import CONF_WHERE, DOMAIN, Where
from custom_components.familiar_faces.host.ready_made import ReadyMade
from custom_components.familiar_faces.host.room import NEEDED_DISK, NEEDED_MEMORY, Room, Survey
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.wording.renderer import Renderer

from .common.pictures import taken_anew
from .common.shared_engine import SharedEngine, running

if TYPE_CHECKING:
    from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

    from .common.evidence import Evidence
    from .common.home import MakeRecorder
    from .common.owner import MakeClient, Owner
    from .common.phone import NewPhone
    from .common.street import Street

DOORBELL = "input_button.doorbell"
CAMERA = "camera.front_door"
FACES = "FAMILIAR_FACES_TEST_FACES"


@pytest.fixture(scope="session")
def labelled() -> Path:
    """Return the folder of labelled photos, and skip where there is none."""
    folder = Path(os.environ.get(FACES) or Path(__file__).parents[2] / "shared" / "faces")
    if not all((folder / part).exists() for part in ("verify/pairs.txt", "identify")):
        pytest.skip(f"no labelled photos in {folder}: name their folder in {FACES}")
    return folder


@pytest.fixture(scope="session")
def engine_place() -> PreparedBefore:
    """Return the interpreter and the weights that script/test has prepared."""
    python = os.environ.get("FAMILIAR_FACES_ENGINE_PYTHON")
    weights = os.environ.get("FAMILIAR_FACES_ENGINE_WEIGHTS")
    if not python or not weights:
        pytest.fail("the engine is not prepared: run the tests with script/test")
    return PreparedBefore(Path(python), Path(weights))


class PreparedBefore(ReadyMade):
    """The engine's environment as the tests share it, so that no test removes it."""

    removed = False
    surveyed = Survey(Room(50_000_000_000, 8_000_000_000), NEEDED_DISK, NEEDED_MEMORY, None)

    def survey(self) -> Survey:
        """Say what the test has this machine be."""
        return self.surveyed

    async def remove(self) -> None:
        """Note that it would have been removed."""
        self.removed = True


@pytest.fixture(scope="session", autouse=True)
def private_uploads(tmp_path_factory: pytest.TempPathFactory) -> Generator[None]:
    """Keep uploads apart: Home Assistant has one folder for them on a machine, tests run side by side."""
    with patch("tempfile.tempdir", str(tmp_path_factory.mktemp("t"))):
        yield


@pytest.fixture(scope="session", autouse=True)
def pages_made_once() -> Generator[None]:
    """Read and compile the pages once for all the homes of a run, which have the same."""
    with patch.object(Renderer, "load", cache(Renderer.load)):
        yield


@pytest.fixture(scope="session", autouse=True)
def short_tracebacks() -> Generator[None]:
    """Keep asyncio's debug mode, and only a line of where each future was made: all lines take a sixth of the time."""
    # asyncio holds the function itself, so that another one in its place would not be called.
    with (
        patch("asyncio.constants.DEBUG_STACK_DEPTH", 1),
        patch.object(traceback.extract_stack, "__defaults__", (None, 1)),
    ):
        yield


@pytest.fixture(autouse=True)
def time_passes() -> Generator[None]:
    """Have the machine run for as long as the time says that tests set: then no clock has jumped."""
    with patch(
        "custom_components.familiar_faces.household.wall_clock.running", lambda: dt_util.utcnow().timestamp()
    ):
        yield


@pytest.fixture(autouse=True)
def custom_integrations(request: pytest.FixtureRequest) -> None:
    """Let Home Assistant load this integration in the tests that have a Home Assistant."""
    if "recorder_mock" in request.fixturenames:
        # A recorder has to be there before.
        request.getfixturevalue("recorder_mock")
    if "hass" in request.fixturenames:
        request.getfixturevalue("enable_custom_integrations")


class FrontDoor(Camera):
    """A camera that shows the frames it is given, over and over, and takes each picture again.

    After a pause nobody can know whether its first picture is an old one, so the first frame is shown twice.
    """

    _attr_has_entity_name = True

    def __init__(self, name: str = "Front door") -> None:
        """Show nothing yet."""
        super().__init__()
        self._attr_name = name
        self._attr_unique_id = slugify(name)
        self.frames: list[bytes] = []
        self.fetched = 0
        self.before: Callable[[], Awaitable[object]] | None = None
        self.stuck = False
        """Whether it gives the same pictures again instead of taking them again."""
        self.address: str | None = None
        self._last = -math.inf

    async def stream_source(self) -> str | None:
        """Return where its stream is, if it has one."""
        return self.address

    async def async_camera_image(self, width: int | None = None, height: int | None = None) -> bytes | None:
        """Return the next frame."""
        if self.before is not None:
            await self.before()
        if not self.frames:
            return None
        image = self.frames[self.fetched % len(self.frames)]
        paused, self._last = self.hass.loop.time() - self._last > LATELY, self.hass.loop.time()
        if not paused:
            self.fetched += 1
        return image if self.stuck else taken_anew(image)


async def put_up(
    hass: HomeAssistant, cameras: Sequence[FrontDoor], bells: Sequence[str] = ("doorbell",)
) -> None:
    """Set up real camera entities, and buttons as doorbells beside them."""
    setup_test_component_platform(hass, "camera", cameras)
    assert await async_setup_component(hass, "homeassistant", {})
    assert await async_setup_component(hass, "camera", {"camera": {"platform": "test"}})
    assert await async_setup_component(hass, "input_button", {"input_button": {bell: {} for bell in bells}})


@pytest.fixture
async def front_door(hass: HomeAssistant) -> FrontDoor:
    """Return a real camera entity, and set up a doorbell button beside it."""
    camera = FrontDoor()
    await put_up(hass, [camera])
    await hass.async_block_till_done()
    return camera


@pytest.fixture(scope="session")
def shared_engine(engine_place: PreparedBefore) -> Generator[Path]:
    """Return the folder of the socket of a real engine that the tests share."""
    with running() as folder:
        yield folder


@pytest.fixture(scope="session")
def other_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the program of an engine with another embedding space: its embeddings are in another order."""
    # Not before: most tests need no engine of their own.
    from .common.engine_process import ENGINE

    folder = tmp_path_factory.mktemp("other") / "engine"
    shutil.copytree(ENGINE, folder)
    shutil.copy(ENGINE.parent / "manifest.json", folder.parent)
    for name, before, after in (
        ("model_card.py", 'return f"sface_', 'return f"another_sface_'),
        ("recogniser.py", "self._client.predict(each)[0]", "self._client.predict(each)[0][::-1]"),
    ):
        text = (folder / name).read_text("utf-8")
        assert text.count(before) == 1
        (folder / name).write_text(text.replace(before, after), "utf-8")
    return folder / "__main__.py"


@pytest.fixture
def real_engine(request: pytest.FixtureRequest, engine_place: PreparedBefore) -> Generator[None]:
    """Have this machine's engine be a real one: its own where the test is marked so, else a shared one."""
    # The engine is spoken to on a Unix socket.
    pytest_socket.socket_allow_hosts(["127.0.0.1"], allow_unix_socket=True)
    room = "custom_components.familiar_faces.household.engine_choice"
    with patch(f"{room}.Environment", return_value=engine_place):
        if request.node.get_closest_marker("own_engine"):
            yield
            return
        folder = request.getfixturevalue("shared_engine")
        with patch(f"{room}.EngineProcess", side_effect=lambda *_, **__: SharedEngine(folder)):
            yield


@pytest.fixture
def sockets(real_engine: None, socket_enabled: None) -> None:
    """Allow the sockets of a client of Home Assistant, besides the engine's Unix socket."""
    pytest_socket.socket_allow_hosts(["127.0.0.1"], allow_unix_socket=True)


@pytest.fixture
async def new_phone(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, sockets: None
) -> AsyncGenerator[NewPhone]:
    """Return how to register a phone with the companion app."""
    # Not before: the companion integration imports a great deal.
    from .common.phone import phones

    async with phones(hass, hass_client) as new:
        yield new


@pytest.fixture
def config_folder(hass: HomeAssistant, tmp_path: Path) -> Path:
    """Give Home Assistant a configuration folder of its own."""
    hass.config.config_dir = str(tmp_path)
    (tmp_path / ".storage").mkdir()
    return tmp_path


def a_door(camera: str = CAMERA, title: str = "Front door", bell: str = DOORBELL) -> ConfigSubentryData:
    """Return a camera that looks when its bell rings."""
    return ConfigSubentryData(
        # Not as long as a look of a home, for which nobody need wait.
        data={
            "camera": camera,
            "mode": "on_ring",
            "public_space": False,
            "triggers": [bell],
            "seconds": 3.0,
        },
        subentry_type="camera",
        title=title,
        unique_id=camera.removeprefix("camera."),
    )


def an_entry(*doors: ConfigSubentryData, **options: object) -> MockConfigEntry:
    """Return an entry with these doors, the front door when none is named; Home Assistant does not know it yet."""
    return MockConfigEntry(
        domain=DOMAIN,
        title="Familiar Faces",
        data={CONF_WHERE: Where.THIS_MACHINE},
        options=options,
        subentries_data=doors or (a_door(),),
    )


def add_entry(hass: HomeAssistant, *doors: ConfigSubentryData, **options: object) -> MockConfigEntry:
    """Add an entry with these doors, the front door when none is named, and return it, not set up."""
    entry = an_entry(*doors, **options)
    entry.add_to_hass(hass)
    return entry


@pytest.fixture
def entry(hass: HomeAssistant, config_folder: Path) -> MockConfigEntry:
    """Return an entry with the front door as its camera, not set up."""
    return add_entry(hass)


async def set_up(hass: HomeAssistant, entry: MockConfigEntry) -> Hub:
    """Set an entry up, and return its hub when its engine is ready."""
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    hub: Hub = entry.runtime_data
    assert await hub.engine.wait_ready(30), hub.engine.last_error
    await hass.async_block_till_done(wait_background_tasks=True)
    return hub


async def start_again(hass: HomeAssistant, entry: ConfigEntry[Any]) -> Hub:
    """Start the integration again, and return its hub when its engine is ready."""
    assert await hass.config_entries.async_reload(entry.entry_id)
    hub: Hub = entry.runtime_data
    assert await hub.engine.wait_ready(30)
    await hass.async_block_till_done(wait_background_tasks=True)
    return hub


@asynccontextmanager
async def hub_of(hass: HomeAssistant, entry: MockConfigEntry) -> AsyncGenerator[Hub]:
    """Yield the hub of an entry that is set up, and unload the entry where the test has not."""
    yield await set_up(hass, entry)
    if hass.config_entries.async_get_entry(entry.entry_id) and entry.state.recoverable:
        await hass.config_entries.async_unload(entry.entry_id)


@pytest.fixture
def entity_registry_enabled_by_default() -> Generator[None]:
    """Have the owner switch on what is off at first."""
    with patch("homeassistant.helpers.entity.Entity.entity_registry_enabled_default", new=True):
        yield


@pytest.fixture
async def hub(
    hass: HomeAssistant, front_door: FrontDoor, real_engine: None, entry: MockConfigEntry
) -> AsyncGenerator[Hub]:
    """Return the running hub, with a real engine that is ready."""
    async with hub_of(hass, entry) as hub:
        yield hub


@pytest.fixture
async def eileen(
    request: pytest.FixtureRequest, hass: HomeAssistant, hub: Hub, entry: MockConfigEntry
) -> str:
    """Enrol Eileen, with as many photos as the test's mark says, and return her id."""
    # Not before: the steps are made with what stands above.
    from .common.pictures import enrolment_photos
    from .common.steps import enrol

    mark = request.node.get_closest_marker("photos")
    return await enrol(hass, entry, enrolment_photos()[: None if mark is None else mark.args[0]])


@pytest.fixture
async def visited(hass: HomeAssistant, hub: Hub, front_door: FrontDoor, eileen: str) -> str:
    """Have Eileen ring, and return her id."""
    from .common.pictures import astronaut
    from .common.steps import ring, visits

    front_door.frames = visits(astronaut())
    await ring(hass, hub)
    return eileen


@pytest.fixture
async def visited_by_two(hass: HomeAssistant, hub: Hub, front_door: FrontDoor, eileen: str) -> str:
    """Have Eileen ring together with a stranger, and return her id."""
    from .common.pictures import astronaut, stranger
    from .common.steps import ring, visits

    front_door.frames = visits(astronaut(), stranger(0))
    await ring(hass, hub)
    return eileen


@pytest.fixture
async def owner(hass: HomeAssistant, hub: Hub, sockets: None, aiohttp_client: MakeClient) -> Owner:
    """Return the owner of the home, logged in."""
    from .common.owner import Owner

    return await Owner.log_in(hass, aiohttp_client)


@pytest.fixture
def start() -> datetime:
    """Return the moment at which a test begins, in whole seconds."""
    return dt_util.utcnow().replace(microsecond=0)


@pytest.fixture
async def nadie(hass: HomeAssistant, hub: Hub, start: datetime) -> str:
    """Have Nadie be on record with a made-up template, and return their id."""
    from .common.people_on_record import DAY, a_consent, put_on_record

    await put_on_record(hass, hub, a_consent(start - DAY, start + 300 * DAY))
    return "nadie"


@pytest.fixture
def expected_lingering_timers(request: pytest.FixtureRequest) -> bool:
    """Let Home Assistant's own timers end with the loop where a whole home stops, as they do when its process ends."""
    return not {"backed_up", "make_recorder", "stopped_home"}.isdisjoint(request.fixturenames)


@pytest.fixture
def make_recorder(async_test_recorder: MakeRecorder) -> MakeRecorder:
    """Return how a real recorder is made."""
    return async_test_recorder


@pytest.fixture(scope="session")
def lived_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a home that is lived in once, and copied for every test."""
    return tmp_path_factory.mktemp("lived")


@pytest.fixture
async def lived(
    lived_in: Path, tmp_path: Path, make_recorder: MakeRecorder, real_engine: None
) -> tuple[Path, Evidence]:
    """Return the folder of a home, stopped, in which somebody was enrolled and recognised, and what tells of it."""
    # Not before: they are built with what stands above.
    from .common.evidence import live_in
    from .common.home import snapshot

    noted = lived_in / "evidence"
    if not noted.exists():
        noted.write_bytes(pickle.dumps(await live_in(lived_in / "config", make_recorder)))
    folder = tmp_path / "config"
    snapshot(lived_in / "config", folder)
    return folder, pickle.loads(noted.read_bytes())


@pytest.fixture
async def street(
    hass: HomeAssistant, config_folder: Path, real_engine: None, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[Street]:
    """Return a street of four doors, with made-up faces and a clock that is turned by hand."""
    # Not before: it is built with what stands above.
    from .common.street import opened

    async with opened(hass, monkeypatch) as street:
        yield street
