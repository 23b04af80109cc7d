"""The options: how sure to be before a name is said, and what follows from it at once."""

from datetime import timedelta
import json
import re
from string import Formatter
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.familiar_faces.const import CONF_STRICTNESS, DOMAIN
from custom_components.familiar_faces.diagnostics import async_get_config_entry_diagnostics
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.people.calibration import SFACE, Strictness
from custom_components.familiar_faces.people.gallery import Gallery
from custom_components.familiar_faces.people.measured import MEASURED
from custom_components.familiar_faces.people.person import Consent, ConsentMethod, Embedding
from custom_components.familiar_faces.people.promise import promises

from ..common.pictures import jpeg, porch, stranger
from ..common.source import FOLDER
from ..common.steps import Result
from ..common.vectors import NOW, make_like, make_person
from ..conftest import CAMERA, DOORBELL, FrontDoor

VISITOR = "event.front_door_visitor"
LANGUAGES = ("en", "nl", "de")


async def open_options(hass: HomeAssistant, entry: MockConfigEntry) -> Result:
    """Press Configure, and ask for the strictness."""
    menu = await hass.config_entries.options.async_init(entry.entry_id)
    assert (menu["type"], menu["step_id"]) == (FlowResultType.MENU, "init")
    assert "strictness" in menu["menu_options"]
    result = await hass.config_entries.options.async_configure(
        menu["flow_id"], {"next_step_id": "strictness"}
    )
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "strictness")
    return dict(result)


async def choose(hass: HomeAssistant, entry: MockConfigEntry, strictness: str) -> None:
    """Choose a strictness, as an owner does."""
    result = await open_options(hass, entry)
    done = await hass.config_entries.options.async_configure(result["flow_id"], {CONF_STRICTNESS: strictness})
    assert done["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()


def offered(result: Result) -> str:
    """Return what is chosen in the form before anybody chooses."""
    (key,) = result["data_schema"].schema
    default: str = key.default()
    return default


def likeness(frames: int) -> float:
    """Return a similarity that is enough for a name at balanced, and not at strict."""
    balanced = SFACE.familiar_threshold(1, frames, Strictness.BALANCED)
    strict = SFACE.familiar_threshold(1, frames, Strictness.STRICT)
    assert balanced < strict
    return (balanced + strict) / 2


def made_up(face: Embedding, model: str, similarity: float) -> Embedding:
    """Return the template of somebody that the gallery finds so similar to a face."""
    low, high = 0.0, 1.0
    for _ in range(30):
        # What a cosine means to the gallery is its own affair: it is asked.
        template = make_like(3)(face, (low + high) / 2)
        gallery = Gallery([make_person("Nadie", template, model=model)], model)
        best = gallery.compare(face[None], [1.0], NOW).best
        assert best is not None
        low, high = ((low + high) / 2, high) if best.similarity < similarity else (low, (low + high) / 2)
    assert best.similarity == pytest.approx(similarity, abs=1e-3)
    return template


async def enrol_somebody_like(hass: HomeAssistant, hub: Hub, image: bytes, similarity: float) -> None:
    """Enrol somebody made up that the face in an image resembles so much."""
    seen = await hub.client.faces(image)
    (face,) = seen.faces
    assert face.quality.usable
    template = made_up(face.embedding, seen.model, similarity)
    now = dt_util.utcnow()
    consent = Consent(
        consent_id="consent",
        given_by="Nadie",
        on_behalf_of_child=False,
        method=ConsentMethod.IN_PERSON,
        given_at=now - timedelta(days=1),
        valid_until=now + timedelta(days=300),
        text_version="en/1",
        recorded_at=now,
    )

    def write() -> None:
        hub.vault.begin_enrolment("nadie", "Nadie", None, consent, now)
        hub.vault.add_reference(
            "nadie",
            photo=image,
            embedding=template,
            model=seen.model,
            photo_digest="digest",
            now=now,
        )
        hub.vault.finish_enrolment("nadie", now)

    await hass.async_add_executor_job(write)
    await hub.async_refresh_people()


def same_face(number: int) -> list[bytes]:
    """Return frames of one face that differ by their compression, and by a head that moves from side to side."""
    frames = []
    for index in range(number):
        scene = porch()
        # By whole blocks of a JPEG, so that what is compared stays the same.
        scene.paste(stranger(0), (500 + 8 * (index % 2), 180))
        frames.append(jpeg(scene, 94 - index))
    return frames


# The form


async def test_balanced_unless_chosen_otherwise(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry
) -> None:
    """The form offers what counts, keeps the other options, and can be opened again."""
    hass.config_entries.async_update_entry(entry, options={"another": 1})
    assert offered(await open_options(hass, entry)) == Strictness.BALANCED == hub.strictness
    await choose(hass, entry, "strict")
    assert entry.options == {"another": 1, CONF_STRICTNESS: "strict"}
    strictness: Strictness = hub.strictness
    assert offered(await open_options(hass, entry)) == Strictness.STRICT == strictness


async def test_nothing_else_can_be_chosen(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """A strictness that does not exist is refused, and what was chosen before still counts."""
    await choose(hass, entry, "relaxed")
    result = await open_options(hass, entry)
    with pytest.raises(InvalidData):
        await hass.config_entries.options.async_configure(result["flow_id"], {CONF_STRICTNESS: "blind"})
    assert hub.strictness is Strictness.RELAXED


@pytest.mark.parametrize("unknown", ["paranoid", None, 3, ["strict"]])
async def test_unknown_strictness_is_balanced(
    hass: HomeAssistant,
    hub: Hub,
    entry: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
    unknown: object,
) -> None:
    """An option that another version wrote counts as balanced, is noted for anyone who looks, and can be mended."""
    hass.config_entries.async_update_entry(entry, options={CONF_STRICTNESS: unknown})
    with caplog.at_level("DEBUG", "custom_components.familiar_faces"):
        assert hub.strictness is Strictness.BALANCED
    assert f"There is no strictness {unknown}" in caplog.text
    assert offered(await open_options(hass, entry)) == Strictness.BALANCED
    await choose(hass, entry, "strict")
    strictness: Strictness = hub.strictness
    assert strictness is Strictness.STRICT


async def test_the_form_opens_while_nothing_runs(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """The options can be changed while the entry is not set up; they count when it is."""
    assert entry.state is ConfigEntryState.NOT_LOADED
    await choose(hass, entry, "strict")
    assert entry.options == {CONF_STRICTNESS: "strict"}


async def test_the_form_says_what_was_counted(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Every figure of the description is one that was measured, or follows from one."""
    said = (await open_options(hass, entry))["description_placeholders"]
    _, balanced, _ = promises(MEASURED)
    expected = {
        "strangers": str(MEASURED.strangers),
        "own": str(MEASURED.own),
        "balanced_limit": str(balanced.limit_one_in),
    }
    for promise in promises(MEASURED):
        expected[f"{promise.strictness}_named"] = str(promise.named)
        expected[f"{promise.strictness}_missed"] = str(promise.own_missed)
    assert said == expected


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_are_the_promises(language: str) -> None:
    """No label promises a figure, and each row of the table is the right one's."""
    texts = json.loads((FOLDER / "translations" / f"{language}.json").read_text(encoding="utf-8"))
    labels = texts["selector"]["strictness"]["options"]
    description = texts["options"]["step"]["strictness"]["description"]
    rows = [line for line in description.splitlines() if line.startswith("| ")][1:]
    assert len(rows) == len(Strictness)
    for strictness, row in zip(Strictness, rows, strict=True):
        # What was counted stands in the table; a figure that was not is not promised.
        assert not re.search(r"\d", labels[strictness])
        name, *cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert labels[strictness].startswith(f"{name}:")
        asked = [field for cell in cells for _, field, _, _ in Formatter().parse(cell) if field]
        assert asked == [f"{strictness}_named", "strangers", f"{strictness}_missed", "own"]


def test_the_words_own_up_to_too_small_a_test() -> None:
    """The description says one limit, whatever is chosen, and that less than it was not counted.

    Once a strictness has another limit, or 1 in 1,000 is counted, it has to say something else.
    """
    relaxed, balanced, strict = promises(MEASURED)
    assert relaxed.limit == balanced.limit == strict.limit
    assert relaxed.borne_out
    assert not balanced.borne_out
    assert not strict.borne_out


# What follows


async def test_identify_follows_at_once(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, entry: MockConfigEntry
) -> None:
    """A likeness that is enough for balanced is not for strict; the engine is not even looked at for that."""
    front_door.frames = same_face(1)
    await enrol_somebody_like(hass, hub, front_door.frames[0], likeness(frames=1))
    statuses: list[str] = []
    hub.engine.add_listener(statuses.append)

    async def identify() -> str:
        answer: Any = await hass.services.async_call(
            DOMAIN, "identify", {"camera": CAMERA}, blocking=True, return_response=True
        )
        (face,) = answer["faces"]
        decision: str = face["decision"]
        return decision

    assert await identify() == "familiar"
    await choose(hass, entry, "strict")
    assert await identify() == "unclear"
    await choose(hass, entry, "balanced")
    assert await identify() == "familiar"
    assert entry.runtime_data is hub
    assert entry.state is ConfigEntryState.LOADED
    assert statuses == []


async def test_the_next_look_follows(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, entry: MockConfigEntry
) -> None:
    """A visit that strict leaves unclear gets its name at the next ring after the owner relaxed."""
    front_door.frames = same_face(16)
    await enrol_somebody_like(hass, hub, front_door.frames[0], likeness(frames=2))
    await choose(hass, entry, "strict")
    told: list[str] = []

    @callback
    def changed(event: Event[EventStateChangedData]) -> None:
        if (state := event.data["new_state"]) is not None and "event_type" in state.attributes:
            told.append(state.attributes["event_type"])

    async_track_state_change_event(hass, VISITOR, changed)

    async def ring() -> None:
        await hass.services.async_call("input_button", "press", {"entity_id": DOORBELL}, blocking=True)
        await hass.async_block_till_done(wait_background_tasks=True)

    await ring()
    assert told == ["unclear"]
    await choose(hass, entry, "balanced")
    await ring()
    assert told == ["unclear", "familiar"]
    assert entry.runtime_data is hub


async def test_diagnostics(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """Diagnostics hold the choice and the similarities that follow from it and from who is enrolled."""
    await choose(hass, entry, "strict")
    before = (await async_get_config_entry_diagnostics(hass, entry))["strictness"]
    assert (before["chosen"], before["people"]) == ("strict", 0)
    await enrol_somebody_like(hass, hub, same_face(1)[0], 0.9)
    said = (await async_get_config_entry_diagnostics(hass, entry))["strictness"]
    assert said["people"] == 1
    assert said["stranger_below"] == pytest.approx(SFACE.stranger_threshold(1), abs=1e-3)
    for strictness in Strictness:
        thresholds = said["thresholds"][strictness]
        assert thresholds == {
            "one_frame": pytest.approx(SFACE.familiar_threshold(1, 1, strictness), abs=1e-3),
            "several_frames": pytest.approx(SFACE.familiar_threshold(1, 2, strictness), abs=1e-3),
        }


@pytest.mark.parametrize("option", ["receipts", "visits", "invitations"])
async def test_what_cannot_be_read_is_said(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, option: str
) -> None:
    """A vault that cannot be read is not taken for a Familiar Faces that does not run."""
    await hass.async_add_executor_job(hub.vault.close)
    menu = await hass.config_entries.options.async_init(entry.entry_id)
    result = await hass.config_entries.options.async_configure(menu["flow_id"], {"next_step_id": option})
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "not_read")
