"""Nothing that the integration tells, shows or keeps says where home is, or where a picture was taken."""

from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
import io
import json
import logging
from typing import Any
from zipfile import ZipFile

from homeassistant.const import MATCH_ALL
from homeassistant.core import Event, HomeAssistant, State, callback
from homeassistant.helpers import area_registry as ar, device_registry as dr, entity_registry as er
from homeassistant.helpers.json import ExtendedJSONEncoder
from PIL import Image
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.familiar_faces.const import DOMAIN
from custom_components.familiar_faces.diagnostics import async_get_config_entry_diagnostics
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.openness.export import EXPORT_PATH
from demo.home import HOME, LATITUDE, LONGITUDE

from ..common.pictures import astronaut, enrolment_photos, frame, stranger
from ..common.steps import enrol, later, ring, visits
from ..common.whereabouts import PLACES, found_in
from ..conftest import CAMERA, FrontDoor

OURS = f"custom_components.{DOMAIN}"


def picture_with_place(picture: bytes) -> bytes:
    """Return a picture as a telephone takes it: where it was taken is in it."""
    with Image.open(io.BytesIO(picture)) as image:
        exif = image.getexif()
        exif[0x010E] = HOME
        # The degrees as they are, so that they could be found as a text also.
        exif.get_ifd(0x8825).update({1: "N", 2: (LATITUDE, 0.0, 0.0), 3: "E", 4: (LONGITUDE, 0.0, 0.0)})
        data = io.BytesIO()
        image.save(data, "JPEG", quality=92, exif=exif)
    assert b"Exif\0" in data.getvalue()
    assert "address" in found_in(data.getvalue())
    return data.getvalue()


def fields_in(data: Any) -> Iterator[tuple[str, Any]]:
    """Return every key of parsed JSON with its value."""
    if isinstance(data, dict):
        yield from data.items()
    for each in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
        yield from fields_in(each)


@dataclass(frozen=True)
class Told:
    """All that the integration has told the outside."""

    diagnostics: Any
    events: list[Any]
    states: list[Any]
    registries: list[Any]
    pictures: list[bytes]

    def everything(self) -> Any:
        """Return what can be read, as parsed JSON."""
        said = [self.diagnostics, self.events, self.states, self.registries]
        return json.loads(json.dumps(said, cls=ExtendedJSONEncoder))


def state_of(hass: HomeAssistant, entity_id: str) -> State:
    """Return the state of an entity that is there."""
    state = hass.states.get(entity_id)
    assert state is not None
    return state


async def pictures_shown(hass: HomeAssistant) -> list[bytes]:
    """Return what the image entities show."""
    entities = [
        hass.data["image"].get_entity(entity_id) for entity_id in hass.states.async_entity_ids("image")
    ]
    return [picture for entity in entities if (picture := await entity.async_image()) is not None]


@pytest.fixture
async def told(hass: HomeAssistant, entry: MockConfigEntry, front_door: FrontDoor, hub: Hub) -> Told:
    """Live through a day of a home whose whereabouts are known to Home Assistant, its camera and the photos."""
    hass.config.latitude, hass.config.longitude, hass.config.location_name = LATITUDE, LONGITUDE, HOME
    front_door._attr_extra_state_attributes = {"latitude": LATITUDE, "longitude": LONGITUDE, "address": HOME}
    front_door.async_write_ha_state()
    assert "address" in state_of(hass, CAMERA).attributes
    area = ar.async_get(hass).async_create(HOME)
    er.async_get(hass).async_update_entity(CAMERA, area_id=area.id)

    events: list[Event[Any]] = []

    @callback
    def heard(event: Event[Any]) -> None:
        events.append(event)

    hass.bus.async_listen(MATCH_ALL, heard)
    await enrol(hass, entry, [picture_with_place(photo) for photo in enrolment_photos()])
    front_door.frames = [picture_with_place(each) for each in visits(astronaut())]
    await ring(hass, hub)
    # Now, because there is none left once a stranger was there.
    pictures = await pictures_shown(hass)
    front_door.frames = [frame(stranger(), seed=seed) for seed in range(16)]
    with later(minutes=2):
        await ring(hass, hub)
    front_door.frames = [picture_with_place(frame(astronaut()))]
    answer = await hass.services.async_call(
        DOMAIN, "identify", {"camera": CAMERA}, blocking=True, return_response=True
    )

    ours = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    entities = {each.entity_id for each in ours}
    states = [state.as_dict() for state in hass.states.async_all() if state.entity_id in entities]
    for person in hub.people.values():
        for template in person.templates:
            kept = await hass.async_add_executor_job(hub.vault.reference_photo, template.template_id)
            pictures.append(kept)
    return Told(
        await async_get_config_entry_diagnostics(hass, entry),
        [
            event.as_dict()
            for event in events
            if event.data.get("entity_id") in entities or str(event.event_type).startswith(DOMAIN)
        ]
        + [answer],
        states,
        [each.as_partial_dict for each in ours]
        + [each.dict_repr for each in dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)],
        pictures,
    )


@pytest.mark.own_engine
async def test_nothing_says_where_home_is(
    told: Told, entry: MockConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither diagnostics, events, states, devices nor debug logs do, though Home Assistant knows it."""
    assert len(told.states) > 15
    assert any("Eileen" in json.dumps(each, cls=ExtendedJSONEncoder) for each in told.events)
    everything = told.everything()
    assert found_in(json.dumps(everything).encode()) == []
    # Where in the home is the name of a camera: Home Assistant's calendars call it a location.
    cameras = {each.title for each in entry.get_subentries_of_type("camera")}
    places = [(key, value) for key, value in fields_in(everything) if PLACES.search(key)]
    assert [each for each in places if each[0] != "location" or each[1] not in cameras] == []
    records = caplog.get_records("setup") + caplog.records
    lines = [each.getMessage() for each in records if each.name.startswith(OURS)]
    assert lines
    assert found_in("\n".join(lines).encode()) == []


async def test_no_export_says_where_home_is(
    hass_client: ClientSessionGenerator, told: Told, entry: MockConfigEntry
) -> None:
    """What a person is handed of themselves has neither a place in it nor a photo that has one."""
    (person_id,) = entry.runtime_data.people
    client = await hass_client()
    answer = await client.get(EXPORT_PATH.format(person_id=person_id))
    assert answer.status == HTTPStatus.OK
    with ZipFile(io.BytesIO(await answer.read())) as export:
        files = {name: export.read(name) for name in export.namelist()}
    assert any(b"Eileen" in content for content in files.values())
    assert any(content.startswith(b"\xff\xd8") for content in files.values())
    for name, content in files.items():
        assert found_in(name.encode() + content) == [], name
        assert b"Exif" not in content, name


async def test_no_picture_says_where_it_was_taken(told: Told) -> None:
    """What a telephone or a camera wrote into a picture is in none that is shown or kept."""
    # Three photos, and what two entities show.
    assert len(told.pictures) == 5
    for picture in told.pictures:
        assert picture
        assert b"Exif" not in picture
        assert found_in(picture) == []


@pytest.fixture(autouse=True)
def all_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Have everything logged."""
    caplog.set_level(logging.DEBUG, OURS)
