"""Forgetting: of somebody who was enrolled and recognised, not one byte is left. Every way, and killed at every step."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
import contextlib
from datetime import timedelta
from pathlib import Path
import sqlite3
from typing import Any

from homeassistant.components import persistent_notification
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
import pytest

from custom_components.familiar_faces.erasing import forgetting, stores
from custom_components.familiar_faces.internals.recorder_file import RecorderReach
from custom_components.familiar_faces.internals.wanted import Wanted

from ..common.evidence import NAME, VAULT, Evidence, ask, texts_of
from ..common.home import DATABASE, Home, MakeRecorder, home, snapshot
from ..common.notified import notified
from ..common.steps import later

pytestmark = pytest.mark.usefixtures("entity_registry_enabled_by_default")


async def press_forget(running: Home, person_id: str) -> None:
    """Press the forget button, which the owner has switched on."""
    entity_id = f"button.{NAME.lower()}_forget"
    er.async_get(running.hass).async_update_entity(entity_id, disabled_by=None)
    assert await running.hass.config_entries.async_reload(running.entry.entry_id)
    assert await running.hub.engine.wait_ready(30)
    await running.hass.services.async_call("button", "press", {"entity_id": entity_id}, blocking=True)


async def remove_subentry(running: Home, person_id: str) -> None:
    """Remove the person from the list."""
    subentry = running.hub.roster.subentries()[person_id]
    running.hass.config_entries.async_remove_subentry(running.entry, subentry.subentry_id)
    await running.hass.async_block_till_done(wait_background_tasks=True)


async def withdraw(running: Home, person_id: str) -> None:
    """Withdraw the consent; the purge erases at once."""
    await running.hass.async_add_executor_job(running.hub.vault.withdraw_consent, person_id, dt_util.utcnow())
    await running.hub.purging.async_purge()


async def expire(running: Home, person_id: str) -> None:
    """Let the consent run out, and two weeks pass."""
    until = running.hub.people[person_id].consents[-1].valid_until
    with later(until=until + timedelta(days=14, seconds=1)):
        await running.hub.purging.async_purge()
        await running.hass.async_block_till_done(wait_background_tasks=True)


type Way = Callable[[Home, str], Awaitable[None]]


@pytest.mark.parametrize("way", [press_forget, remove_subentry, ask, withdraw, expire])
async def test_nothing_is_left(lived: tuple[Path, Evidence], make_recorder: MakeRecorder, way: Way) -> None:
    """However somebody is forgotten, no byte of them is left, in any file, after a stop straight afterwards."""
    folder, evidence = lived
    before = evidence.find(folder)
    for place in (
        DATABASE,
        ".storage/core.config_entries",
        ".storage/core.device_registry",
        ".storage/core.entity_registry",
        ".storage/core.restore_state",
        ".storage/trace.saved_traces",
    ):
        assert any(each.endswith(f" in {place}") for each in before), place
    async with home(folder, make_recorder) as running:
        persistent_notification.async_create(running.hass, f"{NAME} is at the door", notification_id="theirs")
        persistent_notification.async_create(running.hass, "The bin is full", notification_id="bin")
        await way(running, evidence.person_id)
        await running.settle()
        receipt = await running.hass.async_add_executor_job(running.hub.vault.receipt, evidence.person_id)
        shown = notified(running.hass)
        assert "bin" in shown
        assert not [each for each in shown.values() if NAME in each["message"]]
        assert er.async_get(running.hass).async_get("sensor.front_door_last_visitor") is not None
    assert evidence.find(folder) == []
    assert receipt is not None
    assert receipt.verified
    assert receipt.finished_at is not None
    kept = 0 if way is expire else 1
    assert (receipt.templates, receipt.visits, receipt.pictures) == (3, kept, kept)
    assert receipt.reached["recorder"] == RecorderReach.ERASED
    for what, more_than in (("states", 5), ("events", 1), ("traces", 0)):
        reached = receipt.reached[what]
        assert isinstance(reached, int)
        assert reached > more_than, what
    assert receipt.reached["entities"] == len(evidence.entity_ids) + 1
    assert receipt.reached["mentioned_elsewhere"] == 0
    assert receipt.reached["backups"] == "not_reached"
    assert NAME not in str(receipt)


async def test_removed_integration(lived: tuple[Path, Evidence], make_recorder: MakeRecorder) -> None:
    """With the integration goes everybody it knew, wherever Home Assistant kept something of them."""
    folder, evidence = lived
    async with home(folder, make_recorder) as running:
        await running.hass.config_entries.async_remove(running.entry.entry_id)
        await running.settle()
    assert evidence.find(folder) == []
    assert not (folder / VAULT).exists()


async def test_removed_integration_that_did_not_run(
    lived: tuple[Path, Evidence], make_recorder: MakeRecorder
) -> None:
    """Anyone who was removed before, while it did not run, is looked for by the name that the vault still has."""
    folder, evidence = lived
    async with home(folder, make_recorder) as running:
        await running.hass.config_entries.async_unload(running.entry.entry_id)
        (subentry,) = running.entry.get_subentries_of_type("person")
        running.hass.config_entries.async_remove_subentry(running.entry, subentry.subentry_id)
        await running.hass.config_entries.async_remove(running.entry.entry_id)
        await running.settle()
    assert evidence.find(folder) == []


async def test_a_former_name(
    lived: tuple[Path, Evidence], make_recorder: MakeRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What somebody was called before they got another name is looked for too, also by the start after a kill."""
    folder, evidence = lived
    async with home(folder, make_recorder) as running:
        hass, hub = running.hass, running.hub
        await hass.async_add_executor_job(hub.vault.update_person, evidence.person_id, "Zoe Ypsilon", None)
        await hub.async_refresh_people()
        with monkeypatch.context() as patched:
            patched.setattr(forgetting, "async_erase", lambda *_args: asyncio.sleep(3600))
            patched.setattr(forgetting, "PATIENCE", 0.1)
            await hub.forgetting.async_forget(evidence.person_id, patience=0.1)
            patched.setattr(forgetting, "_LAST_PATIENCE", 0.1)
            assert await hass.config_entries.async_unload(running.entry.entry_id)
    assert evidence.find(folder) != []
    async with home(folder, make_recorder) as running:
        await running.settle()
        receipt = await running.hass.async_add_executor_job(running.hub.vault.receipt, evidence.person_id)
        assert receipt is not None
        assert receipt.finished_at is not None
    assert evidence.find(folder) == []


async def test_others_keep_their_history(lived: tuple[Path, Evidence], make_recorder: MakeRecorder) -> None:
    """What tells of others stays: their history, and the states of a group whose list is cleared of an entity."""
    folder, evidence = lived
    async with home(folder, make_recorder) as running:
        hass = running.hass
        hass.states.async_set("group.guests", "on", {"entity_id": evidence.entity_ids[:1]})
        hass.states.async_set("group.guests", "off", {"entity_id": ["light.hall"]})
        hass.states.async_set("sensor.front_door_last_visitor", "stranger")
        hass.states.async_set("sensor.front_door_last_visitor", "An older name")
        await running.settle()
        await ask(running, evidence.person_id)
        await running.settle()
        rows = await _rows(
            running,
            "SELECT states_meta.entity_id, state, shared_attrs FROM states JOIN states_meta USING "
            "(metadata_id) LEFT JOIN state_attributes USING (attributes_id)",
        )
    group = [(state, attributes) for entity_id, state, attributes in rows if entity_id == "group.guests"]
    assert [state for state, _attributes in group] == ["on", "off"]
    assert group[0][1] is None
    assert "light.hall" in group[1][1]
    last = [state for entity_id, state, _ in rows if entity_id == "sensor.front_door_last_visitor"]
    assert "stranger" in last
    assert "An older name" not in last
    assert not {entity_id for entity_id, _, _ in rows} & set(evidence.entity_ids)
    assert evidence.find(folder) == []


async def _rows(running: Home, statement: str) -> list[Any]:
    def read() -> list[Any]:
        with sqlite3.connect(running.folder / DATABASE) as connection:
            rows = connection.execute(statement).fetchall()
        connection.close()
        return rows

    return await running.hass.async_add_executor_job(read)


async def test_remains_of_deleted_rows(lived: tuple[Path, Evidence], make_recorder: MakeRecorder) -> None:
    """What the recorder deleted long ago and SQLite did not overwrite is overwritten as well."""
    folder, evidence = lived
    with contextlib.closing(sqlite3.connect(folder / DATABASE)) as database:
        # As SQLite is built by default; many systems have it overwrite.
        database.execute("PRAGMA secure_delete=OFF")
        # More than the recorder overwrites by itself in the meantime.
        rows = [(NAME,)] * 100_000
        database.executemany("INSERT INTO states (state) VALUES (?)", rows)
        database.commit()
        database.execute("DELETE FROM states WHERE metadata_id IS NULL")
        database.commit()
    remains = (folder / DATABASE).read_bytes().count(NAME.encode())
    assert remains > 50_000
    async with home(folder, make_recorder) as running:
        await ask(running, evidence.person_id)
    assert evidence.find(folder) == []


async def test_without_a_recorder(lived: tuple[Path, Evidence]) -> None:
    """Without a recorder everything else is erased, and the receipt says so."""
    folder, evidence = lived
    (folder / DATABASE).unlink()
    async with home(folder, None) as running:
        await ask(running, evidence.person_id)
        receipt = await running.hass.async_add_executor_job(running.hub.vault.receipt, evidence.person_id)
    assert receipt is not None
    assert receipt.reached["recorder"] == RecorderReach.NOT_RUNNING
    assert evidence.find(folder) == []


async def test_elsewhere(lived: tuple[Path, Evidence], make_recorder: MakeRecorder) -> None:
    """What the owner wrote is not touched, and the receipt says in how many files somebody is still mentioned."""
    folder, evidence = lived
    (folder / "automations.yaml").write_text(f"- alias: Greet {NAME}\n")
    (folder / "scripts.yaml").write_text(f"- alias: Greet {NAME}lotte\n")
    async with home(folder, make_recorder) as running:
        await ask(running, evidence.person_id)
        receipt = await running.hass.async_add_executor_job(running.hub.vault.receipt, evidence.person_id)
    assert receipt is not None
    assert receipt.reached["mentioned_elsewhere"] == 1
    assert all(each.endswith(".yaml") for each in evidence.find(folder))


STEPS = [
    "before the vault",
    "before the entities are noted",
    "before they are hidden",
    "before the registries",
    "before the recorder",
    "while the recorder overwrites",
    "before the files are written",
    "before the receipt",
    "after it",
]


async def test_killed_at_every_step(
    lived: tuple[Path, Evidence], make_recorder: MakeRecorder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Killed at any step, the next start finishes what was begun, and nothing is left."""
    folder, evidence = lived
    taken: dict[str, Path] = {}

    def take(step: str) -> None:
        if step not in taken:
            taken[step] = tmp_path / step.replace(" ", "_")
            snapshot(folder, taken[step])

    def before[**P, R](step: str, function: Callable[P, R]) -> Callable[P, R]:
        def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
            take(step)
            return function(*args, **kwargs)

        return wrapped

    async with home(folder, make_recorder) as running:
        await running.write()
        with monkeypatch.context() as patched:
            vault = running.hub.vault
            patched.setattr(vault, "forget", before(STEPS[0], vault.forget))
            patched.setattr(vault, "note_entities", before(STEPS[1], vault.note_entities))
            patched.setattr(
                forgetting.Forgetting, "_async_hide", before(STEPS[2], forgetting.Forgetting._async_hide)
            )
            for step, name in (
                (STEPS[3], "_async_erase_registries"),
                (STEPS[4], "async_erase_recorded"),
                (STEPS[6], "async_write_files"),
            ):
                patched.setattr(stores, name, before(step, getattr(stores, name)))
            from custom_components.familiar_faces.internals import recorder_file, recorder_rows

            patched.setattr(recorder_rows, "overwrite", before(STEPS[5], recorder_file.overwrite))
            patched.setattr(vault, "finish_forgetting", before(STEPS[7], vault.finish_forgetting))
            # Written before the vault erases: that somebody is to be forgotten.
            await running.hub.forgetting.async_forget(evidence.person_id)
        take(STEPS[8])
        await running.settle()
    assert list(taken) == STEPS
    for step, killed in taken.items():
        # Before the receipt all is gone, and what is left is to say so.
        assert (evidence.find(killed) != []) is (step not in STEPS[-2:]), step
        async with home(killed, make_recorder) as running:
            if step == STEPS[0]:
                # Nothing was promised yet: they are still there, and are asked to be forgotten again.
                await ask(running, evidence.person_id)
            await running.settle()
            receipt = await running.hass.async_add_executor_job(running.hub.vault.receipt, evidence.person_id)
            assert not running.hub.people, step
            assert receipt is not None, step
            assert receipt.finished_at is not None, step
            assert await running.hass.async_add_executor_job(running.hub.vault.unfinished) == [], step
        assert evidence.find(killed) == [], step


async def test_recorder_that_does_not_answer(
    lived: tuple[Path, Evidence], make_recorder: MakeRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the recorder fails the receipt is open, the vault has erased, and the next purge does the rest."""
    folder, evidence = lived
    from custom_components.familiar_faces.internals import recorder_file

    async with home(folder, make_recorder) as running:
        with monkeypatch.context() as patched:
            patched.setattr(recorder_file, "checkpoint", lambda _instance: False)
            receipt = await running.hub.forgetting.async_forget(evidence.person_id)
        assert receipt is not None
        assert receipt.verified
        assert receipt.finished_at is None
        assert not running.hub.people
        await running.hub.purging.async_purge()
        await running.settle()
        receipt = await running.hass.async_add_executor_job(running.hub.vault.receipt, evidence.person_id)
        assert receipt is not None
        assert receipt.finished_at is not None
    assert evidence.find(folder) == []


def test_the_search_can_find(tmp_path: Path) -> None:
    """The search that finds nothing elsewhere finds a name, an id, and 32 bytes of a template or a photo."""
    template = bytes(range(256)) * 2
    evidence = Evidence("f" * 32, [], texts_of(NAME), {template[at : at + 32] for at in range(481)})
    (tmp_path / "deep").mkdir()
    file = tmp_path / "deep" / "file"
    for data in (
        b"..sensor.zyxandra_last_seen..",
        b"x" + NAME.encode("utf-16-le"),
        base64.b64encode(NAME.encode()),
        base64.b64encode(f"Hi, {NAME}.".encode()),
        base64.b64encode(f"This {NAME}, ".encode()),
        b"\0" + b"f" * 32,
        b"y" * 5 + template[77:109],
    ):
        file.write_bytes(data)
        assert evidence.find(tmp_path), data
    file.write_bytes(template[77:108] + b"Zyxandre")
    assert evidence.find(tmp_path) == []


@pytest.mark.parametrize(
    ("text", "mentioned"),
    [
        ("Jan is at the door", True),
        ('{"message":"O\\"Brien"}', True),
        ('{"entity_id":"sensor.jan_last_seen"}', True),
        ("consent_expired_ab12", True),
        ("January", False),
        ("light.jan_lamp", False),
        ("sensor.jan_last_seen_by_me", False),
        ("", False),
    ],
)
def test_what_counts_as_mentioned(text: str, mentioned: bool) -> None:
    """A name and an entity count as whole words, an id anywhere: nobody's history goes for a likeness of letters."""
    wanted = Wanted(frozenset({"ab12"}), frozenset({"Jan", 'O"Brien'}), frozenset({"sensor.jan_last_seen"}))
    assert wanted.mentioned_in(text) is mentioned
    assert not Wanted(frozenset()).mentioned_in(text)
