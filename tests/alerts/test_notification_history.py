"""What Home Assistant's history holds of notifications: nothing of what was said, after every purge."""

from homeassistant.components.recorder.db_schema import EventData, Events, EventTypes
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import session_scope
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import async_wait_recording_done

from custom_components.familiar_faces.hub import Hub

from ..common.alerting import add_alert, ring_and_tell
from ..common.phone import NewPhone
from ..common.pictures import astronaut, enrolment_photos
from ..common.steps import enrol, visits
from ..conftest import FrontDoor

pytestmark = pytest.mark.usefixtures("recorder_mock")


async def recorded(hass: HomeAssistant) -> list[tuple[str, str]]:
    """Return the types and data of all events that are on record."""
    await async_wait_recording_done(hass)
    with session_scope(hass=hass, read_only=True) as session:
        rows = session.query(EventTypes.event_type, EventData.shared_data).where(
            EventTypes.event_type_id == Events.event_type_id, EventData.data_id == Events.data_id
        )
        return [(str(kind), str(data)) for kind, data in rows]


async def test_nothing_is_left(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, front_door: FrontDoor, new_phone: NewPhone
) -> None:
    """Sending leaves nothing; what Android's app sends back goes with the purge, and nobody else's events do."""
    phone = await new_phone("Pixel")
    add_alert(hass, entry, phone)
    await enrol(hass, entry, enrolment_photos())
    front_door.frames = visits(astronaut())
    await ring_and_tell(hass, hub)
    sent = phone.pushed[-1]
    said = sent["message"]
    assert said == "Eileen is at the front door."
    assert not [each for each in await recorded(hass) if said in each[1] or "authSig" in each[1]]

    echo = {
        "message": said,
        "title": sent["title"],
        "tag": sent["data"]["tag"],
        "image": sent["data"]["image"],
    }
    await phone.press(phone.action("Mute 1 h"), **echo)
    await phone.fire("mobile_app_notification_cleared", echo)
    others = {"message": "The washing is done.", "tag": "washing"}
    await phone.fire("mobile_app_notification_cleared", others)
    await hass.async_block_till_done()
    assert len([each for each in await recorded(hass) if said in each[1]]) == 2
    await hub.purging._async_purge_recorded()
    left = await recorded(hass)
    assert not [each for each in left if said in each[1] or "authSig" in each[1]]
    assert len([each for each in left if each[0].startswith("mobile_app_notification")]) == 1
