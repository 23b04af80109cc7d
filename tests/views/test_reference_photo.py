"""The reference photos in the panel: seen and added by administrators, and by people their own."""

import asyncio
from collections.abc import AsyncGenerator
from http import HTTPStatus
from typing import Any

from aiohttp.test_utils import TestClient
from homeassistant.auth.const import GROUP_ID_READ_ONLY, GROUP_ID_USER
from homeassistant.components.http.auth import async_sign_path
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.people.choices import Keeping
from custom_components.familiar_faces.vault.errors import VaultUnwritable
from custom_components.familiar_faces.views import reference_photo

from ..common.people_on_record import DAY, a_consent, change_choices, link_to_user, put_on_record
from ..common.pictures import astronaut, different_photos, group, jpeg, stranger

pytestmark = pytest.mark.photos(1)


def photo_of(hub: Hub, person_id: str) -> str:
    """Return the path of somebody's first photo."""
    return f"{of(person_id)}/{hub.people[person_id].templates[0].template_id}"


def of(person_id: str) -> str:
    """Return the path to which a photo of somebody is sent."""
    return f"/api/familiar_faces/photo/{person_id}"


async def token(hass: HomeAssistant, hub: Hub, own: str | None = None, group: str = GROUP_ID_USER) -> str:
    """Return the token of a user, who may be one of the people."""
    await hass.auth.async_create_user("The very first")
    user = await hass.auth.async_create_user("Somebody", group_ids=[group])
    if own is not None:
        await link_to_user(hass, hub, own, user.id)
    refresh = await hass.auth.async_create_refresh_token(user, "https://example.com/app")
    return hass.auth.async_create_access_token(refresh)


async def send(client: TestClient[Any, Any], path: str, photo: bytes) -> dict[str, Any]:
    """Send a photo, and return what became of it."""
    answer = await client.post(path, data=photo)
    assert answer.status == HTTPStatus.OK, await answer.text()
    said: dict[str, Any] = await answer.json()
    return said


async def test_who_sees_it(
    hass: HomeAssistant,
    hub: Hub,
    eileen: str,
    sockets: None,
    hass_client: ClientSessionGenerator,
    hass_client_no_auth: ClientSessionGenerator,
    start: Any,
) -> None:
    """Administrators and the person, and nobody else; each view is noted."""
    path = photo_of(hub, eileen)
    for client in (
        await hass_client(),
        await hass_client(await token(hass, hub, eileen, GROUP_ID_READ_ONLY)),
    ):
        answer = await client.get(path)
        assert (answer.status, answer.content_type) == (HTTPStatus.OK, "image/jpeg")
        assert answer.headers["Cache-Control"] == "no-store"
        assert (await answer.read())[:2] == b"\xff\xd8"
    log = await hass.async_add_executor_job(hub.vault.audit_entries)
    assert sum(each.kind == "faces_viewed" for each in log) == 2
    nobody = await hass_client_no_auth()
    assert (await nobody.get(path)).status == HTTPStatus.UNAUTHORIZED
    # Without a user that signs: Home Assistant's own user for content, who is no administrator.
    signed = async_sign_path(hass, path, DAY, use_content_user=True)
    assert (await nobody.get(signed)).status == HTTPStatus.NOT_FOUND
    await put_on_record(hass, hub, a_consent(start - DAY, start + 100 * DAY), "nemo", "Nemo")
    for whose in (None, "nemo"):
        client = await hass_client(await token(hass, hub, whose))
        assert (await client.get(path)).status == HTTPStatus.NOT_FOUND
    # Of one person it is not reached by way of another.
    template_id = path.rsplit("/", 1)[1]
    for wrong in (f"{of('nemo')}/{template_id}", f"{of(eileen)}/nothing", f"{of('x' * 65)}/{template_id}"):
        assert (await (await hass_client()).get(wrong)).status == HTTPStatus.NOT_FOUND


async def test_forgotten(hub: Hub, eileen: str, sockets: None, hass_client: ClientSessionGenerator) -> None:
    """Then there is nothing."""
    client, path = await hass_client(), photo_of(hub, eileen)
    await hub.forgetting.async_forget(eileen)
    assert (await client.get(path)).status == HTTPStatus.NOT_FOUND
    assert (await client.post(of(eileen), data=jpeg(astronaut()))).status == HTTPStatus.FORBIDDEN


async def test_adding(hub: Hub, eileen: str, sockets: None, hass_client: ClientSessionGenerator) -> None:
    """A good photo counts at once; what will not do is answered with the reason, and nothing is kept of it."""
    client = await hass_client()
    said = await send(client, of(eileen), different_photos()[1])
    assert (said["reason"], said["taken"]) == ("good", True)
    assert len(hub.people[eileen].templates) == 2
    assert (await send(client, of(eileen), different_photos()[1]))["reason"] == "same_photo"
    assert (await send(client, of(eileen), b"no picture"))["reason"] == "not_an_image"
    assert (await send(client, of(eileen), b""))["reason"] == "not_an_image"
    assert (await send(client, of(eileen), jpeg(group())))["reason"] == "several_faces"
    said = await send(client, of(eileen), jpeg(stranger()))
    assert (said["reason"], said["taken"], said["may_insist"]) == ("not_same_person", False, True)
    assert len(hub.people[eileen].templates) == 2
    said = await send(client, f"{of(eileen)}?insist=1", jpeg(stranger()))
    assert (said["reason"], said["taken"]) == ("insisted", True)
    assert len(hub.people[eileen].templates) == 3


async def test_people_add_their_own(
    hass: HomeAssistant,
    hub: Hub,
    eileen: str,
    sockets: None,
    hass_client: ClientSessionGenerator,
    start: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody insists, nobody else is named, and there is an end; who only reads, or is somebody else, adds none."""
    await put_on_record(hass, hub, a_consent(start - DAY, start + 100 * DAY), "nemo", "Nemo")
    own = await hass_client(await token(hass, hub, eileen))
    said = await send(own, f"{of(eileen)}?insist=1", jpeg(stranger()))
    assert (said["taken"], said["may_insist"], said["other"]) == (False, False, "")
    assert (await send(own, of(eileen), different_photos()[1]))["taken"]
    monkeypatch.setattr(reference_photo, "MOST_OWN", 2)
    assert (await send(own, of(eileen), different_photos()[2]))["reason"] == "enough"
    assert (await own.post(of("nemo"), data=jpeg(stranger()))).status == HTTPStatus.FORBIDDEN
    for other in (
        await token(hass, hub),
        await token(hass, hub, "nemo"),
        await token(hass, hub, eileen, GROUP_ID_READ_ONLY),
    ):
        client = await hass_client(other)
        assert (await client.post(of(eileen), data=jpeg(astronaut()))).status == HTTPStatus.FORBIDDEN
    assert len(hub.people[eileen].templates) == 2


async def test_whom_a_photo_resembles(
    hass: HomeAssistant, hub: Hub, eileen: str, sockets: None, hass_client: ClientSessionGenerator, start: Any
) -> None:
    """Administrators are told, but not of who stays silent; people themselves never."""
    await put_on_record(hass, hub, a_consent(start - DAY, start + 100 * DAY), "nemo", "Nemo")
    admin, own = await hass_client(), await hass_client(await token(hass, hub, "nemo"))
    said = await send(admin, of("nemo"), different_photos()[2])
    assert (said["reason"], said["other"], said["may_insist"]) == ("looks_like_other", "Eileen", True)
    said = await send(own, of("nemo"), different_photos()[2])
    assert "Eileen" not in str(said)
    assert not said["may_insist"]
    await change_choices(hass, hub, eileen, keeping=Keeping.SILENT)
    said = await send(admin, of("nemo"), different_photos()[2])
    assert (said["reason"], said["other"]) == ("looks_like_other", "")


async def test_too_much(
    hub: Hub, eileen: str, sockets: None, hass_client: ClientSessionGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is too large is refused before it is read, or as soon as it is; only so many come at once."""
    client = await hass_client()
    monkeypatch.setattr(reference_photo, "MAX_PHOTO_BYTES", 100_000)
    assert (await client.post(of(eileen), data=b"x" * 100_001)).status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE

    async def endless() -> AsyncGenerator[bytes]:
        for _ in range(4):
            yield b"x" * 50_000

    # Nobody says how much it is.
    assert (await client.post(of(eileen), data=endless())).status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    monkeypatch.setattr(reference_photo, "AT_ONCE", 0)
    assert (await client.post(of(eileen), data=b"x")).status == HTTPStatus.SERVICE_UNAVAILABLE


async def test_who_sends_nothing(
    hub: Hub, eileen: str, sockets: None, hass_client: ClientSessionGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A browser that is silent for long is given up, and keeps nobody else from sending."""
    monkeypatch.setattr(reference_photo, "IDLE_SECONDS", 0.3)
    monkeypatch.setattr(reference_photo, "AT_ONCE", 1)
    client = await hass_client()
    assert client.server is not None
    reader, writer = await asyncio.open_connection(client.server.host, client.server.port)
    bearer = client.session.headers["Authorization"]
    writer.write(
        f"POST {of(eileen)} HTTP/1.1\r\nHost: x\r\nAuthorization: {bearer}\r\nContent-Length: 9\r\n\r\nabc".encode()
    )
    await writer.drain()
    assert b" 408 " in await asyncio.wait_for(reader.readline(), 10)
    writer.close()
    assert (await send(client, of(eileen), different_photos()[1]))["taken"]


async def test_what_is_not_there(
    hass: HomeAssistant,
    hub: Hub,
    eileen: str,
    sockets: None,
    hass_client: ClientSessionGenerator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A full disk, an ended consent and a stop are each answered in a word."""
    client = await hass_client()

    def fails(*_args: object, **_values: object) -> None:
        raise VaultUnwritable("made up")

    with monkeypatch.context() as failing:
        failing.setattr(hub.vault, "add_reference", fails)
        assert (await send(client, of(eileen), different_photos()[1]))["reason"] == "vault_failed"
    await hass.async_add_executor_job(hub.vault.withdraw_consent, eileen, dt_util.utcnow())
    assert (await send(client, of(eileen), different_photos()[1]))["reason"] == "consent_missing"
    assert await hass.config_entries.async_unload(hub.entry.entry_id)
    assert (await client.post(of(eileen), data=b"x")).status == HTTPStatus.SERVICE_UNAVAILABLE
