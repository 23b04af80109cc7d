"""Visits of days past, for who asks who came."""

from datetime import datetime, timedelta

from homeassistant.core import HomeAssistant
import pytest

from custom_components.familiar_faces.hub import Hub

from ..common.people_on_record import DAY, a_consent, now, put_on_record, put_visit


@pytest.fixture
async def days_of_nadie(hass: HomeAssistant, hub: Hub) -> datetime:
    """Have Nadie's visits of today, yesterday and last week be kept; return when the one of today was."""
    today = now() - timedelta(hours=1)
    await put_on_record(hass, hub, a_consent(today - 100 * DAY, today + 100 * DAY))
    for moment in (today - 7 * DAY, today - DAY, today):
        await put_visit(hass, hub, moment)
    return today
