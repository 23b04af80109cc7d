"""The house of the lab: doors and their cameras, a Home Assistant that has them, and who rings."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
import json
from pathlib import Path
from random import Random

import aiohttp
from imageio_ffmpeg import get_ffmpeg_exe

from demo import home
from demo.client import Client, DemoFailed, Json, Websocket, fired_at, until
from demo.house import House, Say, visit_of

from . import films, probe
from .adding import add_to_familiar_faces, add_to_home_assistant
from .door import Door, Fault
from .faces import Cast
from .kinds import PRELOADED, Kind
from .outcome import NOBODY, STRANGER, TOO_SLOW, Figures, Record
from .pace import Pace
from .rtsp import RtspServer
from .stills import STILL, STREAM, Snapshots, StillServer

BELL = "input_button"
LOADED_SECONDS = 60
AT_ONCE = 3
"""How many cameras are added at a time."""
WATCHED_AFTER, WATCHED_SECONDS = 3, 3
"""When somebody looks at a dashboard after a ring, and for how long, seconds."""
FAILS_AFTER = 6
"""Seconds after a ring that a camera fails: anyone who rang is still there."""
RUNG_SECONDS = 30
LOOK_SECONDS = 12
"""After a ring, until whatever comes of it has come."""
EARLIER = timedelta(seconds=2.5)
"""By how much a visit may have begun before its ring: rings are further apart."""


@dataclass(slots=True)
class Station:
    """A camera in Home Assistant, its door, and what was told of it."""

    kind: Kind
    door: Door
    url: str
    """Where its pictures are: an address, a file, or the id of a webhook."""
    stream: str = ""
    snapshots: Snapshots | None = None
    entity: str = ""
    bell: str = ""
    visitor: str = ""
    before: str | None = None
    records: list[Record] = field(default_factory=list)
    rung: asyncio.Event = field(default_factory=asyncio.Event)
    expected: tuple[str, Fault | None] | None = None


class Lab:
    """All of it."""

    def __init__(self, folder: Path, cache: Path, people: Cast, say: Say, *, few: bool = False) -> None:
        """Use a configuration folder, and films of people that are kept in the cache; `few`: one of each person."""
        self.stations: list[Station] = []
        self.people = people
        self._folder, self._cache, self._say = folder, cache, say
        self._stack = AsyncExitStack()
        self._random = Random("rings")
        self._few = few
        self._pace = Pace()
        self._client: Client
        self._socket: Websocket
        self._house: House
        self._session: aiohttp.ClientSession
        self._heard: dict[str, Station] = {}

    async def close(self) -> None:
        """End everything."""
        await self._stack.aclose()

    async def build_doors(self, kinds: Sequence[Kind]) -> None:
        """Make the films, and open a door of each kind."""
        self._pace.start()
        self._stack.push_async_callback(self._pace.stop)
        made: dict[films.Format, dict[str, films.Film]] = {}
        for kind in kinds:
            if kind.form not in made:
                made[kind.form] = await self._films(kind.form)
            self.stations.append(await self._station(kind, Door(made[kind.form])))

    async def _films(self, form: films.Format) -> dict[str, films.Film]:
        """Return a film of everybody; of those who agreed two where that is quickly made."""
        found = {}
        quick = not self._few and form.codec != films.H265 and form.width * form.height <= 1920 * 1080
        for face in (*self.people.known, self.people.stranger):
            for number, how in enumerate(face.appearances[: 2 if quick and face.name else 1]):
                name = f"{face.name or STRANGER}/{number}"
                found[name] = await films.make(self._cache, form, how)
        self._say(
            f"There are {len(found)} films of {form.width} x {form.height}, {form.codec}, {form.every} s."
        )
        return found

    async def _station(self, kind: Kind, door: Door) -> Station:
        door.single = kind.single
        door.start()
        self._stack.push_async_callback(door.stop)
        await asyncio.sleep(0.05)
        if kind.rtsp:
            rtsp = RtspServer(door)
            await rtsp.start()
            self._stack.push_async_callback(rtsp.stop)
            return Station(kind, door, rtsp.url)
        if kind.platform in ("generic", "mjpeg"):
            http = StillServer(door)
            await http.start()
            self._stack.push_async_callback(http.stop)
            return Station(kind, door, http.url + STILL, http.url + STREAM)
        where = (
            str(self._folder / f"{kind.name}.jpg") if kind.platform == "local_file" else f"lab_{kind.name}"
        )
        station = Station(kind, door, where)

        async def send(picture: bytes) -> None:
            if kind.platform == "local_file":
                await asyncio.to_thread(Path(where).write_bytes, picture)
                return
            form = aiohttp.FormData()
            form.add_field("image", picture, filename="snapshot.jpg", content_type="image/jpeg")
            async with self._session.post(f"{self._client.url}/api/webhook/{where}", data=form) as response:
                response.raise_for_status()

        station.snapshots = Snapshots(door, send)
        self._stack.push_async_callback(station.snapshots.stop)
        return station

    async def start(self, port: int, integration: Path) -> None:
        """Start Home Assistant with Familiar Faces, and enrol who agreed."""
        home.install(self._folder, integration)
        home.configure(self._folder, port, "stream", probe.DOMAIN)
        await asyncio.to_thread(self._write_more)
        self._say("Home Assistant starts.")
        url = await self._stack.enter_async_context(home.running(self._folder, port))
        self._session = await self._stack.enter_async_context(aiohttp.ClientSession())
        self._client = Client(self._session, url)
        await self._client.onboard(home.USER, home.PASSWORD)
        self._socket = await self._stack.enter_async_context(await self._client.websocket())
        self._house = House(self._client, self._socket, self._say)
        await self._house.wait_until_running()
        await self._house.add_integration()
        for face in self.people.known:
            await self._house.add_person(face.name, list(face.photos))
        await self._socket.subscribe("state_changed", self._changed)

    def _write_more(self) -> None:
        """Write what has no dialog: the cameras of YAML, and the probe."""
        cameras = []
        for each in self.stations:
            if each.kind.platform == "ffmpeg":
                cameras += [
                    "  - platform: ffmpeg",
                    f"    name: {each.kind.name}",
                    f"    input: -rtsp_transport tcp -i {each.url}",
                ]
            elif each.kind.platform == "push":
                cameras += [
                    "  - platform: push",
                    f"    name: {each.kind.name}",
                    f"    webhook_id: {each.url}",
                ]
        with (self._folder / "configuration.yaml").open("a") as file:
            file.write(f"\nffmpeg:\n  ffmpeg_bin: {get_ffmpeg_exe()}\n")
            if cameras:
                file.write("\n".join(["\ncamera:", *cameras, ""]))
        folder = self._folder / "custom_components" / probe.DOMAIN
        folder.mkdir()
        (folder / "__init__.py").write_text(Path(probe.__file__).read_text())
        about = {
            "domain": probe.DOMAIN,
            "name": "Probe",
            "version": "1.0.0",
            "documentation": "",
            "codeowners": [],
        }
        (folder / "manifest.json").write_text(json.dumps(about))

    async def add(self, stations: Iterable[Station]) -> None:
        """Add cameras to Home Assistant and to Familiar Faces, while somebody stands before each."""
        turns = asyncio.Semaphore(AT_ONCE)

        async def one(station: Station) -> None:
            async with turns:
                await self._add(station)

        async with asyncio.TaskGroup() as group:
            for station in stations:
                group.create_task(one(station))
        await self._listen()

    async def _add(self, station: Station) -> None:
        kind = station.kind
        posing = asyncio.create_task(self._pose(station))
        try:
            if station.snapshots is not None:
                await station.door.visit(stranger_of(station))
                await station.snapshots.once()
            if kind.platform in ("ffmpeg", "push"):
                station.entity = f"camera.{kind.name}"
            else:
                entry = await add_to_home_assistant(self._client, kind, station.url, station.stream)
                station.entity = await self._house.entity("camera", kind.platform, entry["entry_id"])
            if kind.state == PRELOADED:
                await self._socket.command(
                    "camera/update_prefs", entity_id=station.entity, preload_stream=True
                )
            made = await self._socket.command("input_button/create", name=f"Bell of {station.entity}")
            station.bell = await self._house.entity(BELL, BELL, made["id"])
            await station.door.seen()
            said = await add_to_familiar_faces(
                self._client,
                self._house.entry_id,
                camera=station.entity,
                bell=station.bell,
                state=kind.state,
            )
            self._say(f"{kind.name} is {station.entity}; its dialog said: {said[:200]}")
        except (DemoFailed, aiohttp.ClientError) as err:
            raise DemoFailed(f"{kind.name} could not be added: {err}") from err
        finally:
            posing.cancel()
            with suppress(asyncio.CancelledError):
                await posing

    async def _pose(self, station: Station) -> None:
        """Have somebody come again and again, as the person who sets a camera up stands before it.

        Not one of those who ring later: an old picture of them would be taken for them.
        """
        while True:
            await station.door.visit(stranger_of(station))

    async def _listen(self) -> None:
        """Find the entities of the cameras that were added."""
        entry_id = self._house.entry_id
        listed = await self._socket.command("config_entries/subentries/list", entry_id=entry_id)
        ids = {each["unique_id"]: each["subentry_id"] for each in listed if each["subentry_type"] == "camera"}
        registry = await self._socket.command("config/entity_registry/list")
        of_entity = {each["entity_id"]: each["id"] for each in registry}
        for station in (each for each in self.stations if each.entity and not each.visitor):
            # What Home Assistant does not register goes by its entity id.
            subentry = ids[of_entity.get(station.entity, station.entity)]
            station.visitor = await self._house.entity("event", home.DOMAIN, f"{subentry}_visitor")
            self._heard |= {station.visitor: station, station.bell: station}

        async def available() -> bool | None:
            states = {each["entity_id"]: each["state"] for each in await self._client.get("states")}
            there = (states.get(each.visitor) for each in self.stations if each.visitor)
            return True if all(state not in (None, "unavailable") for state in there) else None

        await until(available, LOADED_SECONDS, "Not all cameras of Familiar Faces became available.")

    def _changed(self, event: Json) -> None:
        entity = event["data"]["entity_id"]
        station = self._heard.get(entity)
        if station is None:
            return
        if entity == station.bell:
            if station.expected is not None:
                who, fault = station.expected
                station.records.append(Record(who, station.before, fault, fired_at(event)))
                station.expected = None
                station.rung.set()
        elif station.records:
            record = station.records[-1]
            if (told := visit_of(event, record.rung)) is not None:
                record.told.append(told)

    async def visit(
        self,
        station: Station,
        who: str,
        fault: Fault | None = None,
        *,
        by: float = 0.0,
        watched: bool = False,
        then: Fault | None = None,
    ) -> None:
        """Let somebody come, or nobody, and ring; return when they left and all was told.

        `who`: a film or NOBODY; `watched`: somebody looks at the camera on a dashboard after the ring; `then`: what
        goes wrong with the camera while they are still there.
        """
        if who != NOBODY:
            await station.door.visit(who, by=by)
            await asyncio.sleep(
                by - asyncio.get_running_loop().time() if by else self._random.uniform(0.3, 1.3)
            )
        station.expected = (who.split("/", maxsplit=1)[0], fault)
        station.rung.clear()
        await self._client.call(BELL, "press", {"entity_id": station.bell})
        if station.snapshots is not None:
            station.snapshots.ring()
        async with asyncio.timeout(RUNG_SECONDS):
            await station.rung.wait()
        rang = asyncio.get_running_loop().time()
        until_told = rang + LOOK_SECONDS
        if watched:
            await self._watch(station)
        if then is not None:
            await asyncio.sleep(until_told - LOOK_SECONDS + FAILS_AFTER - asyncio.get_running_loop().time())
            station.door.break_down(then)
        await asyncio.sleep(until_told - asyncio.get_running_loop().time())
        await station.door.gone()
        if who != NOBODY and fault is None and who.split("/", maxsplit=1)[0] != STRANGER:
            station.before = who.split("/", maxsplit=1)[0]
        record = station.records[-1]
        record.slowness = self._pace.slowness(rang, until_told)
        slow = f", everything {record.slowness:.1f} times slower" if record.slowness > TOO_SLOW else ""
        self._say(
            f"{station.kind.name}: {who}{f', {fault}' if fault else ''}{slow}: {record.verdict()} "
            f"({'; '.join(f'{each.decision} {each.person or ""} {each.ms} ms {each.frames}' for each in record.told)})"
        )

    async def _watch(self, station: Station) -> None:
        """Show the camera on a dashboard, so that Home Assistant has a picture of who is there."""
        await asyncio.sleep(WATCHED_AFTER)
        path = (await self._client.get(f"states/{station.entity}"))["attributes"].get("entity_picture")
        for _ in range(WATCHED_SECONDS):
            with suppress(TimeoutError, aiohttp.ClientError):
                async with asyncio.timeout(2):
                    await self._client.download(path)
            await asyncio.sleep(1)

    def visits_of(self, station: Station) -> list[str]:
        """Return the films of those who agreed, in turns."""
        names = {face.name for face in self.people.known}
        found = [each for each in station.door.films if each.split("/")[0] in names]
        return sorted(found, key=lambda each: each.split("/")[::-1])

    async def judge_kept(self) -> None:
        """Ask for the last visits as the owner does, and compare each with the ring that it is of."""
        told = await self._client.call(home.DOMAIN, "last_visits", {"limit": 1000}, answer=True)
        of_entity = {each.entity: each for each in self.stations}
        for visit in told["visits"]:
            began = datetime.fromisoformat(visit["started_at"])
            if (station := of_entity.get(visit["camera"])) is None:
                continue
            # A stream shows who rings from a moment before the ring on.
            before = [each for each in station.records if each.rung <= began + EARLIER]
            if before:
                before[-1].judge_kept(visit["visit_id"], datetime.fromisoformat(visit["last_seen_at"]))

    async def switch_recognition(self, *, on: bool) -> None:
        """Switch it on or off in the whole household: without it no camera's stream is open."""
        switch = await self._house.entity("switch", home.DOMAIN, f"{self._house.entry_id}_recognition")
        await self._client.call("switch", "turn_on" if on else "turn_off", {"entity_id": switch})

    async def read_probe(self) -> Json:
        """Return what Home Assistant took since the last time."""
        return await self._client.call(probe.DOMAIN, "read", {}, answer=True)

    async def idle(self, seconds: float) -> Figures:
        """Return what Home Assistant takes while nobody comes: percent of a core, MB, ms that the loop is late."""
        before = await self.read_probe()
        await asyncio.sleep(seconds)
        after = await self.read_probe()
        return {
            "percent": (after["cpu_seconds"] - before["cpu_seconds"]) / (after["at"] - before["at"]) * 100,
            "mb": after["mb"],
            "loop_p99_ms": after["loop_p99_ms"],
        }


def stranger_of(station: Station) -> str:
    """Return the film of who agreed to nothing."""
    return next(each for each in station.door.films if each.startswith(STRANGER))
