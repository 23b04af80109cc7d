"""A clock that is wrong erases nobody and names nobody, and what has ended stays ended."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime, timedelta
from unittest.mock import patch

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.familiar_faces.consent.record import ConsentRefused, Refusal, build_consent
from custom_components.familiar_faces.const import CONF_FORGETTING, DOMAIN
from custom_components.familiar_faces.household import wall_clock
from custom_components.familiar_faces.household.keeping import may_be_told
from custom_components.familiar_faces.household.places import clock_file
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.people.choices import ANYWHERE, Choices
from custom_components.familiar_faces.people.person import ConsentMethod, ConsentState
from custom_components.familiar_faces.vault.errors import ConsentMissing, VaultUnwritable

from ..common.calling import refused
from ..common.owner import MakeClient, Owner
from ..common.people_on_record import DAY, SECOND, a_consent, at, now, put_on_record, settle
from ..common.vectors import axis
from ..conftest import CAMERA, set_up

YEARS = 20 * 365 * DAY


class Machine:
    """What runs on while the clock is set."""

    def __init__(self) -> None:
        self.shows = now()
        self._ran = self.shows.timestamp()
        self.boot = "a run"
        self.synchronised: bool | None = None

    def passes(self, time: timedelta) -> None:
        self.shows += time
        self._ran += time.total_seconds()

    @contextmanager
    def runs(self) -> Generator[None]:
        with (
            at(self.shows),
            patch.object(wall_clock, "running", lambda: self._ran),
            patch.object(wall_clock, "synchronised", lambda _now: self.synchronised),
        ):
            yield

    async def ticks(self, hass: HomeAssistant, hub: Hub, shows: datetime | None = None) -> None:
        """Have the clock show something, and everything follow."""
        self.shows = shows or self.shows
        with self.runs():
            async_fire_time_changed(hass, fire_all=True)
            await settle(hass, hub)


@pytest.fixture
def machine() -> Machine:
    return Machine()


def consent_state(hass: HomeAssistant) -> str:
    """Return what the sensor shows of the consent."""
    state = hass.states.get("sensor.nadie_consent")
    return "gone" if state is None else state.state


def issues(hass: HomeAssistant) -> set[str]:
    """Return the issues that are shown of the clock and of consents."""
    return {
        issue_id
        for domain, issue_id in ir.async_get(hass).issues
        if domain == DOMAIN and issue_id.startswith(("clock", "consent"))
    }


async def stored(hass: HomeAssistant, hub: Hub) -> tuple[int, int, int]:
    items = await hass.async_add_executor_job(hub.vault.stored)
    return items.people, items.templates, items.consents


async def test_years_ahead_for_a_moment(hass: HomeAssistant, hub: Hub, machine: Machine) -> None:
    """Nobody is erased and nobody recognised, nothing is said of anybody's consent; then it goes on."""
    right = machine.shows
    with machine.runs():
        await put_on_record(hass, hub, a_consent(right - SECOND, right + 200 * DAY))
        assert hub.can_recognise()
    kept = await stored(hass, hub)
    machine.shows += YEARS
    for _ in range(3):
        await machine.ticks(hass, hub)
        with machine.runs():
            assert not hub.can_recognise()
            assert not may_be_told(hub, "nadie", ANYWHERE)
            assert await refused(hass, "identify", camera=CAMERA) == "clock_doubted"
            assert await refused(hass, "purge") == "clock_doubted"
            with pytest.raises(ConsentRefused) as no:
                build_consent(
                    hub,
                    name="Nadie",
                    child=False,
                    given_by="Nadie",
                    method=ConsentMethod.IN_PERSON,
                    choices=Choices(),
                    text="The text.",
                    language="en",
                )
            assert no.value.refusal is Refusal.CLOCK_DOUBTED
        assert await stored(hass, hub) == kept
        assert issues(hass) == set()
        machine.passes(50 * SECOND)
    await machine.ticks(hass, hub, machine.shows - YEARS)
    with machine.runs():
        assert hub.can_recognise()
        assert hub.people["nadie"].consents[-1].state(machine.shows) is ConsentState.ACTIVE
    assert consent_state(hass) == "active"
    assert await stored(hass, hub) == kept


async def test_a_machine_that_starts_in_the_past(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, machine: Machine
) -> None:
    """Nothing is lost, the owner is asked only when it stays so, and it goes on by itself."""
    right = machine.shows
    with machine.runs():
        await put_on_record(hass, hub, a_consent(right - SECOND, right + 200 * DAY))
        kept = await stored(hass, hub)
        assert await hass.config_entries.async_unload(entry.entry_id)
    assert clock_file(hass).exists()
    machine.shows = right - 2 * 365 * DAY
    with machine.runs(), patch("custom_components.familiar_faces.erasing.clock_watch.read_boot", lambda: "b"):
        hub = await set_up(hass, entry)
        assert not hub.can_recognise()
    for minutes, asked in ((5, set()), (11, {"clock_doubted"}), (12, {"clock_doubted"})):
        machine.shows = right - 2 * 365 * DAY
        machine._ran = right.timestamp() + minutes * 60
        await machine.ticks(hass, hub)
        assert issues(hass) == asked
    assert await stored(hass, hub) == kept
    # It has reached a time server.
    await machine.ticks(hass, hub, right + 20 * 60 * SECOND)
    assert issues(hass) == set()
    with machine.runs():
        assert hub.can_recognise()
    assert await stored(hass, hub) == kept


async def test_the_owner_says_that_it_is_right(
    hass: HomeAssistant, hub: Hub, machine: Machine, aiohttp_client: MakeClient, socket_enabled: None
) -> None:
    """Only then is erased what is past its time by that clock."""
    right = machine.shows
    with machine.runs():
        await put_on_record(hass, hub, a_consent(right - SECOND, right + 200 * DAY))
    machine.shows += 300 * DAY
    await machine.ticks(hass, hub)
    machine.passes(700 * SECOND)
    await machine.ticks(hass, hub)
    assert issues(hass) == {"clock_doubted"}
    with machine.runs():
        owner = await Owner.log_in(hass, aiohttp_client)
        dialog = await owner.repair("clock_doubted")
        assert dialog["step_id"] == "confirm"
        expected, shown = (dialog["description_placeholders"][each] for each in ("expected", "now"))
        assert expected != shown
        assert str((right + 300 * DAY).year) in shown
        assert (await stored(hass, hub))[0] == 1
        assert (await owner.answer(dialog, {}))["type"] == "create_entry"
    assert "clock_doubted" not in issues(hass)
    machine.passes(60 * SECOND)
    await machine.ticks(hass, hub)
    assert hub.people == {}
    assert issues(hass) == set()
    assert (await stored(hass, hub))[0] == 0


async def test_who_is_to_be_forgotten_does_not_wait_for_the_clock(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, machine: Machine
) -> None:
    """What somebody asked for, and could not be done, is tried again whatever the time is."""
    with machine.runs():
        await put_on_record(hass, hub, a_consent(machine.shows - SECOND, machine.shows + 200 * DAY))
    machine.shows += 300 * DAY
    await machine.ticks(hass, hub)
    machine.passes(700 * SECOND)
    await machine.ticks(hass, hub)
    assert issues(hass) == {"clock_doubted"}
    assert (await stored(hass, hub))[0] == 1
    hub.books.async_write(CONF_FORGETTING, {"nadie"})
    machine.passes(600 * SECOND)
    await machine.ticks(hass, hub)
    assert hub.people == {}
    assert (await stored(hass, hub))[0] == 0
    assert issues(hass) == {"clock_doubted"}


async def test_what_has_ended_stays_ended(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, machine: Machine
) -> None:
    """A clock that is set back, and believed, makes no yes of one that ran out; over a restart neither."""
    right = machine.shows
    with machine.runs():
        await put_on_record(hass, hub, a_consent(right - SECOND, right + 10 * DAY))
    machine.passes(10 * DAY)
    await machine.ticks(hass, hub)
    assert consent_state(hass) == "expired"
    machine.synchronised = True
    await machine.ticks(hass, hub, right + 5 * DAY)
    with machine.runs():
        assert hub.wall_clock.believed()
        assert not hub.can_recognise()
    assert consent_state(hass) == "expired"
    with machine.runs():
        await hass.config_entries.async_reload(entry.entry_id)
        hub = entry.runtime_data
        await settle(hass, hub)
        assert hub.people["nadie"].consents[-1].state(machine.shows) is ConsentState.EXPIRED
        with pytest.raises(ConsentMissing):
            await hass.async_add_executor_job(
                lambda: hub.vault.add_reference(
                    "nadie",
                    photo=b"photo",
                    embedding=axis(3),
                    model="made up",
                    photo_digest="another",
                    now=machine.shows,
                )
            )
        # A new yes is another one.
        renewed = a_consent(machine.shows - SECOND, machine.shows + 100 * DAY)
        await hass.async_add_executor_job(hub.vault.record_consent, "nadie", renewed)
        await hub.async_refresh_people()
        assert consent_state(hass) == "active"
        await hub.forgetting.async_forget("nadie", "asked")
    with hub.vault._database.read() as connection:
        assert connection.execute("SELECT count(*) FROM meta WHERE name LIKE 'ended%'").fetchone() == (0,)


async def test_an_end_that_could_not_be_written(hass: HomeAssistant, hub: Hub, machine: Machine) -> None:
    """It is tried again in a minute."""
    right = machine.shows
    with machine.runs():
        await put_on_record(hass, hub, a_consent(right - SECOND, right + 10 * DAY))
    machine.passes(10 * DAY)
    with patch.object(hub.vault, "end_consents", side_effect=VaultUnwritable("No space left on device")):
        await machine.ticks(hass, hub)
    assert not hub.people["nadie"].consents[-1].ended
    machine.passes(60 * SECOND)
    await machine.ticks(hass, hub)
    assert hub.people["nadie"].consents[-1].ended


async def test_removing_leaves_no_time_behind(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """The file with the time goes with the rest."""
    await hass.config_entries.async_unload(entry.entry_id)
    assert clock_file(hass).exists()
    await hass.config_entries.async_remove(entry.entry_id)
    assert not clock_file(hass).exists()


async def test_a_jump_while_it_is_erased(hass: HomeAssistant, hub: Hub, machine: Machine) -> None:
    """Anyone who asks for a purge at that moment is told why there is none."""
    machine.shows += YEARS
    with machine.runs(), pytest.raises(ServiceValidationError) as told:
        await hub.purging.async_purge()
    assert told.value.translation_key == "clock_doubted"
