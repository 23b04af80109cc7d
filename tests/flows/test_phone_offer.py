"""At the end of the first person's flow phones are offered a notification of everybody who comes."""

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.familiar_faces.alerts.rule import Home, Pictures, Rule, Who
from custom_components.familiar_faces.const import SUBENTRY_ALERT
from custom_components.familiar_faces.hub import Hub

from ..common.phone import NewPhone
from ..common.pictures import enrolment_photos, jpeg, stranger
from ..common.steps import Result, add_photo, choose, configure, consent, start_person


async def _as_far_as_the_offer(
    hass: HomeAssistant, entry: MockConfigEntry, name: str = "Eileen", photo: bytes | None = None
) -> Result:
    result = await configure(hass, await start_person(hass, entry, name=name), consent(given_by=name))
    return await choose(hass, await add_photo(hass, result, photo or enrolment_photos()[0]), "finish")


async def test_one_tick_notifies_a_phone(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, new_phone: NewPhone
) -> None:
    """The phones that are ticked get an alert about everybody, at all times."""
    phone, other = await new_phone("Pixel"), await new_phone("iPad")
    result = await _as_far_as_the_offer(hass, entry)
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "phones")
    (field,) = result["data_schema"].schema.values()
    assert {each["value"] for each in field.config["options"]} == {phone.key, other.key}
    result = await configure(hass, result, {"phones": [phone.key]})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    (alert,) = entry.get_subentries_of_type(SUBENTRY_ALERT)
    rule = Rule.from_data(alert.subentry_id, alert.title, alert.data)
    assert rule.recipients == (phone.key,)
    assert rule.who == frozenset(Who)
    assert (rule.cameras, rule.home, rule.pictures) == (None, Home.ANY, Pictures.FAMILIAR)
    # Once there is an alert, it is not offered again.
    result = await _as_far_as_the_offer(hass, entry, "Robin", jpeg(stranger(0).resize((540, 540))))
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_nothing_ticked_makes_no_alert(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, new_phone: NewPhone
) -> None:
    """Without a tick the person is saved, and nothing else."""
    await new_phone("Pixel")
    result = await configure(hass, await _as_far_as_the_offer(hass, entry), {})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.get_subentries_of_type(SUBENTRY_ALERT) == []


async def test_a_home_without_phones_is_not_asked(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry
) -> None:
    """Where there is no phone to notify, the flow ends as before."""
    result = await _as_far_as_the_offer(hass, entry)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_a_dialog_that_is_closed_there_loses_nobody(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, new_phone: NewPhone
) -> None:
    """The person is saved already when the phones are offered."""
    await new_phone("Pixel")
    result = await _as_far_as_the_offer(hass, entry)
    hass.config_entries.subentries.async_abort(result["flow_id"])
    await hass.async_block_till_done(wait_background_tasks=True)
    assert [person.name for person in hub.people.values()] == ["Eileen"]
    assert entry.get_subentries_of_type(SUBENTRY_ALERT) == []


async def test_a_name_that_is_a_persons_makes_no_alert(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, new_phone: NewPhone
) -> None:
    """No alert is ever called as a person is: its name would outlive them."""
    await new_phone("Pixel")
    result = await _as_far_as_the_offer(hass, entry, "Everybody")
    assert result["type"] is FlowResultType.CREATE_ENTRY
