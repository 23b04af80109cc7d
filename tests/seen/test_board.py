"""The board: what it shows of the last visits, and why there is no picture."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from homeassistant.core import HomeAssistant
import pytest

from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.people.choices import Choices, Keeping
from custom_components.familiar_faces.seen.board import FIRST
from custom_components.familiar_faces.seen.shown import Picture
from custom_components.familiar_faces.vault.errors import VaultUnwritable
from custom_components.familiar_faces.vault.records import VisitRecord
from custom_components.familiar_faces.visits.open_visits import Change, Outcome
from custom_components.familiar_faces.visits.visit import Decision, Timing
from tests.common.made_up_visits import a_visit
from tests.common.people_on_record import DAY, a_consent, at, change_choices, put_on_record, settle
from tests.conftest import start_again

TIMING = Timing(1, 1, 1)


async def come(
    hass: HomeAssistant,
    hub: Hub,
    person_id: str | None = None,
    *,
    began: datetime,
    decision: Decision = Decision.FAMILIAR,
    picture: bytes | None = b"a picture",
    **more: Any,
) -> str:
    """Have somebody come, and return the id of the visit."""
    visit = a_visit(hub, person_id, decision, began=began, **more)
    if person_id is not None:
        visit = replace(visit, portrait=picture)
    with at(began):
        await hub.announcer.async_settle(Outcome(visit, Change.OPENED), TIMING, picture)
        await hass.async_block_till_done()
    return visit.visit_id


# Why there is no picture


@pytest.mark.parametrize(
    ("choices", "options", "picture", "after", "expected"),
    [
        ({}, {}, b"a picture", timedelta(0), Picture.SHOWN),
        ({}, {}, None, timedelta(0), Picture.NONE),
        ({"pictures": False}, {}, b"a picture", timedelta(0), Picture.NOT_AGREED),
        ({}, {"picture_days": 0}, b"a picture", timedelta(0), Picture.SWITCHED_OFF),
        ({}, {}, b"a picture", 7 * DAY - timedelta(seconds=1), Picture.SHOWN),
        ({}, {}, b"a picture", 7 * DAY, Picture.OVER),
    ],
)
async def test_why_there_is_no_picture(
    hass: HomeAssistant,
    hub: Hub,
    nadie: str,
    start: datetime,
    choices: dict[str, Any],
    options: dict[str, Any],
    picture: bytes | None,
    after: timedelta,
    expected: Picture,
) -> None:
    """The last visit says whether there is a picture of it, and why not; after a restart too."""
    hub.clock.async_stop()
    hass.config_entries.async_update_entry(hub.entry, options=options)
    await settle(hass, hub)
    await change_choices(hass, hub, nadie, **choices)
    await come(hass, hub, nadie, began=start, picture=picture)
    for board in (hub.board, (await start_again(hass, hub.entry)).board):
        with at(start + after):
            (last,) = [each for each in [board.last_visit(nadie)] if each is not None]
            assert last.picture is expected
            (camera_id,) = hub.watchers or [last.camera_id]
            for shown in (board.last_picture(person_id=nadie), board.last_picture(camera_id=camera_id)):
                assert (shown is not None) is (expected is Picture.SHOWN)


async def test_of_a_stranger(hass: HomeAssistant, hub: Hub, start: datetime) -> None:
    """Of a visitor without a name there is none."""
    visit_id = await come(hass, hub, began=start, decision=Decision.STRANGER)
    shown = hub.board.find(visit_id)
    assert shown is not None
    assert (shown.picture, shown.name, shown.kept) == (Picture.NAMELESS, None, True)


# What is past its time


@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_nothing_comes_back(hass: HomeAssistant, hub: Hub, nadie: str, start: datetime) -> None:
    """What was too old once is not shown again when a longer time is set: it has been erased."""
    await come(hass, hub, nadie, began=start)
    (camera_id,) = hub.watchers
    with at(start + 3 * DAY):
        assert hub.board.last_visitor(camera_id) is not None
        for visit_days, expected in ((2, None), (30, None)):
            hass.config_entries.async_update_entry(hub.entry, options={"visit_days": visit_days})
            await settle(hass, hub)
            assert hub.board.last_visitor(camera_id) is expected
            assert hub.board.last_visit(nadie) is expected
            assert hass.states.get("sensor.front_door_last_visitor").state == "unknown"


async def test_strangers_leave_two_visits(hass: HomeAssistant, hub: Hub, start: datetime) -> None:
    """However many came, the last two of each kind are known of a camera."""
    came = [
        await come(hass, hub, began=start + timedelta(minutes=number), decision=decision)
        for number in range(5)
        for decision in (Decision.STRANGER, Decision.UNCLEAR)
    ]
    assert {each.visit_id for each in hub.board.recent()} == set(came[-4:])


async def test_what_is_not_kept_is_known_until_the_next(
    hass: HomeAssistant, hub: Hub, nadie: str, start: datetime
) -> None:
    """Of somebody with nothing kept the last visit is known, and gone once somebody else and they came."""
    await put_on_record(
        hass,
        hub,
        a_consent(start - DAY, start + 300 * DAY, choices=Choices(keeping=Keeping.NOTHING)),
        "otto",
        "Otto",
    )
    first = await come(hass, hub, "otto", began=start)
    await come(hass, hub, nadie, began=start + timedelta(seconds=1))
    found = hub.board.find(first)
    assert found is not None
    assert not found.kept
    second = await come(hass, hub, "otto", began=start + timedelta(seconds=2))
    assert hub.board.find(first) is None
    assert hub.board.find(second) is not None


# Reading


async def test_more_than_is_read_at_first(hass: HomeAssistant, hub: Hub, nadie: str, start: datetime) -> None:
    """What is older than what is read first is known a moment later: somebody's last visit to another camera."""
    (camera_id,) = hub.watchers
    number = FIRST + 300

    def write() -> None:
        for minutes in range(number):
            came = start - timedelta(minutes=minutes)
            camera = "elsewhere" if minutes == number - 1 else camera_id
            hub.vault.add_visit(VisitRecord(uuid4().hex, nadie, camera, came, 0.9, 3), None, came)

    await hass.async_add_executor_job(write)
    hub = await start_again(hass, hub.entry)
    assert {each.camera_id for each in hub.board.recent()} == {camera_id, "elsewhere"}


async def test_a_vault_that_fails(
    hass: HomeAssistant, hub: Hub, nadie: str, start: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could not be read is read with the next change of the people."""
    await come(hass, hub, nadie, began=start)

    def fail(*_asked: object, **_more: object) -> None:
        raise VaultUnwritable("full")

    with monkeypatch.context() as failing:
        failing.setattr("custom_components.familiar_faces.vault.store.Vault.visits", fail)
        hub = await start_again(hass, hub.entry)
        assert hub.board.last_visit(nadie) is None
        with pytest.raises(VaultUnwritable):
            await hub.board.async_ready()
    await hub.async_refresh_people()
    assert hub.board.last_visit(nadie) is not None
