"""Photos that were chosen in a dialog and never sent do not stay on the disk."""

from datetime import timedelta
from pathlib import Path

from homeassistant.components import file_upload
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.familiar_faces.flows.photo_uploads import PATIENCE
from custom_components.familiar_faces.hub import Hub

from ..common.pictures import enrolment_photos
from ..common.steps import choose, configure, consent, start_person, upload


def waiting(hass: HomeAssistant) -> set[str]:
    """Return what waits on the disk."""
    data = hass.data[file_upload._DATA]
    on_disk = {each.name for each in Path(data.temp_dir).iterdir()}
    assert on_disk == set(data.files)
    return on_disk


async def to_the_photo(hass: HomeAssistant, entry: MockConfigEntry, name: str = "Eileen") -> dict[str, str]:
    """Open a dialog up to the step that asks for a photo."""
    result = await start_person(hass, entry, name=name)
    result = await configure(hass, result, consent())
    if result["step_id"] != "photo":
        result = await choose(hass, result, "photo")
    assert result["step_id"] == "photo"
    return dict(result)


async def test_a_dialog_that_is_closed(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """What was uploaded while it was open goes with it; what others uploaded stays."""
    before = await upload(hass, b"a photo of another dialog, from before")
    result = await to_the_photo(hass, entry)
    ours = await upload(hass, b"a face")
    others = await upload(hass, b"a certificate", "mqtt.pem")
    assert waiting(hass) == {before, ours, others}
    hass.config_entries.subentries.async_abort(result["flow_id"])
    await hass.async_block_till_done(wait_background_tasks=True)
    assert waiting(hass) == {before, others}


async def test_a_dialog_that_stays_open(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """After half an hour a photo is gone, also in a tab that nobody closed; sending it says so."""
    result = await to_the_photo(hass, entry)
    ours = await upload(hass, b"a face")
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=PATIENCE - 60))
    await hass.async_block_till_done(wait_background_tasks=True)
    assert waiting(hass) == {ours}
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=PATIENCE + 60))
    await hass.async_block_till_done(wait_background_tasks=True)
    assert waiting(hass) == set()
    result = await configure(hass, result, {"photo": ours})
    assert result["errors"] == {"photo": "upload_lost"}


async def test_a_photo_after_half_an_hour(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """A tab that stays open for ever keeps no photo for ever; another dialog's is left alone for a while."""
    begun = dt_util.utcnow()
    await to_the_photo(hass, entry)
    async_fire_time_changed(hass, begun + timedelta(seconds=PATIENCE + 60))
    await hass.async_block_till_done(wait_background_tasks=True)
    late = await upload(hass, b"a face")
    async_fire_time_changed(hass, begun + timedelta(seconds=2 * PATIENCE + 120))
    await hass.async_block_till_done(wait_background_tasks=True)
    assert waiting(hass) == set()
    await to_the_photo(hass, entry, "Judith")
    fresh = await upload(hass, b"another face")
    assert fresh != late
    async_fire_time_changed(hass, begun + timedelta(seconds=3 * PATIENCE + 180))
    await hass.async_block_till_done(wait_background_tasks=True)
    assert waiting(hass) == {fresh}
    async_fire_time_changed(hass, begun + timedelta(seconds=4 * PATIENCE + 240))
    await hass.async_block_till_done(wait_background_tasks=True)
    assert waiting(hass) == set()


async def test_two_dialogs(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """One that is closed takes nothing from the other, and the last one leaves nothing."""
    assert await async_setup_component(hass, "file_upload", {})
    one = await to_the_photo(hass, entry)
    first = await upload(hass, b"a face")
    other = await to_the_photo(hass, entry, "Judith")
    second = await upload(hass, enrolment_photos()[0])
    hass.config_entries.subentries.async_abort(one["flow_id"])
    await hass.async_block_till_done(wait_background_tasks=True)
    assert waiting(hass) == {first, second}
    result = await configure(hass, other, {"photo": second})
    assert result["step_id"] == "photos"
    hass.config_entries.subentries.async_abort(other["flow_id"])
    await hass.async_block_till_done(wait_background_tasks=True)
    assert waiting(hass) == set()
