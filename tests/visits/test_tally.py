"""How many visitors without a name came: counted by camera and day, and nothing else known of them."""

from datetime import UTC, datetime, timedelta

import pytest

from custom_components.familiar_faces.visits.tally import Count, Tally
from custom_components.familiar_faces.visits.visit import Decision, UnclearReason, Visit

MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)
START = MIDNIGHT + timedelta(hours=8)


def a_visit(visit_id: str, hour: float, decision: Decision, camera_id: str = "front") -> Visit:
    """Return a visit that began at an hour of the day."""
    moment = MIDNIGHT + timedelta(hours=hour)
    familiar = decision is Decision.FAMILIAR
    return Visit(
        visit_id=visit_id,
        camera_id=camera_id,
        decision=decision,
        started_at=moment,
        last_seen_at=moment,
        frames=3,
        person_id="anna" if familiar else None,
        name="Anna" if familiar else None,
        confidence=0.9 if familiar else None,
        reason=UnclearReason.NOT_SURE if decision is Decision.UNCLEAR else None,
    )


@pytest.fixture
def tally() -> Tally:
    """Return a tally of three strangers at two cameras and somebody unclear."""
    tally = Tally(START)
    for visit in (
        a_visit("1", 9, Decision.STRANGER),
        a_visit("2", 11, Decision.STRANGER),
        a_visit("3", 10, Decision.STRANGER, "back"),
        a_visit("4", 12, Decision.UNCLEAR),
        a_visit("5", 13, Decision.FAMILIAR),
    ):
        tally.note(visit)
    return tally


def test_nobody_came() -> None:
    """Without visits there is nothing to tell."""
    assert Tally(START).count(Decision.STRANGER, ["front"], MIDNIGHT) == Count(0, None, None)


def test_by_camera_and_decision(tally: Tally) -> None:
    """Visits are counted by camera and decision, with when and where the last was."""

    def at(hour: int) -> datetime:
        return MIDNIGHT + timedelta(hours=hour)

    assert tally.count(Decision.STRANGER, ["front"], MIDNIGHT) == Count(2, at(11), "front")
    assert tally.count(Decision.STRANGER, ["back"], MIDNIGHT) == Count(1, at(10), "back")
    assert tally.count(Decision.STRANGER, ["back", "front"], MIDNIGHT) == Count(3, at(11), "front")
    assert tally.count(Decision.UNCLEAR, ["back", "front"], MIDNIGHT) == Count(1, at(12), "front")
    assert tally.count(Decision.STRANGER, ["elsewhere"], MIDNIGHT) == Count()


def test_since(tally: Tally) -> None:
    """Only visits since a moment count, the moment included."""
    assert tally.count(Decision.STRANGER, ["front"], MIDNIGHT + timedelta(hours=11)).number == 1
    assert tally.count(Decision.STRANGER, ["front"], MIDNIGHT + timedelta(hours=11.1)).number == 0


def test_who_turns_out_to_be_somebody(tally: Tally) -> None:
    """A stranger who is recognised after all was none."""
    tally.note(a_visit("2", 11, Decision.FAMILIAR))
    assert tally.count(Decision.STRANGER, ["front"], MIDNIGHT).number == 1
    tally.note(a_visit("4", 12, Decision.STRANGER))
    assert tally.count(Decision.UNCLEAR, ["front"], MIDNIGHT).number == 0
    assert tally.count(Decision.STRANGER, ["front"], MIDNIGHT).number == 2


def test_a_new_day(tally: Tally) -> None:
    """What was before a moment is no longer known, and since then everything is."""
    assert tally.since == START
    noon = MIDNIGHT + timedelta(hours=12)
    tally.drop(noon)
    assert tally.since == noon
    assert tally.count(Decision.STRANGER, ["back", "front"], MIDNIGHT) == Count()
    assert tally.count(Decision.UNCLEAR, ["front"], MIDNIGHT).number == 1
    tally.drop(MIDNIGHT)
    assert tally.since == noon
