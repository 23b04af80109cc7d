"""What the tests of assistants do: expose entities, and ask."""

from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.core import HomeAssistant, callback
from pytest_homeassistant_custom_component.common import MockUser

VISITOR = "event.front_door_visitor"
SEEN = "event.eileen_seen"


@callback
def expose(hass: HomeAssistant, *entity_ids: str, exposed: bool = True) -> None:
    """Expose entities to Home Assistant's own assistant, or do so no longer."""
    for entity_id in entity_ids:
        async_expose_entity(hass, "conversation", entity_id, exposed)


def a_user(hass: HomeAssistant, *entity_ids: str) -> MockUser:
    """Return a user who may read these entities and no others."""
    user = MockUser().add_to_hass(hass)
    user.mock_policy({"entities": {"entity_ids": {each: {"read": True} for each in entity_ids}}})
    return user
