"""Where the recorder's rows have a name as a word: shown to the owner, and erased only if they choose so."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
import json
from typing import TYPE_CHECKING, Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import DATA_INSTANCE, get_instance, session_scope
from homeassistant.util.collection import chunked_or_all

from .wanted import Wanted

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import InstrumentedAttribute, Session

_AT_ONCE = 200
"""How many texts the database looks for at once: a statement may not be nested more deeply than a thousand."""


@dataclass(slots=True)
class Chosen:
    """What is to go of what the owner chose."""

    state_ids: set[int] = field(default_factory=set)
    bare: set[int] = field(default_factory=set)
    """Ids of states that stay, without their attributes."""
    attributes_ids: set[int] = field(default_factory=set)
    """The attributes of those."""
    event_ids: set[int] = field(default_factory=set)
    data_ids: set[int] = field(default_factory=set)


def check(hass: HomeAssistant) -> bool:
    """Return whether this Home Assistant's recorder can still be read as is expected here; yes where none runs."""
    if (instance := hass.data.get(DATA_INSTANCE)) is None:
        return True
    try:
        from homeassistant.components.recorder.db_schema import (  # noqa: F401 - that they are there is looked for
            EventData,
            Events,
            EventTypes,
            StateAttributes,
            States,
            StatesMeta,
        )
    except ImportError:
        return False
    return hasattr(instance, "async_add_executor_job") and hasattr(instance, "max_bind_vars")


async def async_find_mentions(
    hass: HomeAssistant, wanted: Wanted, others: Collection[str], most: int
) -> tuple[list[str], list[str]]:
    """Return at most `most` entities, without `others`, and types of events whose rows have a name."""
    if hass.data.get(DATA_INSTANCE) is None or not wanted.forms:
        return [], []
    instance = get_instance(hass)

    def find() -> tuple[list[str], list[str]]:
        with session_scope(session=instance.get_session(), read_only=True) as session:
            entities = _first(_entities(session, wanted, instance.max_bind_vars), others, most)
            return entities, _first(_event_types(session, wanted, instance.max_bind_vars), (), most)

    return await instance.async_add_executor_job(find)


def find_chosen(
    session: Session, wanted: Wanted, entity_ids: Collection[str], event_types: Collection[str], most: int
) -> Chosen:
    """Find the rows of these entities and types of events that have a name. Blocks."""
    from homeassistant.components.recorder.db_schema import (
        EventData,
        Events,
        EventTypes,
        StateAttributes,
        States,
        StatesMeta,
    )
    from sqlalchemy import select

    found = Chosen()
    for chunk in chunked_or_all(entity_ids, most):
        rows = session.execute(
            select(States.state_id, States.state, States.attributes_id, StateAttributes.shared_attrs)
            .join(StatesMeta, StatesMeta.metadata_id == States.metadata_id)
            .outerjoin(StateAttributes, StateAttributes.attributes_id == States.attributes_id)
            .where(StatesMeta.entity_id.in_(chunk))
        )
        for state_id, state, attributes_id, attributes in rows:
            if wanted.named_in(state or ""):
                found.state_ids.add(state_id)
            elif attributes_id is not None and wanted.said_in(read(attributes)):
                found.bare.add(state_id)
                found.attributes_ids.add(attributes_id)
    for chunk in chunked_or_all(event_types, most):
        rows_of_events = session.execute(
            select(Events.event_id, Events.data_id, EventData.shared_data)
            .join(EventData, EventData.data_id == Events.data_id)
            .join(EventTypes, EventTypes.event_type_id == Events.event_type_id)
            .where(EventTypes.event_type.in_(chunk))
        )
        for event_id, data_id, data in rows_of_events:
            if wanted.said_in(read(data)):
                found.event_ids.add(event_id)
                found.data_ids.add(data_id)
    return found


def _said(wanted: Wanted) -> Callable[[str], bool]:
    """Return what tells whether a row that is JSON says a name."""
    return lambda text: wanted.said_in(read(text))


def _first(found: Iterable[str], others: Collection[str], most: int) -> list[str]:
    first: set[str] = set()
    for each in found:
        if each not in others:
            first.add(each)
        if len(first) >= most:
            break
    return sorted(first)


def _entities(session: Session, wanted: Wanted, most: int) -> Iterator[str]:
    from homeassistant.components.recorder.db_schema import StateAttributes, States, StatesMeta
    from sqlalchemy import select

    for maybe in may_hold(States.state, wanted.forms):
        rows = session.execute(
            select(StatesMeta.entity_id, States.state)
            .join(StatesMeta, StatesMeta.metadata_id == States.metadata_id)
            .where(maybe)
            .distinct()
        )
        yield from (entity_id for entity_id, state in rows if entity_id and wanted.named_in(state or ""))
    attributes = ids_of(
        session, StateAttributes.attributes_id, StateAttributes.shared_attrs, wanted.forms, _said(wanted)
    )
    for chunk in chunked_or_all(attributes, most):
        yield from filter(
            None,
            session.execute(
                select(StatesMeta.entity_id)
                .join(States, StatesMeta.metadata_id == States.metadata_id)
                .where(States.attributes_id.in_(chunk))
                .distinct()
            ).scalars(),
        )


def _event_types(session: Session, wanted: Wanted, most: int) -> Iterator[str]:
    from homeassistant.components.recorder.db_schema import EventData, Events, EventTypes
    from sqlalchemy import select

    data = ids_of(session, EventData.data_id, EventData.shared_data, wanted.forms, _said(wanted))
    for chunk in chunked_or_all(data, most):
        yield from filter(
            None,
            session.execute(
                select(EventTypes.event_type)
                .join(Events, EventTypes.event_type_id == Events.event_type_id)
                .where(Events.data_id.in_(chunk))
                .distinct()
            ).scalars(),
        )


def may_hold(
    column: InstrumentedAttribute[str | None], texts: Collection[str]
) -> Iterator[ColumnElement[bool]]:
    """Yield conditions, for one query each, of rows whose column may hold one of these texts."""
    from sqlalchemy import false, or_

    for chunk in chunked_or_all(texts, _AT_ONCE):
        # Of nothing it finds nothing.
        yield or_(false(), *(column.contains(text, autoescape=True) for text in chunk))


def ids_of(
    session: Session,
    key: InstrumentedAttribute[int],
    column: InstrumentedAttribute[str | None],
    texts: Collection[str],
    holds: Callable[[str], bool],
) -> set[int]:
    """Return the ids of the rows whose column may hold one of these texts, and for which `holds` says so. Blocks."""
    from sqlalchemy import select

    found: set[int] = set()
    for maybe in may_hold(column, texts):
        rows = session.execute(select(key, column).where(maybe))
        found |= {each for each, text in rows if text is not None and holds(text)}
    return found


def read(text: str | None) -> Any:
    """Return what a row holds as JSON; None for what is none."""
    try:
        return json.loads(text or "null")
    except ValueError:
        return None
