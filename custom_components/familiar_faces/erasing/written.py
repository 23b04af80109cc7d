"""What the household's own automations wrote of people's visits into states: it is blanked, wherever it stands now."""

from collections import defaultdict
import logging

from homeassistant.const import ATTR_ENTITY_ID, STATE_UNKNOWN
from homeassistant.core import Context, HomeAssistant, State, callback
from homeassistant.exceptions import HomeAssistantError
import voluptuous as vol

from ..const import DOMAIN
from ..internals.recorder_caused import Caused, is_text, said_of
from ..internals.wanted import Wanted, context_bytes, following
from .home_traces import entries_of

_LOGGER = logging.getLogger(__name__)

_SET = {"input_text": "set_value", "text": "set_value"}
"""Domains whose texts can be taken away by an action, so that the entity does not write them again."""


@callback
def async_following(hass: HomeAssistant, wanted: Wanted, caused: Caused) -> set[bytes]:
    """Return the contexts that followed from people's visits, as far as the recorder and the states tell."""
    children: defaultdict[bytes, set[bytes]] = defaultdict(set)
    known: set[bytes] = set()
    for state in hass.states.async_all():
        context, parent = context_bytes(state.context.id), context_bytes(state.context.parent_id)
        if context is not None and parent is not None:
            children[parent].add(context)
        known |= {each for each in (context, parent) if each is not None}
    return following(caused.contexts | wanted.marked(known), children)


async def async_blank(hass: HomeAssistant, wanted: Wanted, caused: Caused, contexts: set[bytes]) -> set[str]:
    """Take people's names out of the states of others that were written because of them; return whose they were.

    Names in the states of what is not a text, such as a person's or a lamp's, were not written by anybody.
    """
    ours = {each.entity_id for each in entries_of(hass) if each.platform == DOMAIN}
    blanked: set[str] = set()
    for state in hass.states.async_all():
        if state.entity_id in ours:
            continue
        chosen = state.entity_id in wanted.also_entities
        told = (
            chosen
            or context_bytes(state.context.id) in contexts
            or context_bytes(state.context.parent_id) in contexts
        )
        if (state.entity_id, state.state) in caused.values or (
            told and (chosen or is_text(state.entity_id)) and wanted.named_in(state.state)
        ):
            await _async_blank(hass, wanted, state)
        elif told and wanted.said_in(said_of(dict(state.attributes))):
            _async_write(hass, wanted, state, state.state)
        else:
            continue
        blanked.add(state.entity_id)
    return blanked


async def _async_blank(hass: HomeAssistant, wanted: Wanted, state: State) -> None:
    if (action := _SET.get(state.domain)) is not None:
        try:
            await hass.services.async_call(
                state.domain, action, {ATTR_ENTITY_ID: state.entity_id, "value": ""}, blocking=True
            )
        except (HomeAssistantError, vol.Invalid) as err:
            # It may have to be longer than that.
            _LOGGER.debug("A text could not be set: %s", type(err).__name__)
    now = hass.states.get(state.entity_id)
    if now is not None and (now.state == state.state or wanted.said_in(said_of(dict(now.attributes)))):
        _async_write(hass, wanted, now, STATE_UNKNOWN if now.state == state.state else now.state)


@callback
def _async_write(hass: HomeAssistant, wanted: Wanted, state: State, value: str) -> None:
    """Write another state in the place of one, without those attributes that have a name."""
    attributes = {
        key: each for key, each in state.attributes.items() if not wanted.said_in(said_of({key: each}))
    }
    hass.states.async_set(state.entity_id, value, attributes, context=Context())
