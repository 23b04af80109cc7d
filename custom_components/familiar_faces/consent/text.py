"""The text of a consent, made from the live settings in the language of the person who agrees."""

from datetime import timedelta
from functools import partial

from ..const import CONF_CONTACT, CONF_RESPONSIBLE
from ..household.household import Household
from ..vault.retention import Retention
from ..wording.words import async_say, in_whole_units

_DAY = timedelta(days=1)


async def async_consent_text(household: Household, language: str, *, name: str, child: bool) -> str:
    """Return the plain text that somebody agrees to, its paragraphs parted by empty lines.

    `language`: one of `flows.words.LANGUAGES`. `child`: whether a parent or guardian agrees for `name`.
    """
    retention = household.retention
    lasts = lasting(retention, child=child)
    say = partial(async_say, household.hass, "consent_text", language=language)
    periods = {
        period: await _async_duration(household, language, length)
        for period, length in (
            ("visits", retention.visits),
            ("pictures", retention.pictures),
            ("review", retention.review),
            ("lasts", lasts),
            ("grace", retention.after_expiry),
            ("unseen", retention.unseen),
            ("audit", retention.audit),
        )
    }
    kind = "child" if child else "adult"
    responsible = [household.entry.options.get(key) for key in (CONF_RESPONSIBLE, CONF_CONTACT)]
    paragraphs = [
        [f"what_{kind}"],
        [
            "choose",
            "visits" if retention.visits else "visits_off",
            "pictures" if keeps_pictures(retention) else "pictures_off",
        ],
        [f"uploads_{kind}"],
        [f"told_{kind}"],
        ["review"] if retention.review else [],
        ["lasts", "unseen"] if retention.unseen < lasts + retention.after_expiry else ["lasts"],
        [f"say_no_{kind}"],
        ["not_reached", "log"],
        ["responsible"] if any(responsible) else [],
    ]
    values = {**periods, "responsible": ", ".join(each for each in responsible if each), "name": name}
    texts = [" ".join([await say(key, **values) for key in paragraph]) for paragraph in paragraphs]
    return "\n\n".join(text for text in texts if text)


def lasting(retention: Retention, *, child: bool) -> timedelta:
    """Return how long a new consent lasts, at most and when no other end is agreed to."""
    return retention.child_consent if child else retention.consent


def keeps_pictures(retention: Retention) -> bool:
    """Return whether pictures of visits are kept at all; they never outlive their visit."""
    return bool(retention.visits and retention.pictures)


async def _async_duration(household: Household, language: str, length: timedelta) -> str:
    """Return a period in months when these say it exactly, else in days or hours."""
    if (whole := in_whole_units(length)) is None:
        return await async_say(
            household.hass, "consent_text", "days", language=language, count=-(-length // _DAY)
        )
    count, unit = whole
    key = f"one_{unit}" if count == 1 else f"{unit}s"
    return await async_say(household.hass, "consent_text", key, language=language, count=count)
