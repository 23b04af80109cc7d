"""Alerts: one notification a visit that grows, on real phones' side of the real companion integration."""

from homeassistant.core import HomeAssistant
from PIL import Image
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.people.choices import Keeping

from ..common.alerting import add_alert, an_alert, link, ring_and_tell
from ..common.notified import notified
from ..common.people_on_record import change_choices
from ..common.phone import CLEAR, NewPhone
from ..common.pictures import astronaut, enrolment_photos, stranger
from ..common.steps import enrol, later, ring, visits
from ..conftest import FrontDoor


async def test_grows(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, front_door: FrontDoor, new_phone: NewPhone
) -> None:
    """Someone at once, then the name in its place."""
    phone = await new_phone("Pixel")
    add_alert(hass, entry, phone)
    await enrol(hass, entry, enrolment_photos())
    front_door.frames = visits(astronaut())
    await ring_and_tell(hass, hub)
    assert phone.messages == ["Someone is at the front door.", "Eileen is at the front door."]
    first, second = phone.pushed
    assert first["data"]["tag"] == second["data"]["tag"]
    assert (first["data"]["alert_once"], second["data"]["alert_once"]) == (False, True)
    assert "image" not in first["data"]
    assert second["data"]["image"].startswith("/api/familiar_faces/notification/")


async def test_a_stranger(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, front_door: FrontDoor, new_phone: NewPhone
) -> None:
    """An alert for familiar people alone takes the first notification back."""
    everybody, familiar = await new_phone("Pixel"), await new_phone("Apple")
    add_alert(hass, entry, everybody)
    add_alert(hass, entry, familiar, who=["familiar"])
    await enrol(hass, entry, enrolment_photos())
    front_door.frames = visits(stranger(0))
    await ring_and_tell(hass, hub)
    assert everybody.messages == ["Someone is at the front door.", "A stranger is at the front door."]
    assert "image" not in everybody.pushed[-1]["data"]
    assert familiar.messages == ["Someone is at the front door.", CLEAR]
    assert not familiar.shown()


def eileen_comes(front_door: FrontDoor, *beside: Image.Image) -> None:
    """Have Eileen stand before the camera."""
    front_door.frames = visits(astronaut(), *beside)


def a_stranger_comes(front_door: FrontDoor) -> None:
    """Have somebody stand before the camera that nobody knows."""
    front_door.frames = visits(stranger(0))


async def test_never_of_yourself(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, front_door: FrontDoor, new_phone: NewPhone
) -> None:
    """Anyone who comes home is not told so; the others are."""
    own, other = await new_phone("Pixel"), await new_phone("Apple")
    link(hass, own)
    add_alert(hass, entry, own, other)
    await enrol(hass, entry, enrolment_photos(), linked_entity="person.eileen")
    eileen_comes(front_door)
    await ring_and_tell(hass, hub)
    assert own.pushed == []
    assert other.messages[-1] == "Eileen is at the front door."


async def test_with_a_guest(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, front_door: FrontDoor, new_phone: NewPhone
) -> None:
    """Anyone who comes with somebody is told of the other one alone, and the others of both."""
    own, other = await new_phone("Pixel"), await new_phone("Apple")
    link(hass, own)
    add_alert(hass, entry, own, other)
    await enrol(hass, entry, enrolment_photos(), linked_entity="person.eileen")
    eileen_comes(front_door, stranger(0))
    await ring_and_tell(hass, hub)
    assert own.messages[-1] == "A stranger is at the front door."
    assert not any("Eileen" in message for message in own.messages)
    assert other.messages[-1] in (
        "Eileen and a stranger are at the front door.",
        "A stranger and Eileen are at the front door.",
    )
    assert len(other.shown()) == 1


async def test_a_stranger_while_linked(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, front_door: FrontDoor, new_phone: NewPhone
) -> None:
    """Somebody who might have been the visitor is told as soon as it is clear that they are not."""
    own = await new_phone("Pixel")
    link(hass, own)
    add_alert(hass, entry, own)
    await enrol(hass, entry, enrolment_photos(), linked_entity="person.eileen")
    a_stranger_comes(front_door)
    await ring_and_tell(hass, hub)
    assert own.messages[-1] == "A stranger is at the front door."


@pytest.mark.parametrize("pictures", ["familiar", "everybody"])
async def test_silent(
    hass: HomeAssistant,
    hub: Hub,
    entry: MockConfigEntry,
    front_door: FrontDoor,
    new_phone: NewPhone,
    pictures: str,
) -> None:
    """Of somebody who wishes silence nothing is told; that the bell rang is, without a picture."""
    phone = await new_phone("Pixel")
    add_alert(hass, entry, phone, picture=pictures)
    person_id = await enrol(hass, entry, enrolment_photos())
    await change_choices(hass, hub, person_id, keeping=Keeping.SILENT)
    eileen_comes(front_door)
    await ring_and_tell(hass, hub)
    assert phone.messages == ["Someone is at the front door."]
    assert "image" not in phone.pushed[0]["data"]


async def test_without_pictures(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, front_door: FrontDoor, new_phone: NewPhone
) -> None:
    """Of somebody who said no to pictures none is sent, also not before it is known who it is."""
    phone = await new_phone("Pixel")
    add_alert(hass, entry, phone, picture="everybody")
    person_id = await enrol(hass, entry, enrolment_photos())
    await change_choices(hass, hub, person_id, pictures=False)
    eileen_comes(front_door)
    await ring_and_tell(hass, hub)
    assert phone.messages[-1] == "Eileen is at the front door."
    assert not any("image" in each["data"] for each in phone.pushed)
    assert len(hub.alerts.pictures) == 0


async def test_pictures_of_everybody(
    hass: HomeAssistant,
    hub: Hub,
    entry: MockConfigEntry,
    front_door: FrontDoor,
    new_phone: NewPhone,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    """Of a stranger the owner may have pictures sent: the camera's first, then the face."""
    phone = await new_phone("Pixel")
    add_alert(hass, entry, phone, picture="everybody")
    await enrol(hass, entry, enrolment_photos())
    a_stranger_comes(front_door)
    await ring_and_tell(hass, hub)
    client = await hass_client_no_auth()
    for each in phone.pushed:
        response = await client.get(each["data"]["image"])
        assert (response.status, (await response.read())[:2]) == (200, b"\xff\xd8")
    assert phone.messages[-1] == "A stranger is at the front door."
    assert hub.vault.stored().pictures == 0


async def test_not_them(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, front_door: FrontDoor, new_phone: NewPhone
) -> None:
    """What one says of a visit, the others are told, silently."""
    first, second = await new_phone("Pixel"), await new_phone("Apple")
    add_alert(hass, entry, first, second, who=["familiar"], early=False)
    await enrol(hass, entry, enrolment_photos())
    eileen_comes(front_door)
    await ring_and_tell(hass, hub)
    assert second.messages == ["Eileen is at the front door."]
    assert await first.press(first.action("Not them")) == 200
    await hass.async_block_till_done(wait_background_tasks=True)
    await hub.alerts.async_flush()
    assert second.messages[1:] == ["It was not Eileen at the front door."]
    assert second.pushed[1]["data"]["alert_once"] is True
    assert "image" not in second.pushed[1]["data"]
    assert not hub.vault.visits()


async def test_every(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, front_door: FrontDoor, new_phone: NewPhone
) -> None:
    """An alert keeps quiet about the same person, and not about somebody else."""
    phone = await new_phone("Pixel")
    add_alert(hass, entry, phone, early=False, every=30)
    await enrol(hass, entry, enrolment_photos())
    eileen_comes(front_door)
    await ring(hass, hub)
    with later(minutes=10):
        await ring_and_tell(hass, hub)
        assert phone.messages == ["Eileen is at the front door."]
    with later(minutes=20):
        a_stranger_comes(front_door)
        await ring(hass, hub)
    with later(minutes=31):
        eileen_comes(front_door)
        await ring_and_tell(hass, hub)
    assert phone.messages[1:] == ["A stranger is at the front door.", "Eileen is at the front door."]


@pytest.mark.parametrize(
    ("home", "at_home", "told"), [("nobody", 0, 1), ("nobody", 1, 0), ("somebody", 2, 1)]
)
async def test_home(
    hass: HomeAssistant,
    hub: Hub,
    entry: MockConfigEntry,
    front_door: FrontDoor,
    new_phone: NewPhone,
    home: str,
    at_home: int,
    told: int,
) -> None:
    """An alert counts only while somebody or nobody is at home."""
    phone = await new_phone("Pixel")
    hass.states.async_set("zone.home", str(at_home))
    add_alert(hass, entry, phone, early=False, home=home)
    await enrol(hass, entry, enrolment_photos())
    eileen_comes(front_door)
    await ring_and_tell(hass, hub)
    assert len(phone.pushed) == told


async def test_muted(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, front_door: FrontDoor, new_phone: NewPhone
) -> None:
    """For an hour, one phone alone, and nobody else than this person."""
    first, second = await new_phone("Pixel"), await new_phone("Apple")
    add_alert(hass, entry, first, second, early=False)
    await enrol(hass, entry, enrolment_photos())
    eileen_comes(front_door)
    await ring_and_tell(hass, hub)
    await first.press(first.action("Mute 1 h"))
    await hass.async_block_till_done(wait_background_tasks=True)
    with later(minutes=30):
        await ring(hass, hub)
        a_stranger_comes(front_door)
        await ring_and_tell(hass, hub)
    assert first.messages[1:] == ["A stranger is at the front door."]
    assert second.messages[1] == "Eileen is at the front door."
    with later(minutes=61):
        eileen_comes(front_door)
        await ring_and_tell(hass, hub)
    assert first.messages[-1] == "Eileen is at the front door."


async def test_forgotten(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, front_door: FrontDoor, new_phone: NewPhone
) -> None:
    """A notification with the name of somebody who is forgotten is taken away."""
    phone = await new_phone("Pixel")
    add_alert(hass, entry, phone)
    person_id = await enrol(hass, entry, enrolment_photos())
    eileen_comes(front_door)
    await ring_and_tell(hass, hub)
    action = phone.action("Right")
    await hub.forgetting.async_forget(person_id)
    await hub.alerts.async_flush()
    assert phone.messages[-1] == CLEAR
    assert not phone.shown()
    assert len(hub.alerts.pictures) == 0
    before = hub.vault.audit_entries()
    await phone.press(action)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert hub.vault.audit_entries() == before


async def test_no_picture_comes(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, front_door: FrontDoor, new_phone: NewPhone
) -> None:
    """That somebody rang is told also when the camera fails."""
    phone = await new_phone("Pixel")
    add_alert(hass, entry, phone, picture="everybody")
    await enrol(hass, entry, enrolment_photos())
    front_door.frames = []
    await ring_and_tell(hass, hub)
    assert phone.messages == ["Someone is at the front door."]


async def test_here(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, front_door: FrontDoor) -> None:
    """Home Assistant's own notifications grow, too."""
    alert = an_alert(["here:"], who=["familiar", "stranger"], early=True)
    hass.config_entries.async_add_subentry(entry, alert)
    await enrol(hass, entry, enrolment_photos())
    eileen_comes(front_door)
    await ring_and_tell(hass, hub)
    (shown,) = notified(hass).values()
    assert (shown["title"], shown["message"]) == ("Front door", "Eileen is at the front door.")
