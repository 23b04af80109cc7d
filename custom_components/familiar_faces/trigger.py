"""Triggers: somebody of a kind was seen, once per visit."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final, cast, override
from weakref import ref

from homeassistant.const import CONF_FOR, CONF_OPTIONS, CONF_TARGET, Platform
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers import config_validation as cv, device_registry as dr, entity_registry as er
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.trigger import (
    Trigger,
    TriggerActionRunner,
    TriggerConfig,
    TriggerNotTriggeredReporter,
)
from homeassistant.helpers.typing import ConfigType, VolDictType
from homeassistant.util import dt as dt_util
import voluptuous as vol

from .const import (
    ATTR_CAMERA_ID,
    ATTR_CONFIDENCE,
    ATTR_PERSON_ID,
    ATTR_PERSON_NAME,
    ATTR_REASON,
    ATTR_VISIT_ID,
    CONF_CAMERA,
    DOMAIN,
    KEY_VISITOR,
    OCCUPIED_FOR,
    PRESENT_FOR,
)
from .household.period import period
from .household.signals import SIGNAL_CORRECTED, SIGNAL_FORGOTTEN, SIGNAL_SEEN_AGAIN, SIGNAL_VISIT, listener
from .hub import Hub
from .running import async_running_hub
from .seen.visit_filter import CAMERA_OPTION, PERSON_OPTION, async_check_devices, async_sought
from .seen.visit_signals import async_follow_visits
from .vault.records import Corrected
from .visits.visit import Decision, Timing, Visit

CONF_CONFIDENCE: Final = "confidence"

_FOR_OPTION: Final[VolDictType] = {vol.Optional(CONF_FOR): period}


def _schema(options: VolDictType) -> vol.Schema:
    return vol.Schema(
        {vol.Optional(CONF_TARGET): cv.TARGET_FIELDS, vol.Required(CONF_OPTIONS, default={}): options}
    )


class VisitTrigger(Trigger):
    """Somebody of a kind was seen at a camera.

    The target is cameras or people, by their event entities; without one it is every camera. It fires once a
    visit, as soon as all that was chosen is so.

    `for`: how long the visit has to have gone on. It goes on until nobody has seen its visitor for 30 seconds
    (`OCCUPIED_FOR`), just as the binary sensors of the camera are on; so up to that time it is a delay in which
    somebody unclear may turn out to be familiar, and beyond it the visitor has to be seen again and again.
    """

    decision: ClassVar[Decision]
    _schema: ClassVar[vol.Schema] = _schema(_FOR_OPTION)

    @override
    @classmethod
    async def async_validate_config(cls, hass: HomeAssistant, config: ConfigType) -> ConfigType:
        """Validate what was chosen, which may be before there is an entry."""
        config = cast(ConfigType, cls._schema(config))
        async_check_devices(hass, config)
        return config

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Wait for what was chosen."""
        super().__init__(hass, config)
        self.hass = hass
        self.target = config.target
        self.options = config.options or {}

    @override
    async def async_attach_runner(
        self, run_action: TriggerActionRunner, did_not_trigger: TriggerNotTriggeredReporter | None = None
    ) -> CALLBACK_TYPE:
        """Run the action at every visit that fits."""
        return _Attached(self, run_action).async_attach()

    @callback
    def fits(self, visit: Visit) -> bool:
        """Return whether a visit is of the kind, of the people and at the cameras that were chosen."""
        sought = async_sought(self.hass, {self.decision}, self.target, self.options)
        return sought.fits(visit.decision, visit.camera_id, visit.person_id)


class FamiliarPersonSeen(VisitTrigger):
    """A familiar person was seen at a camera."""

    decision = Decision.FAMILIAR
    _schema = _schema(
        {
            **PERSON_OPTION,
            **CAMERA_OPTION,
            vol.Optional(CONF_CONFIDENCE): vol.All(vol.Coerce(float), vol.Range(min=0, max=1)),
            **_FOR_OPTION,
        }
    )


class StrangerSeen(VisitTrigger):
    """A stranger was seen at a camera."""

    decision = Decision.STRANGER


class UnclearSeen(VisitTrigger):
    """An unidentified visitor was seen at a camera."""

    decision = Decision.UNCLEAR


TRIGGERS: Final[dict[str, type[VisitTrigger]]] = {
    "familiar_person_seen": FamiliarPersonSeen,
    "stranger_seen": StrangerSeen,
    "unclear_seen": UnclearSeen,
}


async def async_get_triggers(hass: HomeAssistant) -> dict[str, type[Trigger]]:
    """Return the triggers."""
    return dict(TRIGGERS)


@dataclass(slots=True)
class _Open:
    """A visit that began while the trigger listened."""

    hub: ref[Hub]
    """Not held: a hub that was stopped goes, with the templates that it knew."""
    seen_at: datetime
    told: bool = False
    waits: Visit | None = None
    """It, as it is told once it has gone on for long enough."""
    timer: CALLBACK_TYPE | None = None

    @callback
    def async_drop(self) -> None:
        """Stop telling of it."""
        self.waits = None
        if self.timer is not None:
            self.timer()
            self.timer = None


class _Attached:
    """A trigger that listens."""

    def __init__(self, trigger: VisitTrigger, run_action: TriggerActionRunner) -> None:
        """Know of no visit."""
        self._hass = trigger.hass
        self._trigger = trigger
        self._run_action = run_action
        self._duration: timedelta | None = trigger.options.get(CONF_FOR)
        self._confidence: float = trigger.options.get(CONF_CONFIDENCE, 0.0)
        self._open: dict[str, _Open] = {}
        self._removed = False

    @callback
    def async_attach(self) -> CALLBACK_TYPE:
        """Listen; return how to stop."""
        unsubscribe = async_follow_visits(
            self._hass,
            (
                listener(SIGNAL_VISIT, self._async_visit),
                listener(SIGNAL_SEEN_AGAIN, self._async_seen_again),
                listener(SIGNAL_FORGOTTEN, self._async_forgotten),
                listener(SIGNAL_CORRECTED, self._async_corrected),
            ),
        )

        @callback
        def remove() -> None:
            self._removed = True
            unsubscribe()
            self._async_drop(set(self._open))

        return remove

    @callback
    def _async_drop(self, visit_ids: set[str]) -> None:
        for visit_id in visit_ids:
            if (opened := self._open.pop(visit_id, None)) is not None:
                opened.async_drop()

    @callback
    def _async_visit(self, visit: Visit, _timing: Timing) -> None:
        """Take note of a visit that began, or turned out to be of another kind."""
        over = dt_util.utcnow() - PRESENT_FOR
        self._async_drop({visit_id for visit_id, opened in self._open.items() if opened.seen_at < over})
        if not self._trigger.fits(visit):
            self._async_drop({visit.visit_id})
        elif (hub := async_running_hub(self._hass)) is not None:
            self._open.setdefault(visit.visit_id, _Open(ref(hub), visit.last_seen_at))
            self._async_seen_again(visit)

    @callback
    def _async_seen_again(self, visit: Visit) -> None:
        """Tell of a visit that has become what was chosen. One that began before it was listened to is left."""
        if (opened := self._open.get(visit.visit_id)) is None:
            return
        opened.seen_at = max(opened.seen_at, visit.last_seen_at)
        if opened.told or (visit.confidence or 0.0) < self._confidence:
            return
        left = visit.started_at + (self._duration or timedelta(0)) - dt_util.utcnow()
        if left <= timedelta(0):
            self._async_tell(opened, visit)
            return
        # Nothing is needed of the picture, so none stays in memory for it.
        opened.waits = replace(visit, portrait=None)
        if opened.timer is None:

            @callback
            def time_is_up(_now: datetime) -> None:
                opened.timer = None
                waits, opened.waits = opened.waits, None
                if waits is not None and dt_util.utcnow() - opened.seen_at <= OCCUPIED_FOR:
                    self._async_tell(opened, waits)

            opened.timer = async_call_later(self._hass, left, HassJob(time_is_up, cancel_on_shutdown=True))

    @callback
    def _async_forgotten(self, person_id: str) -> None:
        """Tell nothing more of somebody who is forgotten, or agrees to less."""
        self._async_drop(
            {key for key, each in self._open.items() if each.waits and each.waits.person_id == person_id}
        )

    @callback
    def _async_corrected(self, corrected: Corrected) -> None:
        """Tell nothing more of a visit that was not whose it was said to be."""
        self._async_drop({corrected.visit_id})

    @callback
    def _async_tell(self, opened: _Open, visit: Visit) -> None:
        opened.async_drop()
        opened.told = True

        @callback
        def run() -> None:
            hub = async_running_hub(self._hass)
            if self._removed or hub is None or hub is not opened.hub():
                return
            # What was agreed to may have changed while it was waited for.
            if (still := hub.board.tellable(visit)) is None:
                return
            variables = {**async_variables(hub, still), "for": self._duration}
            # What describes it goes into the logbook, so it names nobody.
            context = hub.async_context(still.person_id)
            self._run_action(variables, f"state of {variables['entity_id'] or DOMAIN}", context)

        # After this signal has reached the entities, so that what an automation reads of them is of this visit.
        self._hass.loop.call_soon(run)


@callback
def async_variables(hub: Hub, visit: Visit) -> dict[str, Any]:
    """Return what templates may say of a visit: `trigger.person_name` and so on; None for what there is not."""
    devices, entry = dr.async_get(hub.hass), hub.entry

    def device(of: str | None) -> dr.DeviceEntry | None:
        return None if of is None else devices.async_get_device_by_identifier((DOMAIN, of), entry.entry_id)

    camera, camera_device = entry.subentries.get(visit.camera_id), device(visit.camera_id)
    person, person_device = hub.people.get(visit.person_id or ""), device(visit.person_id)
    name = None if camera is None else camera.title
    return {
        "entity_id": er.async_get(hub.hass).async_get_entity_id(
            Platform.EVENT, DOMAIN, f"{visit.camera_id}_{KEY_VISITOR}"
        ),
        ATTR_VISIT_ID: visit.visit_id,
        "decision": str(visit.decision),
        ATTR_REASON: None if visit.reason is None else str(visit.reason),
        ATTR_PERSON_ID: visit.person_id,
        ATTR_PERSON_NAME: visit.name,
        "person_device_id": None if person_device is None else person_device.id,
        "person_entity_id": None if person is None else person.linked_entity,
        ATTR_CONFIDENCE: None if visit.confidence is None else round(visit.confidence, 3),
        ATTR_CAMERA_ID: visit.camera_id,
        "camera_name": name if camera_device is None else camera_device.name_by_user or camera_device.name,
        "camera_device_id": None if camera_device is None else camera_device.id,
        "camera_entity_id": None if camera is None else camera.data.get(CONF_CAMERA),
        "started_at": visit.started_at,
        "last_seen_at": visit.last_seen_at,
    }
