"""The event behind the logbook's lines about visits. It holds no name, and nothing that leads to one but in the vault."""

from collections.abc import Mapping
import threading

from homeassistant.components.event import DOMAIN as EVENT_DOMAIN
from homeassistant.const import ATTR_DEVICE_ID, ATTR_ENTITY_ID
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.util.hass_dict import HassKey

from ..const import ATTR_CAMERA_ID, ATTR_DECISION, ATTR_VISIT_ID, DOMAIN, EVENT_VISIT, KEY_VISITOR
from ..household.household import Household
from ..household.signals import SIGNAL_VISIT
from ..visits.visit import Timing, Visit
from .board import Board
from .shown import Shown


class VisitLog:
    """Fires the event of each visit that may be written down, and knows whose it was."""

    def __init__(self, household: Household, board: Board) -> None:
        """Fire nothing yet."""
        self._household = household
        self._board = board

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Fire from now on; return how to end that."""
        hass = self._household.hass
        unsubscribe = self._household.async_connect(SIGNAL_VISIT, self._async_visit)
        hass.data[VISIT_LOG] = self

        @callback
        def stop() -> None:
            hass.data.pop(VISIT_LOG, None)
            unsubscribe()

        return stop

    @callback
    def _async_visit(self, visit: Visit, _timing: Timing) -> None:
        """Fire for a visit, unless nothing of it is to be kept: the recorder writes every event down."""
        shown = self._board.find(visit.visit_id)
        if shown is None or not shown.kept:
            return
        hass = self._household.hass
        data = {
            ATTR_VISIT_ID: visit.visit_id,
            ATTR_DECISION: str(visit.decision),
            ATTR_CAMERA_ID: visit.camera_id,
        }
        # By these Home Assistant finds the line for its pages, of each kind one alone: it stands on the page of the
        # camera and in the history of its event by the entity, and on the page of the person by the device.
        event = er.async_get(hass).async_get_entity_id(
            EVENT_DOMAIN, DOMAIN, f"{visit.camera_id}_{KEY_VISITOR}"
        )
        if event is not None:
            data[ATTR_ENTITY_ID] = event
        device = dr.async_get(hass).async_get_device_by_identifier(
            (DOMAIN, visit.person_id or visit.camera_id), self._household.entry.entry_id
        )
        if device is not None:
            data[ATTR_DEVICE_ID] = device.id
        context = self._household.async_context(visit.person_id)
        hass.bus.async_fire(EVENT_VISIT, data, context=context)

    def find(self, visit_id: str) -> Shown | None:
        """Return a familiar person's visit as far as it is kept. Blocks, but on the event loop."""
        if (shown := self._board.find(visit_id)) is not None:
            return shown if shown.person_id is not None and shown.kept else None
        if self._household.hass.loop_thread_id == threading.get_ident():
            return None
        return self._board.find_kept(visit_id)


VISIT_LOG: HassKey[VisitLog] = HassKey(f"{DOMAIN}_visit_log")


def visit_id_of(data: Mapping[str, object]) -> str:
    """Return the visit that an event is about; anybody may fire one that is about none."""
    visit_id = data.get(ATTR_VISIT_ID)
    return visit_id if isinstance(visit_id, str) else ""


def camera_of(hass: HomeAssistant, data: Mapping[str, object]) -> str | None:
    """Return the name of the camera that an event is about; None when it is gone."""
    camera_id = data.get(ATTR_CAMERA_ID)
    if not isinstance(camera_id, str):
        return None
    registry = dr.async_get(hass)
    for entry in hass.config_entries.async_entries(DOMAIN):
        device = registry.async_get_device_by_identifier((DOMAIN, camera_id), entry.entry_id)
        if device is not None:
            return device.name_by_user or device.name or ""
    return None
