"""Photos that were uploaded into a dialog and never sent: they are faces, so they do not wait for a restart.

Home Assistant does not say which dialog an upload is for. Ours are the pictures that came while the step for a photo
was open; no other integration asks for pictures in this way. While two of our dialogs are open, the last one clears up.
"""

import logging
from pathlib import PurePath

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN
from ..engine.photo_formats import SUFFIXES
from ..internals.uploads import async_waiting, remove

_LOGGER = logging.getLogger(__name__)

PATIENCE = 1800.0
"""Seconds that a photo waits in a dialog that stays open, as in a browser's tab that was closed."""

_OPEN: HassKey[set[PhotoUploads]] = HassKey(f"{DOMAIN}_photo_uploads")


class PhotoUploads:
    """What is uploaded while one dialog asks for photos. Lives on the event loop."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Leave alone what waits already."""
        self._hass = hass
        self.others = frozenset(async_waiting(hass))
        self._waited: frozenset[str] = frozenset()
        """What waited already when it was last looked at."""
        self._again: CALLBACK_TYPE | None = None

    @callback
    def async_asked(self) -> None:
        """A photo is asked for, now or once more."""
        self._hass.data.setdefault(_OPEN, set()).add(self)
        self._async_wait()

    @callback
    def _async_wait(self) -> None:
        if self._again is not None:
            self._again()
        self._again = async_call_later(
            self._hass, PATIENCE, HassJob(self._async_late, f"{DOMAIN} uploads", cancel_on_shutdown=True)
        )

    @callback
    def async_end(self) -> None:
        """The dialog is over."""
        if self._again is not None:
            self._again()
            self._again = None
        asking = self._hass.data.get(_OPEN, set())
        asking.discard(self)
        if asking:
            # It may be theirs: the last dialog removes it, also what came before that dialog was opened.
            for each in asking:
                each.others &= self.others
        else:
            self._async_clear()

    @callback
    def _async_late(self, _now: object) -> None:
        self._again = None
        # What was uploaded a moment ago may be another dialog's; a tab may stay open for ever.
        alone = self._hass.data.get(_OPEN, set()) <= {self}
        waiting = frozenset(async_waiting(self._hass))
        self._async_clear(spare=frozenset() if alone else waiting - self._waited)
        self._waited = waiting
        self._async_wait()

    @callback
    def _async_clear(self, spare: frozenset[str] = frozenset()) -> None:
        for file_id, name in async_waiting(self._hass).items():
            if file_id not in self.others | spare and PurePath(name).suffix.lower() in SUFFIXES:
                self._hass.async_create_task(self._async_remove(file_id), f"{DOMAIN} upload never sent")

    async def _async_remove(self, file_id: str) -> None:
        try:
            await self._hass.async_add_executor_job(remove, self._hass, file_id)
        except OSError as err:
            _LOGGER.warning("A photo that was uploaded and never sent could not be deleted: %s", err)
