"""The story of automations that are made by hand in Home Assistant's own editor, and then have to run."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
import shutil

from .alerts import BLURRED, UNKNOWN
from .browser import LOOKS, Frontend, logged_in, opened
from .client import Client, Json, Websocket, until
from .editor import Editor, Fields
from .home import SOURCE
from .house import CAMERA, NAME, House, Say
from .phones import PHONE

BLUEPRINTS = SOURCE.parent.parent / "blueprints" / "automation" / SOURCE.name
HERE = "Home Assistant's own notifications"
VISITOR = "Visitor"
"""The event entity of the camera."""
NOTIFY = "Send a persistent notification"
MOTION = "input_boolean.path"
RUN_SECONDS = 20
BETWEEN_SECONDS = 32
"""Anyone who comes sooner after somebody else may still be on the same visit."""

# What an owner has besides: files that the editor writes into, a light, a motion sensor and a scene.
CONFIGURATION = """
automation: !include automations.yaml
script: !include scripts.yaml
scene: !include scenes.yaml

sun:

input_boolean:
  hallway:
    name: Hallway switch
  path:
    name: Path switch

template:
  - light:
      - name: Hallway
        unique_id: hallway
        state: "{{ states('input_boolean.hallway') }}"
        turn_on: {action: input_boolean.turn_on, target: {entity_id: input_boolean.hallway}}
        turn_off: {action: input_boolean.turn_off, target: {entity_id: input_boolean.hallway}}
  - binary_sensor:
      - name: Path motion
        unique_id: path_motion
        device_class: motion
        state: "{{ states('input_boolean.path') }}"
"""
SCENES = """
- id: welcome_home
  name: Welcome home
  icon: mdi:home-heart
  entities:
    input_boolean.hallway: "on"
"""


@dataclass(frozen=True, slots=True)
class Part:
    """A trigger or a condition as it is added by hand."""

    name: str
    fields: Fields = field(default_factory=dict)
    target: str | None = None
    device: str | None = None
    """Its device, when it is one of what devices offer."""

    @property
    def shot(self) -> str:
        """Return the name of its pictures."""
        return self.name.lower().replace(" ", "-")


@dataclass(frozen=True, slots=True)
class Automation:
    """An automation as it is made by hand; what it says when it runs, and who has to come for it."""

    title: str
    visitor: str
    trigger: Part
    says: str
    condition: Part | None = None
    page: str | None = None
    """The device on whose page it is begun."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A blueprint as it is filled in, and who has to come for it; None when something has to move."""

    title: str
    visitor: str | None
    blueprint: str
    fields: Fields


AUTOMATIONS = (
    Automation(
        "Welcome home",
        NAME,
        Part("Familiar person seen", {"People": [NAME], "Confidence, at least": "0.5"}, VISITOR),
        "Welcome, {{ trigger.person_name }}!",
        Part("Person is present", {}, "Present"),
    ),
    Automation(
        "A stranger soon after",
        UNKNOWN,
        Part("Stranger seen", {"For at least": "0:1"}, VISITOR),
        "A stranger is at the {{ trigger.camera_name }}.",
        Part("Visitor was seen", {"Within the last": "30:0", "People": [NAME], "Cameras": [CAMERA]}, VISITOR),
    ),
    Automation(
        "Somebody unclear",
        BLURRED,
        Part("Unclear visitor seen", {}, VISITOR),
        "Somebody unclear is at the {{ trigger.camera_name }}: {{ trigger.reason }}.",
    ),
    Automation(
        "From the camera's page",
        UNKNOWN,
        Part("Stranger seen"),
        "Seen by the {{ trigger.camera_name }}.",
        Part("Familiar person was seen a short time ago", {"Within the last": "10:0"}, device=CAMERA),
        page=CAMERA,
    ),
    Automation(
        "From a person's device",
        NAME,
        Part("Seen at a camera", device=NAME),
        "{{ trigger.person_name }} was seen.",
        Part("Is present", device=NAME),
    ),
)
FILLED = (
    Filled(
        "Scene for who comes home",
        NAME,
        "Familiar Faces: welcome home",
        {"Person": [NAME], "Scene": ["Welcome home"]},
    ),
    Filled(
        "Light in the hallway",
        NAME,
        "Familiar Faces: light for a familiar face",
        {"Cameras": [CAMERA], "Lights": ["Hallway"], "Only in the dark": "off"},
    ),
    Filled(
        "Home from school",
        NAME,
        "Familiar Faces: child came home",
        {"Child": [NAME], "From": "0:00", "Until": "23:59", "Days": ["Saturday", "Sunday"]},
    ),
    Filled(
        "Strangers at night",
        UNKNOWN,
        "Familiar Faces: stranger at night",
        {"Cameras": [CAMERA], "From": "0:00", "Until": "23:59"},
    ),
    Filled(
        "Packages",
        UNKNOWN,
        "Familiar Faces: courier without fuss",
        {"Cameras": [CAMERA], "From": "0:00", "Until": "23:59", "Phone": [PHONE]},
    ),
    Filled("Motion on the path", None, "Familiar Faces: do not disturb", {"Motion": ["Path motion"]}),
)


@dataclass(slots=True)
class Story:
    """What happened."""

    ran: list[str] = field(default_factory=list)
    idle: list[str] = field(default_factory=list)
    """Those that ought to have run and did not."""
    too_early: list[str] = field(default_factory=list)
    """Those that ran for somebody else."""
    said: list[str] = field(default_factory=list)
    """What Home Assistant's own notifications say."""

    @property
    def right(self) -> bool:
        """Return whether all went as it should."""
        return not self.idle and not self.too_early


def prepare(folder: Path) -> None:
    """Write what an owner has besides, and put the blueprints where an import puts them."""
    with (folder / "configuration.yaml").open("a") as file:
        file.write(CONFIGURATION)
    (folder / "automations.yaml").write_text("[]\n")
    (folder / "scripts.yaml").write_text("{}\n")
    (folder / "scenes.yaml").write_text(SCENES)
    shutil.copytree(BLUEPRINTS, folder / "blueprints" / "automation" / SOURCE.name)


class Walk:
    """Somebody who makes automations with clicks, and looks whether they run."""

    def __init__(
        self,
        house: House,
        client: Client,
        socket: Websocket,
        say: Say,
        pictures: Path | None,
        *,
        automations: Sequence[Automation] | None = None,
        filled: Sequence[Filled] | None = None,
    ) -> None:
        """Make these, or else one of each kind; with a folder for pictures, everything that can be made."""
        everything = pictures is not None
        self._house = house
        self._client = client
        self._socket = socket
        self._say = say
        self._pictures = pictures
        self._automations = automations or (AUTOMATIONS if everything else AUTOMATIONS[:1])
        self._filled = filled or (FILLED if everything else FILLED[:1])

    async def go(self) -> Story:
        """Make them, see whether they run, and look at them on every device."""
        async with opened() as chromium:
            async with logged_in(chromium, self._client.url, folder=self._pictures) as frontend:
                await self.make(frontend)
                if self._pictures is not None:
                    said = await frontend.add_alert(
                        "Visitors", ["All familiar people", "Strangers"], [PHONE, HERE]
                    )
                    self._say(f"In the browser: an alert was added. {said}")
            story = await self._play()
            for look in LOOKS if self._pictures is not None else ():
                async with logged_in(chromium, self._client.url, look, self._pictures) as frontend:
                    await self._look_around(frontend)
        return story

    async def make(self, frontend: Frontend) -> None:
        """Make each of the automations in the editor."""
        editor = Editor(frontend)
        for automation in self._automations:
            if automation.page is not None:
                await editor.begin_on_device(automation.page, automation.trigger.name, "device")
            else:
                await editor.begin()
                await _add(editor, "trigger", automation.trigger)
            if automation.condition is not None:
                await _add(editor, "condition", automation.condition)
            await editor.add("action", NOTIFY, {"Message": automation.says})
            await editor.save(automation.title)
            self._say(f"In the browser: the automation “{automation.title}” was made.")
        for filled in self._filled:
            await editor.begin_blueprint(filled.blueprint)
            await editor.fill_blueprint(
                filled.fields, "blueprint-" + filled.blueprint.split(": ")[1].replace(" ", "-")
            )
            await editor.save(filled.title)
            self._say(f"In the browser: “{filled.title}” was made of the blueprint “{filled.blueprint}”.")

    async def _play(self) -> Story:
        """Let those come who the automations are for, and see which run."""
        story = Story()
        made: tuple[Automation | Filled, ...] = (*self._automations, *self._filled)
        came = False
        for visitor in dict.fromkeys(each.visitor for each in made):
            if visitor is None:
                await self._client.call("input_boolean", "turn_on", {"entity_id": MOTION})
                self._say("Something moves on the path.")
            else:
                if came:
                    self._say(f"Nobody is there for {BETWEEN_SECONDS} seconds.")
                    await asyncio.sleep(BETWEEN_SECONDS)
                came = True
                self._say(f"{visitor[0].upper()}{visitor[1:]} rings at the front door.")
                await self._house.ring(visitor.lower(), RUN_SECONDS)
            due = [each.title for each in made if each.visitor == visitor]
            ran = await self._ran(due)
            story.ran += [each for each in due if each in ran]
            story.idle += [each for each in due if each not in ran]
            story.too_early += sorted(ran - set(story.ran))
            self._say(f"-> {', '.join(each for each in due if each in ran) or 'Nothing'} ran.")
        told = await self._socket.command("persistent_notification/get")
        story.said = sorted(each["message"] for each in told)
        return story

    async def _look_around(self, frontend: Frontend) -> None:
        """Look at each automation, and at each of its triggers and conditions."""
        for state in await self._states():
            await Editor(frontend).look_at(state["attributes"]["id"], state["attributes"]["friendly_name"])
        await frontend.look_at_alert()
        await frontend.look_at_news()

    async def _ran(self, due: list[str]) -> set[str]:
        """Return the titles of the automations that have run: wait for those that are due."""

        async def all_ran() -> set[str] | None:
            ran = await self._have_run()
            return ran if ran.issuperset(due) else None

        try:
            async with asyncio.timeout(RUN_SECONDS):
                return await until(all_ran, RUN_SECONDS + 1, "")
        except TimeoutError:
            return await self._have_run()

    async def _have_run(self) -> set[str]:
        return {
            each["attributes"]["friendly_name"]
            for each in await self._states()
            if each["attributes"].get("last_triggered") is not None
        }

    async def _states(self) -> list[Json]:
        states: list[Json] = await self._client.get("states")
        return [each for each in states if each["entity_id"].startswith("automation.")]


async def _add(editor: Editor, what: str, part: Part) -> None:
    """Add a trigger or a condition."""
    if part.device is None:
        await editor.add(what, part.name, part.fields, part.target, f"{what}-{part.shot}")
    else:
        await editor.add_of_device(what, part.device, part.name, part.fields, f"{what}-{part.shot}")


def summary(story: Story) -> dict[str, object]:
    """Return it for programs."""
    return {
        "right": story.right,
        "ran": story.ran,
        "idle": story.idle,
        "too_early": story.too_early,
        "said": story.said,
    }
