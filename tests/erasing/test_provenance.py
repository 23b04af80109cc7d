"""What goes is told by where it came from: a name is a word like others, and of others nothing goes."""

from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
import json
from pathlib import Path
import sqlite3
from uuid import uuid4

from homeassistant.components import persistent_notification
from homeassistant.components.trace.const import DATA_TRACE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest

from custom_components.familiar_faces.erasing.mentions import MOST, Kind, Place

from ..common.home import DATABASE, Home, MakeRecorder, home
from ..common.made_up_visits import a_visit, come
from ..common.notified import notified
from ..common.people_on_record import DAY, a_consent, now, put_on_record
from ..conftest import an_entry

pytestmark = pytest.mark.usefixtures("entity_registry_enabled_by_default")

ODD_NAMES = ("domain", "Max", "Home", "on", "front door", "%", "_", "a", "light", "message")
"""What a language, JSON, Home Assistant or a database takes for something else."""
NOTE = {
    "id": "note",
    "alias": "Note",
    "trace": {"stored_traces": 100},
    "triggers": {"trigger": "state", "entity_id": "event.front_door_visitor"},
    "actions": [
        {
            "action": "input_text.set_value",
            "target": {"entity_id": "input_text.note"},
            "data": {"value": "{{ trigger.to_state.attributes.person_name }} came"},
        },
        {"event": "told", "event_data": {"who": "{{ trigger.to_state.attributes.person_name }}"}},
        {"action": "input_boolean.turn_on", "target": {"entity_id": "input_boolean.lamp"}},
    ],
}
THEN = {
    "id": "then",
    "alias": "Then",
    "trace": {"stored_traces": 100},
    "triggers": {"trigger": "state", "entity_id": "input_text.note"},
    "actions": {
        "action": "input_text.set_value",
        "target": {"entity_id": "input_text.again"},
        "data": {"value": "Once more: {{ trigger.to_state.state }}"},
    },
}
MIRROR = {
    "sensor": [
        {"name": "Mirror", "state": "{{ states('sensor.front_door_last_visitor') }}", "unique_id": "mirror"}
    ]
}


@asynccontextmanager
async def lived_by(folder: Path, make_recorder: MakeRecorder, *, new: bool = True) -> AsyncGenerator[Home]:
    """Run a home in which automations write down who came."""
    more = {
        "input_text": {"note": {}, "again": {}, "shopping": {}},
        "input_boolean": {"lamp": {}},
        "template": [MIRROR],
        "automation": [NOTE, THEN],
    }
    async with home(folder, make_recorder, an_entry() if new else None, more) as running:
        yield running


async def add(running: Home, name: str) -> str:
    """Have somebody agree, and return their id."""
    person_id = uuid4().hex
    consent = a_consent(now() - DAY, now() + 300 * DAY)
    await put_on_record(running.hass, running.hub, consent, person_id, name)
    return person_id


async def visit(running: Home, person_id: str) -> None:
    """Have somebody come, and everything that follows be written down."""
    await come(running.hass, running.hub, a_visit(running.hub, person_id))
    await running.settle()


async def rows(running: Home) -> Counter[str]:
    """Return all that the recorder holds, each row as text."""
    await running.settle()

    def read() -> Counter[str]:
        connection = sqlite3.connect(running.folder / DATABASE)
        states = connection.execute(
            "SELECT states_meta.entity_id, state, shared_attrs FROM states JOIN states_meta USING (metadata_id) "
            "LEFT JOIN state_attributes USING (attributes_id)"
        ).fetchall()
        events = connection.execute(
            "SELECT event_types.event_type, shared_data FROM events JOIN event_types USING (event_type_id) "
            "LEFT JOIN event_data USING (data_id)"
        ).fetchall()
        connection.close()
        return Counter(json.dumps(row) for row in [*states, *events])

    return await running.hass.async_add_executor_job(read)


def notifications(hass: HomeAssistant) -> list[str]:
    """Return what notifications say."""
    shown = notified(hass)
    return sorted(each["message"] for each in shown.values())


def traces(hass: HomeAssistant) -> set[str]:
    """Return the ids of the runs that are remembered of automations that later runs leave in place."""
    kept = [hass.data[DATA_TRACE][f"automation.{each['id']}"] for each in (NOTE, THEN)]
    return {trace.run_id for each in kept for trace in each.all_traces()}


def of_others(kept: Counter[str], entity_ids: set[str]) -> Counter[str]:
    """Return the rows that are not of these entities."""
    return Counter({row: count for row, count in kept.items() if not any(each in row for each in entity_ids)})


async def test_nothing_of_others_goes(tmp_path: Path, make_recorder: MakeRecorder, real_engine: None) -> None:
    """Anyone who is called like a word of everyday life or of JSON takes no row, trace or notification of others along."""
    sentence = "Max is on the way Home by the front door, a light message: 100 % of the _ domain"
    (tmp_path / "automations.yaml").write_text(f"- alias: {sentence}\n")
    async with lived_by(tmp_path, make_recorder) as running:
        hass = running.hass
        anna = await add(running, "Anna")
        people = {name: await add(running, name) for name in ODD_NAMES}
        await visit(running, anna)
        for value in ("on", "Home", "home", "a", "Max"):
            hass.states.async_set("light.hall", value, {"friendly_name": "Front door", "effect": sentence})
            hass.states.async_set("sensor.word", value)
        hass.bus.async_fire("something", {"domain": "light", "on": "Max", "message": sentence, "a": "%"})
        await hass.services.async_call(
            "input_text", "set_value", {"entity_id": "input_text.shopping", "value": sentence}, blocking=True
        )
        for name in ODD_NAMES:
            persistent_notification.async_create(hass, f"{name} {sentence}")
        theirs = {
            each.entity_id
            for each in er.async_get(hass).entities.values()
            if each.unique_id.partition("_")[0] in people.values()
        }
        registered = set(er.async_get(hass).entities) - theirs
        before = of_others(await rows(running), theirs)
        told, ran = notifications(hass), traces(hass)
        assert "Anna is at the door" in told
        assert len(told) > len(ODD_NAMES)
        assert any("Anna came" in row for row in before)
        for name in ("domain", "on", "message"):
            await visit(running, people[name])
        assert any("on came" in row for row in await rows(running))
        for person_id in people.values():
            receipt = await running.hub.forgetting.async_forget(person_id)
            assert receipt is not None
            assert receipt.everywhere
            assert receipt.reached["mentioned_elsewhere"] != 0
            for kind in Kind:
                places = str(receipt.reached.get(f"mentioned_{kind}", ""))
                assert places.count(",") < MOST
        assert before - await rows(running) == Counter()
        said = notifications(hass)
        assert Counter(told) - Counter(said) == Counter()
        assert not {f"{name} is at the door" for name in ODD_NAMES} & set(said)
        assert ran <= traces(hass)
        assert registered <= set(er.async_get(hass).entities)
        assert hass.states.get("input_text.shopping").state == sentence
        assert hass.states.get("input_text.note").state in ("", "came")
        left = await rows(running)
        assert not any(f'"{name} came' in row for name in ODD_NAMES for row in left)
        assert set(running.hub.people) == {anna}


@pytest.mark.parametrize("restarted", [False, True])
async def test_what_followed_goes(
    tmp_path: Path, make_recorder: MakeRecorder, real_engine: None, restarted: bool
) -> None:
    """What automations wrote because somebody came goes, at any remove, also after a restart; a lamp's history stays."""
    async with lived_by(tmp_path, make_recorder) as running:
        anna, max_ = await add(running, "Anna"), await add(running, "Max")
        await visit(running, anna)
        await running.hass.services.async_call(
            "input_text",
            "set_value",
            {"entity_id": "input_text.shopping", "value": "A cake for Max"},
            blocking=True,
        )
        await visit(running, max_)
        told = [row for row in await rows(running) if "Max" in row]
        for what in ("input_text.note", "input_text.again", "sensor.mirror", "told", "call_service"):
            assert any(what in row for row in told), what
        if not restarted:
            await forget_max(running, max_)
        else:
            await running.write()
    if restarted:
        async with lived_by(tmp_path, make_recorder, new=False) as running:
            await forget_max(running, max_)
    stored = (tmp_path / ".storage" / "core.restore_state").read_text()
    assert "Max came" not in stored
    assert "A cake for Max" in stored


async def forget_max(running: Home, person_id: str) -> None:
    """Forget Max, and look for what followed from his visit."""
    hass = running.hass
    assert "Max came" in hass.states.get("input_text.again").state
    receipt = await running.hub.forgetting.async_forget(person_id)
    assert receipt is not None
    assert receipt.everywhere
    left = [row for row in await rows(running) if "Max" in row]
    assert {json.loads(row)[0] for row in left} <= {"input_text.shopping", "call_service"}, left
    assert all("A cake for Max" in row for row in left), left
    assert len(left) == 2
    assert receipt.reached["mentioned_entity"] == "input_text.shopping"
    assert receipt.reached["mentioned_event"] == "call_service"
    for entity_id in ("input_text.note", "input_text.again", "sensor.mirror"):
        state = hass.states.get(entity_id)
        assert state is None or "Max" not in str(state.as_dict()), entity_id
    assert not [each for each in notifications(hass) if "Max" in each]
    everything = await rows(running)
    assert any("input_boolean.lamp" in row and '"on"' in row for row in everything)
    assert any("Anna came" in row for row in everything)
    assert "Max" not in json.dumps([str(each) for each in hass.data[DATA_TRACE]])


async def test_the_owner_has_a_mention_erased(
    tmp_path: Path, make_recorder: MakeRecorder, real_engine: None
) -> None:
    """A mention elsewhere is listed, and goes when the owner chose it; what they did not choose stays."""
    async with lived_by(tmp_path, make_recorder) as running:
        hass = running.hass
        max_ = await add(running, "Max")
        (running.folder / "scripts.yaml").write_text("- alias: Call Max\n")
        hass.states.async_set("sensor.word", "Max")
        hass.states.async_set("sensor.word", "nobody")
        hass.states.async_set("sensor.other", "about Max")
        hass.bus.async_fire("something", {"who": "Max"})
        hass.bus.async_fire("something", {"who": "Anna"})
        persistent_notification.async_create(hass, "Max was here", notification_id="mine")
        await running.settle()
        found = await running.hub.forgetting.async_mentions(max_)
        assert found == [
            Place(Kind.FILE, "scripts.yaml"),
            Place(Kind.ENTITY, "sensor.other"),
            Place(Kind.ENTITY, "sensor.word"),
            Place(Kind.EVENT, "something"),
            Place(Kind.NOTIFICATION, "mine"),
        ]
        assert any("Max" in row for row in await rows(running)), "nothing goes by being listed"
        also = [each for each in found if each.where not in ("sensor.other", "scripts.yaml")]
        receipt = await running.hub.forgetting.async_forget(max_, also=also)
        assert receipt is not None
        left = [json.loads(row)[:2] for row in await rows(running) if "Max" in row]
        assert left == [["sensor.other", "about Max"]]
        everything = [json.loads(row) for row in await rows(running)]
        assert ["something", '{"who":"Anna"}'] in everything
        assert any(row[:2] == ["sensor.word", "nobody"] for row in everything)
        assert not [each for each in notifications(hass) if "Max" in each]
        assert receipt.reached["mentioned_elsewhere"] == 2
        assert receipt.reached["mentioned_file"] == "scripts.yaml"
