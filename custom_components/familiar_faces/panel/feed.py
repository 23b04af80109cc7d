"""One subscription of a browser: the first page and what happens now, and then what changes. Nothing is polled."""

from datetime import datetime
import logging
from typing import Any, Final, override

from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.event import async_call_later, async_track_time_change

from ..const import DOMAIN
from ..household.signals import (
    SIGNAL_CHANGED,
    SIGNAL_CONFIRMED,
    SIGNAL_CORRECTED,
    SIGNAL_FORGOTTEN,
    SIGNAL_SEEN_AGAIN,
    SIGNAL_VISIT,
    Listener,
    Of,
    listener,
)
from ..seen.listing import Wanted
from ..seen.visit_signals import async_follow_visits
from ..vault.errors import VaultError
from ..vault.records import Corrected
from ..visits.visit import Timing, Visit
from .permitted import Asked, async_asked
from .rows import async_now, async_page, async_people, async_visit
from .subscription import AGAIN, Subscription

_LOGGER = logging.getLogger(__name__)

MOST_FEEDS: Final = 20
"""Subscriptions of one connection: a panel has one, and so has each card of a dashboard."""
STILL_HERE: Final = 35.0
"""Seconds after which a visit counts as over, and is no longer shown as ongoing."""


@callback
def _is_ours(data: ir.EventIssueRegistryUpdatedData) -> bool:
    return data["domain"] == DOMAIN


class Feed(Subscription):
    """Sends the first page of visits and what happens now, and then what changes."""

    most = MOST_FEEDS
    together = 0.05
    """Several changes of one moment are sent at once."""

    def __init__(
        self, hass: HomeAssistant, connection: ActiveConnection, message_id: int, wanted: Wanted, limit: int
    ) -> None:
        """Send nothing yet."""
        super().__init__(hass, connection, message_id)
        self._wanted = wanted
        self._limit = limit
        self._everything = True
        """Whether all is to be sent again."""
        self._visit_ids: dict[str, None] = {}
        """Visits that changed, in their order."""
        self._failed: dict[str, str | None] = {}
        """Answers that could not be carried out, by the visit, with the key of what failed."""
        self._still_here: CALLBACK_TYPE | None = None

    @override
    @callback
    def _async_start(self) -> None:

        def changed(of: Of) -> Listener:
            target = self._async_soon if of in (Of.MUTES, Of.STORED) else self._async_everything
            return lambda hass, entry_id: async_dispatcher_connect(
                hass, SIGNAL_CHANGED.format(entry_id, of), target
            )

        self._ends += [
            async_follow_visits(
                self._hass,
                [
                    listener(SIGNAL_VISIT, self._async_visit),
                    listener(SIGNAL_SEEN_AGAIN, self._async_seen_again),
                    listener(SIGNAL_CONFIRMED, self._async_one),
                    listener(SIGNAL_CORRECTED, self._async_corrected),
                    listener(SIGNAL_FORGOTTEN, self._async_forgotten),
                    *map(changed, (Of.WHOLE, Of.PEOPLE, Of.ENGINE, Of.MUTES, Of.STORED)),
                ],
                self._async_loaded,
                self._async_soon,
            ),
            self._hass.bus.async_listen(
                ir.EVENT_REPAIRS_ISSUE_REGISTRY_UPDATED, self._async_repairs, event_filter=_is_ours
            ),
            # Visits without a name are listed until midnight.
            async_track_time_change(self._hass, self._async_midnight, hour=0, minute=0, second=1),
        ]
        self._async_loaded()

    @override
    @callback
    def __call__(self) -> None:
        super().__call__()
        if self._still_here is not None:
            self._still_here()
            self._still_here = None

    # What happens

    @callback
    def _async_loaded(self) -> None:
        self._async_follow_answers(self._async_answered)
        self._async_everything()

    @callback
    def _async_visit(self, visit: Visit, _timing: Timing) -> None:
        self._async_one(visit.visit_id)

    @callback
    def _async_seen_again(self, visit: Visit) -> None:
        self._async_one(visit.visit_id)

    @callback
    def _async_answered(self, visit_id: str, failure: HomeAssistantError | None) -> None:
        if failure is not None:
            self._failed[visit_id] = failure.translation_key
        self._async_one(visit_id)

    @callback
    def _async_corrected(self, _corrected: Corrected) -> None:
        self._async_everything()

    @callback
    def _async_forgotten(self, _person_id: str) -> None:
        self._async_everything()

    @callback
    def _async_repairs(self, _event: Event[ir.EventIssueRegistryUpdatedData]) -> None:
        self._async_soon()

    @callback
    def _async_midnight(self, _now: datetime) -> None:
        self._async_everything()

    @callback
    def _async_one(self, visit_id: str) -> None:
        self._visit_ids[visit_id] = None
        self._async_soon()

    @callback
    def _async_everything(self) -> None:
        self._everything = True
        self._async_soon()

    # What is sent

    @override
    async def _async_send(self) -> None:
        self._sending = True
        try:
            if (asked := async_asked(self._hass, self._connection)) is None:
                # It comes back with `_async_loaded`.
                self._everything, self._visit_ids = False, {}
                self._say({"type": "stopped"})
                return
            everything, self._everything = self._everything, False
            visit_ids, self._visit_ids = self._visit_ids, {}
            failed, self._failed = self._failed, {}
            try:
                said = await (
                    self._async_snapshot(asked) if everything else self._async_changes(asked, visit_ids)
                )
            except VaultError as err:
                _LOGGER.debug("Visits could not be read for the panel: %s", err)
                self._say({"type": "failed", "again": AGAIN})
                self._everything, self._failed = True, failed
                self._async_soon(AGAIN)
                return
            # Those that came while all was read may not be in it.
            self._say(said | {"failed": failed})
        finally:
            self._sending = False
            if (self._everything or self._visit_ids) and not self._ended:
                self._async_soon()

    async def _async_snapshot(self, asked: Asked) -> dict[str, Any]:
        """Return all that is shown at first. Permissions are asked again after the vault was read."""
        page: dict[str, Any] = {"visits": [], "after": None}
        if self._limit:
            found = await asked.listing.async_page(self._wanted, limit=self._limit)
            page = async_page(asked, found)
        return {"type": "all", **async_now(self._hass, asked), "people": async_people(asked), **page}

    async def _async_changes(self, asked: Asked, visit_ids: dict[str, None]) -> dict[str, Any]:
        visits, gone = [], []
        for visit_id in visit_ids:
            visit = await asked.listing.async_find(visit_id)
            camera_id = None if visit is None or visit.place is None else visit.place.camera_id
            if visit is not None and self._wanted.fits(
                visit.decision, camera_id or "", visit.person_id, visit.started_at
            ):
                visits.append(async_visit(asked, visit))
            else:
                gone.append(visit_id)
        self._async_watch_end()
        return {
            "type": "changes",
            **async_now(self._hass, asked),
            "visits": visits if self._limit else [],
            "gone": gone,
        }

    @callback
    def _async_watch_end(self) -> None:
        """Say again who is there when the last visit is over."""
        if self._still_here is not None:
            self._still_here()

        @callback
        def over(_now: datetime) -> None:
            self._still_here = None
            self._async_soon()

        self._still_here = async_call_later(self._hass, STILL_HERE, over)
