"""The pictures of image entities: no browser stores them, and once somebody is forgotten nothing is written of who asks on."""

from http import HTTPStatus
import logging

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.familiar_faces.hub import Hub

from ..common.notified import notified
from ..common.pictures import enrolment_photos
from ..common.steps import enrol

PICTURES = ("image.eileen_last_picture", "image.front_door_last_familiar_visitor")


@pytest.mark.usefixtures("sockets")
async def test_never_stored(
    hass: HomeAssistant, hub: Hub, visited: str, hass_client_no_auth: ClientSessionGenerator
) -> None:
    """Each picture is answered with `no-store`, to anyone who has the entity's token, and to nobody else."""
    client = await hass_client_no_auth()
    for entity_id in PICTURES:
        state = hass.states.get(entity_id)
        assert state is not None
        path = state.attributes["entity_picture"]
        assert path.startswith(f"/api/image_proxy/{entity_id}?")
        for method in ("GET", "HEAD"):
            answer = await client.request(method, path)
            assert answer.status == HTTPStatus.OK
            assert answer.content_type == "image/jpeg"
            assert answer.headers["Cache-Control"] == "no-store"
        assert (await answer.read()) == b""
        assert (await client.get(f"/api/image_proxy/{entity_id}?token=wrong")).status == HTTPStatus.FORBIDDEN
        assert (await client.get(f"/api/image_proxy/{entity_id}")).status == HTTPStatus.FORBIDDEN


@pytest.mark.usefixtures("sockets")
async def test_an_open_dashboard_asks_on(
    hass: HomeAssistant,
    hub: Hub,
    visited: str,
    entry: MockConfigEntry,
    hass_client_no_auth: ClientSessionGenerator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """After forgetting an old address answers that there is nothing: no failed login, no log line, no notification."""
    client = await hass_client_no_auth()
    state = hass.states.get(PICTURES[0])
    assert state is not None
    path = state.attributes["entity_picture"]
    await hub.forgetting.async_forget(visited)
    await hass.async_block_till_done(wait_background_tasks=True)
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        for asked in (path, path.partition("?")[0]):
            answer = await client.get(asked)
            assert answer.status == HTTPStatus.NOT_FOUND
            assert answer.headers["Cache-Control"] == "no-store"
    assert "eileen" not in caplog.text.casefold()
    assert notified(hass) == {}
    # Somebody of that name who comes later is shown as before.
    await enrol(hass, entry, enrolment_photos())
    state = hass.states.get(PICTURES[0])
    assert state is not None
    path = state.attributes["entity_picture"]
    assert (await client.get(path)).status == HTTPStatus.NOT_FOUND, "there is no picture yet"


async def test_home_assistant_itself_would_write_it(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator, caplog: pytest.LogCaptureFixture
) -> None:
    """What is guarded against is there: Home Assistant takes an old address for a failed login."""
    assert await async_setup_component(hass, "image", {})
    assert await async_setup_component(hass, "http", {})
    client = await hass_client_no_auth()
    answer = await client.get("/api/image_proxy/image.eileen_last_picture?token=old")
    assert answer.status == HTTPStatus.UNAUTHORIZED
    assert "image.eileen_last_picture" in caplog.text
