"""What followed from people's visits, in the rows of the recorder: found by contexts, no matter who wrote it.

An automation that a visit started writes its name into a text helper, a message, an event. All of that has a context
that leads back to one in which a visit was told. Of it goes what has a name in it; that a lamp went on stays.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from homeassistant.core import HomeAssistant, split_entity_id
from homeassistant.helpers.recorder import DATA_INSTANCE
from homeassistant.util.collection import chunked_or_all

from .recorder_mentions import read
from .wanted import Wanted, following, texts_in

if TYPE_CHECKING:
    from sqlalchemy import Select
    from sqlalchemy.orm import Session

FREE_TEXT = frozenset({"input_select", "input_text", "select", "sensor", "text", "var", "variable"})
"""Domains whose states are texts that somebody wrote. What else is "on" or "home" is not somebody of that name."""
_NOT_SAID = frozenset(
    {"device_class", "entity_picture", "friendly_name", "icon", "state_class", "unit_of_measurement"}
)
"""Attributes that say what an entity is."""
_NOTIFYING = frozenset({"notify", "persistent_notification"})
_AT_ONCE = 10_000


@dataclass(slots=True)
class Caused:
    """What is to go of what followed."""

    contexts: set[bytes] = field(default_factory=set)
    """The ids of all contexts that lead back to visits of these people."""
    state_ids: set[int] = field(default_factory=set)
    attributes_ids: set[int] = field(default_factory=set)
    """Attributes of states that stay without them."""
    event_ids: set[int] = field(default_factory=set)
    data_ids: set[int] = field(default_factory=set)
    """The data of those events: others may have the same."""
    said: set[str] = field(default_factory=set)
    """Texts with a name that notifications were asked to say."""
    values: set[tuple[str, str]] = field(default_factory=set)
    """Entities of others and the states with a name that they were given."""
    entity_ids: set[str] = field(default_factory=set)
    """Entities of others that were given a name, in their states or attributes."""


def check(hass: HomeAssistant) -> bool:
    """Return whether this Home Assistant's recorder still keeps contexts as is expected here; yes where none runs."""
    if hass.data.get(DATA_INSTANCE) is None:
        return True
    try:
        from homeassistant.components.recorder.db_schema import Events, States
    except ImportError:
        return False
    return all(
        hasattr(table, column)
        for table in (Events, States)
        for column in ("context_id_bin", "context_parent_id_bin")
    )


def find_caused(session: Session, wanted: Wanted, told_in: Iterable[bytes], most: int) -> Caused:
    """Find what followed from visits; `told_in`: contexts that are known to be theirs, `most` values a statement. Blocks."""
    found = Caused(following(*_contexts(session, wanted, told_in)))
    _find_states(session, wanted, found, most)
    _find_events(session, wanted, found, most)
    return found


def _contexts(
    session: Session, wanted: Wanted, told_in: Iterable[bytes]
) -> tuple[set[bytes], dict[bytes, set[bytes]]]:
    """Return the contexts that are theirs, and those that followed from each context at all."""
    from homeassistant.components.recorder.db_schema import Events, States
    from sqlalchemy import select

    begun = set(told_in)
    children: defaultdict[bytes, set[bytes]] = defaultdict(set)
    for table in (States, Events):
        rows = session.execute(
            select(table.context_id_bin, table.context_parent_id_bin).execution_options(yield_per=_AT_ONCE)
        )
        for part in rows.partitions(_AT_ONCE):
            pairs = {(context, parent) for context, parent in part if context is not None}
            begun |= wanted.marked(
                [each for each in {one for pair in pairs for one in pair} if each is not None]
            )
            for context, parent in pairs:
                if parent is not None:
                    children[parent].add(context)
    return begun, children


def _find_states(session: Session, wanted: Wanted, found: Caused, most: int) -> None:
    from homeassistant.components.recorder.db_schema import StateAttributes, States, StatesMeta
    from sqlalchemy import select

    named: dict[int, bool] = {}
    for chunk in chunked_or_all(found.contexts, most):
        rows = session.execute(
            select(
                States.state_id,
                States.state,
                StatesMeta.entity_id,
                States.attributes_id,
                StateAttributes.shared_attrs,
            )
            .join(StatesMeta, StatesMeta.metadata_id == States.metadata_id)
            .outerjoin(StateAttributes, StateAttributes.attributes_id == States.attributes_id)
            .where(States.context_id_bin.in_(chunk))
        )
        for state_id, state, entity_id, attributes_id, attributes in rows:
            if is_text(entity_id) and state is not None and wanted.named_in(state):
                found.state_ids.add(state_id)
                found.entity_ids.add(entity_id)
                found.values.add((entity_id, state))
            elif attributes_id is not None:
                if attributes_id not in named:
                    named[attributes_id] = wanted.said_in(said_of(read(attributes)))
                if named[attributes_id]:
                    found.entity_ids.add(entity_id)
    for entity_id, value in found.values:
        # The same was written again when it was restored after a start.
        found.state_ids |= set(
            session.execute(
                select(States.state_id)
                .join(StatesMeta, StatesMeta.metadata_id == States.metadata_id)
                .where(StatesMeta.entity_id == entity_id, States.state == value)
            ).scalars()
        )
    for attributes_id in (each for each, is_named in named.items() if is_named):
        # Attributes that were there without a visit of theirs as well tell nothing of them.
        if all(context in found.contexts for context in session.execute(_with(attributes_id)).scalars()):
            found.attributes_ids.add(attributes_id)


def _with(attributes_id: int) -> Select[Any]:
    from homeassistant.components.recorder.db_schema import States
    from sqlalchemy import select

    return select(States.context_id_bin).where(States.attributes_id == attributes_id).distinct()


def _find_events(session: Session, wanted: Wanted, found: Caused, most: int) -> None:
    from homeassistant.components.recorder.db_schema import EventData, Events
    from sqlalchemy import select

    for chunk in chunked_or_all(found.contexts, most):
        rows = session.execute(
            select(Events.event_id, Events.data_id, EventData.shared_data)
            .join(EventData, EventData.data_id == Events.data_id)
            .where(Events.context_id_bin.in_(chunk))
        )
        for event_id, data_id, text in rows:
            data = read(text)
            if not wanted.said_in(data):
                continue
            found.event_ids.add(event_id)
            found.data_ids.add(data_id)
            if isinstance(data, dict) and data.get("domain") in _NOTIFYING:
                found.said |= {each for each in texts_in(data) if wanted.named_in(each)}


def is_text(entity_id: str) -> bool:
    """Return whether an entity's states are texts that somebody wrote."""
    return split_entity_id(entity_id)[0] in FREE_TEXT


def said_of(attributes: object) -> dict[str, Any]:
    """Return those attributes that may say something, and not what the entity is."""
    if not isinstance(attributes, dict):
        return {}
    return {key: value for key, value in attributes.items() if key not in _NOT_SAID}


def still_used(session: Session, data_ids: Collection[int], most: int) -> set[int]:
    """Return which data events still have. Blocks."""
    from homeassistant.components.recorder.db_schema import Events
    from sqlalchemy import select

    used: set[int] = set()
    for chunk in chunked_or_all(data_ids, most):
        rows = session.execute(select(Events.data_id).where(Events.data_id.in_(chunk)).distinct())
        used |= {each for each in rows.scalars() if each is not None}
    return used
