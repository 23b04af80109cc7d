"""The audit log as a file: all of it, for administrators alone, and each time is noted in it."""

from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from homeassistant.components.http.auth import async_sign_path
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockUser
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.openness import audit_trail
from custom_components.familiar_faces.vault.errors import VaultDamaged, VaultUnwritable

from ..common.calling import act

PATH = audit_trail.AUDIT_PATH

pytestmark = pytest.mark.usefixtures("sockets")


async def test_all_of_it(
    hass: HomeAssistant,
    hub: Hub,
    nadie: str,
    hass_client: ClientSessionGenerator,
    hass_admin_user: MockUser,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The entries are those of the action, also when they are read in several pieces; it has no name in it."""
    monkeypatch.setattr(audit_trail, "MOST_ENTRIES", 3)
    for _ in range(4):
        await hub.invitations.async_invite()
    answer = await (await hass_client()).get(PATH)
    assert (answer.status, answer.content_type) == (HTTPStatus.OK, "application/json")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="familiar-faces-audit-')
    said = await answer.json()
    assert (dt_util.parse_datetime(said["made_at"]) or dt_util.utcnow()) <= dt_util.utcnow()
    newest, *rest = said["entries"]
    assert (newest["kind"], newest["details"]) == ("audit_fetched", {"user": hass_admin_user.id})
    numbers = [each["number"] for each in said["entries"]]
    assert len(numbers) > 6
    assert numbers == list(range(newest["number"], 0, -1))
    monkeypatch.undo()
    assert (await act(hass, "audit_log", limit=1000))["entries"] == [newest, *rest]
    assert "Nadie" not in await answer.text()


async def test_for_administrators_alone(
    hass: HomeAssistant,
    hub: Hub,
    hass_client: ClientSessionGenerator,
    hass_client_no_auth: ClientSessionGenerator,
    hass_read_only_access_token: str,
) -> None:
    """A path that another user had signed opens nothing, and one of an administrator does for a minute."""
    nobody = await hass_client_no_auth()
    assert (await nobody.get(PATH)).status == HTTPStatus.UNAUTHORIZED
    assert (await (await hass_client(hass_read_only_access_token)).get(PATH)).status == HTTPStatus.FORBIDDEN
    signed = {}
    for group in ("system-users", "system-admin"):
        user = await hass.auth.async_create_user("Somebody", group_ids=[group])
        refresh = await hass.auth.async_create_refresh_token(user, "https://example.com/app")
        signed[group] = async_sign_path(hass, PATH, timedelta(seconds=60), refresh_token_id=refresh.id)
    assert (await nobody.get(signed["system-users"])).status == HTTPStatus.FORBIDDEN
    log = await hass.async_add_executor_job(hub.vault.audit_entries)
    assert not any("audit_fetched" in str(each) for each in log)
    assert (await nobody.get(signed["system-admin"])).status == HTTPStatus.OK


async def test_not_all_the_time(
    hub: Hub, hass_client: ClientSessionGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody may fetch it only so often: the vault reads all of it."""
    monkeypatch.setattr(audit_trail, "AT_ONCE", 1)
    hub.audit_trail = audit_trail.AuditTrail(hub)
    client = await hass_client()
    assert [(await client.get(PATH)).status for _ in range(2)] == [
        HTTPStatus.OK,
        HTTPStatus.TOO_MANY_REQUESTS,
    ]


@pytest.mark.parametrize(
    ("name", "error"), [("audit", VaultUnwritable), ("audit_entries", VaultDamaged)], ids=["note", "entry"]
)
async def test_not_without_a_note_nor_with_damage(
    hub: Hub,
    hass_client: ClientSessionGenerator,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    error: Callable[[str], Exception],
) -> None:
    """Nothing is given that was not noted; what cannot be read ends the file before its end, which shows."""

    def failing(*args: object, **kwargs: object) -> Any:
        raise error("made up")

    monkeypatch.setattr(hub.vault, name, failing)
    client = await hass_client()
    if name == "audit":
        assert (await client.get(PATH)).status == HTTPStatus.INTERNAL_SERVER_ERROR
        return
    answer = await client.get(PATH)
    with pytest.raises(Exception, match="payload|closed|Connection"):
        await answer.read()


async def test_while_it_does_not_run(
    hass: HomeAssistant, hub: Hub, hass_client: ClientSessionGenerator
) -> None:
    """There is nothing."""
    client = await hass_client()
    assert await hass.config_entries.async_unload(hub.entry.entry_id)
    assert (await client.get(PATH)).status == HTTPStatus.SERVICE_UNAVAILABLE
