"""What a camera learns of the faces that it sees, and of whose, with the real engine."""

from homeassistant.core import HomeAssistant
import pytest

from custom_components.familiar_faces.consent.withdrawal import async_withdraw
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.people.choices import Keeping

from ..common.people_on_record import change_choices
from ..common.pictures import astronaut, stranger
from ..common.steps import ring, visits
from ..conftest import FrontDoor


async def test_it_learns_from_who_was_named_and_forgets_them(
    hass: HomeAssistant, hub: Hub, visited: str
) -> None:
    assert len(hub.roster.middles) == 1

    await hub.forgetting.async_forget(visited)

    assert len(hub.roster.middles) == 0


async def test_nothing_is_left_after_a_withdrawal(hass: HomeAssistant, hub: Hub, visited: str) -> None:
    await async_withdraw(hub, hub.forgetting, visited)

    assert len(hub.roster.middles) == 0


async def test_strangers_teach_it_nothing(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, eileen: str
) -> None:
    front_door.frames = visits(stranger(0))
    await ring(hass, hub)

    assert len(hub.roster.middles) == 0


@pytest.mark.parametrize("keeping", [Keeping.NOTHING, Keeping.SILENT])
async def test_who_wants_no_visits_kept_teaches_it_nothing(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, visited: str, keeping: Keeping
) -> None:
    """What was learned of them before goes with the choice."""
    await change_choices(hass, hub, visited, keeping=keeping)
    assert len(hub.roster.middles) == 0

    front_door.frames = visits(astronaut())
    await ring(hass, hub)

    assert len(hub.roster.middles) == 0
