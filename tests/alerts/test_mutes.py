"""What somebody does not want to be told of for a while, as it is noted with the entry."""

from datetime import timedelta

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.familiar_faces.alerts.mutes import EVERYBODY, LONGEST, Mutes
from custom_components.familiar_faces.const import CONF_MUTED, CONF_UNANNOUNCED
from custom_components.familiar_faces.household.books import Books
from tests.common.vectors import NOW

HOUR = timedelta(hours=1)
PHONE, OTHER = "phone:1", "action:my_group"


@pytest.fixture
def books(hass: HomeAssistant, entry: MockConfigEntry) -> Books:
    """Return the books of an entry."""
    return Books(hass, entry)


def test_for_a_while(books: Books) -> None:
    """One recipient hears nothing of one person for an hour; it is read from the entry each time."""
    Mutes(books).async_mute("anna", PHONE, NOW + HOUR, NOW)
    mutes = Mutes(books)
    assert mutes.muted(PHONE, "front", "anna", NOW)
    assert mutes.muted(PHONE, "front", "anna", NOW + HOUR - timedelta(seconds=1))
    assert not mutes.muted(PHONE, "front", "anna", NOW + HOUR)
    assert not mutes.muted(PHONE, "front", "bert", NOW)
    assert not mutes.muted(PHONE, "front", None, NOW)
    assert not mutes.muted(OTHER, "front", "anna", NOW)


def test_a_camera(books: Books) -> None:
    """Of a muted camera nobody is told of, no matter who comes."""
    mutes = Mutes(books)
    mutes.async_mute("front", OTHER, NOW + HOUR, NOW)
    assert mutes.muted(OTHER, "front", None, NOW)
    assert mutes.muted(OTHER, "front", "anna", NOW)
    assert not mutes.muted(OTHER, "back", "anna", NOW)


def test_everybody(books: Books) -> None:
    """What is muted for everybody says until when; of one recipient's mutes it does not."""
    mutes = Mutes(books)
    mutes.async_mute("anna", PHONE, NOW + 3 * HOUR, NOW)
    assert mutes.until("anna", NOW) is None
    mutes.async_mute("anna", EVERYBODY, NOW + HOUR, NOW)
    assert mutes.until("anna", NOW) == NOW + HOUR
    assert mutes.muted(OTHER, "front", "anna", NOW)
    assert mutes.until("anna", NOW + HOUR) is None
    assert mutes.muted(PHONE, "front", "anna", NOW + 2 * HOUR)


def test_the_last_word_counts(books: Books) -> None:
    """A mute takes the place of the one before; one in the past ends it; none lasts for ever."""
    mutes = Mutes(books)
    mutes.async_mute("anna", PHONE, NOW + 3 * HOUR, NOW)
    mutes.async_mute("anna", PHONE, NOW + HOUR, NOW)
    assert len(books.read(CONF_MUTED)) == 1
    assert not mutes.muted(PHONE, "front", "anna", NOW + 2 * HOUR)
    mutes.async_mute("anna", PHONE, NOW, NOW)
    assert books.read(CONF_MUTED) == set()
    mutes.async_mute("anna", PHONE, NOW + 365 * 24 * HOUR, NOW)
    assert not mutes.muted(PHONE, "front", "anna", NOW + LONGEST)


def test_prune(books: Books) -> None:
    """What is over goes, and what tells of people who are gone."""
    mutes = Mutes(books)
    mutes.async_mute("anna", PHONE, NOW + HOUR, NOW)
    mutes.async_mute("bert", PHONE, NOW + HOUR, NOW)
    mutes.async_mute("front", PHONE, NOW + 3 * HOUR, NOW)
    books.async_write(CONF_UNANNOUNCED, {"anna", "front"})
    mutes.async_prune({"bert", "front"}, NOW)
    assert not any("anna" in line for line in books.read(CONF_MUTED))
    assert books.read(CONF_UNANNOUNCED) == {"front"}
    assert len(books.read(CONF_MUTED)) == 2
    mutes.async_prune({"bert", "front"}, NOW + 2 * HOUR)
    (left,) = books.read(CONF_MUTED)
    assert "front" in left


def test_what_cannot_be_read(books: Books) -> None:
    """A note that is no mute, of a damaged or edited file, mutes nobody and ends no alert."""
    books.async_write(
        CONF_MUTED, {"", "x", "2026-01-01", NOW.isoformat(), "2999-01-01T00:00:00 front phone:1", "x y z"}
    )
    mutes = Mutes(books)
    assert not mutes.muted(PHONE, "front", None, NOW)
    mutes.async_prune({"front"}, NOW)
    assert books.read(CONF_MUTED) == set()
