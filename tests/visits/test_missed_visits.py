"""Visits without a name are held for some minutes, in memory, and within limits."""

from datetime import UTC, datetime, timedelta

import pytest

from custom_components.familiar_faces.visits.missed_visits import HELD_FOR, MOST, MOST_BYTES, MissedVisits
from custom_components.familiar_faces.visits.visit import Decision, UnclearReason, Visit

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def unclear(visit_id: str = "v", camera_id: str = "front", decision: Decision = Decision.UNCLEAR) -> Visit:
    """Return a visit without a name."""
    reason = UnclearReason.NOT_SURE if decision is Decision.UNCLEAR else None
    return Visit(visit_id, camera_id, decision, NOW, NOW, 3, reason=reason)


def test_held_for_ten_minutes() -> None:
    """Not a moment longer, and not after the clock was set back."""
    missed = MissedVisits()
    missed.hold(unclear(), b"face", NOW)
    held = missed.get("v", NOW)
    assert held is not None
    assert (held.picture, held.visit.portrait) == (b"face", None)
    assert timedelta(minutes=10) == HELD_FOR
    assert missed.get("v", NOW + HELD_FOR - timedelta(seconds=1)) is not None
    assert missed.get("v", NOW + HELD_FOR) is None
    assert missed.get("v", NOW - timedelta(seconds=1)) is None
    assert missed.all(NOW + HELD_FOR) == []
    missed.expire(NOW + HELD_FOR)
    assert len(missed) == 0
    assert "face" not in repr(held)


def test_a_visit_that_goes_on() -> None:
    """It keeps its picture when a later look has none, and its time begins again."""
    missed = MissedVisits()
    missed.hold(unclear(), b"face", NOW)
    missed.hold(unclear(), None, NOW + timedelta(minutes=5))
    held = missed.get("v", NOW + timedelta(minutes=12))
    assert held is not None
    assert held.picture == b"face"
    assert len(missed) == 1


def test_limits() -> None:
    """The oldest go first, by number and by size."""
    missed = MissedVisits()
    for number in range(MOST + 5):
        missed.hold(unclear(str(number)), b"x", NOW)
    assert len(missed) == MOST
    assert missed.get("4", NOW) is None
    assert next(each.visit.visit_id for each in missed.all(NOW)) == str(MOST + 4)
    for number in range(3):
        missed.hold(unclear(f"large {number}"), bytes(MOST_BYTES // 2), NOW)
    assert missed.size <= MOST_BYTES
    assert missed.get("large 2", NOW) is not None


def test_who_goes() -> None:
    """Strangers, a camera, those who may be somebody who is forgotten, one visit, all."""
    missed = MissedVisits()
    missed.hold(unclear("a"), b"", NOW, frozenset({"anna"}))
    missed.hold(unclear("b", "back"), b"", NOW)
    missed.hold(unclear("c", decision=Decision.STRANGER), b"", NOW)
    missed.hold(unclear("d"), b"", NOW)
    missed.hold(unclear("e"), b"", NOW)

    def left() -> str:
        return "".join(sorted(each.visit.visit_id for each in missed.all(NOW)))

    assert [each.visit.visit_id for each in missed.all(NOW, {"back"})] == ["b"]
    missed.drop_strangers()
    assert left() == "abde"
    missed.leave("back")
    assert left() == "ade"
    missed.forget("anna")
    assert left() == "de"
    missed.drop("d")
    assert left() == "e"
    missed.clear()
    assert left() == ""


def test_a_visit_with_a_name_was_not_missed() -> None:
    """It is no visit to be held."""
    familiar = Visit("v", "front", Decision.FAMILIAR, NOW, NOW, 3, person_id="a", name="A", confidence=0.9)
    with pytest.raises(ValueError, match="name"):
        MissedVisits().hold(familiar, None, NOW)
