"""Moments as the store keeps them: whole microseconds since 1970, UTC, so daylight saving cannot matter."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_stamp(moment: datetime) -> int:
    """Return a moment as the store keeps it; raise ValueError without a time zone."""
    if moment.tzinfo is None:
        raise ValueError("a time needs a time zone")
    return (moment - _EPOCH) // _MICROSECOND


def from_stamp(stamp: int) -> datetime:
    """Return the moment that `to_stamp` was given, in UTC."""
    return _EPOCH + stamp * _MICROSECOND


def week_of(moment: datetime) -> datetime:
    """Return the beginning of the week of a moment: Monday at midnight, UTC."""
    day = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday())


def length(units: int) -> timedelta:
    """Return the length of time that `span` was given."""
    return units * _MICROSECOND


def span(period: timedelta) -> int:
    """Return a length of time in the store's unit."""
    return period // _MICROSECOND
