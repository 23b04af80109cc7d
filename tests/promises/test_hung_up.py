"""Home Assistant stops what answers a browser that has hung up: what was written counts anyway."""

import asyncio
import threading
from typing import Any

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.people.choices import Keeping

from ..common.pictures import different_photos
from ..common.steps import Result, choose, configure, consent, has_read, upload


async def _change(hass: HomeAssistant, entry: MockConfigEntry, step: str) -> Result:
    (subentry,) = entry.get_subentries_of_type("person")
    result = await entry.start_subentry_reconfigure_flow(hass, subentry.subentry_id)
    return await choose(hass, result, step)


async def _hang_up(monkeypatch: pytest.MonkeyPatch, vault: object, method: str, answer: Any) -> None:
    """Answer a step, and be gone while the vault writes."""
    writing, go_on = threading.Event(), threading.Event()
    original = getattr(vault, method)

    def slow(*args: Any, **kwargs: Any) -> Any:
        writing.set()
        go_on.wait(60)
        return original(*args, **kwargs)

    monkeypatch.setattr(vault, method, slow)
    task = asyncio.create_task(answer)
    while not writing.is_set():
        await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait((task,))
    assert task.cancelled()
    go_on.set()


async def test_a_narrower_consent_counts(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, eileen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = await _change(hass, entry, "consent")
    said = configure(hass, result, consent(keeping=Keeping.SILENT))
    await _hang_up(monkeypatch, hub.vault, "record_consent", said)
    await hass.async_block_till_done()
    assert hub.people[eileen].choices.keeping is Keeping.SILENT
    assert hub.gallery is not None
    assert [known.person.choices.keeping for known in hub.gallery._known] == [Keeping.SILENT]


async def test_another_name_counts(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, eileen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = await _change(hass, entry, "details")
    await _hang_up(monkeypatch, hub.vault, "update_person", configure(hass, result, {"name": "Lena"}))
    await hass.async_block_till_done()
    assert hub.people[eileen].name == "Lena"


async def test_a_photo_counts(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, eileen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = await _change(hass, entry, "photo")
    photo = {"photo": await upload(hass, different_photos()[1])}
    before = len(hub.people[eileen].templates)
    await _hang_up(monkeypatch, hub.vault, "add_reference", configure(hass, result, photo))
    await hass.async_block_till_done()
    assert len(hub.people[eileen].templates) == before + 1


async def test_photos_that_were_removed_are_compared_with_no_more(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, eileen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = await _change(hass, entry, "remove_photos")
    first = hub.people[eileen].templates[0].template_id
    answer = configure(hass, result, {"photos": [first]})
    await _hang_up(monkeypatch, hub.vault, "remove_reference", answer)
    await hass.async_block_till_done()
    assert first not in {each.template_id for each in hub.people[eileen].templates}


async def test_nobody_is_half_enrolled(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anyone who closes the browser while the consent is written, and then the dialog, has added nobody."""
    flow = await hass.config_entries.subentries.async_init(
        (entry.entry_id, "person"), context={"source": "user"}
    )
    result = await choose(hass, flow, "here")
    result = await has_read(hass, await configure(hass, result, {"name": "Eileen", "child": False}))
    await _hang_up(monkeypatch, hub.vault, "begin_enrolment", configure(hass, result, consent()))
    while not await hass.async_add_executor_job(lambda: hub.vault.people(include_enrolling=True)):
        await asyncio.sleep(0.05)
    hass.config_entries.subentries.async_abort(flow["flow_id"])
    await hass.async_block_till_done()
    assert await hass.async_add_executor_job(lambda: hub.vault.people(include_enrolling=True)) == []


async def test_forgetting_is_done(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, eileen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _hang_up(monkeypatch, hub.vault, "forget", hub.forgetting.async_forget(eileen))
    await hass.async_block_till_done(wait_background_tasks=True)
    assert hub.people == {}
    assert [each.subentry_type for each in entry.subentries.values()] == ["camera"]
    receipt = await hass.async_add_executor_job(hub.vault.receipt, eileen)
    assert receipt is not None
    assert receipt.finished_at is not None
