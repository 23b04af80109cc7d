"""What a browser is sent as it happens: everything once, nothing that it may not see, and no more than it asked for."""

from datetime import datetime, timedelta

from homeassistant.core import HomeAssistant
import pytest

from custom_components.familiar_faces.const import CONF_NAMED
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.panel import feed
from custom_components.familiar_faces.people.choices import Keeping
from custom_components.familiar_faces.vault.errors import VaultDamaged
from custom_components.familiar_faces.visits.visit import Decision

from ..common.calling import act
from ..common.made_up_visits import a_visit, come
from ..common.people_on_record import change_choices
from .conftest import Browser, OpenBrowser

SUBSCRIBE = "familiar_faces/visits/subscribe"
VISITOR = "event.front_door_visitor"
SEEN = "event.nadie_seen"


@pytest.fixture(autouse=True)
def _named_before(hub: Hub) -> None:
    """Have a name been said: the first one is noted in the entry, of which everything is then sent again."""
    hub.books.async_write(CONF_NAMED, {"somebody"})


async def until(browser: Browser, visit_id: str) -> dict[str, object]:
    """Return the first event that has a visit."""
    for _ in range(10):
        event = await browser.event()
        for each in event.get("visits", ()):
            if each["visit_id"] == visit_id:
                return dict(each)
    pytest.fail("the visit was not sent")


async def test_a_visit_is_sent_as_it_comes(
    hass: HomeAssistant, hub: Hub, browser: OpenBrowser, nadie: str, start: datetime
) -> None:
    """First all, then what changes; somebody without a name who turns out to be familiar is the same visit."""
    watching = await browser()
    first = await watching.subscribe()
    assert (first["type"], first["visits"], first["engine"]) == ("all", [], "ready")
    assert [each["name"] for each in first["people"]] == ["Nadie"]
    visit = a_visit(hub, None, Decision.UNCLEAR, began=start)
    await come(hass, hub, visit)
    assert (await until(watching, visit.visit_id))["kind"] == "unclear"
    named = a_visit(hub, nadie, visit_id=visit.visit_id, began=start)
    await come(hass, hub, named)
    assert (await until(watching, visit.visit_id))["name"] == "Nadie"
    again = await (await browser()).subscribe()
    assert [(each["visit_id"], each["name"]) for each in again["visits"]] == [(visit.visit_id, "Nadie")]
    (camera,) = again["cameras"]
    assert camera["last"]["name"] == "Nadie"


async def test_only_what_was_asked_for(
    hass: HomeAssistant, hub: Hub, browser: OpenBrowser, nadie: str, start: datetime
) -> None:
    """A visit that does not fit is said to be gone, and no more of it."""
    watching = await browser()
    await watching.subscribe(kinds=["stranger"])
    await come(hass, hub, a_visit(hub, nadie))
    event = await watching.event()
    assert (event["type"], event["visits"]) == ("changes", [])
    stranger = a_visit(hub, None, Decision.STRANGER, began=start)
    await come(hass, hub, stranger)
    assert (await until(watching, stranger.visit_id))["kind"] == "stranger"


async def test_who_may_read_less_is_sent_less(
    hass: HomeAssistant, hub: Hub, browser: OpenBrowser, nadie: str
) -> None:
    """Neither the name nor the camera goes to who may not read them."""
    of_the_camera, of_nothing = await browser(sees=(VISITOR,)), await browser(sees=("light.hall",))
    assert (await of_the_camera.subscribe())["people"] == []
    nothing = await of_nothing.subscribe()
    assert (nothing["cameras"], nothing["people"], nothing["muted"]) == ([], [], {})
    visit = a_visit(hub, nadie)
    await come(hass, hub, visit)
    for watching in (of_the_camera, of_nothing):
        event = await watching.event()
        assert (event["visits"], event["gone"]) == ([], [visit.visit_id])
        assert "Nadie" not in str(event)


@pytest.mark.parametrize("keeping", [Keeping.SILENT, Keeping.NOTHING])
async def test_who_agrees_to_less_is_taken_away(
    hass: HomeAssistant, hub: Hub, browser: OpenBrowser, nadie: str, keeping: Keeping
) -> None:
    """All is sent again, without them."""
    await come(hass, hub, a_visit(hub, nadie))
    watching = await browser()
    assert len((await watching.subscribe())["visits"]) == 1
    await change_choices(hass, hub, nadie, keeping=keeping)
    for _ in range(10):
        event = await watching.event()
        if event["type"] == "all" and not event["visits"]:
            break
    assert event["visits"] == []
    assert "Nadie" not in str(event["cameras"])


async def test_a_reload(hass: HomeAssistant, hub: Hub, browser: OpenBrowser, nadie: str) -> None:
    """The subscription lives on: all is sent again when the integration runs again."""
    visit = a_visit(hub, nadie)
    await come(hass, hub, visit)
    watching = await browser()
    await watching.subscribe()
    assert await hass.config_entries.async_reload(hub.entry.entry_id)
    await hass.async_block_till_done()
    for _ in range(10):
        event = await watching.event()
        if event["type"] == "all":
            break
    assert [each["visit_id"] for each in event["visits"]] == [visit.visit_id]


async def test_a_mute_is_told(hass: HomeAssistant, hub: Hub, browser: OpenBrowser, nadie: str) -> None:
    """Administrators see at once that somebody is muted, others are not told."""
    watching, other = await browser(), await browser("user")
    await watching.subscribe(limit=0)
    await other.subscribe(limit=0)
    await act(hass, "mute", person=nadie)
    assert nadie in (await watching.event())["muted"]
    assert (await other.event())["muted"] == {}
    await act(hass, "mute", person=nadie, duration=0)
    assert (await watching.event())["muted"] == {}


async def test_a_vault_that_fails(
    hass: HomeAssistant,
    hub: Hub,
    browser: OpenBrowser,
    nadie: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is said, and tried again by itself."""
    monkeypatch.setattr(feed, "AGAIN", 0.2)

    def fails(*_args: object, **_kwargs: object) -> None:
        raise VaultDamaged("made up")

    watching = await browser()
    with monkeypatch.context() as failing:
        failing.setattr(hub.vault, "visit_page", fails)
        assert (await watching.subscribe())["type"] == "failed"
    for _ in range(10):
        event = await watching.event()
        if event["type"] == "all":
            return
    pytest.fail("it was not tried again")


async def test_not_without_end(hass: HomeAssistant, hub: Hub, browser: OpenBrowser) -> None:
    """A connection has so many subscriptions, and gives each back."""
    watching = await browser()
    for _ in range(feed.MOST_FEEDS):
        await watching.subscribe(limit=0)
    assert await watching.refused(SUBSCRIBE, limit=0) == "too_many_subscriptions"
    assert await watching.refused(SUBSCRIBE, limit=101) == "invalid_format"
    assert len(hub.late_answers._listeners) == feed.MOST_FEEDS
    await watching._socket.close()
    for _ in range(20):
        await hass.async_block_till_done()
        if not hub.late_answers._listeners:
            break
    assert hub.late_answers._listeners == []


async def test_a_day_later(hass: HomeAssistant, hub: Hub, browser: OpenBrowser, start: datetime) -> None:
    """What is older than today and has no name is not listed."""
    old = a_visit(hub, None, Decision.STRANGER, began=start - timedelta(days=2))
    await come(hass, hub, old)
    assert (await (await browser()).subscribe())["visits"] == []


async def test_it_is_said_when_the_integration_stops(
    hass: HomeAssistant, browser: OpenBrowser, hub: Hub, nadie: str
) -> None:
    """Every browser is told at once, also one that shows a page of the panel alone, and goes on by itself."""
    visits, people = await browser(), await browser()
    await visits.subscribe()
    await people.subscribe("familiar_faces/people/subscribe")
    assert await hass.config_entries.async_unload(hub.entry.entry_id)
    for each in (visits, people):
        await each.until(lambda event: event["type"] == "stopped")
    assert await hass.config_entries.async_setup(hub.entry.entry_id)
    for each in (visits, people):
        await each.until(lambda event: event["type"] == "all")
