"""Retention through Home Assistant: every period is a setting, and what is due goes at its second, whatever the clock did."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
import threading
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.familiar_faces.const import DOMAIN
from custom_components.familiar_faces.erasing.purge_clock import RETRY, TICK, PurgeSchedule
from custom_components.familiar_faces.flows.retention_step import RETENTION_SCHEMA, periods
from custom_components.familiar_faces.household.options import PERIODS, chosen_retention
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.vault.errors import VaultUnwritable
from custom_components.familiar_faces.vault.records import StoredItems
from custom_components.familiar_faces.vault.review_rows import ReviewItem
from custom_components.familiar_faces.vault.store import Vault

from ..common.people_on_record import (
    DAY,
    SECOND,
    a_consent,
    at,
    clock_says,
    now,
    put_on_record,
    put_visit,
    settle,
)
from ..common.steps import Result

HOUR = timedelta(hours=1)
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
NEXT_PURGE = "sensor.familiar_faces_next_purge"
STORED_ITEMS = "sensor.familiar_faces_stored_items"


async def stored(hass: HomeAssistant, hub: Hub) -> StoredItems:
    """Return how much the vault holds."""
    return await hass.async_add_executor_job(hub.vault.stored)


# Every line of the table


async def _visit(hass: HomeAssistant, hub: Hub, moment: datetime) -> None:
    await put_visit(hass, hub, moment)


async def _stranger(hass: HomeAssistant, hub: Hub, moment: datetime) -> None:
    item = ReviewItem("a visit", "camera", "stranger", moment)
    await hass.async_add_executor_job(hub.vault.review.add, item, b"a picture")
    await hub.async_count()


async def _invitation(hass: HomeAssistant, hub: Hub, moment: datetime) -> None:
    expires_at = moment + hub.retention.invitation
    await hass.async_add_executor_job(
        lambda: hub.vault.links.invite(person_id=None, expires_at=expires_at, now=moment)
    )
    await hub.async_count()


async def _enrolment(hass: HomeAssistant, hub: Hub, moment: datetime) -> None:
    consent = a_consent(moment, moment + 300 * DAY)
    await hass.async_add_executor_job(hub.vault.begin_enrolment, "otto", "Otto", None, consent, moment)
    await hub.async_count()


async def _nothing(hass: HomeAssistant, hub: Hub, moment: datetime) -> None:
    """Have only somebody who is on record since that moment."""


Put = Callable[[HomeAssistant, Hub, datetime], Any]
LINES: dict[str, tuple[dict[str, int], Put, Callable[[StoredItems], int], timedelta]] = {
    "visits": ({}, _visit, lambda items: items.visits, 30 * DAY),
    "visits, set": ({"visit_days": 1, "picture_days": 1}, _visit, lambda items: items.visits, DAY),
    "pictures": ({}, _visit, lambda items: items.pictures, 7 * DAY),
    "pictures, set": ({"picture_days": 2}, _visit, lambda items: items.pictures, 2 * DAY),
    "review": ({"review_hours": 5}, _stranger, lambda items: items.review, 5 * HOUR),
    "invitation": ({}, _invitation, lambda items: items.invitations, 24 * HOUR),
    "invitation, set": ({"invitation_hours": 2}, _invitation, lambda items: items.invitations, 2 * HOUR),
    "half an enrolment": ({}, _enrolment, lambda items: items.people - 1, 24 * HOUR),
    # The consent of this home's person ends 200 days after it began.
    "expired": ({}, _nothing, lambda items: items.people, 214 * DAY),
    "unseen": ({"unseen_days": 40}, _nothing, lambda items: items.people, 40 * DAY),
}


@pytest.mark.usefixtures("entity_registry_enabled_by_default")
@pytest.mark.parametrize("line", LINES)
async def test_every_line_goes_at_its_second(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, line: str
) -> None:
    """A second before it is there, at its second the clock has it erased, and the sensors say so."""
    options, put, count, period = LINES[line]
    hass.config_entries.async_update_entry(entry, options=options)
    began = now()
    await put_on_record(hass, hub, a_consent(began, began + 200 * DAY))
    await put(hass, hub, began)
    assert count(await stored(hass, hub)) == 1

    await clock_says(hass, hub, began + period - SECOND)
    assert count(await stored(hass, hub)) == 1
    assert hass.states.get(NEXT_PURGE).state == (began + period).isoformat()
    await clock_says(hass, hub, began + period)
    items = await stored(hass, hub)
    assert count(items) == 0
    counted = items.templates + items.photos + items.visits + items.pictures + items.consents
    assert hass.states.get(STORED_ITEMS).state == str(counted)
    assert hass.states.get(NEXT_PURGE).state > (began + period).isoformat()


async def test_the_log_goes_too(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """An entry of the audit log is erased after its period, and the rest still proves itself."""
    hass.config_entries.async_update_entry(entry, options={"audit_days": 365})
    await settle(hass, hub)
    moment = now() + HOUR
    await hass.async_add_executor_job(hub.vault.audit, "a_test", None, {}, moment)

    def kinds() -> list[str]:
        return [each.kind for each in hub.vault.audit_entries(limit=1000)]

    await clock_says(hass, hub, moment + 365 * DAY - SECOND)
    assert "a_test" in await hass.async_add_executor_job(kinds)
    await clock_says(hass, hub, moment + 365 * DAY)
    assert "a_test" not in await hass.async_add_executor_job(kinds)
    assert (await hass.async_add_executor_job(hub.vault.verify_audit)).ok


@pytest.mark.parametrize(
    "moment",
    [datetime(2027, 3, 27, 12, tzinfo=AMSTERDAM), datetime(2027, 10, 30, 12, tzinfo=AMSTERDAM)],
    ids=["spring", "autumn"],
)
async def test_a_day_is_24_hours_when_the_clocks_change(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, moment: datetime
) -> None:
    """A night of 23 or of 25 hours keeps a visit neither shorter nor longer."""
    await hass.config.async_set_time_zone("Europe/Amsterdam")
    hass.config_entries.async_update_entry(entry, options={"visit_days": 1, "picture_days": 1})
    await put_on_record(hass, hub, a_consent(now(), now() + 365 * DAY))
    began = moment.astimezone(UTC)
    await put_visit(hass, hub, began)
    due = began + DAY
    assert due.astimezone(AMSTERDAM).hour != 12
    await clock_says(hass, hub, due - SECOND)
    assert (await stored(hass, hub)).visits == 1
    await clock_says(hass, hub, due)
    assert (await stored(hass, hub)).visits == 0


# The clock


def run(schedule: PurgeSchedule, clock: list[datetime]) -> list[datetime]:
    """Return when it purges, for the moments at which it looks at the clock."""
    purged = []
    for moment in clock:
        if schedule.due(moment, None):
            schedule.tried(moment, failed=False)
            purged.append(moment)
    return purged


@pytest.mark.parametrize("night", [datetime(2027, 3, 28), datetime(2027, 10, 31)], ids=["spring", "autumn"])
def test_hourly_through_the_night_of_the_change(night: datetime) -> None:
    """From midnight to midnight, of 23, 24 or 25 hours, there is a purge in each."""
    began = night.replace(tzinfo=AMSTERDAM).astimezone(UTC)
    end = (night + DAY).replace(tzinfo=AMSTERDAM).astimezone(UTC)
    clock = [began + minute * TICK for minute in range(int((end - began) / TICK))]
    assert run(PurgeSchedule(), clock) == [began + hour * HOUR for hour in range(int((end - began) / HOUR))]


def test_after_sleep_and_after_jumps() -> None:
    """Waking up, and a clock that is set in either direction, purge at the next look, and hourly from there."""
    began = datetime(2027, 1, 1, tzinfo=UTC)
    schedule = PurgeSchedule()
    assert run(schedule, [began, began + 59 * TICK]) == [began]
    assert run(schedule, [began + 3 * DAY]) == [began + 3 * DAY]
    back = began - 5 * DAY
    assert run(schedule, [back, back + 30 * TICK, back + HOUR]) == [back, back + HOUR]


def test_what_falls_due_and_what_fails() -> None:
    """What falls due is not waited an hour for; what failed is tried again after some minutes, and not at once."""
    began = datetime(2027, 1, 1, tzinfo=UTC)
    schedule = PurgeSchedule()
    schedule.tried(began, failed=False)
    assert not schedule.due(began + TICK, began + 2 * TICK)
    assert schedule.due(began + 2 * TICK, began + 2 * TICK)
    schedule.tried(began, failed=True)
    assert not schedule.due(began + RETRY - SECOND, began)
    assert schedule.due(began + RETRY, began)


async def test_purges_at_the_start_and_every_hour(hass: HomeAssistant, hub: Hub) -> None:
    """By the wall clock: once at the start, then within every hour, also where nothing falls due."""
    # Later than the start, which was in the middle of a second.
    began = now() + SECOND
    purged: list[datetime] = []
    whole = Vault.purge

    def purge(vault: Vault, moment: datetime, retention: Any) -> Any:
        purged.append(moment)
        return whole(vault, moment, retention)

    with patch.object(Vault, "purge", purge):
        for minutes in range(0, 181, 10):
            await clock_says(hass, hub, began + timedelta(minutes=minutes))
        # Asleep for three days, and then a clock that is set back.
        await clock_says(hass, hub, began + 3 * DAY)
        await clock_says(hass, hub, began + DAY)
        await clock_says(hass, hub, began + DAY + timedelta(minutes=59))
        await clock_says(hass, hub, began + DAY + HOUR)
    # The first was at the start, before anybody looked.
    assert [round((moment - began) / HOUR) for moment in purged] == [1, 2, 3, 72, 24, 25]


async def test_a_shorter_time_set_while_it_purges(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry
) -> None:
    """What came to be past its time while a purge ran goes right after it, not an hour later."""
    began = now()
    await put_on_record(hass, hub, a_consent(began, began + 200 * DAY))
    await put_visit(hass, hub, began)
    whole = Vault.purge
    purging, goes_on = threading.Event(), threading.Event()

    def slowly(vault: Vault, moment: datetime, retention: Any) -> Any:
        purged = whole(vault, moment, retention)
        purging.set()
        goes_on.wait(10)
        return purged

    with at(began + 3 * DAY):
        with patch.object(Vault, "purge", slowly):
            hub.clock.async_purge_soon()
            assert await hass.async_add_executor_job(purging.wait, 10)
            hass.config_entries.async_update_entry(entry, options={"visit_days": 2, "picture_days": 1})
            await hass.async_block_till_done()
            assert (await stored(hass, hub)).visits == 1
            goes_on.set()
            await settle(hass, hub)
        assert (await stored(hass, hub)).visits == 0


async def test_what_failed_is_tried_again(
    hass: HomeAssistant, hub: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    """A full disk is said once, tried again within minutes, and what is due goes as soon as it can be written."""
    began = now()
    await put_on_record(hass, hub, a_consent(began, began + 200 * DAY))
    await put_visit(hass, hub, began)
    due = began + 30 * DAY
    issue = (DOMAIN, "vault_unwritable")
    with patch.object(Vault, "purge", side_effect=VaultUnwritable("the disk is full")):
        await clock_says(hass, hub, due)
        await clock_says(hass, hub, due + RETRY)
        assert issue in ir.async_get(hass).issues
    said = [
        each for each in caplog.records if "is not erased yet" in each.message and each.levelname == "ERROR"
    ]
    assert len(said) == 1
    assert (await stored(hass, hub)).visits == 1
    await clock_says(hass, hub, due + RETRY + TICK)
    assert (await stored(hass, hub)).visits == 1
    await clock_says(hass, hub, due + 2 * RETRY)
    assert (await stored(hass, hub)).visits == 0
    assert issue not in ir.async_get(hass).issues


async def test_a_purge_that_dies_half_way(hass: HomeAssistant, hub: Hub) -> None:
    """What was erased stays erased, and the next purge does the rest."""
    began = now()
    await put_on_record(hass, hub, a_consent(began, began + 200 * DAY))
    await put_visit(hass, hub, began)
    full = VaultUnwritable("the disk is full")
    with patch("custom_components.familiar_faces.vault.erasure._delete_visits", side_effect=full):
        await clock_says(hass, hub, began + 30 * DAY)
    items = await stored(hass, hub)
    assert (items.visits, items.pictures) == (1, 0)
    await clock_says(hass, hub, began + 30 * DAY + RETRY)
    items = await stored(hass, hub)
    assert (items.visits, items.people) == (0, 1)


# The settings


async def open_retention(hass: HomeAssistant, entry: MockConfigEntry) -> Result:
    """Press Configure, and choose how long things are kept."""
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert "retention" in result["menu_options"]
    result = await hass.config_entries.options.async_configure(
        result["flow_id"], {"next_step_id": "retention"}
    )
    return dict(result)


def shown(result: Result) -> dict[str, Any]:
    """Return what the form shows before anybody changes it."""
    return {str(key): key.description["suggested_value"] for key in result["data_schema"].schema}


async def test_every_period_is_a_setting(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """The form shows what counts; saved as it is, it changes nothing."""
    result = await open_retention(hass, entry)
    assert shown(result) == {
        "consent_days": 365,
        "child_consent_days": 183,
        "visit_days": 30,
        "picture_days": 7,
        "review_hours": 0,
        "unseen_days": 365,
        "audit_days": 1095,
        "invitation_hours": 24,
        "hold_strangers": False,
    }
    assert shown(result).keys() == {*PERIODS, "hold_strangers"}
    done = await hass.config_entries.options.async_configure(result["flow_id"], shown(result))
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options == {}


@pytest.mark.parametrize("option", PERIODS)
async def test_limits(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, option: str) -> None:
    """The shortest and the longest of each can be chosen and count; anything beyond is refused."""
    (selector,) = [value for key, value in RETENTION_SCHEMA.schema.items() if str(key) == option]
    least, most = int(selector.config["min"]), int(selector.config["max"])
    for value in (least, most):
        result = await open_retention(hass, entry)
        answer = shown(result) | {option: float(value)}
        # A picture never outlives its visit.
        answer["visit_days"] = max(answer["visit_days"], answer["picture_days"]) if value else 0
        answer["picture_days"] = min(answer["picture_days"], answer["visit_days"])
        done = await hass.config_entries.options.async_configure(result["flow_id"], answer)
        assert done["type"] is FlowResultType.CREATE_ENTRY, done
        await settle(hass, hub)
        assert periods(hub.retention)[option] == value
        assert periods(chosen_retention(entry))[option] == value
    for value in (least - 1, most + 1):
        result = await open_retention(hass, entry)
        with pytest.raises(InvalidData):
            await hass.config_entries.options.async_configure(
                result["flow_id"], shown(result) | {option: value}
            )


@pytest.mark.parametrize(
    ("answer", "errors"),
    [
        ({"picture_days": 31}, {"picture_days": "longer_than_visits"}),
        ({"visit_days": 6}, {"picture_days": "longer_than_visits"}),
        ({"visit_days": 8.5}, {"base": "whole_numbers"}),
    ],
)
async def test_mistakes(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, answer: dict[str, Any], errors: dict[str, str]
) -> None:
    """A mistake is said, and nothing is changed by it."""
    result = await open_retention(hass, entry)
    result = await hass.config_entries.options.async_configure(result["flow_id"], shown(result) | answer)
    assert result["errors"] == errors
    assert shown(dict(result)) | answer == shown(dict(result))
    assert entry.options == {}


async def test_a_shorter_period_purges_at_once(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """What is past the new period is gone when the dialog is closed, and the log says what was changed."""
    began = now() - 10 * DAY
    await put_on_record(hass, hub, a_consent(began, began + 200 * DAY))
    await put_visit(hass, hub, began)
    assert (await stored(hass, hub)).visits == 1
    result = await open_retention(hass, entry)
    await hass.config_entries.options.async_configure(result["flow_id"], shown(result) | {"visit_days": 9})
    await settle(hass, hub)
    assert (await stored(hass, hub)).visits == 0
    assert entry.options == {"visit_days": 9}
    assert await settings(hass, hub) == [{"key": "visit_days", "old": "default", "new": 9}]


async def settings(hass: HomeAssistant, hub: Hub) -> list[dict[str, Any]]:
    """Return what the audit log says of settings, oldest first."""
    entries = await hass.async_add_executor_job(lambda: hub.vault.audit_entries(limit=1000))
    return [dict(each.details) for each in reversed(entries) if each.kind == "setting_changed"]


async def test_every_setting_is_in_the_log(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """Strictness, papers and switches too; a name that was entered is not."""
    options = {"strictness": "strict", "notice": True, "responsible": "Mia", "contact": "mia@home.example"}
    hass.config_entries.async_update_entry(entry, options=options)
    await settle(hass, hub)
    for service in ("turn_off", "turn_off", "turn_on"):
        await hass.services.async_call(
            "switch", service, {"entity_id": "switch.familiar_faces_recognition"}, blocking=True
        )
        await settle(hass, hub)
    (camera_id,) = entry.subentries
    await hass.services.async_call(
        "switch", "turn_off", {"entity_id": "switch.front_door_recognition"}, blocking=True
    )
    await settle(hass, hub)
    assert await settings(hass, hub) == [
        {"key": "contact"},
        {"key": "notice", "old": "default", "new": True},
        {"key": "responsible"},
        {"key": "strictness", "old": "default", "new": "strict"},
        {"key": "recognition", "of": "hub", "old": True, "new": False},
        {"key": "recognition", "of": "hub", "old": False, "new": True},
        {"key": "recognition", "of": camera_id, "old": True, "new": False},
    ]


async def test_the_moment_stands_still(hass: HomeAssistant) -> None:
    """These tests' clock does not run on by itself, so that a second is a second."""
    moment = datetime(2027, 1, 1, tzinfo=UTC)
    with at(moment):
        assert dt_util.utcnow() == moment
