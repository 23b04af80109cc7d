"""The panel and the card while Home Assistant restarts, and a window that is loaded again in the middle of something."""

from datetime import datetime, timedelta

from homeassistant.core import HomeAssistant
from playwright.async_api import expect
import pytest

from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.recognising import late_answers
from custom_components.familiar_faces.visits.visit import Decision

from ..common.in_chromium import needs_chromium
from ..common.made_up_visits import a_visit, come
from ..common.people_on_record import DAY, a_consent, put_on_record
from .conftest import Home, rows

pytestmark = [needs_chromium, pytest.mark.timeout(600)]

OFFLINE = "Home Assistant cannot be reached."


async def test_home_assistant_restarts(
    hass: HomeAssistant, shown: Home, hub: Hub, nadie: str, start: datetime
) -> None:
    """What is kept is there once, what came meanwhile too; an answer that waited was carried out."""
    first, second = (a_visit(hub, nadie, began=start - timedelta(minutes=each)) for each in (20, 10))
    for each in (first, second):
        await come(hass, hub, each)
    await come(hass, hub, a_visit(hub, None, Decision.STRANGER, began=start - timedelta(minutes=5)))
    page = await shown.open()
    await expect(rows(page)).to_have_count(3)
    await rows(page).nth(1).get_by_role("button", name="Nobody I know").click()
    await expect(rows(page).nth(1).get_by_text("You chose: nobody I know")).to_be_visible()

    await shown.gate.shut()
    await expect(page.get_by_text(OFFLINE)).to_be_visible()
    # What was there stays, and cannot be acted on.
    await expect(rows(page)).to_have_count(3)
    assert await hass.config_entries.async_unload(hub.entry.entry_id)
    assert await hass.config_entries.async_setup(hub.entry.entry_id)
    await hass.async_block_till_done()
    again: Hub = hub.entry.runtime_data
    assert again is not hub
    await come(hass, again, a_visit(again, nadie, began=start - timedelta(minutes=1)))
    await shown.gate.open()

    await expect(page.get_by_text(OFFLINE)).to_have_count(0)
    # The stranger was in memory alone, and whose name was taken away is nobody now.
    await expect(page.get_by_role("article", name="Nadie, Front door")).to_have_count(2)
    await expect(rows(page)).to_have_count(2)
    await come(hass, again, a_visit(again, nadie))
    await expect(rows(page)).to_have_count(3)
    await rows(page).first.get_by_role("button", name="Right").click()
    await expect(rows(page).first.get_by_text("Confirmed")).to_be_visible()
    assert shown.errors == []


async def test_the_entry_is_loaded_again(hass: HomeAssistant, shown: Home, hub: Hub, nadie: str) -> None:
    """While it is stopped that is said, on every tab, and afterwards each goes on by itself."""
    await come(hass, hub, a_visit(hub, nadie))
    pages = [await shown.open(f"/familiar-faces/{each}") for each in ("visits", "people")]
    await expect(rows(pages[0])).to_have_count(1)
    await expect(pages[1].get_by_role("link", name="Nadie")).to_be_visible()
    assert await hass.config_entries.async_unload(hub.entry.entry_id)
    for each in pages:
        await expect(each.get_by_text("Familiar Faces is starting").first).to_be_visible()
    assert await hass.config_entries.async_setup(hub.entry.entry_id)
    await hass.async_block_till_done()
    for each in pages:
        await expect(each.get_by_text("Familiar Faces is starting")).to_have_count(0)
    await expect(rows(pages[0])).to_have_count(1)
    again: Hub = hub.entry.runtime_data
    await again.forgetting.async_forget(nadie)
    await expect(rows(pages[0])).to_have_count(0)
    await expect(pages[1].get_by_role("link", name="Nadie")).to_have_count(0)
    assert shown.errors == []


async def test_loaded_again_before_an_answer_counts(
    hass: HomeAssistant,
    shown: Home,
    hub: Hub,
    nadie: str,
    start: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The server carries it out, not the window: it can still be undone from a new one, or counts without any."""
    monkeypatch.setattr(late_answers, "TAKEN_BACK_FOR", timedelta(seconds=10))
    await put_on_record(hass, hub, a_consent(start - DAY, start + 100 * DAY), "nessie", "Nessie")
    visit = a_visit(hub, nadie)
    await come(hass, hub, visit)
    page = await shown.open()

    async def answer() -> None:
        await rows(page).get_by_role("button", name="It was").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_role("radio", name="Nessie").check()
        await dialog.get_by_role("button", name="It was Nessie").click()
        await expect(rows(page).get_by_text("You chose: Nessie")).to_be_visible()

    await answer()
    await page.reload()
    await rows(page).get_by_role("button", name="Undo").click()
    await expect(rows(page).get_by_role("button", name="It was")).to_be_visible()
    assert (await hass.async_add_executor_job(hub.vault.visit, visit.visit_id)).person_id == nadie
    monkeypatch.setattr(late_answers, "TAKEN_BACK_FOR", timedelta(seconds=2))
    await answer()
    await page.reload()
    await expect(page.get_by_role("article", name="Nessie, Front door")).to_be_visible()
    assert (await hass.async_add_executor_job(hub.vault.visit, visit.visit_id)).person_id == "nessie"
    assert shown.errors == []
