"""A period of time that is given to an action, a trigger or a condition."""

from datetime import timedelta

from homeassistant.helpers import config_validation as cv
import voluptuous as vol


def period(value: object) -> timedelta:
    """Return a period; raise Invalid for a negative one, and for one that is longer than any that there is.

    Home Assistant's own validator raises OverflowError for that, which nobody who validates expects.
    """
    try:
        return cv.positive_time_period(value)
    except OverflowError as err:
        raise vol.Invalid("the period is too long") from err
