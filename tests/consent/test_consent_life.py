"""The life of a consent: shown at the very moment, said in time, and ended when it ends."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.familiar_faces.consent.record import ConsentRefused, Refusal, build_consent, last_day
from custom_components.familiar_faces.const import DOMAIN
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.people.choices import Choices
from custom_components.familiar_faces.people.person import Consent, ConsentMethod
from custom_components.familiar_faces.vault.retention import Retention
from custom_components.familiar_faces.wording.dates import say_day

from ..common.people_on_record import DAY, SECOND, a_consent, at, clock_says, now, put_on_record, settle

CONSENT = "sensor.nadie_consent"


def consent_state(hass: HomeAssistant) -> str:
    """Return what the sensor shows."""
    state = hass.states.get(CONSENT)
    return "gone" if state is None else state.state


def issues(hass: HomeAssistant) -> dict[str, ir.IssueEntry]:
    """Return the repair issues about consents."""
    return {
        issue_id: issue
        for (domain, issue_id), issue in ir.async_get(hass).issues.items()
        if domain == DOMAIN and issue_id.startswith("consent")
    }


async def test_life(hass: HomeAssistant, hub: Hub) -> None:
    """Active, expiring 30 days before the end, expired at the end, and gone 14 days later."""
    began = now()
    end = began + 200 * DAY
    await put_on_record(hass, hub, a_consent(began, end))
    assert consent_state(hass) == "active"
    assert issues(hass) == {}

    await clock_says(hass, hub, end - 30 * DAY - SECOND)
    assert consent_state(hass) == "active"
    assert issues(hass) == {}
    await clock_says(hass, hub, end - 30 * DAY)
    assert consent_state(hass) == "expiring"
    (issue,) = issues(hass).values()
    assert issue.translation_key == "consent_expiring"
    assert issue.severity is ir.IssueSeverity.WARNING
    last = say_day(hass, dt_util.as_local(end - SECOND).date())
    assert issue.translation_placeholders == {"name": "Nadie", "day": last}

    await clock_says(hass, hub, end - SECOND)
    assert consent_state(hass) == "expiring"
    with at(end - SECOND):
        assert hub.can_recognise()
    await clock_says(hass, hub, end)
    assert consent_state(hass) == "expired"
    with at(end):
        assert not hub.can_recognise()
    (issue,) = issues(hass).values()
    assert issue.translation_key == "consent_expired"
    erased = say_day(hass, dt_util.as_local(end + 14 * DAY).date())
    assert issue.translation_placeholders == {"name": "Nadie", "day": last, "erased": erased}

    await clock_says(hass, hub, end + 14 * DAY - SECOND)
    assert consent_state(hass) == "expired"
    await clock_says(hass, hub, end + 14 * DAY)
    assert consent_state(hass) == "gone"
    assert hub.people == {}
    assert issues(hass) == {}
    assert (await hass.async_add_executor_job(hub.vault.stored)).people == 0


async def test_no_tick_is_waited_for(hass: HomeAssistant, hub: Hub) -> None:
    """A timer is set for the very moment, besides the look every minute."""
    began = now()
    await put_on_record(hass, hub, a_consent(began, began + 30 * DAY + timedelta(seconds=20)))
    # Long before the next minute.
    with at(began + timedelta(seconds=20)):
        assert hub.clock._tick is not None
        hub.clock._tick()
        async_fire_time_changed(hass)
        await settle(hass, hub)
    assert consent_state(hass) == "expiring"


async def test_renewed(hass: HomeAssistant, hub: Hub) -> None:
    """A new consent takes the issue back, and recognition begins again."""
    began = now()
    end = began + 100 * DAY
    await put_on_record(hass, hub, a_consent(began, end))
    await clock_says(hass, hub, end + DAY)
    assert consent_state(hass) == "expired"
    assert len(issues(hass)) == 1
    with at(end + DAY):
        renewed = a_consent(end + DAY, end + 365 * DAY)
        await hass.async_add_executor_job(hub.vault.record_consent, "nadie", renewed)
        await hub.async_refresh_people()
        await settle(hass, hub)
        assert consent_state(hass) == "active"
        assert issues(hass) == {}
        assert hub.can_recognise()


async def test_the_clock_is_set_back(hass: HomeAssistant, hub: Hub) -> None:
    """What has ended stays so: a consent that was seen to run out never counts again."""
    began = now()
    end = began + 100 * DAY
    await put_on_record(hass, hub, a_consent(began, end))
    await clock_says(hass, hub, end + DAY)
    assert consent_state(hass) == "expired"
    await clock_says(hass, hub, began + DAY)
    assert consent_state(hass) == "expired"
    assert len(issues(hass)) == 1
    # And forward again, as after a long sleep.
    await clock_says(hass, hub, end + 2 * DAY)
    assert consent_state(hass) == "expired"


async def test_issues_after_a_restart(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """An issue is there again after a restart, and gone when the person was removed."""
    began = now()
    await put_on_record(hass, hub, a_consent(began, began + 20 * DAY))
    assert len(issues(hass)) == 1
    assert await hass.config_entries.async_unload(entry.entry_id)
    ir.async_delete_issue(hass, DOMAIN, "consent_expiring_nadie")
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert len(issues(hass)) == 1
    (subentry,) = entry.get_subentries_of_type("person")
    hass.config_entries.async_remove_subentry(entry, subentry.subentry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert issues(hass) == {}


# How a consent is built


def build(hub: Hub, **changes: object) -> Consent:
    """Return a consent of Nadie."""
    given: dict[str, object] = {
        "name": "Nadie",
        "child": False,
        "given_by": "Nadie",
        "method": ConsentMethod.OWN_DEVICE,
        "choices": Choices(),
        "text": "The text.",
        "language": "nl",
    }
    return build_consent(hub, **(given | changes))  # type: ignore[arg-type]


async def test_of_this_very_moment(hass: HomeAssistant, hub: Hub) -> None:
    """On one's own phone, a yes counts from now, and to the end of the last day that is allowed."""
    zone = ZoneInfo("Europe/Amsterdam")
    await hass.config.async_set_time_zone("Europe/Amsterdam")
    with at(datetime(2027, 3, 1, 23, 30, tzinfo=zone)):
        consent = build(hub)
        assert consent.given_at == consent.recorded_at == dt_util.utcnow()
        assert consent.allows_recognition(dt_util.utcnow())
    assert consent.valid_until == datetime(2028, 2, 29, tzinfo=zone)
    assert (consent.text, consent.text_version) == ("The text.", "nl/4")
    with at(datetime(2027, 3, 1, 23, 30, tzinfo=zone)):
        # Over the change of the clock: a day is a day, however many hours it has.
        consent = build(hub, valid_until=date(2027, 3, 28))
    assert consent.valid_until == datetime(2027, 3, 29, tzinfo=zone)
    assert consent.valid_until - datetime(2027, 3, 28, tzinfo=zone).astimezone(dt_util.UTC) == timedelta(
        hours=23
    )


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"given_by": " "}, Refusal.GIVER_NEEDED),
        ({"child": True, "given_by": "NADIE"}, Refusal.CHILD_NEEDS_GUARDIAN),
        ({"given_on": date(2027, 3, 2)}, Refusal.GIVEN_IN_FUTURE),
        ({"given_on": date.max}, Refusal.GIVEN_IN_FUTURE),
        ({"valid_until": date(2027, 3, 1)}, Refusal.ALREADY_OVER),
        ({"valid_until": date(2028, 2, 29)}, Refusal.TOO_LONG),
        ({"child": True, "given_by": "Ada", "valid_until": date(2027, 8, 31)}, Refusal.TOO_LONG),
        ({"choices": Choices(frozenset({"gone"}))}, Refusal.CAMERA_NEEDED),
    ],
)
async def test_refused(hub: Hub, changes: dict[str, object], refusal: Refusal) -> None:
    """What cannot be agreed to is refused, with the reason."""
    with at(datetime(2027, 3, 1, 12, tzinfo=dt_util.UTC)), pytest.raises(ConsentRefused) as err:
        build(hub, **changes)
    assert err.value.refusal is refusal


async def test_cameras_that_are_gone(hub: Hub, entry: MockConfigEntry) -> None:
    """A camera that was removed meanwhile is left out."""
    (camera_id,) = entry.subentries
    assert build(hub, choices=Choices(frozenset({camera_id, "gone"}))).choices.cameras == frozenset(
        {camera_id}
    )


def test_last_day() -> None:
    """The setting is how many days there are; half a day counts whole."""
    assert last_day(Retention(), date(2027, 1, 1), child=False) == date(2027, 12, 31)
    assert last_day(Retention(), date(2027, 1, 1), child=True) == date(2027, 7, 2)
