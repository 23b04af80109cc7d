"""The demo's household: doors with a camera and a bell each, and people who said yes."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from .camera import STILL, STREAM, Camera
from .client import Client, DemoFailed, Flow, Json, Websocket, fired_at, until
from .home import DOMAIN, today
from .scene import photos

NAME = "Eileen"
FAMILIAR = "eileen"
STRANGERS = ("a guest", "a neighbour")
CAMERA = "Front door"
DOORBELL = "input_button.doorbell"
PREPARE_SECONDS = 300
VISIT_SECONDS = 20
GLANCE_SECONDS = 10
"""How long a look takes at most, and a little more: for somebody who waits at the keyboard."""
READY_SECONDS = 120
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

type Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Ring:
    """What came of one ring."""

    decision: str
    person: str | None
    confidence: float | None
    ms: int
    """From the ring to the name, both as Home Assistant recorded them."""
    camera_ms: int
    """Of these, spent waiting for the camera."""
    engine_ms: float
    """What the engine took for one frame."""
    visit_id: str
    frames: int
    """How many different pictures it rests on."""


@dataclass(slots=True)
class Door:
    """A door with what Home Assistant knows of it: entity ids, the visitor's as soon as it is listened to."""

    camera: Camera
    camera_entity: str
    bell: str
    visitor_entity: str = ""


class House:
    """A running Home Assistant with somebody logged in."""

    def __init__(self, client: Client, socket: Websocket, say: Say) -> None:
        """Act through the client; say in words what is done."""
        self.entry_id = ""
        self._client = client
        self._socket = socket
        self._say = say
        self._events: asyncio.Queue[Json] = asyncio.Queue()
        self._doors: dict[str, Door] = {}
        self._hearing = False

    def move_in(self, other: House) -> None:
        """Have the doors and the entry of a house whose files this Home Assistant started from."""
        self.entry_id = other.entry_id
        self._doors = {
            name: Door(door.camera, door.camera_entity, door.bell) for name, door in other._doors.items()
        }

    async def wait_until_running(self) -> None:
        """Wait until Home Assistant has set up everything."""

        async def running() -> bool | None:
            state = (await self._socket.command("get_config"))["state"]
            return True if state == "RUNNING" else None

        await until(running, READY_SECONDS, "Home Assistant served its frontend but did not finish starting.")

    async def add_doors(self, cameras: Mapping[str, Camera]) -> None:
        """Add doors to Home Assistant, by their names: each camera an MJPEG camera like any other, and a bell."""
        for name, camera in cameras.items():
            entity = await self._add_mjpeg(name, camera)
            # The front door's is in the configuration.
            bell = DOORBELL if name == CAMERA else await self._add_bell(f"{name} bell")
            await self._put_together(name, entity, bell)
            self._doors[name] = Door(camera, entity, bell)
            self._say(f"Home Assistant has a camera {entity} and a doorbell {bell}.")

    async def _put_together(self, name: str, *entity_ids: str) -> None:
        """Put a camera and its bell into an area, as Home Assistant asks for it."""
        areas = await self._socket.command("config/area_registry/list")
        area_id = next((each["area_id"] for each in areas if each["name"] == name), None)
        if area_id is None:
            area_id = (await self._socket.command("config/area_registry/create", name=name))["area_id"]
        for entity_id in entity_ids:
            entry = await self._socket.command("config/entity_registry/get", entity_id=entity_id)
            if (device_id := entry["device_id"]) is not None:
                await self._socket.command(
                    "config/device_registry/update", device_id=device_id, area_id=area_id
                )
            else:
                await self._socket.command(
                    "config/entity_registry/update", entity_id=entity_id, area_id=area_id
                )

    async def _add_mjpeg(self, name: str, camera: Camera) -> str:
        flow = await self._client.flow("mjpeg")
        await flow.answer(
            "user",
            {
                "name": name,
                "mjpeg_url": camera.url + STREAM,
                "still_image_url": camera.url + STILL,
                "password": "",
                "verify_ssl": True,
            },
        )
        entry_id = flow.finished()["result"]["entry_id"]
        return await self.entity("camera", "mjpeg", entry_id)

    async def _add_bell(self, name: str) -> str:
        """Add a button as Home Assistant's page of helpers does."""
        made = await self._socket.command("input_button/create", name=name, icon="mdi:doorbell")
        return await self.entity("input_button", "input_button", made["id"])

    async def accept_app(self) -> None:
        """Add Familiar Faces as Home Assistant offers it, since the engine's app has announced itself."""

        async def offer() -> Json | None:
            flows = await self._socket.command("config_entries/flow/progress")
            return next((each for each in flows if each["handler"] == DOMAIN), None)

        found = await until(offer, READY_SECONDS, "Home Assistant does not offer the app.")
        flow = await self._client.offered(found["flow_id"])
        self._say(f"Home Assistant offers the app. {flow.placeholders.get('time', '')}".strip())
        await flow.answer("hassio_confirm", {})
        await self._added(flow)

    async def add_integration(self, elsewhere: Json | None = None) -> None:
        """Add Familiar Faces; its engine is prepared on this machine, or is `elsewhere`, as an owner fills it in."""
        flow = await self._client.flow(DOMAIN)
        await flow.answer("user", {})
        if elsewhere is not None:
            await flow.choose("where", "another_machine")
            await flow.answer("another_machine", elsewhere)
            self._say(
                f"Familiar Faces reaches its engine elsewhere. {flow.placeholders.get('times', '')}".strip()
            )
            await flow.choose("measured", "use")
            await self._added(flow)
            return
        await flow.choose("where", "this_machine")
        self._say("Familiar Faces prepares its engine; this takes a minute or two the first time.")

        def on_second(second: int) -> None:
            if second and second % 15 == 0:
                self._say(f"... still preparing, {second} seconds so far.")

        await flow.wait(on_second, PREPARE_SECONDS)
        if flow.step.get("step_id") == "cannot_prepare":
            raise DemoFailed(
                f"The engine could not be prepared. {flow.placeholders.get('reason', '')}".strip()
            )
        await self._added(flow)

    async def _added(self, flow: Flow) -> None:
        """Wait until what was added runs."""
        self.entry_id = flow.finished()["result"]["entry_id"]

        async def loaded() -> bool | None:
            entries = await self._socket.command("config_entries/get", domain=DOMAIN)
            state = entries[0]["state"]
            if state in ("setup_error", "migration_error"):
                raise DemoFailed(f"Familiar Faces could not be set up: {entries[0].get('reason') or state}.")
            return True if state == "loaded" else None

        await until(loaded, READY_SECONDS, "Familiar Faces was added but did not load.")
        await self.wait_for_engine()
        self._say("Familiar Faces is set up. It recognises nobody yet.")

    async def wait_for_engine(self) -> None:
        """Wait until the engine runs: it is started once everything else is there."""
        entity = await self.entity("sensor", DOMAIN, "_engine_status")
        await self._until_state(entity, lambda state: state == "ready", "The engine did not start.")

    async def add_cameras(self) -> None:
        """Let Familiar Faces look at each door when somebody rings there."""
        for name, door in self._doors.items():
            await door.camera.show(FAMILIAR, ready=1)
            flow = await self._client.subentry_flow(self.entry_id, "camera")
            await flow.answer(
                "user", {"camera": door.camera_entity, "mode": "on_ring", "public_space": False}
            )
            if flow.step.get("step_id") == "triggers":
                await flow.answer("triggers", {"triggers": [door.bell]})
            # On a busy machine it is shown that the camera is tried.
            await flow.wait(lambda _second: None, READY_SECONDS)
            self._say(f"It took a still of the {name.lower()}: {flow.placeholders.get('found', '')}")
            await flow.choose("still", "save")
            flow.finished()
            await door.camera.show(None)

    async def add_person(
        self, name: str = NAME, taken: list[bytes] | None = None, entity: str | None = None
    ) -> None:
        """Enrol a person, who may be a `person.*` too: first the consent, then the photos."""
        day = today()
        flow = await self._client.subentry_flow(self.entry_id, "person")
        await flow.choose("user", "here")
        linked = {} if entity is None else {"linked_entity": entity}
        await flow.answer("here", {"name": name, "child": False, **linked})
        await flow.answer("consent", {"language": "en"})
        await flow.answer(
            "agree",
            {
                "cameras": ["every_camera"],
                "keeping": "visits",
                "pictures": True,
                "given_by": name,
                "method": "in_person",
                "given_on": day.isoformat(),
                "valid_until": (day + timedelta(days=300)).isoformat(),
                "agreed": True,
            },
        )
        self._say(f"{name} said yes in person today; that is on record.")
        for number, photo in enumerate(photos() if taken is None else taken, start=1):
            file_id = await self._client.upload(f"{name.lower()}-{number}.jpg", photo)
            if flow.step["type"] == "menu":
                # Where there is no camera yet, the first photo is asked for at once.
                await flow.choose("photos", "photo")
            await flow.answer("photo", {"photo": file_id})
            # The verdict, without the picture behind it.
            self._say(f"Photo {number}: {flow.placeholders.get('verdict', '').partition(' ![')[0]}")
        await flow.choose("photos", "finish")
        if flow.step.get("step_id") == "phones":
            await flow.answer("phones", {})
        flow.finished()

    async def add_alert(self, title: str, recipient: str, *, early: bool) -> None:
        """Choose who is told of everybody; `early`: at once that someone is there, before it is known who."""
        flow = await self._client.subentry_flow(self.entry_id, "alert")
        await flow.answer("user", {"name": title, "who": ["familiar", "stranger", "unclear"]})
        await flow.answer("when", {"weekdays": list(WEEKDAYS), "home": "any"})
        await flow.answer(
            "whom",
            {
                "recipients": [recipient],
                "picture": "familiar",
                "early": early,
                "every": 0,
                "critical": False,
                "answers": True,
            },
        )
        await flow.choose("ready", "save")
        flow.finished()
        self._say(f"There is an alert “{title}”.")

    async def listen(self) -> None:
        """Find the entities and hear of their changes."""
        (entry,) = await self._socket.command("config_entries/get", domain=DOMAIN)
        # It may have been added in a browser.
        self.entry_id = entry["entry_id"]
        listed = await self._socket.command("config_entries/subentries/list", entry_id=entry["entry_id"])
        ids = {each["title"]: each["subentry_id"] for each in listed if each["subentry_type"] == "camera"}
        for name, door in self._doors.items():
            door.visitor_entity = await self.entity("event", DOMAIN, f"{ids[name]}_visitor")
        heard = {each for door in self._doors.values() for each in (door.visitor_entity, door.bell)}

        def changed(event: Json) -> None:
            if event["data"]["entity_id"] in heard:
                self._events.put_nowait(event)

        if not self._hearing:
            await self._socket.subscribe("state_changed", changed)
            self._hearing = True

        for door in self._doors.values():
            await self._until_state(
                door.visitor_entity,
                lambda state: state != "unavailable",
                f"{door.visitor_entity} did not become available.",
            )

    async def ring(self, visitor: str, patience: float = VISIT_SECONDS, at: str = CAMERA) -> Ring | None:
        """Let somebody come to a door and ring; return what came of it, None when it was no new visit."""
        door = self._doors[at]
        await door.camera.show(visitor)
        while not self._events.empty():
            self._events.get_nowait()
        await self._client.call("input_button", "press", {"entity_id": door.bell})
        rung = None
        try:
            async with asyncio.timeout(patience):
                while True:
                    event = await self._events.get()
                    entity = event["data"]["entity_id"]
                    if entity == door.bell:
                        rung = fired_at(event)
                    elif entity != door.visitor_entity or rung is None:
                        continue
                    elif (ring := visit_of(event, rung)) is not None:
                        return ring
        except TimeoutError:
            if rung is None:
                raise DemoFailed(f"{door.bell} was pressed but did not change.") from None
            return None
        finally:
            await door.camera.show(None)

    async def _until_state(self, entity: str, check: Callable[[str], bool], otherwise: str) -> None:
        """Wait until an entity has such a state."""

        async def reached() -> bool | None:
            states = {each["entity_id"]: each["state"] for each in await self._client.get("states")}
            return True if entity in states and check(states[entity]) else None

        await until(reached, READY_SECONDS, otherwise)

    async def entity(self, domain: str, platform: str, unique_id_end: str) -> str:
        """Return the entity of an integration whose unique id ends so."""

        async def find() -> str | None:
            for each in await self._socket.command("config/entity_registry/list"):
                if (
                    each["platform"] == platform
                    and each["entity_id"].startswith(f"{domain}.")
                    and each["unique_id"].endswith(unique_id_end)
                ):
                    entity_id: str = each["entity_id"]
                    return entity_id
            return None

        return await until(find, READY_SECONDS, f"{platform} made no {domain} entity {unique_id_end}.")


def visit_of(event: Json, rung: datetime) -> Ring | None:
    """Return what an event entity's change tells; None when it tells of no visit."""
    old, new = event["data"]["old_state"], event["data"]["new_state"]
    if new is None or new["state"] in ("unknown", "unavailable") or (old and old["state"] == new["state"]):
        return None
    told = new["attributes"]
    return Ring(
        decision=told["event_type"],
        person=told.get("person_name"),
        confidence=told.get("confidence"),
        ms=round((fired_at(event) - rung).total_seconds() * 1000),
        camera_ms=round(told["camera_fetch_ms"]),
        engine_ms=round(told["engine_ms"] / max(told["frames"], 1), 1),
        visit_id=told["visit_id"],
        frames=told["frames"],
    )
