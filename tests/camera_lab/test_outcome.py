"""The lab says wrong, stale and missed where it was, and its goals can be missed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from camera_lab.door import Fault
from camera_lab.kinds import KINDS
from camera_lab.outcome import NOBODY, STRANGER, Figures, Record, Verdict, figures, missed_goals
import pytest

from demo.house import Ring

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def _told(decision: str, person: str | None = None, ms: int = 400) -> Ring:
    return Ring(decision, person, 0.99 if person else None, ms, 10, 30.0, "visit", 3)


def _record(who: str, *told: Ring, before: str | None = None, fault: Fault | None = None) -> Record:
    return Record(who, before, fault, NOW, list(told))


ANNA, BEN = _told("familiar", "Anna"), _told("familiar", "Ben")
SOMEBODY, UNCLEAR = _told("stranger"), _told("unclear")


@pytest.mark.parametrize(
    ("record", "verdict"),
    [
        (_record("Anna", ANNA), Verdict.RIGHT),
        (_record("Anna", UNCLEAR, ANNA), Verdict.RIGHT),
        (_record("Anna", UNCLEAR), Verdict.UNCLEAR),
        (_record("Anna"), Verdict.MISSED),
        (_record("Anna", SOMEBODY), Verdict.MISSED),
        (_record("Anna", BEN), Verdict.WRONG),
        (_record("Anna", BEN, ANNA, before="Ben"), Verdict.STALE),
        (_record(STRANGER, SOMEBODY), Verdict.RIGHT),
        (_record(STRANGER), Verdict.MISSED),
        (_record(STRANGER, ANNA, before="Anna"), Verdict.STALE),
        (_record(STRANGER, ANNA, before="Ben"), Verdict.WRONG),
        (_record(STRANGER, ANNA, before="Anna", fault=Fault.ERROR), Verdict.STALE),
        (_record(STRANGER, fault=Fault.ERROR), Verdict.QUIET),
        (_record(STRANGER, fault=Fault.IDLES), Verdict.MISSED),
        (_record(NOBODY), Verdict.QUIET),
        (_record(NOBODY, UNCLEAR), Verdict.QUIET),
        (_record(NOBODY, ANNA, before="Anna"), Verdict.STALE),
        (_record(NOBODY, SOMEBODY, before="Anna"), Verdict.STALE),
    ],
)
def test_verdicts(record: Record, verdict: Verdict) -> None:
    assert record.verdict() is verdict


def test_what_is_kept_is_judged_too() -> None:
    for visit_id, seconds, verdict in (
        ("visit", 8, Verdict.RIGHT),
        ("visit", 30, Verdict.STALE),
        ("another", 8, Verdict.STALE),
    ):
        record = _record("Anna", ANNA)
        record.judge_kept(visit_id, NOW + timedelta(seconds=seconds))
        assert record.verdict() is verdict


def test_figures_count_what_could_be_seen() -> None:
    found = figures(
        [
            _record("Anna", ANNA),
            _record("Ben", UNCLEAR, replace(BEN, ms=900)),
            _record("Anna"),
            _record(STRANGER, ANNA, before="Anna", fault=Fault.FROZEN),
            _record(NOBODY),
        ]
    )
    assert found == {
        "visits": 3,
        "right": 2,
        "unclear": 0,
        "missed": 1,
        "wrong": 0,
        "stale": 1,
        "name_ms_p50": 650,
        "name_ms_p95": 875,
        "distinct_frames": 3,
        "known": 3,
        "known_named": 2,
        "excused": 0,
        "fair_ms_p50": 650,
        "without_a_fresh_picture": 2,
    }


def test_a_busy_machine_is_no_fault_of_a_camera() -> None:
    """Its times count as they are without what else it did, and who was not named then is asked in again."""
    quick, slow = _record("Anna", replace(ANNA, ms=500)), _record("Anna", replace(ANNA, ms=2500))
    missed, wrong = _record("Anna"), _record("Anna", BEN)
    for each in (slow, missed, wrong):
        each.slowness = 5.0
    found = figures([quick, slow, missed, wrong])
    assert (found["name_ms_p50"], found["fair_ms_p50"]) == (1500, 500)
    assert (found["known"], found["known_named"], found["excused"]) == (3, 2, 1)
    # Whatever it had to do, a wrong name is one.
    assert found["wrong"] == 1
    warm = next(each for each in KINDS if each.name == "h264_1080_gop2_warm")
    assert len(missed_goals([warm], {warm.name: figures([missed])}, {})) == 1
    missed.slowness = 1.0
    assert figures([missed])["excused"] == 0


def test_one_visit_is_no_median() -> None:
    warm = next(each for each in KINDS if each.name == "h264_1080_gop2_warm")
    for ms, more in ((1100, 0), (1300, 1)):
        told = {warm.name: figures([_record("Anna", replace(ANNA, ms=ms))])}
        assert len(missed_goals([warm], told, {}, few=True)) == more
        assert len(missed_goals([warm], told, {})) == 1


def test_goals() -> None:
    warm = next(each for each in KINDS if each.name == "h264_1080_gop2_warm")
    good = figures([_record("Anna", ANNA)] * 20 + [_record(STRANGER, SOMEBODY), _record(NOBODY)])
    costs: Figures = {"warm_camera_percent": 0.4, "warm_camera_mb": 16, "loop_p99_ms_more": 0.4}
    assert missed_goals([warm], {warm.name: good}, costs) == []

    cases: list[tuple[Figures, Figures]] = [
        ({"wrong": 1}, {}),
        ({"stale": 1}, {}),
        ({"known_named": 18}, {}),
        ({"known": 0}, {}),
        ({"fair_ms_p50": 601}, {}),
        ({}, {"warm_camera_percent": 1.1}),
        ({}, {"warm_camera_mb": 21}),
        ({}, {"loop_p99_ms_more": 1.2}),
    ]
    for worse, costlier in cases:
        assert len(missed_goals([warm], {warm.name: good | worse}, costs | costlier)) == 1
    assert missed_goals([warm], {warm.name: good, "together": good | {"known_named": 19}}, costs)
