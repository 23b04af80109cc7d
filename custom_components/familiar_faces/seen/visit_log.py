"""The event that the logbook tells of visits by. It holds no name, and nothing that leads to one but in the vault."""

from collections.abc import Mapping
import threading

from homeassistant.const import ATTR_DEVICE_ID
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.util.hass_dict import HassKey

from ..const import ATTR_DECISION, ATTR_VISIT_ID, DOMAIN, EVENT_VISIT
from ..household.household import Household
from ..household.keeping import keeps_visits, may_show
from ..household.signals import SIGNAL_CORRECTED, SIGNAL_FORGOTTEN, SIGNAL_VISIT
from ..vault.errors import UnknownVisit, VaultError
from ..vault.records import Corrected, VisitRecord
from ..visits.visit import Timing, Visit

_AT_HAND = 100
"""Visits whose people are known without the vault: the logbook describes what happens now on the event loop."""


class VisitLog:
    """Fires the event of each visit that may be written down, and knows whose it was."""

    def __init__(self, household: Household) -> None:
        """Know of no visit yet."""
        self._household = household
        self._at_hand: dict[str, VisitRecord] = {}

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Fire from now on; return how to end that."""
        hass = self._household.hass
        unsubscribe = [
            self._household.async_connect(SIGNAL_VISIT, self._async_visit),
            self._household.async_connect(SIGNAL_FORGOTTEN, self._async_forgotten),
            self._household.async_connect(SIGNAL_CORRECTED, self._async_corrected),
        ]
        hass.data[VISIT_LOG] = self

        @callback
        def stop() -> None:
            hass.data.pop(VISIT_LOG, None)
            for each in unsubscribe:
                each()

        return stop

    @callback
    def _async_visit(self, visit: Visit, _timing: Timing) -> None:
        """Fire for a visit, unless nothing of it is to be kept: the recorder writes every event down."""
        if visit.person_id is not None:
            if not keeps_visits(self._household, visit.person_id):
                return
            self._note(
                VisitRecord(
                    visit_id=visit.visit_id,
                    person_id=visit.person_id,
                    camera_id=visit.camera_id,
                    started_at=visit.started_at,
                    confidence=visit.confidence or 0.0,
                    frames=visit.frames,
                )
            )
        data = {ATTR_VISIT_ID: visit.visit_id, ATTR_DECISION: str(visit.decision)}
        device = dr.async_get(self._household.hass).async_get_device_by_identifier(
            (DOMAIN, visit.camera_id), self._household.entry.entry_id
        )
        if device is not None:
            data[ATTR_DEVICE_ID] = device.id
        self._household.hass.bus.async_fire(EVENT_VISIT, data)

    @callback
    def _note(self, visit: VisitRecord) -> None:
        self._at_hand[visit.visit_id] = visit
        while len(self._at_hand) > _AT_HAND:
            del self._at_hand[next(iter(self._at_hand))]

    @callback
    def _async_forgotten(self, person_id: str) -> None:
        self._at_hand = {key: each for key, each in self._at_hand.items() if each.person_id != person_id}

    @callback
    def _async_corrected(self, corrected: Corrected) -> None:
        self._at_hand.pop(corrected.visit.visit_id, None)
        if corrected.moved is not None:
            self._note(corrected.moved)

    def find(self, visit_id: str) -> VisitRecord | None:
        """Return a familiar person's visit as far as it is kept. Blocks, but on the event loop."""
        if (visit := self._at_hand.get(visit_id)) is not None:
            return visit
        if self._household.hass.loop_thread_id == threading.get_ident():
            return None
        try:
            return self._household.vault.visit(visit_id)
        except UnknownVisit, VaultError:
            return None

    def name(self, visit: VisitRecord) -> str | None:
        """Return the name of a visit's person, as long as it may be shown that they came."""
        person = self._household.people.get(visit.person_id)
        if person is None or not may_show(self._household, visit.person_id, visit.started_at):
            return None
        return person.name


VISIT_LOG: HassKey[VisitLog] = HassKey(f"{DOMAIN}_visit_log")


def visit_id_of(data: Mapping[str, object]) -> str:
    """Return the visit that an event is about; anybody may fire one that is about none."""
    visit_id = data.get(ATTR_VISIT_ID)
    return visit_id if isinstance(visit_id, str) else ""


def camera_of(hass: HomeAssistant, data: Mapping[str, object]) -> tuple[str, str] | None:
    """Return the id and the name of the camera that an event is about."""
    device_id = data.get(ATTR_DEVICE_ID)
    device = dr.async_get(hass).async_get(device_id) if isinstance(device_id, str) else None
    if device is None:
        return None
    for domain, identifier in device.identifiers:
        if domain == DOMAIN:
            return identifier, device.name_by_user or device.name or ""
    return None
