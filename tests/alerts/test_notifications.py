"""Who can be told, and that each way delivers: the real notify, mobile_app and persistent notifications."""

import asyncio
import sys
from typing import override

from homeassistant.components.notify import NotifyEntity
from homeassistant.components.notify.const import NotifyEntityFeature
from homeassistant.config_entries import ConfigEntry, ConfigEntryState, ConfigFlow
from homeassistant.const import EVENT_CALL_SERVICE, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceNotFound
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    MockModule,
    MockUser,
    async_capture_events,
    mock_config_flow,
    mock_integration,
    mock_platform,
    setup_test_component_platform,
)

from custom_components.familiar_faces.alerts import outbox
from custom_components.familiar_faces.alerts.notification import Button, Notification
from custom_components.familiar_faces.alerts.recipients import (
    Recipient,
    async_clear,
    async_find,
    async_recipients,
    async_send,
)
from custom_components.familiar_faces.hub import Hub

from ..common.alerting import add_alert
from ..common.notified import notified
from ..common.phone import CLEAR, NewPhone, Phone
from ..common.pictures import enrolment_photos, stranger
from ..common.steps import enrol, ring, visits
from ..conftest import FrontDoor

TOLD = Notification("a_tag", "Front door", "Anna is at the front door.")


def found(hass: HomeAssistant, key: str) -> Recipient:
    """Return a recipient who can be told."""
    recipient = async_find(hass, key)
    assert recipient is not None
    return recipient


def of_phones(hass: HomeAssistant) -> list[str]:
    """Return the titles of the phones that can be told."""
    return [each.title for each in async_recipients(hass) if each.way == "phone"]


async def test_a_phone(hass: HomeAssistant, new_phone: NewPhone) -> None:
    """A phone is found with whose it is, told as its app understands it, and offered once."""
    android = await new_phone("Pixel")
    apple = await new_phone("iPhone", manufacturer="Apple", os_name="iOS")
    assert (found(hass, android.key).user_id, found(hass, android.key).apple) == (android.user_id, False)
    assert (found(hass, apple.key).user_id, found(hass, apple.key).apple) == (apple.user_id, True)
    for phone in (android, apple):
        await async_send(hass, found(hass, phone.key), TOLD)
    (first,), (second,) = android.pushed, apple.pushed
    assert (first["title"], first["message"]) == ("Front door", "Anna is at the front door.")
    assert ("push" in first["data"], "push" in second["data"]) == (False, True)
    await async_clear(hass, found(hass, android.key), "a_tag")
    assert (android.pushed[-1]["message"], android.pushed[-1]["data"]) == (CLEAR, {"tag": "a_tag"})
    # Neither the entities nor the actions that phones have besides.
    assert [each.key for each in async_recipients(hass)] == [android.key, apple.key, "here:"]


async def test_a_phone_that_takes_no_notifications(hass: HomeAssistant, new_phone: NewPhone) -> None:
    """A phone whose app does not take any is not offered; one that takes them at home alone is."""
    await new_phone("Deaf", app_data={})
    local = await new_phone("Local", app_data={"push_websocket_channel": True})
    assert of_phones(hass) == ["Local"]
    with pytest.raises(HomeAssistantError, match="not connected"):
        await async_send(hass, found(hass, local.key), TOLD)


async def test_a_phone_that_is_gone(hass: HomeAssistant, new_phone: NewPhone) -> None:
    """A phone that was removed or is not loaded cannot be told, and says so."""
    phone, other = await new_phone("Pixel"), await new_phone("Other")
    recipient = found(hass, phone.key)
    assert await hass.config_entries.async_unload(recipient.target)
    await hass.async_block_till_done()
    assert of_phones(hass) == ["Other"]
    with pytest.raises(ServiceNotFound):
        await async_send(hass, recipient, TOLD)
    assert await hass.config_entries.async_setup(recipient.target)
    await hass.async_block_till_done()
    await async_send(hass, found(hass, phone.key), TOLD)
    await hass.config_entries.async_remove(recipient.target)
    await hass.async_block_till_done()
    with pytest.raises(ServiceNotFound):
        await async_clear(hass, recipient, "a_tag")
    assert (phone.messages, other.messages) == ([TOLD.message], [])


async def test_a_renamed_phone(hass: HomeAssistant, new_phone: NewPhone) -> None:
    """A phone is the same one under another name, and is called as its user calls it."""
    phone = await new_phone("Pixel")
    response = await phone.client.post(
        f"/api/webhook/{phone.webhook_id}",
        json={
            "type": "update_registration",
            "data": {
                "app_version": "2",
                "device_name": "Anna's phone",
                "manufacturer": "Maker",
                "model": "Model",
                "os_version": "17",
                "app_data": {"push_token": "Pixel", "push_url": phone.server.url},
            },
        },
    )
    assert response.status == 200
    await hass.async_block_till_done()
    await async_send(hass, found(hass, phone.key), TOLD)
    assert phone.messages == [TOLD.message]
    registry = dr.async_get(hass)
    (device,) = dr.async_entries_for_config_entry(registry, phone.key.removeprefix("phone:"))
    registry.async_update_device(device.id, name_by_user="My own")
    assert of_phones(hass) == ["My own"]


async def test_two_phones_with_one_name(hass: HomeAssistant, new_phone: NewPhone) -> None:
    """Home Assistant has one action for both; each is told alone anyway, and they are told apart."""
    anna, bert = await new_phone("A", device_name="iPhone"), await new_phone("B", device_name="iPhone")
    other = await new_phone("C", device_name="Pixel")
    for name, phone in (("anna", anna), ("bert", bert)):
        hass.states.async_set(
            f"person.{name}", "home", {"user_id": phone.user_id, "friendly_name": name.title()}
        )
    assert of_phones(hass) == ["iPhone (Anna)", "iPhone (Bert)", "Pixel"]
    await async_send(hass, found(hass, anna.key), TOLD)
    assert [len(each.pushed) for each in (anna, bert, other)] == [1, 0, 0]
    await async_send(hass, found(hass, bert.key), TOLD)
    assert [len(each.pushed) for each in (anna, bert, other)] == [1, 1, 0]


async def test_a_phone_without_letters_in_its_name(hass: HomeAssistant, new_phone: NewPhone) -> None:
    """Whatever action such a phone has, each is told alone."""
    nameless, other = await new_phone("N", device_name="!!!"), await new_phone("A", device_name="iPhone")
    await async_send(hass, found(hass, nameless.key), TOLD)
    await async_send(hass, found(hass, other.key), TOLD)
    assert [len(each.pushed) for each in (nameless, other)] == [1, 1]
    assert [each.way for each in async_recipients(hass)] == ["phone", "phone", "here"]


class Speaker(NotifyEntity):
    """A notify entity of another integration."""

    _attr_unique_id = "speaker"
    _attr_name = "Speaker"
    _attr_supported_features = NotifyEntityFeature.TITLE

    def __init__(self) -> None:
        """Have said nothing."""
        self.said: list[tuple[str | None, str]] = []

    @override
    async def async_send_message(self, message: str, title: str | None = None) -> None:
        """Say it."""
        self.said.append((title, message))


@pytest.fixture
async def speaker(hass: HomeAssistant) -> Speaker:
    """Return a notify entity."""
    entity = Speaker()

    async def set_up(hass: HomeAssistant, entry: ConfigEntry) -> bool:
        await hass.config_entries.async_forward_entry_setups(entry, ["notify"])
        return True

    async def unload(hass: HomeAssistant, entry: ConfigEntry) -> bool:
        return await hass.config_entries.async_unload_platforms(entry, ["notify"])

    mock_integration(hass, MockModule("test", async_setup_entry=set_up, async_unload_entry=unload))
    mock_platform(hass, "test.config_flow")
    setup_test_component_platform(hass, "notify", [entity], from_config_entry=True)
    other = MockConfigEntry(domain="test")
    other.add_to_hass(hass)
    with mock_config_flow("test", ConfigFlow):
        assert await hass.config_entries.async_setup(other.entry_id)
    await hass.async_block_till_done()
    return entity


async def test_a_notify_entity(hass: HomeAssistant, speaker: Speaker) -> None:
    """A notify entity is told, also under another entity id; one that is away fails rather than keep silent."""
    registry = er.async_get(hass)
    entry = registry.async_get(speaker.entity_id)
    assert entry is not None
    recipient = found(hass, f"entity:{entry.id}")
    assert (recipient.title, recipient.grows, recipient.user_id) == ("Speaker", False, None)
    await async_send(hass, recipient, TOLD)
    assert speaker.said == [("Front door", "Anna is at the front door.")]
    registry.async_update_entity(speaker.entity_id, new_entity_id="notify.hall")
    await hass.async_block_till_done()
    await async_send(hass, found(hass, recipient.key), TOLD)
    assert len(speaker.said) == 2
    hass.states.async_set("notify.hall", STATE_UNAVAILABLE)
    with pytest.raises(HomeAssistantError, match="unavailable"):
        await async_send(hass, recipient, TOLD)
    registry.async_remove("notify.hall")
    await hass.async_block_till_done()
    assert async_find(hass, recipient.key) is None
    with pytest.raises(ServiceNotFound):
        await async_send(hass, recipient, TOLD)


async def test_an_old_action(hass: HomeAssistant, new_phone: NewPhone) -> None:
    """A group of an older kind is told in plain words, since nobody knows who is in it."""
    group = {"platform": "group", "name": "family", "services": [{"action": "mobile_app_pixel"}]}
    assert await async_setup_component(hass, "notify", {"notify": [group]})
    phone = await new_phone("Pixel")
    recipient = found(hass, "action:family")
    assert (recipient.title, recipient.grows) == ("notify.family", False)
    await async_send(hass, recipient, TOLD)
    (sent,) = phone.pushed
    assert (sent["title"], sent["message"], "data" in sent) == (TOLD.title, TOLD.message, False)
    # The actions that reach everybody, or Home Assistant itself, are no recipients of their own.
    assert [each.key for each in async_recipients(hass)] == [phone.key, "action:family", "here:"]


async def test_here(hass: HomeAssistant) -> None:
    """Home Assistant's own notification is replaced, shows names as they are written, and is taken away."""
    recipient = found(hass, "here:")
    shown = notified(hass)
    await async_send(hass, recipient, TOLD)
    await async_send(hass, recipient, Notification("a_tag", "Front door", "[Anna](x) is there."))
    (notification,) = shown.values()
    assert notification["message"] == "\\[Anna\\](x) is there."
    await async_clear(hass, recipient, "a_tag")
    assert not shown


async def test_nothing_for_the_recorder(hass: HomeAssistant, new_phone: NewPhone, speaker: Speaker) -> None:
    """What is sent is told to nobody else: no event carries the name, the link or the answers."""
    phone = await new_phone("Pixel")
    events = async_capture_events(hass, EVENT_CALL_SERVICE)
    everything = async_capture_events(hass, "*")
    secret = Notification(
        "a_tag", "Door", "Anna came.", "/api/x?authSig=y", buttons=(Button("Right", "F_1"),)
    )
    for recipient in async_recipients(hass):
        await async_send(hass, recipient, secret)
        await async_clear(hass, recipient, "a_tag")
    await hass.async_block_till_done()
    assert (phone.messages, speaker.said) == (["Anna came.", CLEAR], [("Door", "Anna came.")])
    assert not events
    assert everything
    assert not any("Anna" in str(each.data) or "authSig" in str(each.data) for each in everything)


async def test_without_the_companion_integration(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the companion integration needs may not be installed; then there are no phones, and nothing breaks."""
    entry = MockConfigEntry(domain="mobile_app", data={"webhook_id": "x", "app_data": {}})
    entry.add_to_hass(hass)
    entry.mock_state(hass, ConfigEntryState.LOADED)
    room = "homeassistant.components.mobile_app"
    with monkeypatch.context() as missing:
        for name in [room, *(each for each in sys.modules if each.startswith(f"{room}."))]:
            missing.setitem(sys.modules, name, None)
        assert [each.key for each in async_recipients(hass)] == ["here:"]
        with pytest.raises(ServiceNotFound):
            await async_send(hass, Recipient(f"phone:{entry.entry_id}", "Pixel"), TOLD)
    entry.mock_state(hass, ConfigEntryState.NOT_LOADED)


async def test_a_slow_recipient(
    hass: HomeAssistant,
    hub: Hub,
    entry: MockConfigEntry,
    front_door: FrontDoor,
    new_phone: NewPhone,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A push server that does not answer holds up neither the visit nor the other phones."""
    slow = await new_phone("Slow", manufacturer="Apple", os_name="iOS")
    quick = await new_phone("Quick", manufacturer="Apple", os_name="iOS")
    slow.server.slow["Slow"] = 60.0
    add_alert(hass, entry, slow, quick)
    await enrol(hass, entry, enrolment_photos())
    front_door.frames = visits(stranger(0))
    await ring(hass, hub)
    async with asyncio.timeout(30):
        while len(quick.pushed) < 2:
            await asyncio.sleep(0.01)
    given_up = f"{slow.key} does not answer"
    assert (slow.pushed, given_up in caplog.text) == ([], False)
    slow.server.slow.clear()
    await hub.alerts.async_flush()
    # The first was given up, and the newest came through; it is heard, since nothing was before.
    assert slow.messages == ["A stranger is at the front door."]
    assert [each["data"]["push"]["sound"] for each in quick.pushed] == ["default", "none"]
    assert [each["data"]["push"]["sound"] for each in slow.pushed] == ["default"]


async def test_unloaded_while_a_phone_hangs(
    hass: HomeAssistant,
    hub: Hub,
    entry: MockConfigEntry,
    front_door: FrontDoor,
    new_phone: NewPhone,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Unloading does not wait for a phone, and nothing is sent afterwards."""
    monkeypatch.setattr(outbox, "SEND_SECONDS", 60.0)
    phone = await new_phone("Slow")
    phone.server.slow["Slow"] = 60.0
    add_alert(hass, entry, phone)
    await enrol(hass, entry, enrolment_photos())
    front_door.frames = visits(stranger(0))
    await ring(hass, hub)
    async with asyncio.timeout(30):
        assert await hass.config_entries.async_unload(entry.entry_id)
    assert phone.pushed == []


async def test_the_same_user_with_two_phones(hass: HomeAssistant, new_phone: NewPhone) -> None:
    """Two phones of one user are two recipients."""
    user = MockUser(name="Anna").add_to_hass(hass)
    both: list[Phone] = [await new_phone("Pixel", user), await new_phone("Tablet", user)]
    assert {found(hass, each.key).user_id for each in both} == {user.id}
    await async_send(hass, found(hass, both[1].key), TOLD)
    assert [each.messages for each in both] == [[], [TOLD.message]]
