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


def length(units: int) -> timedelta:
    """Return the length of time that `span` was given."""
    return units * _MICROSECOND


def span(period: timedelta) -> int:
    """Return a length of time in the store's unit."""
    return period // _MICROSECOND
