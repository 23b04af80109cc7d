"""The tab Me: what a user who is one of the people chooses for themselves, and nobody for them."""

from datetime import datetime, timedelta
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest

from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.people.choices import Keeping
from custom_components.familiar_faces.people.person import ConsentMethod

from ..common.people_on_record import DAY, a_consent, change_choices, put_on_record
from ..common.phone import NewPhone, Phone
from .conftest import Browser, OpenBrowser

OFFER = "familiar_faces/me/offer"
CHOOSE = "familiar_faces/me/choose"
WITHDRAW = "familiar_faces/me/withdraw"
MUTE = "familiar_faces/me/mute"


async def chosen(asking: Browser, **values: Any) -> dict[str, Any]:
    """Return what is sent of choices that are in order."""
    offer = await asking.said(OFFER)
    return {
        "everywhere": True,
        "cameras": [],
        "keeping": "visits",
        "pictures": False,
        "uploads": False,
        "agreed": True,
        "read": offer["read"],
    } | values


@pytest.mark.parametrize("who", ["administrator", "user", "read-only"])
async def test_who_is_nobody_here(browser: OpenBrowser, hub: Hub, nadie: str, who: str) -> None:
    """They have nothing to choose, administrators neither."""
    asking = await browser(who)
    assert await asking.refused(OFFER) == "unauthorized"
    values = {"everywhere": True, "cameras": [], "keeping": "visits", "pictures": True, "uploads": True}
    assert await asking.refused(CHOOSE, **values, agreed=True, read="x") == "unauthorized"
    assert await asking.refused(WITHDRAW, sure=True) == "unauthorized"
    assert nadie in hub.people


async def test_who_may_only_look(browser: OpenBrowser, hub: Hub, nadie: str) -> None:
    """They see what they would choose, and change nothing."""
    asking, before = await browser("read-only", own=nadie), hub.people[nadie].consents
    assert await asking.refused(CHOOSE, **await chosen(asking)) == "unauthorized"
    assert await asking.refused(WITHDRAW, sure=True) == "unauthorized"
    assert hub.people[nadie].consents == before


async def test_choosing(browser: OpenBrowser, hub: Hub, nadie: str) -> None:
    """It is a new consent of their own, with the text that they read, and it counts at once."""
    asking, (camera_id,) = await browser("user", own=nadie), hub.watchers
    offer = await asking.said(OFFER, language="de")
    assert offer["cameras"] == [{"camera_id": camera_id, "name": "Front door", "chosen": True}]
    values = await chosen(asking, everywhere=False, cameras=[camera_id], keeping="nothing", pictures=True)
    await asking.said(CHOOSE, **values | {"read": offer["read"], "language": "de"})
    consent = hub.people[nadie].consent
    assert consent is not None
    assert (consent.method, consent.given_by, consent.text) == (
        ConsentMethod.OWN_DEVICE,
        "Nadie",
        offer["text"],
    )
    assert consent.text_version.startswith("de/")
    assert (consent.choices.cameras, consent.choices.keeping) == (frozenset({camera_id}), Keeping.NOTHING)
    assert len(hub.people[nadie].consents) == 2


async def test_silence_is_nothing_else(browser: OpenBrowser, hub: Hub, nadie: str) -> None:
    """Of somebody silent there is no picture, whatever else was said."""
    asking = await browser("user", own=nadie)
    await asking.said(CHOOSE, **await chosen(asking, keeping="silent", pictures=True, uploads=True))
    choices = hub.people[nadie].choices
    assert (choices.announced, choices.pictures, choices.uploads) == (False, False, False)


async def test_what_makes_no_consent(browser: OpenBrowser, hub: Hub, nadie: str) -> None:
    """No camera, another text, and no yes are refused."""
    asking, before = await browser("user", own=nadie), hub.people[nadie].consents
    values = await chosen(asking)
    for wrong in ([], ["elsewhere"]):
        refused = await asking.refused(CHOOSE, **values | {"everywhere": False, "cameras": wrong})
        assert refused == "consent_refused"
    assert await asking.refused(CHOOSE, **values | {"read": "0" * 16}) == "consent_text_changed"
    # The text is another one in another language.
    assert await asking.refused(CHOOSE, **values | {"language": "nl"}) == "consent_text_changed"
    for malformed in (
        {"agreed": False},
        {"keeping": "everything"},
        {"cameras": "all"},
        {"cameras": ["x"] * 501},
        {"read": ""},
        {"language": "xx"},
        {"person_id": "nemo"},
    ):
        assert await asking.refused(CHOOSE, **values | malformed) == "invalid_format", malformed
    assert hub.people[nadie].consents == before


async def test_a_child(hass: HomeAssistant, browser: OpenBrowser, hub: Hub, start: datetime) -> None:
    """A child's yes is a guardian's, which is not said with the child's account."""
    await put_on_record(hass, hub, a_consent(start - DAY, start + 100 * DAY, child=True), "nemo", "Nemo")
    asking = await browser("user", own="nemo")
    assert (await asking.said(OFFER))["child"]
    assert await asking.refused(CHOOSE, **await chosen(asking)) == "consent_refused"


async def test_saying_no(browser: OpenBrowser, hub: Hub, nadie: str) -> None:
    """Everything is erased at once, and the receipt has no name."""
    asking = await browser("user", own=nadie)
    for malformed in ({}, {"sure": False}, {"sure": True, "person_id": "nemo"}):
        assert await asking.refused(WITHDRAW, **malformed) == "invalid_format"
    receipt = await asking.said(WITHDRAW, sure=True)
    assert receipt["verified"]
    assert "Nadie" not in str(receipt)
    assert nadie not in hub.people
    assert await asking.refused(WITHDRAW, sure=True) == "unauthorized"


async def test_while_it_does_not_run(hass: HomeAssistant, browser: OpenBrowser, hub: Hub, nadie: str) -> None:
    """Everything is refused with a sentence."""
    asking = await browser("user", own=nadie)
    values = await chosen(asking)
    assert await hass.config_entries.async_unload(hub.entry.entry_id)
    assert await asking.refused(OFFER) == "not_loaded"
    assert await asking.refused(CHOOSE, **values) == "not_loaded"
    assert await asking.refused(WITHDRAW, sure=True) == "not_loaded"


async def test_muting_the_own_phone(
    hass: HomeAssistant, hub: Hub, new_phone: NewPhone, browser: OpenBrowser, nadie: str
) -> None:
    """Nothing is told to the phones of the user for a while, and to those of others all is."""
    (camera_id,) = hub.watchers
    other = await new_phone("Other")
    asking = await browser("user", own=nadie)
    assert (await asking.subscribe("familiar_faces/person/subscribe"))["phone"] is None
    acting = await browser("user", own=nadie)
    assert await acting.refused(MUTE, seconds=3600) == "no_own_phone"
    user = next(each for each in reversed(await hass.auth.async_get_users()) if each.name == "Somebody")
    own = await new_phone("Own", user)
    await acting.said(MUTE, seconds=3600)
    watching = await browser("administrator")
    said = await watching.subscribe("familiar_faces/person/subscribe", person_id=nadie)
    assert (said["muted"], said["phone"]) == (None, None)

    def muted(phone: Phone) -> bool:
        return hub.alerts.mutes.muted(phone.key, camera_id, nadie, dt_util.utcnow())

    assert (muted(own), muted(other)) == (True, False)
    until = hub.alerts.own_phones.async_until(user.id, dt_util.utcnow())
    assert until is not None
    assert timedelta(minutes=59) < until - dt_util.utcnow() <= timedelta(hours=1)
    await acting.said(MUTE, seconds=0)
    assert (muted(own), hub.alerts.own_phones.async_until(user.id, dt_util.utcnow())) == (False, None)


async def test_muting_somebody_or_a_camera_on_the_own_phone(
    hass: HomeAssistant, hub: Hub, new_phone: NewPhone, browser: OpenBrowser, nadie: str
) -> None:
    """Users who are none of the people may as well; only what they muted is muted, and only there."""
    (camera_id,) = hub.watchers
    other = await new_phone("Other")
    acting, watching = await browser("user"), await browser()
    user = next(each for each in await hass.auth.async_get_users() if each.name == "Somebody")
    assert await acting.refused(MUTE, seconds=3600, person_id=nadie) == "no_own_phone"
    own = await new_phone("Own", user)

    def muted(phone: Phone, person_id: str | None) -> bool:
        return hub.alerts.mutes.muted(phone.key, camera_id, person_id, dt_util.utcnow())

    assert await acting.said(MUTE, seconds=3600, person_id=nadie) == {"phones": 1}
    assert (muted(own, nadie), muted(own, None), muted(other, nadie)) == (True, False, False)
    await acting.said(MUTE, seconds=0, person_id=nadie)
    await acting.said(MUTE, seconds=3600, camera_id=camera_id)
    assert (muted(own, None), muted(other, None)) == (True, False)
    first = await acting.subscribe()
    assert (first["mutes"], list(first["muted"])) == ("own", [camera_id])
    # It is nobody else's.
    theirs = await watching.subscribe()
    assert (theirs["mutes"], theirs["muted"]) == ("everybody", {})


async def test_nothing_to_mute(
    hass: HomeAssistant, hub: Hub, new_phone: NewPhone, browser: OpenBrowser, nadie: str
) -> None:
    """Not for an account that only reads, and nothing that somebody may not be told of: that looks like nothing."""
    (camera_id,) = hub.watchers
    await new_phone("Other")
    reading = await browser("read-only")
    user = next(each for each in await hass.auth.async_get_users() if each.name == "Somebody")
    await new_phone("Own", user)
    for what in ({}, {"person_id": nadie}, {"camera_id": camera_id}):
        assert await reading.refused(MUTE, seconds=3600, **what) == "unauthorized"
    assert (await reading.subscribe())["mutes"] is None
    acting = await browser("user")
    assert await acting.refused(MUTE, seconds=1, person_id="nobody") == "unknown_person"
    assert await acting.refused(MUTE, seconds=1, camera_id=nadie) == "unknown_camera"
    assert await acting.refused(MUTE, seconds=1, person_id=nadie, camera_id=camera_id) == "invalid_format"
    assert await acting.refused(MUTE, seconds=1, person_id="x" * 65) == "invalid_format"
    await change_choices(hass, hub, nadie, keeping=Keeping.SILENT)
    assert await acting.refused(MUTE, seconds=1, person_id=nadie) == "unknown_person"


@pytest.mark.parametrize("seconds", [-1, 7 * 86_400 + 1, "3600", 3600.5, None])
async def test_a_time_that_is_none(browser: OpenBrowser, nadie: str, seconds: object) -> None:
    """It is refused."""
    assert await (await browser("user", own=nadie)).refused(MUTE, seconds=seconds) == "invalid_format"


async def test_muting_is_for_people_who_may_act(browser: OpenBrowser, nadie: str) -> None:
    """An account that only reads changes nothing, nor does one that may not read of any camera."""
    for asking in (
        await browser("read-only"),
        await browser("read-only", own=nadie),
        await browser(sees=("light.hall",)),
    ):
        assert await asking.refused(MUTE, seconds=60) == "unauthorized"
