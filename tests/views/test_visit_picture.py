"""The picture of a visit: for who may be told of it, for a minute by a signed path, and as long as it is kept."""

from datetime import timedelta
from http import HTTPStatus

from homeassistant.components.http.auth import async_sign_path
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.familiar_faces.const import CONF_PICTURE_DAYS
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.people.choices import Keeping
from custom_components.familiar_faces.visits.visit import Decision

from ..common.exposing import SEEN, VISITOR, a_user
from ..common.made_up_visits import a_visit
from ..common.people_on_record import change_choices
from ..common.steps import later

pytestmark = pytest.mark.photos(1)


@pytest.fixture
async def path(hass: HomeAssistant, hub: Hub, visited: str) -> str:
    """Return the path of the picture of Eileen's visit."""
    (visit,) = await hass.async_add_executor_job(hub.vault.visits)
    return f"/api/familiar_faces/visit/{visit.visit_id}"


async def token(hass: HomeAssistant, *entity_ids: str) -> str:
    """Return the token of somebody who may read these entities alone."""
    refresh = await hass.auth.async_create_refresh_token(a_user(hass, *entity_ids), "https://example.com/app")
    return hass.auth.async_create_access_token(refresh)


async def test_who_may_see_it(
    hass: HomeAssistant,
    hub: Hub,
    path: str,
    sockets: None,
    hass_client: ClientSessionGenerator,
    hass_client_no_auth: ClientSessionGenerator,
    hass_read_only_access_token: str,
) -> None:
    """Users as far as they may read the person and the camera; nobody without an account. Each view is noted."""
    for client in (await hass_client(), await hass_client(hass_read_only_access_token)):
        answer = await client.get(path)
        assert (answer.status, answer.content_type) == (HTTPStatus.OK, "image/jpeg")
        assert answer.headers["Cache-Control"] == "no-store"
        assert (await answer.read())[:2] == b"\xff\xd8"
    log = await hass.async_add_executor_job(hub.vault.audit_entries)
    assert sum("faces_viewed" in str(each) for each in log) == 2
    assert (await (await hass_client_no_auth()).get(path)).status == HTTPStatus.UNAUTHORIZED
    both = await hass_client(await token(hass, SEEN, VISITOR))
    assert (await both.get(path)).status == HTTPStatus.OK
    for some in ((SEEN,), (VISITOR,), ("light.hall",)):
        client = await hass_client(await token(hass, *some))
        assert (await client.get(path)).status == HTTPStatus.NOT_FOUND


async def test_for_a_minute(
    hass: HomeAssistant, path: str, sockets: None, hass_client_no_auth: ClientSessionGenerator
) -> None:
    """A signed path opens this picture alone, and not for longer."""
    client = await hass_client_no_auth()
    user = await hass.auth.async_create_user("Somebody", group_ids=["system-admin"])
    refresh = await hass.auth.async_create_refresh_token(user, "https://example.com/app")
    signed = async_sign_path(hass, path, timedelta(seconds=60), refresh_token_id=refresh.id)
    assert (await client.get(signed)).status == HTTPStatus.OK
    assert (await client.get(signed.replace("visit/", "visit/x"))).status == HTTPStatus.UNAUTHORIZED
    with later(minutes=1.1):
        assert (await client.get(signed)).status == HTTPStatus.UNAUTHORIZED


@pytest.mark.parametrize("visit_id", ["none", "x" * 65, "x" * 5000, "..%2f..%2fsecrets.yaml", "%00"])
async def test_ids_that_are_none(
    hub: Hub, sockets: None, hass_client: ClientSessionGenerator, visit_id: str
) -> None:
    """What is not there has one answer."""
    answer = await (await hass_client()).get(f"/api/familiar_faces/visit/{visit_id}")
    # Home Assistant itself refuses what leads out of a folder.
    assert answer.status in (HTTPStatus.NOT_FOUND, HTTPStatus.BAD_REQUEST)
    assert answer.content_type != "image/jpeg"


@pytest.mark.parametrize("changed", [{"pictures": False}, {"keeping": Keeping.SILENT}], ids=str)
async def test_who_agrees_to_less(
    hass: HomeAssistant,
    hub: Hub,
    path: str,
    visited: str,
    sockets: None,
    hass_client: ClientSessionGenerator,
    changed: dict[str, object],
) -> None:
    """From that moment it is not there."""
    client = await hass_client()
    assert (await client.get(path)).status == HTTPStatus.OK
    await change_choices(hass, hub, visited, **changed)
    assert (await client.get(path)).status == HTTPStatus.NOT_FOUND


async def test_after_its_time(
    hass: HomeAssistant, hub: Hub, path: str, sockets: None, hass_client: ClientSessionGenerator
) -> None:
    """A picture is there for as long as the owner keeps them, also when no purge has come yet."""
    client = await hass_client()
    assert (await client.get(path)).status == HTTPStatus.OK
    hass.config_entries.async_update_entry(hub.entry, options={**hub.entry.options, CONF_PICTURE_DAYS: 0})
    assert (await client.get(path)).status == HTTPStatus.NOT_FOUND


async def test_of_somebody_without_a_name(
    hass: HomeAssistant,
    hub: Hub,
    sockets: None,
    hass_client: ClientSessionGenerator,
    hass_read_only_access_token: str,
) -> None:
    """Administrators see it as long as a name can be given, and that is noted; nobody else does."""
    visit = a_visit(hub, None, Decision.UNCLEAR)
    hub.missed.hold(visit, b"\xff\xd8 a face", dt_util.utcnow())
    path = f"/api/familiar_faces/visit/{visit.visit_id}"
    assert (await (await hass_client()).get(path)).status == HTTPStatus.OK
    log = await hass.async_add_executor_job(hub.vault.audit_entries)
    assert sum("faces_viewed" in str(each) for each in log) == 1
    user = await hass_client(hass_read_only_access_token)
    assert (await user.get(path)).status == HTTPStatus.NOT_FOUND
    hub.missed.drop(visit.visit_id)
    assert (await (await hass_client()).get(path)).status == HTTPStatus.NOT_FOUND
