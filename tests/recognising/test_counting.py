"""Visits without a name are counted when they are over, written once an hour, and go with their camera."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.recognising.counting import kind_of
from custom_components.familiar_faces.vault.counts import Counts
from custom_components.familiar_faces.vault.errors import VaultUnwritable
from custom_components.familiar_faces.vault.records import TOOK_MS
from custom_components.familiar_faces.vault.times import week_of
from custom_components.familiar_faces.visits.visit import Decision, UnclearReason, Visit

from ..common.made_up_visits import a_visit, come
from ..common.pictures import astronaut
from ..common.steps import later, ring, visits
from ..conftest import FrontDoor, start_again


async def written(hass: HomeAssistant, hub: Hub) -> Mapping[str, Mapping[datetime, Mapping[str, int]]]:
    """Return what is in the vault."""
    return await hass.async_add_executor_job(hub.vault.counts.read, set(hub.watchers))


def nameless(hub: Hub, decision: Decision = Decision.STRANGER) -> Visit:
    """Return a visit without a name."""
    return a_visit(hub, None, decision)


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, "unclear:not_sure"),
        ({"reason": UnclearReason.NO_USABLE_FACE, "quality": "too_dark"}, "unclear:no_usable_face:too_dark"),
        # Whatever else an engine may say is not counted by its words.
        ({"reason": UnclearReason.NO_USABLE_FACE, "quality": "anna"}, "unclear:no_usable_face"),
        ({"decision": Decision.STRANGER, "reason": None, "quality": "too_dark"}, "stranger"),
    ],
)
def test_kinds(hub: Hub, changes: dict[str, object], kind: str) -> None:
    assert kind_of(replace(nameless(hub, Decision.UNCLEAR), **changes)) == kind  # type: ignore[arg-type]


async def test_written_once_an_hour(hass: HomeAssistant, hub: Hub, nadie: str) -> None:
    """Until then nothing on the disk says that somebody came; who reads is told nevertheless."""
    (camera_id,) = hub.watchers
    visit = nameless(hub)
    hub.counting.async_ended((visit, nameless(hub), nameless(hub, Decision.UNCLEAR), a_visit(hub, nadie)))
    counted = {week_of(visit.started_at): {"stranger": 2, "unclear:not_sure": 1}}
    assert await written(hass, hub) == {camera_id: {}}
    assert await hub.counting.async_read() == {camera_id: counted}
    hour = dt_util.utcnow().replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    async_fire_time_changed(hass, hour)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert await written(hass, hub) == {camera_id: counted}
    assert await hub.counting.async_read() == {camera_id: counted}


async def test_a_real_look(hass: HomeAssistant, hub: Hub, eileen: str, front_door: FrontDoor) -> None:
    """A name is counted with how long it took, and confirming it beside it."""
    front_door.frames = visits(astronaut())
    await ring(hass, hub)
    (camera_id,) = hub.watchers
    ((counted,),) = [each.values() for each in (await hub.counting.async_read()).values()]
    assert counted["named"] == 1
    ((took, number),) = [each for each in counted.items() if each[0].startswith("took:")]
    assert number == 1
    bound = int(took.partition(":")[2])
    name_ms = hub.watchers[camera_id].time_to_name
    assert name_ms is not None
    assert bound in TOOK_MS
    assert name_ms <= bound or bound == TOOK_MS[-1]


async def test_what_nobody_may_keep_is_not_counted(hass: HomeAssistant, hub: Hub) -> None:
    """Where nobody agreed to anything, nothing is counted either."""
    assert not hub.people
    hub.counting.async_ended((nameless(hub),))
    await hub.counting.async_write()
    assert await written(hass, hub) == {key: {} for key in hub.watchers}


async def test_a_restart_loses_nothing(hass: HomeAssistant, hub: Hub, nadie: str) -> None:
    """What waits is written when the integration stops."""
    hub.counting.async_ended((nameless(hub),))
    hub = await start_again(hass, hub.entry)
    ((counted,),) = [each.values() for each in (await written(hass, hub)).values()]
    assert counted == {"stranger": 1}


async def test_a_full_disk_loses_nothing(
    hass: HomeAssistant, hub: Hub, nadie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is written once, as soon as there is room."""

    def refuse(*_: object) -> None:
        raise VaultUnwritable("full")

    hub.counting.async_ended((nameless(hub),))
    with monkeypatch.context() as patching:
        patching.setattr(Counts, "add", refuse)
        await hub.counting.async_write()
    hub.counting.async_ended((nameless(hub),))
    for _ in range(2):
        await hub.counting.async_write()
    ((counted,),) = [each.values() for each in (await written(hass, hub)).values()]
    assert counted == {"stranger": 2}


async def test_old_weeks_are_neither_shown_nor_written(hass: HomeAssistant, hub: Hub, nadie: str) -> None:
    """Also what waits goes in its time."""
    (camera_id,) = hub.watchers
    await come(hass, hub, a_visit(hub, nadie))
    hub.counting.async_ended((nameless(hub),))
    ((counted,),) = [each.values() for each in (await hub.counting.async_read()).values()]
    assert (counted["named"], counted["stranger"]) == (1, 1)
    with later(minutes=14 * 7 * 24 * 60):
        assert await hub.counting.async_read() == {camera_id: {}}
        await hub.counting.async_write()
    # Those that were named may be purged by now.
    assert all("stranger" not in each for each in (await written(hass, hub))[camera_id].values())


async def test_a_camera_takes_its_weeks_with_it(hass: HomeAssistant, hub: Hub, nadie: str) -> None:
    """On the disk and in memory."""
    (camera_id,) = hub.watchers
    await come(hass, hub, a_visit(hub, nadie))
    hub.counting.async_ended((nameless(hub),))
    hass.config_entries.async_remove_subentry(hub.entry, camera_id)
    await hass.async_block_till_done()
    await hub.counting.async_write()
    assert await hass.async_add_executor_job(hub.vault.counts.read, [camera_id]) == {camera_id: {}}
    assert await hub.counting.async_read() == {}
