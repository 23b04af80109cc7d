"""Who viewed whose pictures: a line in the audit log, at most once an hour for each pair."""

from datetime import datetime, timedelta
import logging

from homeassistant.components.http.const import KEY_HASS_USER
from homeassistant.helpers.http import current_request
from homeassistant.util import dt as dt_util

from ..household.household import Household
from ..vault.errors import VaultError

_LOGGER = logging.getLogger(__name__)

NOTED_FOR = timedelta(hours=1)
"""Dashboards ask for a picture every few minutes, and nothing is to be written each time."""
UNKNOWN = "unknown"
"""Stands for a user who cannot be told: images of entities are fetched with a token that all users share."""


class Viewings:
    """What was noted in the last hour."""

    def __init__(self) -> None:
        """Have noted nothing yet."""
        self._noted: dict[tuple[str, str | None], datetime] = {}

    def first(self, user_id: str, person_id: str | None, now: datetime) -> bool:
        """Return whether a view is to be noted, and count it as noted."""
        self._noted = {key: at for key, at in self._noted.items() if timedelta(0) <= now - at < NOTED_FOR}
        if (user_id, person_id) in self._noted:
            return False
        self._noted[user_id, person_id] = now
        return True

    def again(self, user_id: str, person_id: str | None) -> None:
        """Have the next view be noted after all."""
        self._noted.pop((user_id, person_id), None)


def viewing_user() -> str:
    """Return the id of the user whose request is being answered, as far as it says."""
    request = current_request.get()
    user = None if request is None else request.get(KEY_HASS_USER)
    return UNKNOWN if user is None else str(user.id)


class ViewingLog:
    """Notes in the audit log who looked."""

    def __init__(self, household: Household) -> None:
        """Have noted nothing yet."""
        self._household = household
        self._viewings = Viewings()

    async def async_note(self, person_id: str | None, user_id: str | None = None) -> None:
        """Note that a face was shown; `person_id` None for one without a name, of the review inbox."""
        user_id = user_id or viewing_user()
        now = dt_util.utcnow()
        if not self._viewings.first(user_id, person_id, now):
            return
        try:
            await self._household.hass.async_add_executor_job(
                self._household.vault.audit, "faces_viewed", person_id, {"user": user_id}, now
            )
        except VaultError as err:
            self._viewings.again(user_id, person_id)
            _LOGGER.warning("That a face was looked at could not be noted: %s", err)
