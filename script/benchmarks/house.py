"""A real Home Assistant with doors: a camera, a doorbell and this integration's watcher at each, and one engine."""

from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from io import BytesIO
import os
from pathlib import Path
import socket
import time
from unittest.mock import patch

ROOT = Path(__file__).resolve().parents[2]
from homeassistant import loader
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from PIL import Image
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_test_home_assistant,
    setup_test_component_platform,
)

from custom_components.familiar_faces.const import CONF_WHERE, DOMAIN, Where
from custom_components.familiar_faces.household.places import vault_folder
from custom_components.familiar_faces.hub import Hub
from tests.common.large_home import fill, subentries
from tests.common.pictures import astronaut, enrolment_photos, frame, jpeg
from tests.common.steps import enrol
from tests.conftest import FrontDoor, PreparedBefore

ROOT = Path(__file__).resolve().parents[2]
FRAMES = 32
"""More than a look takes, so that none is shown twice in it."""
MB = 1024
MODEL = "sface_2021dec_int8bq_5pt"
"""The engine's embedding space: templates of another are not compared with."""


@dataclass(frozen=True, slots=True)
class Told:
    """A familiar visitor's event, as a listener got it."""

    ms: float
    """Milliseconds since the doorbell was pressed."""
    camera_fetch_ms: float
    engine_ms: float


class House:
    """The running whole."""

    def __init__(self, hass: HomeAssistant, hub: Hub, doors: int, cameras: Sequence[FrontDoor] = ()) -> None:
        """Use `open_house`."""
        self._cameras = cameras
        self.hass = hass
        self.hub = hub
        self.doors = doors

    async def show(self, size: tuple[int, int]) -> None:
        """Have all cameras show the same scene in another size from now on."""

        def resized() -> list[bytes]:
            scenes = [Image.open(BytesIO(frame(astronaut(), seed=seed))) for seed in range(FRAMES)]
            return [jpeg(each.resize(size, Image.Resampling.BICUBIC)) for each in scenes]

        frames = await self.hass.async_add_executor_job(resized)
        for camera in self._cameras:
            camera.frames = frames

    async def ring(self, doors: int | None = None) -> list[Told]:
        """Ring at the first so many doors at once; return what was told of familiar visitors when all is over.

        The visits before are over first: nobody is there by then.
        """
        doors = self.doors if doors is None else doors
        for camera_id in self.hub.watchers:
            self.hub.open_visits.leave(camera_id)
        return await self.ring_again(doors)

    async def ring_again(self, doors: int) -> list[Told]:
        """Ring as `ring` does, with the visits before as they are."""
        told: dict[str, Told] = {}
        begun = time.perf_counter()

        @callback
        def changed(event: Event[EventStateChangedData]) -> None:
            state = event.data["new_state"]
            if state is None or state.attributes.get("event_type") != "familiar" or state.entity_id in told:
                return
            fetch, engine = (float(state.attributes[key]) for key in ("camera_fetch_ms", "engine_ms"))
            told[state.entity_id] = Told((time.perf_counter() - begun) * 1000, fetch, engine)

        visitors = [f"event.door_{number}_visitor" for number in range(doors)]
        stop = async_track_state_change_event(self.hass, visitors, changed)
        bells = [f"input_button.bell_{number}" for number in range(doors)]
        await self.hass.services.async_call("input_button", "press", {"entity_id": bells}, blocking=True)
        await self.hass.async_block_till_done(wait_background_tasks=True)
        stop()
        return list(told.values())

    @property
    def engine_pid(self) -> int:
        """Return the process id of the engine."""
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                parent = int(path.read_text("ascii").rsplit(")", 1)[1].split()[1])
                command = path.with_name("cmdline").read_bytes()
            except OSError:
                continue
            if parent == os.getpid() and b"engine/__main__.py" in command:
                return int(path.parent.name)
        raise SystemExit("the engine does not run")


@asynccontextmanager
async def open_house(
    folder: Path, place: PreparedBefore, doors: int, *, small: bool, people: int = 0, visits: int = 0
) -> AsyncIterator[House]:
    """Set everything up, with one person enrolled who stands before every camera; `small`: frames of 640x360.

    Before it there are so many `people` and `visits`, made up.
    """
    (folder / "custom_components").symlink_to(ROOT / "custom_components")
    (folder / ".storage").mkdir()
    cameras = _cameras(doors, small=small)
    # Home Assistant takes its port at once: others may run beside this one.
    with patch.dict("homeassistant.components.http.config._DEFAULT_CONFIG", server_port=_any_port()):
        async with _running(folder, place, doors, cameras, people=people, visits=visits) as house:
            yield house


@asynccontextmanager
async def _running(
    folder: Path, place: PreparedBefore, doors: int, cameras: list[FrontDoor], *, people: int, visits: int
) -> AsyncIterator[House]:
    async with async_test_home_assistant(config_dir=str(folder)) as hass:
        hass.data.pop(loader.DATA_CUSTOM_COMPONENTS, None)
        setup_test_component_platform(hass, "camera", cameras)
        bells: dict[str, dict[str, str]] = {f"bell_{number}": {} for number in range(doors)}
        await async_setup_component(hass, "homeassistant", {})
        await async_setup_component(hass, "camera", {"camera": {"platform": "test"}})
        await async_setup_component(hass, "input_button", {"input_button": bells})
        entry = _entry(doors, people)
        entry.add_to_hass(hass)
        if people:
            cameras_of = [each.subentry_id for each in entry.get_subentries_of_type("camera")]
            await hass.async_add_executor_job(
                partial(fill, vault_folder(hass), people, cameras_of, visits, dt_util.utcnow(), model=MODEL)
            )
        with ExitStack() as patched:
            target = "custom_components.familiar_faces.household.engine_choice.Environment"
            patched.enter_context(patch(target, return_value=place))
            # Time that a measure lets pass is no jump of the clock.
            running = "custom_components.familiar_faces.household.wall_clock.running"
            patched.enter_context(patch(running, lambda: dt_util.utcnow().timestamp()))
            if not await hass.config_entries.async_setup(entry.entry_id):
                raise SystemExit("the integration did not set up")
            hub: Hub = entry.runtime_data
            if not await hub.engine.wait_ready(30):
                raise SystemExit(f"the engine is not ready: {hub.engine.last_error}")
            await hass.async_block_till_done(wait_background_tasks=True)
            await enrol(hass, entry, enrolment_photos())
            yield House(hass, hub, doors, cameras)
            await hass.config_entries.async_unload(entry.entry_id)
            await hass.async_stop(force=True)


def _any_port() -> int:
    with socket.create_server(("", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def _entry(doors: int, people: int) -> MockConfigEntry:
    return MockConfigEntry(
        domain=DOMAIN,
        title="Familiar Faces",
        data={CONF_WHERE: Where.THIS_MACHINE},
        subentries_data=[
            {
                "data": {
                    "camera": f"camera.door_{number}",
                    "mode": "on_ring",
                    "public_space": False,
                    "triggers": [f"input_button.bell_{number}"],
                },
                "subentry_type": "camera",
                "title": f"Door {number}",
                "unique_id": f"door_{number}",
            }
            for number in range(doors)
        ]
        + subentries(people),
    )


def _cameras(doors: int, *, small: bool) -> list[FrontDoor]:
    """Return cameras that show the same frames, each from another one on."""
    frames = [frame(astronaut(), seed=seed, scale=1.5 if small else 1.0) for seed in range(FRAMES)]
    if small:
        frames = [jpeg(Image.open(BytesIO(each)).resize((640, 360), Image.Resampling.BOX)) for each in frames]
    cameras = []
    for number in range(doors):
        camera = FrontDoor()
        camera._attr_name = f"Door {number}"
        camera._attr_unique_id = f"door_{number}"
        camera.frames = frames
        camera.fetched = number * FRAMES // doors
        cameras.append(camera)
    return cameras


def resident_mb(pid: int | str = "self") -> float:
    """Return the resident memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    return next(int(line.split()[1]) / MB for line in status.splitlines() if line.startswith("VmRSS"))


def cpu_seconds(pid: int | str = "self") -> float:
    """Return the processor seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
