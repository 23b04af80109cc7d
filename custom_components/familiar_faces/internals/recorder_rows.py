"""The rows of the recorder: what it holds of a person is found there, and erased."""

from collections.abc import Iterator
from dataclasses import dataclass, field
import json
from typing import TYPE_CHECKING, Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.recorder import DATA_INSTANCE, session_scope
from homeassistant.util.collection import chunked_or_all

from ..const import ATTR_DECISION, ATTR_VISIT_ID, DOMAIN, EVENT_VISIT
from .recorder_caused import Caused, find_caused, still_used
from .recorder_file import RecorderReach, overwrite
from .recorder_mentions import find_chosen, ids_of
from .recorder_thread import async_in_recorder
from .wanted import Naming, Wanted

if TYPE_CHECKING:
    from homeassistant.components.recorder.core import Recorder
    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import InstrumentedAttribute, Session

_ECHOES = tuple(f"mobile_app_notification_{each}" for each in ("action", "cleared", "received"))
"""Events of Android's app: companion.home-assistant.io/docs/notifications/notification-cleared."""


@dataclass(slots=True, kw_only=True)
class RecorderErased:
    """What was erased in the recorder."""

    states: int = 0
    events: int = 0
    attributes: int = 0
    """Sets of attributes of other entities, such as a group, that mentioned these people."""
    statistics: int = 0
    reach: RecorderReach = RecorderReach.LATER
    caused: Caused = field(default_factory=Caused)
    """What followed from their visits, no matter who wrote it; it is erased as well."""


def check(hass: HomeAssistant) -> bool:
    """Return whether this Home Assistant's recorder is still as is expected here; yes where none runs."""
    if (instance := hass.data.get(DATA_INSTANCE)) is None:
        return True
    try:
        # All that is reached for below, from wherever it is.
        from homeassistant.components.recorder.const import SupportedDialect
        from homeassistant.components.recorder.db_schema import (
            EventData,
            Events,
            EventTypes,
            StateAttributes,
            States,
            StatesMeta,
            StatisticsMeta,
        )
        from homeassistant.components.recorder.queries import (
            delete_event_data_rows,
            delete_event_rows,
            delete_states_attributes_rows,
            delete_states_meta_rows,
            delete_states_rows,
            disconnect_states_rows,
        )
    except ImportError:
        return False
    columns = (
        (EventData, ("data_id", "shared_data")),
        (Events, ("event_id", "event_type_id", "data_id", "time_fired_ts")),
        (EventTypes, ("event_type_id", "event_type")),
        (StateAttributes, ("attributes_id", "shared_attrs")),
        (States, ("state_id", "metadata_id", "attributes_id", "state")),
        (StatesMeta, ("metadata_id", "entity_id")),
        (StatisticsMeta, ("statistic_id",)),
    )
    managers = (
        ("states_manager", ("evict_purged_state_ids", "evict_purged_entity_ids")),
        ("states_meta_manager", ("evict_purged",)),
        ("state_attributes_manager", ("evict_purged",)),
        ("event_data_manager", ("evict_purged",)),
        ("statistics_meta_manager", ("delete",)),
    )
    functions = (
        delete_event_data_rows,
        delete_event_rows,
        delete_states_attributes_rows,
        delete_states_meta_rows,
        delete_states_rows,
        disconnect_states_rows,
    )
    return (
        all(hasattr(table, column) for table, names in columns for column in names)
        and all(
            hasattr(getattr(instance, manager, None), name) for manager, names in managers for name in names
        )
        and all(map(callable, functions))
        and hasattr(SupportedDialect, "SQLITE")
        and all(hasattr(instance, name) for name in ("get_session", "engine", "max_bind_vars"))
    )


async def async_find_recorded(hass: HomeAssistant, wanted: Wanted, naming: Naming) -> Caused:
    """Find what followed from people's visits, once all that the recorder was told before is written. Erases nothing.

    Raises HomeAssistantError when the database failed.
    """
    if hass.data.get(DATA_INSTANCE) is None:
        return Caused()
    found = await async_in_recorder(hass, lambda instance: _Eraser(instance, wanted, naming).find())
    if found is None:
        raise HomeAssistantError("The recorder could not be searched")
    return found.caused


async def async_erase_recorded(hass: HomeAssistant, wanted: Wanted, naming: Naming) -> RecorderErased:
    """Erase what the recorder holds, once all that it was told before is written. Waits until it is done.

    A database that fails is said in the result, as `RecorderReach.LATER`.
    """
    if hass.data.get(DATA_INSTANCE) is None:
        return RecorderErased(reach=RecorderReach.NOT_RUNNING)
    erased = await async_in_recorder(hass, lambda instance: _Eraser(instance, wanted, naming).erase())
    return erased or RecorderErased()


@dataclass
class _Eraser:
    """Erases in the recorder's thread."""

    instance: Recorder
    wanted: Wanted
    naming: Naming
    erased: RecorderErased = field(default_factory=RecorderErased)

    def find(self) -> RecorderErased:
        """Find what followed from their visits."""
        if self.wanted.person_ids:
            with session_scope(session=self.instance.get_session(), read_only=True) as session:
                most = self.instance.max_bind_vars
                self.erased.caused = find_caused(session, self.wanted, self._told_in(session), most)
        return self.erased

    def erase(self) -> RecorderErased:
        """Erase the rows, and their remains in the file."""
        from homeassistant.components.recorder.const import SupportedDialect
        from sqlalchemy import text

        sqlite = self.instance.dialect_name is SupportedDialect.SQLITE
        with session_scope(session=self.instance.get_session()) as session:
            if sqlite:
                # Deleted rows are overwritten with zeros: https://sqlite.org/pragma.html#pragma_secure_delete
                before = session.execute(text("PRAGMA secure_delete")).scalar_one()
                session.execute(text("PRAGMA secure_delete=ON"))
            self._erase_caused(session)
            self._erase_chosen(session)
            self._erase_states(session)
            self._erase_mentions(session)
            self._erase_events(session)
            self._erase_visits(session)
            self._erase_echoes(session)
            self._erase_statistics(session)
            session.commit()
            if sqlite:
                session.execute(text(f"PRAGMA secure_delete={int(before)}"))
        texts = self.wanted.ids | self.wanted.forms
        self.erased.reach = (
            overwrite(self.instance, map(str.encode, texts)) if sqlite else RecorderReach.DATABASE_SERVER
        )
        if self._left():
            self.erased.reach = RecorderReach.LATER
        return self.erased

    def _left(self) -> bool:
        """Look again, and return whether there still is a row of theirs."""
        from homeassistant.components.recorder.db_schema import EventData, StateAttributes, StatesMeta
        from sqlalchemy import select

        if not self.wanted.person_ids:
            return False
        with session_scope(session=self.instance.get_session(), read_only=True) as session:
            theirs = StatesMeta.entity_id.in_(self.wanted.entity_ids)
            caused = find_caused(session, self.wanted, (), self.instance.max_bind_vars)
            return bool(
                session.execute(select(StatesMeta.metadata_id).where(theirs).limit(1)).first()
                or caused.state_ids
                or caused.attributes_ids
                or caused.event_ids
                or self._identified(session, StateAttributes.attributes_id, StateAttributes.shared_attrs)
                or self._identified(session, EventData.data_id, EventData.shared_data)
            )

    def _erase_caused(self, session: Session) -> None:
        """Erase what followed from their visits, before what they followed from is gone."""
        if not self.wanted.person_ids:
            return
        from homeassistant.components.recorder.db_schema import States
        from homeassistant.components.recorder.queries import delete_event_rows

        most = self.instance.max_bind_vars
        caused = find_caused(session, self.wanted, self._told_in(session), most)
        self.erased.caused = caused
        for chunk in chunked_or_all(caused.state_ids, most):
            self._delete_states(session, States.state_id.in_(chunk))
        self._strip(session, caused.attributes_ids)
        for chunk in chunked_or_all(caused.event_ids, most):
            session.execute(delete_event_rows(chunk))
        self.erased.events += len(caused.event_ids)
        self._drop_data(session, caused.data_ids - still_used(session, caused.data_ids, most))

    def _erase_chosen(self, session: Session) -> None:
        """Erase of others what has a name and was chosen by the owner."""
        from homeassistant.components.recorder.db_schema import States
        from homeassistant.components.recorder.queries import delete_event_rows
        from sqlalchemy import select, update

        most = self.instance.max_bind_vars
        chosen = find_chosen(session, self.wanted, self.wanted.also_entities, self.wanted.also_events, most)
        for chunk in chunked_or_all(chosen.state_ids, most):
            self._delete_states(session, States.state_id.in_(chunk))
        for chunk in chunked_or_all(chosen.bare, most):
            session.execute(
                update(States)
                .where(States.state_id.in_(chunk))
                .values(attributes_id=None)
                .execution_options(synchronize_session=False)
            )
        for chunk in chunked_or_all(chosen.attributes_ids, most):
            used = session.execute(
                select(States.attributes_id).where(States.attributes_id.in_(chunk))
            ).scalars()
            self._delete_attributes(session, set(chunk) - set(used))
        for chunk in chunked_or_all(chosen.event_ids, most):
            session.execute(delete_event_rows(chunk))
        self.erased.events += len(chosen.event_ids)
        self._drop_data(session, chosen.data_ids - still_used(session, chosen.data_ids, most))

    def _told_in(self, session: Session) -> set[bytes]:
        """Return the contexts in which something of theirs was told by what has no mark: it was written before there were marks."""
        from homeassistant.components.recorder.db_schema import States, StatesMeta
        from sqlalchemy import and_, or_, select

        statement = (
            select(States.context_id_bin)
            .join(StatesMeta, StatesMeta.metadata_id == States.metadata_id)
            .where(
                or_(
                    StatesMeta.entity_id.in_(self.wanted.entity_ids),
                    and_(
                        StatesMeta.entity_id.in_(self.naming.entity_ids), States.state.in_(self.wanted.names)
                    ),
                )
            )
        )
        return {context for context in session.execute(statement).scalars() if context is not None}

    def _erase_states(self, session: Session) -> None:
        from homeassistant.components.recorder.db_schema import States, StatesMeta
        from homeassistant.components.recorder.queries import delete_states_meta_rows
        from sqlalchemy import and_, or_, select

        telling = self.naming.entity_ids | (self.naming.told if self.wanted.person_ids else frozenset())
        rows = session.execute(
            select(StatesMeta.metadata_id, StatesMeta.entity_id).where(
                StatesMeta.entity_id.in_(self.wanted.entity_ids | telling)
            )
        ).all()
        own = {
            metadata_id: entity_id for metadata_id, entity_id in rows if entity_id in self.wanted.entity_ids
        }
        naming = [metadata_id for metadata_id, _entity_id in rows if metadata_id not in own]
        self._delete_states(
            session,
            or_(
                States.metadata_id.in_(own),
                and_(
                    States.metadata_id.in_(naming),
                    States.state.is_not(None),
                    States.state.in_(self.wanted.names)
                    if self.naming.allowed is None
                    else States.state.not_in(self.naming.allowed),
                ),
            ),
        )
        if own:
            session.execute(delete_states_meta_rows(list(own)))
            self.instance.states_meta_manager.evict_purged(own.values())
            self.instance.states_manager.evict_purged_entity_ids(set(own.values()))

    def _delete_states(self, session: Session, condition: ColumnElement[bool]) -> None:
        from homeassistant.components.recorder.db_schema import States
        from homeassistant.components.recorder.queries import delete_states_rows, disconnect_states_rows
        from sqlalchemy import select

        attributes: set[int] = set()
        statement = select(States.state_id, States.attributes_id).where(condition)
        while rows := session.execute(statement.limit(self.instance.max_bind_vars)).all():
            state_ids = {state_id for state_id, _attributes_id in rows}
            attributes |= {attributes_id for _state_id, attributes_id in rows if attributes_id is not None}
            session.execute(disconnect_states_rows(state_ids))
            session.execute(delete_states_rows(state_ids))
            self.instance.states_manager.evict_purged_state_ids(state_ids)
            self.erased.states += len(state_ids)
        for chunk in chunked_or_all(attributes, self.instance.max_bind_vars):
            used = session.execute(
                select(States.attributes_id).where(States.attributes_id.in_(chunk)).distinct()
            ).scalars()
            self._delete_attributes(session, set(chunk) - set(used))

    def _delete_attributes(self, session: Session, attributes_ids: set[int]) -> None:
        from homeassistant.components.recorder.queries import delete_states_attributes_rows

        if attributes_ids:
            session.execute(delete_states_attributes_rows(attributes_ids))
            self.instance.state_attributes_manager.evict_purged(attributes_ids)

    def _erase_mentions(self, session: Session) -> None:
        """Take away other entities' attributes that hold ids of these people's; their states stay."""
        from homeassistant.components.recorder.db_schema import StateAttributes

        found = self._identified(session, StateAttributes.attributes_id, StateAttributes.shared_attrs)
        self._strip(session, found)

    def _strip(self, session: Session, attributes_ids: set[int]) -> None:
        """Take these attributes away from the states that have them."""
        from homeassistant.components.recorder.db_schema import States
        from sqlalchemy import update

        for chunk in chunked_or_all(attributes_ids, self.instance.max_bind_vars):
            session.execute(
                update(States)
                .where(States.attributes_id.in_(chunk))
                .values(attributes_id=None)
                .execution_options(synchronize_session=False)
            )
            self._delete_attributes(session, set(chunk))
        self.erased.attributes += len(attributes_ids)

    def _erase_events(self, session: Session) -> None:
        """Delete the events that hold ids of these people's, and calls of our own actions that name them."""
        from homeassistant.components.recorder.db_schema import EventData
        from sqlalchemy import select

        found = self._identified(session, EventData.data_id, EventData.shared_data)
        if not self.wanted.forms:
            self._delete_events(session, found)
            return
        ours = EventData.shared_data.contains(json.dumps(DOMAIN), autoescape=True)
        for data_id, text in session.execute(select(EventData.data_id, EventData.shared_data).where(ours)):
            data = json.loads(text or "{}")
            if isinstance(data, dict) and data.get("domain") == DOMAIN and self.wanted.said_in(data):
                found.add(data_id)
        self._delete_events(session, found)

    def _erase_visits(self, session: Session) -> None:
        """Delete the events of familiar visits that are no longer kept. They name nobody, and need not stay."""
        if self.naming.visits is None:
            return
        visits: dict[str, set[int]] = {}
        gone: set[str] = set()
        for data_id, data, fired_at in self._events(session, EVENT_VISIT):
            visit_id = str(data.get(ATTR_VISIT_ID))
            visits.setdefault(visit_id, set()).add(data_id)
            if data.get(ATTR_DECISION) == self.naming.familiar and fired_at < self.naming.at:
                gone.add(visit_id)
        # With those that told of the same visit before its person was recognised.
        self._delete_events(
            session, {data_id for visit_id in gone - self.naming.visits for data_id in visits[visit_id]}
        )

    def _erase_echoes(self, session: Session) -> None:
        """Delete what Android's app says of our notifications: all of each once more, names and links included."""
        ours = {
            data_id
            for data_id, data, _fired_at in self._events(session, *_ECHOES)
            if str(data.get("tag")).startswith(f"{DOMAIN}_")
        }
        self._delete_events(session, ours)

    def _events(self, session: Session, *event_types: str) -> Iterator[tuple[int, dict[str, Any], float]]:
        """Yield the events of these types: the ids of their data, these data, and when each was fired."""
        from homeassistant.components.recorder.db_schema import EventData, Events, EventTypes
        from sqlalchemy import select

        rows = session.execute(
            select(EventData.data_id, EventData.shared_data, Events.time_fired_ts)
            .join(Events, Events.data_id == EventData.data_id)
            .join(EventTypes, EventTypes.event_type_id == Events.event_type_id)
            .where(EventTypes.event_type.in_(event_types))
        )
        for data_id, text, fired_at in rows:
            yield data_id, json.loads(text or "{}"), fired_at or 0.0

    def _delete_events(self, session: Session, data_ids: set[int]) -> None:
        """Delete the events with these data."""
        from homeassistant.components.recorder.db_schema import Events
        from homeassistant.components.recorder.queries import delete_event_rows
        from sqlalchemy import select

        for chunk in chunked_or_all(data_ids, self.instance.max_bind_vars):
            statement = select(Events.event_id).where(Events.data_id.in_(chunk))
            while event_ids := set(session.execute(statement.limit(self.instance.max_bind_vars)).scalars()):
                session.execute(delete_event_rows(event_ids))
                self.erased.events += len(event_ids)
        self._drop_data(session, data_ids)

    def _drop_data(self, session: Session, data_ids: set[int]) -> None:
        """Delete the data of events that are deleted."""
        from homeassistant.components.recorder.queries import delete_event_data_rows

        for chunk in chunked_or_all(data_ids, self.instance.max_bind_vars):
            session.execute(delete_event_data_rows(chunk))
            self.instance.event_data_manager.evict_purged(set(chunk))

    def _identified(
        self, session: Session, key: InstrumentedAttribute[int], column: InstrumentedAttribute[str | None]
    ) -> set[int]:
        return ids_of(session, key, column, self.wanted.ids, self.wanted.identified_in)

    def _erase_statistics(self, session: Session) -> None:
        from homeassistant.components.recorder.db_schema import StatisticsMeta
        from sqlalchemy import select

        found = list(
            session.execute(
                select(StatisticsMeta.statistic_id).where(
                    StatisticsMeta.statistic_id.in_(self.wanted.entity_ids)
                )
            ).scalars()
        )
        if found:
            self.instance.statistics_meta_manager.delete(session, [each for each in found if each])
            self.erased.statistics += len(found)
