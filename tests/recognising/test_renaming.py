"""A person whose entry is renamed in Home Assistant is called so everywhere, or keeps their name with a word."""

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.familiar_faces.hub import Hub

from ..common.notified import notified
from ..common.pictures import photos_of, stranger
from ..common.steps import disk_full, enrol

pytestmark = pytest.mark.photos(1)


async def rename(hass: HomeAssistant, entry: MockConfigEntry, person_id: str, title: str) -> str:
    """Do what Rename does in the menu of an entry; return what it is called then."""
    (subentry,) = [each for each in entry.subentries.values() if each.data.get("person_id") == person_id]
    hass.config_entries.async_update_subentry(entry, subentry, title=title)
    await hass.async_block_till_done(wait_background_tasks=True)
    now = entry.subentries[subentry.subentry_id]
    assert now.title == now.data["name"]
    return now.title


async def test_followed(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, eileen: str) -> None:
    """The vault, the device and the entities have the new name."""
    assert await rename(hass, entry, eileen, " Colonel  <Collins>") == "Colonel Collins"
    assert hub.people[eileen].name == "Colonel Collins"
    assert (await hass.async_add_executor_job(hub.vault.person, eileen)).name == "Colonel Collins"
    assert hass.states.get("sensor.eileen_consent").name == "Colonel Collins Consent"
    assert not notified(hass)


async def test_put_back_with_a_word(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, eileen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that nobody can have, or that cannot be saved, changes nothing, and that is said."""
    await enrol(hass, entry, photos_of(stranger(1))[:1], name="Ben")
    said = set()
    for title in (" ", "stranger", "ben", "x" * 81):
        assert await rename(hass, entry, eileen, title) == "Eileen"
        (notification,) = notified(hass).values()
        said.add(notification["message"])
    with monkeypatch.context() as patched:
        patched.setattr(hub.vault, "update_person", disk_full)
        assert await rename(hass, entry, eileen, "Judy") == "Eileen"
    (notification,) = notified(hass).values()
    said.add(notification["message"])
    assert len(said) == 4
    assert all(each.startswith("Eileen keeps this name") for each in said)
    assert hub.people[eileen].name == "Eileen"
