"""How well it works at a camera is figured from counts, and what would help most is what stands most in the way."""

from datetime import UTC, datetime, timedelta

import pytest

from custom_components.familiar_faces.seen.weekly import Advice, Week, advice_of, weeks_of

MONDAY = datetime(2026, 2, 23, tzinfo=UTC)


def weeks(*counted: dict[str, int]) -> list[Week]:
    """Return weeks as they were counted, the newest first."""
    return weeks_of({MONDAY - timedelta(weeks=number): each for number, each in enumerate(counted)})


def test_a_week() -> None:
    (week,) = weeks(
        {
            "named": 10,
            "confirmed": 4,
            "corrected": 1,
            "missed": 2,
            "stranger": 3,
            "unclear:not_sure": 2,
            "unclear:no_usable_face:too_dark": 5,
            "unclear:no_usable_face": 1,
            "unclear:poor_face": 1,
            "unclear:few_frames:too_dark": 1,
            "unclear": 1,
            "took:250": 4,
            "took:1000": 2,
            "took:60000": 3,
            "something newer": 9,
        }
    )
    assert (week.named, week.confirmed, week.corrected, week.missed, week.strangers) == (10, 4, 1, 2, 3)
    assert week.unclear == {"not_sure": 3, "too_dark": 6, "no_usable_face": 1, "poor_face": 1}
    assert (week.visits, week.unusable, week.took_ms) == (24, 7, 1000)


def test_the_newest_week_is_first() -> None:
    assert [each.begins for each in weeks({"named": 1}, {"named": 2})] == [
        MONDAY,
        MONDAY - timedelta(weeks=1),
    ]


def test_what_stands_most_in_the_way() -> None:
    found = advice_of(
        weeks({"named": 5, "stranger": 3, "unclear:no_usable_face:too_dark": 9, "unclear:not_sure": 3})
    )
    assert found == Advice("too_dark", count=9, visits=20, usable=11, weeks=1)


def test_wrong_names_are_measured_by_names() -> None:
    found = advice_of(weeks({"named": 10, "corrected": 5, "stranger": 20, "unclear:not_sure": 10}))
    assert found == Advice("corrected", count=5, visits=40, usable=40, weeks=1)


@pytest.mark.parametrize(
    "counted",
    [{}, {"named": 2, "unclear:not_sure": 7}, {"named": 41, "unclear:not_sure": 9, "corrected": 8}],
)
def test_nothing_stands_out(counted: dict[str, int]) -> None:
    assert advice_of(weeks(counted)) is None


def test_what_was_mended_is_soon_forgotten() -> None:
    """Only as many weeks count as have enough visits."""
    dark = {"unclear:no_usable_face:too_dark": 100}
    assert advice_of(weeks({"named": 40}, dark)) is None
    few = advice_of(weeks({"named": 39}, dark))
    assert few == Advice("too_dark", count=100, visits=139, usable=39, weeks=2)
