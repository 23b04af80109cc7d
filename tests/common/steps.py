"""What users and visitors do, for tests that need a person, a camera or a visit."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

from freezegun import freeze_time
from freezegun.api import _freeze_time
from homeassistant.components import file_upload
from homeassistant.config_entries import SOURCE_USER, ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from PIL import Image
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.familiar_faces.const import SUBENTRY_PERSON
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.people.person import Template
from custom_components.familiar_faces.vault.errors import VaultUnwritable
from custom_components.familiar_faces.visits.look import LOOK_FRAMES

from ..conftest import DOORBELL
from .pictures import frame

type Result = Any
"""What a step answers: a dict of its own kind for each kind of flow, most of whose keys may be missing."""

VISITOR = "event.front_door_visitor"


async def use_engine(hass: HomeAssistant, page: Result) -> Result:
    """Read how long the engine takes that was chosen, and use it."""
    assert (page["type"], page["step_id"]) == (FlowResultType.MENU, "measured")
    return await hass.config_entries.flow.async_configure(page["flow_id"], {"next_step_id": "use"})


def times_of(page: Result) -> list[str]:
    """Return the lines about engines that a page of the choice shows."""
    return [line for line in page["description_placeholders"]["times"].splitlines() if line.startswith("- ")]


async def upload(hass: HomeAssistant, data: bytes, name: str = "photo.jpg") -> str:
    """Put a file where the frontend's upload puts it, and return its id."""
    assert await async_setup_component(hass, "file_upload", {})
    uploads = hass.data.get(file_upload._DATA)
    if uploads is None:
        uploads = await file_upload.FileUploadData.create(hass)
        hass.data[file_upload._DATA] = uploads
    file_id = uuid4().hex
    folder = Path(uploads.file_dir(file_id))

    def write() -> None:
        folder.mkdir()
        (folder / name).write_bytes(data)

    await hass.async_add_executor_job(write)
    uploads.files[file_id] = name
    return file_id


def consent(**changes: Any) -> dict[str, Any]:
    """Return what a user says of a consent that is in order: a yes to everything that is asked."""
    today = dt_util.now().date()
    return {
        "cameras": ["every_camera"],
        "keeping": "visits",
        "pictures": True,
        "uploads": True,
        "given_by": "Eileen",
        "method": "in_person",
        "given_on": (today - timedelta(days=1)).isoformat(),
        "valid_until": (today + timedelta(days=360)).isoformat(),
        "agreed": True,
    } | changes


async def start_person(hass: HomeAssistant, entry: ConfigEntry[Any], **person: Any) -> Result:
    """Start to add a person, and return the step that asks what they agree to."""
    result = await hass.config_entries.subentries.async_init(
        (entry.entry_id, SUBENTRY_PERSON), context={"source": SOURCE_USER}
    )
    result = await choose(hass, result, "here")
    result = await configure(hass, result, {"name": "Eileen", "child": False} | person)
    return await has_read(hass, result)


async def has_read(hass: HomeAssistant, result: Result) -> Result:
    """Go on from the text of the consent, which was read in the language that it is shown in."""
    if result["type"] is not FlowResultType.FORM or result["step_id"] != "consent":
        return result
    return await configure(hass, result, {"language": result["data_schema"]({})["language"]})


async def configure(hass: HomeAssistant, result: Result, user_input: dict[str, Any]) -> Result:
    """Answer a step, and wait where a camera is tried."""
    flow_id = result["flow_id"]
    result = await hass.config_entries.subentries.async_configure(flow_id, user_input)
    while result["type"] is FlowResultType.SHOW_PROGRESS and result["step_id"] == "try":
        await asyncio.sleep(0.02)
        result = await hass.config_entries.subentries.async_configure(flow_id)
    return result


async def choose(hass: HomeAssistant, result: Result, option: str) -> Result:
    """Choose from a menu; the text of a consent is read."""
    return await has_read(hass, await configure(hass, result, {"next_step_id": option}))


async def add_photo(hass: HomeAssistant, result: Result, photo: bytes) -> Result:
    """Give a photo, from the menu or the step that asks for one."""
    if result["type"] is FlowResultType.MENU:
        result = await choose(hass, result, "photo")
    return await configure(hass, result, {"photo": await upload(hass, photo)})


async def enrol(hass: HomeAssistant, entry: ConfigEntry[Any], photos: list[bytes], **person: Any) -> str:
    """Add a person through the flow, and return the person's id."""
    before = set(entry.subentries)
    result = await start_person(hass, entry, **person)
    result = await configure(hass, result, consent(given_by=person.get("name", "Eileen")))
    for photo in photos:
        result = await add_photo(hass, result, photo)
    result = await choose(hass, result, "finish")
    if result["type"] is FlowResultType.FORM and result["step_id"] == "phones":
        # Where there are phones, and no alert yet.
        result = await configure(hass, result, {})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done(wait_background_tasks=True)
    (added,) = set(entry.subentries) - before
    person_id: str = entry.subentries[added].data["person_id"]
    return person_id


async def add_photo_of_somebody_else(hass: HomeAssistant, hub: Hub, person_id: str, photo: bytes) -> str:
    """Give a person a reference photo of somebody else, and return its template's id."""
    seen = await hub.client.faces(photo, portraits=True, mirrored=True)
    template = await hass.async_add_executor_job(
        lambda: hub.vault.add_reference(
            person_id,
            photo=seen.faces[0].portrait or b"",
            embedding=seen.faces[0].embedding,
            model=seen.model,
            photo_digest=sha256(photo).hexdigest(),
            now=dt_util.utcnow(),
        )
    )
    await hub.async_refresh_people()
    return template.template_id


async def templates_of(hass: HomeAssistant, hub: Hub, person_id: str) -> tuple[Template, ...]:
    """Return a person's templates as they are kept."""
    return (await hass.async_add_executor_job(hub.vault.person, person_id)).templates


def visits(*people: Image.Image, number: int = LOOK_FRAMES, scale: float = 1.0) -> list[bytes]:
    """Return the frames of a look at people who stand at the door."""
    return [frame(*people, seed=seed, scale=scale) for seed in range(number)]


def later(*, minutes: float = 0, until: datetime | None = None) -> _freeze_time:
    """Return a context in which it is later, and in which time goes on."""
    return freeze_time(until or dt_util.utcnow() + timedelta(minutes=minutes), tick=True, real_asyncio=True)


async def ring(hass: HomeAssistant, hub: Hub) -> None:
    """Press the doorbell and wait until the look is over."""
    await hass.services.async_call("input_button", "press", {"entity_id": DOORBELL}, blocking=True)
    await hass.async_block_till_done()
    (watching,) = hub.watchers.values()
    if watching._looking is not None:
        await asyncio.wait_for(watching._looking, 60)
    await hass.async_block_till_done()


def look_for(hub: Hub, seconds: float) -> None:
    """Have looks end early."""
    (watcher,) = hub.watchers.values()
    watcher.settings = replace(watcher.settings, seconds=seconds)


async def reconfigure_person(hass: HomeAssistant, entry: MockConfigEntry) -> Result:
    """Open the menu of the one person there is."""
    (subentry,) = entry.get_subentries_of_type("person")
    return await entry.start_subentry_reconfigure_flow(hass, subentry.subentry_id)


def suggestion(result: Result) -> Any:
    """Return what is suggested for the first field of a step."""
    key = next(iter(result["data_schema"].schema))
    return key.description["suggested_value"]


def disk_full(*args: object, **kwargs: object) -> None:
    """Answer as the vault does when nothing more can be written."""
    raise VaultUnwritable("database or disk is full")


def state_of(hass: HomeAssistant, entity_id: str) -> str:
    """Return a state as text."""
    found = hass.states.get(entity_id)
    assert found is not None, entity_id
    return found.state
