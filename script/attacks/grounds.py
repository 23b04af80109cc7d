"""Where the attacks happen: a real home that is built once, and copies of its files that are started and broken."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
import json
import os
from pathlib import Path
import shutil
import sqlite3
from tempfile import mkdtemp
from urllib.parse import urlsplit

import aiohttp

from demo import home
from demo.camera import Camera
from demo.client import Client, DemoFailed, Json, Websocket, until
from demo.house import CAMERA, FAMILIAR, NAME, STRANGERS, House, Ring, Say
from demo.pictures import ASTRONAUT, GUEST, NEIGHBOUR, Person
from demo.scene import selfies

from .guest import Guest

FACES: dict[str, Person] = {FAMILIAR: ASTRONAUT, STRANGERS[0]: GUEST, STRANGERS[1]: NEIGHBOUR}
VISITOR, SILENT = "Quintessa", "Sylvan"
"""Found nowhere by accident: who agreed to all by a link, and who did and has chosen to stay silent since."""
FACE_OF = {NAME: FAMILIAR, VISITOR: STRANGERS[0], SILENT: STRANGERS[1]}
USERS = {"user": "system-users", "reader": "system-read-only"}
VAULT = Path(".storage", home.DOMAIN)
CACHE = Path(".cache", home.DOMAIN)
RING_SECONDS = 30
SHORTLY = 10
SAME_VISIT = 31
"""Seconds after which who comes back is on another visit."""
_NOT_COPIED = shutil.ignore_patterns(home.TEMPORARY, home.LOCK, "env-*", "run", "backups", "*.sock")

HOUSEHOLD = """
input_text:
  last_visitor:
    name: Last visitor

automation:
  - id: visitors
    alias: Visitors
    triggers:
      trigger: state
      entity_id: event.front_door_visitor
    actions:
      - action: input_text.set_value
        target:
          entity_id: input_text.last_visitor
        data:
          value: "{{ trigger.to_state.attributes.person_name or 'nobody' }}"
      - action: persistent_notification.create
        data:
          message: "{{ trigger.to_state.attributes.person_name }} is at the door"

template:
  - sensor:
      - name: At the door
        state: "{{ state_attr('event.front_door_visitor', 'person_name') or 'nobody' }}"
"""
"""What owners make of it: all of it has to forget a name as well."""


@dataclass(slots=True)
class Home:
    """A running Home Assistant with Familiar Faces, and its owner who is logged in."""

    folder: Path
    running: home.Running
    session: aiohttp.ClientSession
    owner: Client
    socket: Websocket
    house: House

    @property
    def url(self) -> str:
        """Return its address."""
        return self.running.url

    def guest(self, own: str = "") -> Guest:
        """Return somebody without an account."""
        return Guest(self.session, self.url, own)

    async def act(self, action: str, data: Json | None = None) -> Json | None:
        """Perform an action of ours as the owner; return its answer, None when it was refused."""
        try:
            return await self.owner.call(home.DOMAIN, action, data or {}, answer=True)
        except DemoFailed:
            return None

    async def invite(self) -> str:
        """Return the path of a new invitation."""
        invited = await self.owner.call(home.DOMAIN, "invite", {}, answer=True)
        return urlsplit(str(invited["url"])).path

    async def people(self) -> set[str]:
        """Return the names of those who are enrolled, as the owner sees them."""
        listed = await self.socket.command(
            "config_entries/subentries/list", entry_id=(await self.entry())["entry_id"]
        )
        return {each["title"] for each in listed if each["subentry_type"] == "person"}

    async def entry(self) -> Json:
        """Return the entry."""
        (entry,) = await self.socket.command("config_entries/get", domain=home.DOMAIN)
        found: Json = entry
        return found

    async def issues(self) -> set[str]:
        """Return what the owner is asked to repair of ours."""
        told = await self.socket.command("repairs/list_issues")
        return {each["issue_id"] for each in told["issues"] if each["domain"] == home.DOMAIN}

    async def settled(self, seconds: float = 60) -> str:
        """Wait until the entry is set up or cannot be; return its state."""

        async def found() -> str | None:
            state: str = (await self.entry())["state"]
            return None if state in ("not_loaded", "setup_in_progress") else state

        return await until(found, seconds, "Familiar Faces was neither set up nor failed.")


@dataclass(slots=True)
class Grounds:
    """All of it: the home as it was built, and what is known of it."""

    folder: Path
    """For the copies: one of its own, which is removed at the end."""
    say: Say
    integration: Path = home.SOURCE
    check: bool = False
    seed: int = 0
    links: dict[str, str] = field(default_factory=dict)
    """The paths of the personal links, by name."""
    visits: dict[str, str] = field(default_factory=dict)
    """Ids of visits with a picture, by name."""
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _living: AsyncExitStack = field(default_factory=AsyncExitStack)
    _camera: Camera = field(default_factory=lambda: Camera(FACES))
    _house: House | None = None
    _live: Home | None = None
    _door: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def base(self) -> Path:
        """Return the folder of the home as it was built; nothing runs there now."""
        return self.folder / "base"

    @property
    def lived_in(self) -> Path:
        """Return the folder of the home that lives on."""
        return self.folder / "live"

    @property
    def earlier(self) -> Path:
        """Return a vault as it was before the silent one chose silence, and before the last entries of its log."""
        return self.folder / "earlier.db"

    async def close(self) -> None:
        """End everything."""
        await self.end_live()
        await self._stack.aclose()

    async def build(self) -> None:
        """Build the home: somebody who agreed in person, two by a link, and users of each kind."""
        await self._camera.start()
        self._stack.push_async_callback(self._camera.stop)
        self.base.mkdir()
        home.install(self.base, self.integration)
        home.configure(self.base, port := home.free_port(0), "backup")
        with (self.base / "configuration.yaml").open("a") as file:
            file.write(HOUSEHOLD)
        self.say("The home is built: a real Home Assistant, a door, and people who agreed.")
        async with home.launched(self.base, port) as running, aiohttp.ClientSession() as session:
            owner = Client(session, running.url)
            await owner.onboard(home.USER, home.PASSWORD)
            async with await owner.websocket() as socket:
                self._house = House(owner, socket, lambda text: None)
                built = Home(self.base, running, session, owner, socket, self._house)
                await self._furnish(built)
        self.say("It is built.")

    async def _furnish(self, built: Home) -> None:
        await built.house.wait_until_running()
        await built.house.add_doors({CAMERA: self._camera})
        await built.house.add_integration()
        await built.house.add_cameras()
        for user, group in USERS.items():
            made = await built.socket.command("config/auth/create", name=user, group_ids=[group])
            await built.socket.command(
                "config/auth_provider/homeassistant/create",
                user_id=made["user"]["id"],
                username=user,
                password=user,
            )
        await built.house.add_person()
        for name in (VISITOR, SILENT):
            await self.enrol(built, name, selfies(FACES[FACE_OF[name]]))
        await built.house.listen()
        for name in (VISITOR, SILENT):
            ring = await self.ring(built, name)
            if ring is None or ring.person != name:
                raise DemoFailed(f"{name} was not recognised in the home that was just built: {ring}.")
            self.visits[name] = ring.visit_id
        await asyncio.to_thread(copy_database, self.base / VAULT / "vault.db", self.earlier)
        silent = built.guest(self.links[SILENT])
        answer = await silent.fill(f"{silent.own}/choices", SILENT, keeping="silent")
        if answer.status != 303:
            raise DemoFailed(f"{SILENT} could not choose silence ({answer.status}).")

    async def enrol(self, at: Home, name: str, taken: list[bytes]) -> Guest:
        """Have somebody agree by a link and send photos of themselves."""
        guest = at.guest()
        answer = await guest.accept(await at.invite(), name)
        if answer.status != 303:
            raise DemoFailed(f"{name} could not agree ({answer.status}): {answer.text[:300]}")
        for photo in taken:
            await guest.give_photo(photo)
        if (await guest.done()).status != 303 or name not in await at.people():
            raise DemoFailed(f"{name} agreed but was not enrolled.")
        self.links[name] = guest.own
        return guest

    async def ring(self, at: Home, who: str, patience: float = RING_SECONDS) -> Ring | None:
        """Have somebody ring, by their name or as a face; the door is one for all homes that run."""
        async with self._door:
            return await at.house.ring(FACE_OF.get(who, who), patience)

    async def ring_anew(self, at: Home, who: str) -> Ring | None:
        """Have somebody ring who may have been there a moment ago: then it is the same visit, and they come once more."""
        ring = await self.ring(at, who, SHORTLY)
        if ring is None:
            await asyncio.sleep(SAME_VISIT)
            ring = await self.ring(at, who)
        return ring

    async def live(self) -> Home:
        """Return the home as it lives on, for what needs no more than that it runs."""
        if self._live is None:
            if not self.lived_in.exists():
                await asyncio.to_thread(self.copy, self.lived_in)
            self._live = await self._living.enter_async_context(self.start(self.lived_in))
        return self._live

    async def end_live(self) -> None:
        """Stop it, so that its files can be looked at."""
        self._live = None
        await self._living.aclose()

    @asynccontextmanager
    async def copied(self, inside: Path | None = None) -> AsyncGenerator[Path]:
        """Yield the files of the home as it was built, in a folder of their own."""
        if inside is None:
            inside = Path(await asyncio.to_thread(mkdtemp, prefix="copy-", dir=self.folder))
        target = inside / "c"
        try:
            await asyncio.to_thread(self.copy, target)
            yield target
        finally:
            await asyncio.to_thread(shutil.rmtree, inside, ignore_errors=True)

    def copy(self, target: Path) -> None:
        """Copy the files, but for the engine's programs, which are never written to: a link leads there."""
        shutil.copytree(self.base, target, ignore=_NOT_COPIED, symlinks=True)
        self.lend_engine(target)

    def lend_engine(self, target: Path) -> None:
        """Give a home the engine's programs that were installed for the first one."""
        (target / CACHE).mkdir(parents=True, exist_ok=True)
        for environment in (self.base / CACHE).glob("env-*"):
            with suppress(FileExistsError):
                (target / CACHE / environment.name).symlink_to(environment)

    @asynccontextmanager
    async def start(self, folder: Path, *, prelude: str = "", doors: bool = True) -> AsyncGenerator[Home]:
        """Run the Home Assistant of a folder; yield it when the entry is set up, or cannot be.

        `doors`: whether somebody is to ring there.
        """
        port = home.free_port(0)
        await asyncio.to_thread(_answer_at, folder, port)
        async with (
            home.launched(folder, port, serves=home.KNOWN, prelude=prelude) as running,
            aiohttp.ClientSession() as session,
        ):
            owner = Client(session, running.url)
            await owner.log_in(home.USER, home.PASSWORD)
            async with await owner.websocket() as socket:
                house = House(owner, socket, lambda text: None)
                if self._house is not None:
                    house.move_in(self._house)
                started = Home(folder, running, session, owner, socket, house)
                await house.wait_until_running()
                if await started.settled() == "loaded" and doors:
                    await house.wait_for_engine()
                    await house.listen()
                try:
                    yield started
                except DemoFailed as err:
                    raise DemoFailed(f"{err} Its last words: {home.last_lines(folder)}") from err


def copy_database(source: Path, target: Path) -> None:
    """Copy a SQLite database that may be in use."""
    with (
        closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as old,
        closing(sqlite3.connect(target)) as new,
    ):
        old.backup(new)
        new.execute("PRAGMA journal_mode = DELETE")


def _answer_at(folder: Path, port: int) -> None:
    """Have a home answer at a port of its own."""
    path = folder / ".storage" / "http"
    stored = json.loads(path.read_text())
    stored["data"]["stable"]["server_port"] = port
    path.write_text(json.dumps(stored))


def is_root() -> bool:
    """Return whether we may mount file systems."""
    return os.geteuid() == 0
