"""Calling this integration's actions."""

from typing import Any

from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest
from pytest_homeassistant_custom_component.common import MockUser

from custom_components.familiar_faces.const import DOMAIN


async def act(hass: HomeAssistant, action: str, user: MockUser | None = None, **data: Any) -> dict[str, Any]:
    """Call an action, as a user or as an automation, and return its answer."""
    answer = await hass.services.async_call(
        DOMAIN,
        action,
        data,
        blocking=True,
        return_response=True,
        context=Context(user_id=None if user is None else user.id),
    )
    assert answer is not None
    return dict(answer)


async def last_visits(hass: HomeAssistant, user: MockUser | None = None, **data: Any) -> list[dict[str, Any]]:
    """Return the visits that are told of."""
    answer = await act(hass, "last_visits", user, **data)
    return list(answer["visits"])


async def refused(hass: HomeAssistant, action: str, user: MockUser | None = None, **data: Any) -> str:
    """Call an action that cannot be done, and return the key of what is said."""
    with pytest.raises(HomeAssistantError) as caught:
        await act(hass, action, user, **data)
    return caught.value.translation_key or ""
