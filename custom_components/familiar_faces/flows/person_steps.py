"""What all steps of a person's flow share: who it is about, and the vault."""

import logging
from typing import TYPE_CHECKING
from uuid import uuid4

from homeassistant.config_entries import ConfigSubentryFlow, SubentryFlowResult
from homeassistant.util import dt as dt_util

from ..host.engine_errors import EngineError
from ..household.subentries import camera_names, person_subentry
from ..people.person import Person
from ..vault.errors import VaultError

if TYPE_CHECKING:
    from ..hub import Hub

_LOGGER = logging.getLogger(__name__)


class PersonSteps(ConfigSubentryFlow):
    """Knows the person of a dialog."""

    def __init__(self) -> None:
        """Start with nobody."""
        self._person_id = uuid4().hex
        self._name = ""
        self._child = False
        self._linked_entity: str | None = None
        self._enrolling = False
        """Whether something is kept of somebody who is not enrolled yet."""
        self._enrolled = False
        """Whether the person is enrolled, and only the subentry is missing."""
        self._running: Hub | None = None

    @property
    def _hub(self) -> Hub:
        # Kept: should the entry be unloaded meanwhile, the closed vault gives an error that is shown.
        if self._running is None:
            self._running = self._get_entry().runtime_data
        return self._running

    async def _async_stored(self) -> Person:
        return await self.hass.async_add_executor_job(self._hub.vault.person, self._person_id)

    def _cameras(self, person: Person) -> dict[str, str]:
        """Return the cameras that may take photos of a person: the ids of their subentries, and their names."""
        now = dt_util.utcnow()
        return {
            camera_id: name
            for camera_id, name in camera_names(self._get_entry()).items()
            if person.may_be_recognised(now, camera_id) and self._hub.recognition(camera_id)
        }

    async def _async_changed(self) -> SubentryFlowResult:
        """Have what was changed be used and shown; raises VaultError."""
        subentry = person_subentry(await self._async_stored())
        await self._hub.async_refresh_people()
        return self.async_update_and_abort(
            self._get_entry(), self._get_reconfigure_subentry(), title=subentry.title, data=subentry.data
        )


def log_failure(err: EngineError | VaultError) -> None:
    """Write down why a step could not be taken; no such message holds a name."""
    _LOGGER.error("A person could not be added or changed: %s", err)
