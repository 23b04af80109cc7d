"""Days and times in the sentences of dialogs, repairs and lists, as people write them."""

from datetime import date, datetime

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .words import async_say, say_at_once


def say_day(hass: HomeAssistant, day: date) -> str:
    """Return a day in the language of this Home Assistant: "3 December 2026"."""
    months = say_at_once(hass, "spoken", "months").split(", ")
    # Before the texts are loaded, there is only the key.
    month = months[day.month - 1] if len(months) > 1 else str(day.month)
    return say_at_once(hass, "date", "day", day=day.day, month=month, year=day.year)


def say_moment(hass: HomeAssistant, at: datetime) -> str:
    """Return a day and the time of day, in this home's time zone: "3 December 2026, 08:05"."""
    local = dt_util.as_local(at)
    return say_at_once(hass, "date", "moment", day=say_day(hass, local.date()), time=f"{local:%H:%M}")


async def async_say_moment(hass: HomeAssistant, at: datetime) -> str:
    """Return the same to the user who asks, also when nothing was said in their language since the start."""
    # The months are loaded with it.
    await async_say(hass, "date", "moment")
    return say_moment(hass, at)
