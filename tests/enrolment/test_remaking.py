"""Another model: templates are made again from the reference photos, and nothing is lost when that is cut off.

The other model is a real engine whose embeddings are in another order, so that none of it resembles the usual ones.
"""

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from unittest.mock import patch

from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
import pytest

from custom_components.familiar_faces.const import DOMAIN
from custom_components.familiar_faces.engine.model_card import space
from custom_components.familiar_faces.engine.pinned import Variant
from custom_components.familiar_faces.household.issues import PHOTOS_REMADE, PHOTOS_UNUSABLE
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.people.person import Template

from ..common.engine_process import EngineProcess
from ..common.home import Home, home, snapshot
from ..common.people_on_record import DAY, a_consent, put_on_record
from ..common.pictures import astronaut, enrolment_photos
from ..common.shared_engine import SharedEngine
from ..common.steps import VISITOR, enrol, ring, visits
from ..common.waiting import until
from ..conftest import an_entry

USUAL = space(Variant.INT8BQ)
OTHER = f"another_{USUAL}"
"""As the fixture `other_program` calls it."""


@contextmanager
def another_engine(program: Path) -> Generator[EngineProcess]:
    """Have this machine's engine be one with another model."""
    engine = EngineProcess(program=program).start()
    assert engine.socket is not None
    folder = engine.socket.parent
    target = "custom_components.familiar_faces.household.engine_choice.EngineProcess"
    try:
        with patch(target, side_effect=lambda *_, **__: SharedEngine(folder)):
            yield engine
    finally:
        engine.kill()


def templates_in(hub: Hub) -> dict[str, Template]:
    """Return all templates that are kept, by their ids."""
    return {each.template_id: each for person in hub.vault.people() for each in person.templates}


def photos_in(hub: Hub) -> dict[str, bytes]:
    """Return all reference photos that are kept."""
    return {each: hub.vault.reference_photo(each) for each in templates_in(hub)}


def issue(hass: HomeAssistant, issue_id: str) -> ir.IssueEntry | None:
    """Return a repair, None when it is not shown."""
    return ir.async_get(hass).async_get_issue(DOMAIN, issue_id)


def is_remade(at: Home) -> bool:
    """Return whether all templates that are compared are of the other model, and nothing more is said of it."""
    models = {each.model for person in at.hub.people.values() for each in person.templates}
    return models == {OTHER} and issue(at.hass, PHOTOS_REMADE) is None


async def recognised(at: Home) -> str | None:
    """Have somebody ring who was stopped_home, and return who was seen."""
    at.front_door.frames = visits(astronaut())
    await ring(at.hass, at.hub)
    state = at.hass.states.get(VISITOR)
    assert state is not None
    name: str | None = state.attributes["person_name"]
    return name


@pytest.fixture
async def stopped_home(tmp_path: Path, real_engine: None) -> tuple[Path, dict[str, bytes]]:
    """Return the folder of a home, stopped, in which somebody is known, and her reference photos."""
    folder = tmp_path / "config"
    async with home(folder, None, an_entry()) as at:
        await enrol(at.hass, at.entry, enrolment_photos())
        photos = await at.hass.async_add_executor_job(photos_in, at.hub)
        assert len(photos) == len(enrolment_photos())
        await at.write()
    return folder, photos


async def test_everybody_is_recognised_with_the_other_model(
    stopped_home: tuple[Path, dict[str, bytes]], other_program: Path
) -> None:
    """Ids, photos and what the owner set aside stay; only what is compared is another."""
    folder, photos = stopped_home
    with another_engine(other_program):
        async with home(folder, None) as at:
            await until(partial(is_remade, at))
            found = await at.hass.async_add_executor_job(templates_in, at.hub)
            assert found.keys() == photos.keys()
            assert await at.hass.async_add_executor_job(photos_in, at.hub) == photos
            assert await recognised(at) == "Eileen"
            assert not issue(at.hass, PHOTOS_UNUSABLE)


async def test_nothing_is_lost_when_it_is_killed_half_way(
    stopped_home: tuple[Path, dict[str, bytes]], other_program: Path, tmp_path: Path
) -> None:
    """What is ready stays ready, how far it is is said, and the next start does the rest."""
    folder, photos = stopped_home
    killed = tmp_path / "killed"
    async with home(folder, None) as at:
        with another_engine(other_program) as engine:
            said: list[dict[str, str] | None] = []

            @callback
            def stop_after_one(_: Event[ir.EventIssueRegistryUpdatedData]) -> None:
                if (shown := issue(at.hass, PHOTOS_REMADE)) is None:
                    return
                said.append(shown.translation_placeholders)
                if said[-1] == {"done": "1", "total": str(len(photos))}:
                    assert engine.process is not None
                    engine.process.kill()

            at.hass.bus.async_listen(ir.EVENT_REPAIRS_ISSUE_REGISTRY_UPDATED, stop_after_one)
            assert await at.hass.config_entries.async_reload(at.entry.entry_id)
            await until(lambda: len(said) == 2)
            await at.hass.async_add_executor_job(snapshot, folder, killed)
            found = await at.hass.async_add_executor_job(templates_in, at.hub)
            assert Counter(each.model for each in found.values()) == {OTHER: 1, USUAL: len(photos) - 1}
    with another_engine(other_program):
        async with home(killed, None) as at:
            await until(partial(is_remade, at))
            assert await at.hass.async_add_executor_job(photos_in, at.hub) == photos
            assert await recognised(at) == "Eileen"


async def test_a_photo_without_a_face_is_kept_and_said(
    stopped_home: tuple[Path, dict[str, bytes]], other_program: Path
) -> None:
    folder, _ = stopped_home
    async with home(folder, None) as at:
        start = dt_util.utcnow()
        await put_on_record(at.hass, at.hub, a_consent(start - DAY, start + 300 * DAY))
        before = await at.hass.async_add_executor_job(photos_in, at.hub)
        await at.write()
    with another_engine(other_program):
        async with home(folder, None) as at:
            await until(lambda: issue(at.hass, PHOTOS_UNUSABLE) is not None)
            shown = issue(at.hass, PHOTOS_UNUSABLE)
            assert shown is not None
            assert shown.translation_placeholders == {"count": "1"}
            assert issue(at.hass, PHOTOS_REMADE) is None
            assert await at.hass.async_add_executor_job(photos_in, at.hub) == before
