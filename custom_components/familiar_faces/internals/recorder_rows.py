"""The rows of the recorder: what it holds of a person is found there, and erased."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
import json
from pathlib import Path
import shutil
import time
from typing import TYPE_CHECKING, Any, override

from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import DATA_INSTANCE, session_scope
from homeassistant.util.collection import chunked_or_all

from ..const import ATTR_DECISION, ATTR_VISIT_ID, DOMAIN, EVENT_VISIT
from .wanted import Naming, Wanted

if TYPE_CHECKING:
    from homeassistant.components.recorder.core import Recorder
    from homeassistant.components.recorder.tasks import RecorderTask
    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import InstrumentedAttribute, Session

_CHUNK = 1 << 20
"""Bytes of a database file that are searched at once."""
_CHECKPOINT_TRIES = 20
_ROOM_TO_REPACK = 2.2
"""SQLite writes a repacked database beside the old one, and once more through its log."""


_ECHOES = tuple(f"mobile_app_notification_{each}" for each in ("action", "cleared", "received"))
"""Events of Android's app: companion.home-assistant.io/docs/notifications/notification-cleared."""


class RecorderReach(StrEnum):
    """How far the erasing in the recorder came."""

    ERASED = "erased"
    NOT_RUNNING = "not_running"
    """There is no recorder."""
    DATABASE_SERVER = "database_server"
    """The rows are deleted; when a database server overwrites what they held is its own affair."""
    NOT_REPACKED = "not_repacked"
    """The rows are deleted and overwritten; older remains could not be, for want of room on the disk."""
    LATER = "later"
    """The recorder did not do it yet."""


@dataclass(slots=True, kw_only=True)
class RecorderErased:
    """What was erased in the recorder."""

    states: int = 0
    events: int = 0
    attributes: int = 0
    """Sets of attributes of other entities, such as a group, that mentioned these people."""
    statistics: int = 0
    reach: RecorderReach = RecorderReach.LATER
    mentioned: bool = False
    """Whether the database still mentions them: in what belongs to others, such as an entity `person.*`."""


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
        from homeassistant.components.recorder.repack import repack_database
        from homeassistant.components.recorder.tasks import RecorderTask
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
        repack_database,
    )
    return (
        all(hasattr(table, column) for table, names in columns for column in names)
        and all(
            hasattr(getattr(instance, manager, None), name) for manager, names in managers for name in names
        )
        and all(map(callable, functions))
        and hasattr(SupportedDialect, "SQLITE")
        and hasattr(RecorderTask, "run")
        and all(hasattr(instance, name) for name in ("queue_task", "get_session", "engine", "max_bind_vars"))
    )


async def async_erase_recorded(hass: HomeAssistant, wanted: Wanted, naming: Naming) -> RecorderErased:
    """Erase what the recorder holds, once all that it was told before is written. Waits until it is done.

    A database that fails is said in the result, as `RecorderReach.LATER`.
    """
    instance = hass.data.get(DATA_INSTANCE)
    if instance is None:
        left = await hass.async_add_executor_job(Path(hass.config.path("home-assistant_v2.db")).exists)
        return RecorderErased(reach=RecorderReach.NOT_RUNNING, mentioned=left)
    if not instance.is_alive():
        return RecorderErased()
    done: asyncio.Future[RecorderErased] = hass.loop.create_future()

    def settle(erased: RecorderErased) -> None:
        if not done.done():
            done.set_result(erased)

    def finished(erased: RecorderErased) -> None:
        hass.loop.call_soon_threadsafe(settle, erased)

    instance.queue_task(_make_task(wanted, naming, finished))
    return await done


type _Finished = Callable[[RecorderErased], None]


def _make_task(wanted: Wanted, naming: Naming, finished: _Finished) -> RecorderTask:
    """Return the recorder's task; the recorder is imported only where there is one."""
    from homeassistant.components.recorder.tasks import RecorderTask

    class EraseTask(RecorderTask):
        """Erase in the recorder's own thread, after all that is queued before it is committed."""

        @override
        def run(self, instance: Recorder) -> None:
            erased = RecorderErased()
            try:
                # An error is the recorder's: it logs it, and mends a damaged database by itself.
                erased = _Eraser(instance, wanted, naming).erase()
            finally:
                finished(erased)

    return EraseTask()


@dataclass
class _Eraser:
    """Erases in the recorder's thread."""

    instance: Recorder
    wanted: Wanted
    naming: Naming
    erased: RecorderErased = field(default_factory=RecorderErased)

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
            self._erase_states(session)
            self._erase_mentions(session)
            self._erase_events(session)
            self._erase_visits(session)
            self._erase_echoes(session)
            self._erase_statistics(session)
            session.commit()
            if sqlite:
                session.execute(text(f"PRAGMA secure_delete={int(before)}"))
        self.erased.reach = self._overwrite() if sqlite else RecorderReach.DATABASE_SERVER
        return self.erased

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
                    States.state.not_in(self.naming.allowed),
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
        """Take away other entities' attributes that mention these people's entities; their states stay."""
        from homeassistant.components.recorder.db_schema import StateAttributes, States
        from sqlalchemy import update

        wanted = Wanted(self.wanted.person_ids, entity_ids=self.wanted.entity_ids)
        found = self._mentioning(session, StateAttributes.attributes_id, StateAttributes.shared_attrs, wanted)
        for chunk in chunked_or_all(found, self.instance.max_bind_vars):
            session.execute(
                update(States)
                .where(States.attributes_id.in_(chunk))
                .values(attributes_id=None)
                .execution_options(synchronize_session=False)
            )
            self._delete_attributes(session, set(chunk))
        self.erased.attributes += len(found)

    def _erase_events(self, session: Session) -> None:
        """Delete the events that mention these people: a pressed button, a message that was sent."""
        from homeassistant.components.recorder.db_schema import EventData

        found = self._mentioning(session, EventData.data_id, EventData.shared_data, self.wanted)
        self._delete_events(session, found)

    def _erase_visits(self, session: Session) -> None:
        """Delete the events of familiar visits that are not kept any more. They name nobody, and need not stay."""
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
        from homeassistant.components.recorder.queries import delete_event_data_rows, delete_event_rows
        from sqlalchemy import select

        for chunk in chunked_or_all(data_ids, self.instance.max_bind_vars):
            statement = select(Events.event_id).where(Events.data_id.in_(chunk))
            while event_ids := set(session.execute(statement.limit(self.instance.max_bind_vars)).scalars()):
                session.execute(delete_event_rows(event_ids))
                self.erased.events += len(event_ids)
            session.execute(delete_event_data_rows(chunk))
            self.instance.event_data_manager.evict_purged(set(chunk))

    def _mentioning(
        self,
        session: Session,
        key: InstrumentedAttribute[int],
        column: InstrumentedAttribute[str | None],
        wanted: Wanted,
    ) -> set[int]:
        from sqlalchemy import or_, select

        if not wanted.texts:
            return set()
        # The database finds what may mention them, whole words are told here.
        maybe = or_(*(column.contains(text, autoescape=True) for text in wanted.texts))
        rows = session.execute(select(key, column).where(maybe))
        return {found for found, text in rows if text is not None and wanted.mentioned_in(text)}

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

    def _overwrite(self) -> RecorderReach:
        """Have nothing left in the file either: neither in its log nor where rows were deleted before."""
        from homeassistant.components.recorder.repack import repack_database

        assert self.instance.engine is not None
        if (database := self.instance.engine.url.database) in (None, "", ":memory:"):
            return RecorderReach.ERASED
        path = Path(str(database))
        texts = [text.encode() for text in self.wanted.texts]
        if not self._checkpoint():
            return RecorderReach.LATER
        if not texts or not _holds(path, texts):
            return RecorderReach.ERASED
        if shutil.disk_usage(path.parent).free < _ROOM_TO_REPACK * path.stat().st_size:
            self.erased.mentioned = True
            return RecorderReach.NOT_REPACKED
        repack_database(self.instance)
        if not self._checkpoint():
            return RecorderReach.LATER
        self.erased.mentioned = _holds(path, texts)
        return RecorderReach.ERASED

    def _checkpoint(self) -> bool:
        """Move the log into the database and empty it; False when somebody reads all the time."""
        from sqlalchemy import text

        assert self.instance.engine is not None
        for _ in range(_CHECKPOINT_TRIES):
            with self.instance.engine.connect() as connection:
                busy = connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)")).one()[0]
                connection.commit()
            if not busy:
                return True
            time.sleep(0.25)
        return False


def _holds(path: Path, texts: Iterable[bytes]) -> bool:
    """Return whether a file holds any of these texts."""
    texts = list(texts)
    overlap = max((len(text) for text in texts), default=1) - 1
    tail = b""
    with path.open("rb") as file:
        while block := file.read(_CHUNK):
            block = tail + block
            if any(text in block for text in texts):
                return True
            tail = block[-overlap:] if overlap else b""
    return False
