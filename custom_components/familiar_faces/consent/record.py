"""A consent from what was chosen, by one set of rules for the dialog, the pages and the action."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from uuid import uuid4

from homeassistant.util import dt as dt_util

from ..const import CONSENT_TEXT_VERSION
from ..household.household import Household
from ..household.subentries import camera_names
from ..people.choices import Choices
from ..people.names import cleaned
from ..people.person import Consent, ConsentMethod
from ..vault.retention import Retention
from .text import lasting

_DAY = timedelta(days=1)


class Refusal(StrEnum):
    """Why what was chosen makes no consent."""

    GIVER_NEEDED = "giver_needed"
    CHILD_NEEDS_GUARDIAN = "child_needs_guardian"
    GIVEN_IN_FUTURE = "given_in_future"
    ALREADY_OVER = "already_over"
    TOO_LONG = "too_long"
    CLOCK_DOUBTED = "clock_doubted"
    """Nobody knows which day it is, so no end can be set."""
    CAMERA_NEEDED = "camera_needed"
    """No camera was chosen, or only ones that are gone."""


class ConsentRefused(ValueError):
    """What was chosen makes no consent."""

    def __init__(self, refusal: Refusal) -> None:
        """Say why."""
        super().__init__(f"no consent can be made of this: {refusal}")
        self.refusal = refusal


def last_day(retention: Retention, given_on: date, *, child: bool) -> date:
    """Return the last day of a consent when no earlier one is agreed to. No consent lasts longer."""
    return given_on + timedelta(days=_days(retention, child=child) - 1)


def build_consent(
    household: Household,
    *,
    name: str,
    child: bool,
    given_by: str,
    method: ConsentMethod,
    choices: Choices,
    text: str,
    language: str,
    given_on: date | None = None,
    valid_until: date | None = None,
    shown: Retention | None = None,
) -> Consent:
    """Return the consent of the person `name`; raise ConsentRefused for what cannot be agreed to.

    `given_on`: the day of the yes; None for this very moment. `valid_until`: the last day, which counts whole;
    None for the longest that this home allows. Both are days in this home's time zone. `text`: the whole text
    that was shown, in `language`; `shown`: the periods that it names, when they are not those of this moment.
    """
    now = dt_util.utcnow()
    today = dt_util.as_local(now).date()
    first = given_on or today
    if not household.wall_clock.believed():
        raise ConsentRefused(Refusal.CLOCK_DOUBTED)
    given_by = cleaned(given_by)
    if not given_by:
        raise ConsentRefused(Refusal.GIVER_NEEDED)
    if child and given_by.casefold() == name.casefold():
        raise ConsentRefused(Refusal.CHILD_NEEDS_GUARDIAN)
    if first > today:
        raise ConsentRefused(Refusal.GIVEN_IN_FUTURE)
    longest = last_day(household.retention, first, child=child)
    last = valid_until or longest
    if last <= today or last < first:
        raise ConsentRefused(Refusal.ALREADY_OVER)
    if last > longest:
        raise ConsentRefused(Refusal.TOO_LONG)
    return Consent(
        consent_id=uuid4().hex,
        given_by=given_by,
        on_behalf_of_child=child,
        method=method,
        given_at=now if given_on is None else _midnight(given_on),
        valid_until=_midnight(last + _DAY),
        text_version=f"{language}/{CONSENT_TEXT_VERSION}",
        recorded_at=now,
        choices=_checked(choices, camera_names(household.entry)),
        visits_for=(shown or household.retention).visits,
        pictures_for=(shown or household.retention).pictures,
        text=text,
    )


async def async_put_on_record(household: Household, person_id: str, consent: Consent) -> None:
    """Put a consent of somebody who is here on record, and have it count; raises VaultError."""
    await household.hass.async_add_executor_job(household.vault.record_consent, person_id, consent)
    await household.async_refresh_people()


def _checked(choices: Choices, cameras: Iterable[str]) -> Choices:
    """Return the choices without cameras that are gone; raise ConsentRefused when none is left."""
    if choices.cameras is None:
        return choices
    if not (here := choices.cameras & frozenset(cameras)):
        raise ConsentRefused(Refusal.CAMERA_NEEDED)
    return replace(choices, cameras=here)


def _days(retention: Retention, *, child: bool) -> int:
    """Return how many days a consent lasts; the half day of an odd number of months counts whole."""
    return -(-lasting(retention, child=child) // _DAY)


def _midnight(day: date) -> datetime:
    """Return when a day begins in this home's time zone, in UTC."""
    return dt_util.as_utc(datetime.combine(day, time.min, tzinfo=dt_util.get_default_time_zone()))
