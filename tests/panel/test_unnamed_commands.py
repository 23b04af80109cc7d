"""The tab Unnamed: the review inbox, which is for administrators, and only while it is on."""

from datetime import datetime, timedelta
from typing import Any

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.recognising import late_answers
from custom_components.familiar_faces.vault.review_rows import ReviewItem

from ..conftest import add_entry
from .conftest import OpenBrowser

SUBSCRIBE = "familiar_faces/unnamed/subscribe"
ERASE = "familiar_faces/unnamed/erase"
HOUR = timedelta(hours=1)


@pytest.fixture
def entry(hass: HomeAssistant, config_folder: object) -> MockConfigEntry:
    """Return an entry whose owner switched the review inbox on."""
    return add_entry(hass, review_hours=48)


@pytest.fixture
async def kept(hass: HomeAssistant, hub: Hub, start: datetime) -> list[str]:
    """Have pictures of a stranger and of somebody unclear be kept; return their ids, newest first."""
    (camera_id,) = hub.watchers
    items = [
        ReviewItem("unclear", camera_id, "unclear", start - HOUR),
        ReviewItem("stranger", camera_id, "stranger", start - 2 * HOUR),
    ]
    for each in items:
        await hass.async_add_executor_job(hub.vault.review.add, each, b"a picture")
    await hub.async_count()
    return [each.visit_id for each in items]


def ids(event: dict[str, Any]) -> list[str]:
    """Return the ids of the visits."""
    return [each["visit_id"] for each in event["visits"]]


async def test_by_time(browser: OpenBrowser, kept: list[str], nadie: str) -> None:
    """Each is told with its camera, kind and end, and nothing of who they resemble."""
    said = await (await browser()).subscribe(SUBSCRIBE)
    assert (said["on"], said["hours"], ids(said)) == (True, 48, kept)
    first = said["visits"][0]
    assert (first["kind"], first["camera"], first["answer"]) == ("unclear", "Front door", None)
    left = datetime.fromisoformat(first["until"]) - datetime.fromisoformat(first["at"])
    assert left == 48 * HOUR
    assert set(first) == {"visit_id", "kind", "at", "until", "camera_id", "camera", "answer"}


@pytest.mark.parametrize("who", ["user", "read-only", "linked"])
async def test_administrators_alone(
    browser: OpenBrowser, hub: Hub, kept: list[str], nadie: str, who: str
) -> None:
    """Nobody else is told that there is anything."""
    asking = await browser("user", own=nadie) if who == "linked" else await browser(who)
    assert await asking.refused(SUBSCRIBE) == "unauthorized"
    assert await asking.refused(ERASE, all=True) == "unauthorized"
    assert (await asking.subscribe(limit=0))["inbox"] is None
    assert len(await hub.review.async_items()) == 2


async def test_erasing(browser: OpenBrowser, hub: Hub, kept: list[str]) -> None:
    """One, then all; what is gone is answered in words, and every browser is told."""
    asking, watching = await browser(), await browser()
    await watching.subscribe(SUBSCRIBE)
    assert (await asking.subscribe(limit=0))["inbox"] == 2
    other = await browser()
    assert await other.said(ERASE, visit_id=kept[0]) == {"erased": 1}
    await watching.until(lambda event: ids(event) == kept[1:])
    assert await other.refused(ERASE, visit_id=kept[0]) == "not_in_review"
    assert await other.said(ERASE, all=True) == {"erased": 1}
    await watching.until(lambda event: ids(event) == [])
    await asking.until(lambda event: event.get("inbox") == 0)


async def test_this_was(
    hass: HomeAssistant,
    browser: OpenBrowser,
    hub: Hub,
    kept: list[str],
    nadie: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The picture becomes a visit of the person that the owner names, unless that is taken back."""
    monkeypatch.setattr(late_answers, "TAKEN_BACK_FOR", timedelta(seconds=0.3))
    asking, watching = await browser(), await browser()
    await watching.subscribe(SUBSCRIBE)
    answer = {"visit_id": kept[0], "correct": False, "person_id": nadie}
    await asking.said("familiar_faces/visits/answer", **answer)
    said = await watching.until(lambda event: event["visits"][0]["answer"])
    assert said["visits"][0]["answer"]["person_id"] == nadie
    await asking.said("familiar_faces/visits/undo", visit_id=kept[0])
    await watching.until(lambda event: event["visits"][0]["answer"] is None)
    await asking.said("familiar_faces/visits/answer", **answer)
    await watching.until(lambda event: ids(event) == kept[1:])
    assert (await hass.async_add_executor_job(hub.vault.visit, kept[0])).person_id == nadie


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (SUBSCRIBE, {"limit": 3}),
        (ERASE, {}),
        (ERASE, {"all": False}),
        (ERASE, {"visit_id": "x" * 65}),
        (ERASE, {"visit_id": ["stranger"]}),
        (ERASE, {"visit_id": "stranger", "all": True}),
    ],
    ids=str,
)
async def test_malformed(
    browser: OpenBrowser, hub: Hub, kept: list[str], kind: str, values: dict[str, Any]
) -> None:
    """Each is refused, and nothing is erased."""
    assert await (await browser()).refused(kind, **values) == "invalid_format"
    assert len(await hub.review.async_items()) == 2


async def test_switched_off(hass: HomeAssistant, browser: OpenBrowser, hub: Hub, kept: list[str]) -> None:
    """Then nothing is listed, at once."""
    asking = await browser()
    await asking.subscribe(SUBSCRIBE)
    hass.config_entries.async_update_entry(hub.entry, options={"review_hours": 0})
    await hass.async_block_till_done()
    await asking.until(lambda event: event["type"] == "all" and not event["on"] and ids(event) == [])


async def test_while_it_does_not_run(hass: HomeAssistant, browser: OpenBrowser, hub: Hub) -> None:
    """Everything is refused with a sentence."""
    asking = await browser()
    assert await hass.config_entries.async_unload(hub.entry.entry_id)
    assert await asking.refused(SUBSCRIBE) == "not_loaded"
    assert await asking.refused(ERASE, all=True) == "not_loaded"
