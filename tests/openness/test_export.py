"""The export of a person: what is in it, what is not, and who gets it."""

import base64
from datetime import timedelta
from html.parser import HTMLParser
from http import HTTPStatus
from io import BytesIO
import json
from typing import Any
from urllib.parse import urlsplit
import zipfile

from freezegun.api import FrozenDateTimeFactory
from homeassistant.auth.models import RefreshToken
from homeassistant.components.http.auth import async_sign_path
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import numpy as np
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
import pytest_socket

from custom_components.familiar_faces.const import DOMAIN
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.openness.export import async_export
from custom_components.familiar_faces.openness.tickets import VALID_FOR
from custom_components.familiar_faces.vault import kept_data as contents
from custom_components.familiar_faces.vault.errors import UnknownPerson, VaultUnwritable

from ..common.pictures import astronaut, enrolment_photos, photos_of, stranger
from ..common.steps import enrol, ring, visits
from ..conftest import CAMERA, FrontDoor

TYPED = "Eileen & <script>alert(1)</script>"
NAME = "Eileen & scriptalert(1)/script"
"""What is kept about that."""


@pytest.fixture
async def eileen(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, front_door: FrontDoor) -> str:
    """Enrol Eileen, whose name is no HTML, and Ben, let her ring, and return her id."""
    hass.config.latitude, hass.config.longitude = 52.123456, 5.654321
    person_id = await enrol(hass, entry, enrolment_photos(), name=TYPED)
    await enrol(hass, entry, photos_of(stranger(0))[:1], name="Benjamin")
    front_door.frames = visits(astronaut())
    await ring(hass, hub)
    return person_id


def opened(body: bytes) -> zipfile.ZipFile:
    """Open a zip file, whole and undamaged."""
    archive = zipfile.ZipFile(BytesIO(body))
    assert archive.testzip() is None
    return archive


async def offer(hass: HomeAssistant, person: str, **data: Any) -> dict[str, Any]:
    """Call the action, and return its answer."""
    answer = await hass.services.async_call(
        DOMAIN, "export", {"person": person, **data}, blocking=True, return_response=True
    )
    assert answer is not None
    return dict(answer)


# What is in it


async def test_everything_is_in_it(hass: HomeAssistant, hub: Hub, eileen: str) -> None:
    """Consents, photos, face data, visits, pictures and the log are in it, as the vault has them."""
    archive = opened(b"".join(await async_export(hub, eileen, "en")))
    assert sorted(archive.namelist())[:5] == [
        "data.json",
        "index.html",
        "photos/001.jpg",
        "photos/002.jpg",
        "photos/003.jpg",
    ]
    data = json.loads(archive.read("data.json"))
    person = hub.people[eileen]
    assert data["person"] == {
        "person_id": eileen,
        "name": NAME,
        "former_names": [],
        "linked_entity": None,
    }
    (consent,) = data["consents"]
    assert person.consent is not None
    assert consent["consent_id"] == person.consent.consent_id
    assert consent["text"] == person.consent.text
    assert (consent["cameras"], consent["keeping"]) == (None, "visits")

    for template, kept in zip(data["templates"], person.templates, strict=True):
        vector = np.frombuffer(base64.b64decode(template["embedding"]), "<f4")
        assert np.array_equal(vector, kept.embedding)
        assert (template["model"], template["dimensions"]) == (kept.model, 128)
        photo = await hass.async_add_executor_job(hub.vault.reference_photo, kept.template_id)
        assert archive.read(template["photo"]) == photo

    (visit,) = data["visits"]
    (kept_visit,) = await hass.async_add_executor_job(hub.vault.visits, eileen)
    assert visit["started_at"] == kept_visit.started_at.isoformat()
    assert visit["camera"] == "Front door"
    assert visit["picture"] == f"visits/00001_{kept_visit.started_at:%Y-%m-%dT%H-%M-%SZ}.jpg"
    picture = await hass.async_add_executor_job(hub.vault.visit_picture, kept_visit.visit_id)
    assert archive.read(visit["picture"]) == picture
    assert [each["kind"] for each in data["audit"]] == [
        "consent_recorded",
        # With the first good photo.
        "reference_added",
        "enrolled",
        *["reference_added"] * 2,
    ]
    # Nothing but those.
    files = {"data.json", "index.html", visit["picture"]} | {each["photo"] for each in data["templates"]}
    assert set(archive.namelist()) == files


async def test_nothing_else_is_in_it(hass: HomeAssistant, hub: Hub, eileen: str) -> None:
    """Nobody else's data, no place on earth, and no address of a camera."""
    archive = opened(b"".join(await async_export(hub, eileen, "en")))
    (ben,) = [each for each in hub.people.values() if each.name == "Benjamin"]
    everything = b"".join(archive.read(name) for name in archive.namelist())
    for secret in (
        "Benjamin",
        ben.person_id,
        ben.templates[0].template_id,
        base64.b64encode(ben.templates[0].embedding.tobytes()).decode(),
        CAMERA,
        "52.12",
        "5.65",
        hass.config.location_name,
        *(each.subentry_id for each in hub.entry.get_subentries_of_type("camera")),
    ):
        assert secret.encode() not in everything, secret


async def test_who_looked_is_not_in_it(hass: HomeAssistant, hub: Hub, eileen: str) -> None:
    """That somebody looked is said, and not which user."""
    await hass.async_add_executor_job(
        hub.vault.audit, "faces_viewed", eileen, {"user": "0123456789abcdef"}, dt_util.utcnow()
    )
    data = json.loads(opened(b"".join(await async_export(hub, eileen, "en"))).read("data.json"))
    assert data["audit"][-1]["kind"] == "faces_viewed"
    assert data["audit"][-1]["details"] == {}


class Page(HTMLParser):
    """What a page shows, and what it would fetch."""

    def __init__(self, source: str) -> None:
        """Read it."""
        super().__init__()
        self.tags: list[str] = []
        self.fetched: list[str] = []
        self.text = ""
        self.language: str | None = None
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append(tag)
        given = dict(attrs)
        if tag == "html":
            self.language = given.get("lang")
        self.fetched += [value for key in ("src", "href") if (value := given.get(key)) is not None]
        assert not any(key.startswith("on") or key == "style" for key in given)

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.text += data


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("What is kept about", "Reference photos", "In person", "A consent was recorded")),
        ("nl", ("wordt bewaard", "Referentiefoto's", "Persoonlijk", "toestemming vastgelegd")),
        ("de", ("gespeichert", "Referenzfotos", "Persönlich", "Einwilligung wurde festgehalten")),
    ],
)
async def test_the_page_can_be_read(
    hass: HomeAssistant, hub: Hub, eileen: str, language: str, words: tuple[str, ...]
) -> None:
    """The page is in the language that was asked for, whole by itself, and runs nothing."""
    archive = opened(b"".join(await async_export(hub, eileen, language)))
    source = archive.read("index.html").decode()
    page = Page(source)
    assert page.language == language
    assert [word for word in words if word not in page.text] == []
    assert NAME in page.text
    assert NAME.replace("&", "&amp;") in source
    assert NAME not in source
    assert not {"script", "link", "iframe", "form", "a"} & set(page.tags)
    assert len(page.fetched) == 4
    assert set(page.fetched) <= set(archive.namelist())
    assert "http://" not in source
    assert "https://" not in source
    assert "@import" not in source


async def test_the_same_data_makes_the_same_file(hass: HomeAssistant, hub: Hub, eileen: str) -> None:
    """Names and contents are the same each time."""
    now = dt_util.utcnow()

    def make() -> bytes:
        kept = contents.read(hub.vault, eileen, now)
        return b"".join(contents.zipped(contents.parts(hub.vault, kept, {}, lambda data: "page")))

    first = await hass.async_add_executor_job(make)
    assert await hass.async_add_executor_job(make) == first


async def test_pictures_are_read_one_by_one(hass: HomeAssistant, hub: Hub, eileen: str) -> None:
    """The file comes in pieces, none of which holds two pictures; a picture that is gone is left out."""

    def pieces() -> list[int]:
        kept = contents.read(hub.vault, eileen, dt_util.utcnow())
        going = contents.zipped(contents.parts(hub.vault, kept, {}, lambda data: json.dumps(data["visits"])))
        sizes = [len(next(going))]
        hub.vault.remove_reference(eileen, kept.person.templates[1].template_id)
        hub.vault.correct_visit(kept.visits[0].visit_id, dt_util.utcnow())
        return [*sizes, *map(len, going)]

    sizes = await hass.async_add_executor_job(pieces)
    # Two photos, the data, the page and the end.
    assert len(sizes) == 5
    assert max(sizes) < sum(sizes) / 2


async def test_forgotten_while_it_is_made(hass: HomeAssistant, hub: Hub, eileen: str) -> None:
    """No data is given of somebody who was forgotten meanwhile."""

    def make() -> None:
        kept = contents.read(hub.vault, eileen, dt_util.utcnow())
        going = contents.zipped(contents.parts(hub.vault, kept, {}, lambda data: "page"))
        next(going)
        hub.vault.forget(eileen, dt_util.utcnow())
        with pytest.raises(UnknownPerson):
            list(going)

    await hass.async_add_executor_job(make)
    with pytest.raises(UnknownPerson):
        await async_export(hub, eileen, "en")


async def test_with_a_damaged_log(hass: HomeAssistant, hub: Hub, eileen: str) -> None:
    """What can be read is given, and the page says what cannot."""

    def damage() -> None:
        with hub.vault._database.write() as connection:
            connection.execute("DROP TRIGGER audit_is_append_only")
            connection.execute("UPDATE audit SET at = at + 1")

    await hass.async_add_executor_job(damage)
    archive = opened(b"".join(await async_export(hub, eileen, "en")))
    assert json.loads(archive.read("data.json"))["audit"] is None
    assert "This is damaged and cannot be read." in archive.read("index.html").decode()
    assert "photos/003.jpg" in archive.namelist()


async def exported(hass: HomeAssistant, hub: Hub) -> list[object]:
    """Return who made exports."""
    entries = await hass.async_add_executor_job(hub.vault.audit_entries, None, 1000)
    return [each.details["by"] for each in reversed(entries) if each.kind == "exported"]


async def test_it_is_noted(
    hass: HomeAssistant, hub: Hub, eileen: str, hass_client: ClientSessionGenerator
) -> None:
    """Each export is in the audit log, and an offer that nobody takes is none."""
    await offer(hass, eileen)
    assert await exported(hass, hub) == []
    await async_export(hub, eileen, "en")
    client = await hass_client()
    assert (await client.get(f"/api/familiar_faces/export/{eileen}")).status == HTTPStatus.OK
    assert await exported(hass, hub) == ["person", "owner"]


# Who gets it


async def test_the_offered_link(
    hass: HomeAssistant, hub: Hub, eileen: str, hass_client_no_auth: ClientSessionGenerator
) -> None:
    """The action's link works without logging in, as a file that nothing keeps, of the size that was said."""
    answer = await offer(hass, NAME, language="nl")
    assert answer["person_id"] == eileen
    expires_at = dt_util.parse_datetime(answer["expires_at"])
    assert expires_at is not None
    assert timedelta(minutes=4) < expires_at - dt_util.utcnow() <= VALID_FOR
    client = await hass_client_no_auth()
    response = await client.get(answer["url"])
    assert response.status == HTTPStatus.OK
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.content_type == "application/zip"
    disposition = response.headers["Content-Disposition"]
    assert disposition.startswith('attachment; filename="familiar-faces-')
    assert "ileen" not in disposition
    body = await response.read()
    assert len(body) == answer["size"]
    assert Page(opened(body).read("index.html").decode()).language == "nl"


async def test_an_administrator(
    hass: HomeAssistant, hub: Hub, eileen: str, hass_client: ClientSessionGenerator
) -> None:
    """An administrator needs no ticket; anyone who is not here is not found."""
    client = await hass_client()
    response = await client.get(f"/api/familiar_faces/export/{eileen}")
    assert response.status == HTTPStatus.OK
    assert "data.json" in opened(await response.read()).namelist()
    for other in ("nobody", "..", eileen.upper()):
        response = await client.get(f"/api/familiar_faces/export/{other}")
        assert response.status == HTTPStatus.NOT_FOUND, other
    await hub.forgetting.async_forget(eileen)
    response = await client.get(f"/api/familiar_faces/export/{eileen}")
    assert (response.status, await response.read()) == (HTTPStatus.NOT_FOUND, b"")


async def test_nobody_else(
    hass: HomeAssistant,
    hub: Hub,
    eileen: str,
    hass_client: ClientSessionGenerator,
    hass_client_no_auth: ClientSessionGenerator,
    hass_read_only_access_token: str,
) -> None:
    """Without logging in, or as a user who is no administrator, there is nothing, known or unknown."""
    nobody, user = await hass_client_no_auth(), await hass_client(hass_read_only_access_token)
    for client, refused in ((nobody, HTTPStatus.UNAUTHORIZED), (user, HTTPStatus.FORBIDDEN)):
        for person_id in (eileen, "nobody"):
            for query in ("", "?ticket=", f"?ticket={'A' * 43}", "?authSig=nonsense"):
                response = await client.get(f"/api/familiar_faces/export/{person_id}{query}")
                assert response.status == refused, query
    assert await exported(hass, hub) == []


async def test_a_signature_alone_is_no_leave(
    hass: HomeAssistant,
    hub: Hub,
    eileen: str,
    hass_client_no_auth: ClientSessionGenerator,
    hass_read_only_access_token: str,
) -> None:
    """Any user may have any path signed, for themselves or (as by a media player) for Home Assistant's own user."""
    user: RefreshToken | None = hass.auth.async_validate_access_token(hass_read_only_access_token)
    assert user is not None
    client = await hass_client_no_auth()
    path = f"/api/familiar_faces/export/{eileen}"
    for signed in (
        async_sign_path(hass, path, timedelta(hours=1), refresh_token_id=user.id),
        async_sign_path(hass, path, timedelta(hours=1), use_content_user=True),
    ):
        # Not 401, which Home Assistant takes for a failed login and bans addresses for.
        assert (await client.get(signed)).status == HTTPStatus.FORBIDDEN
    assert await exported(hass, hub) == []


async def test_a_link_that_was_changed(
    hass: HomeAssistant, hub: Hub, eileen: str, hass_client_no_auth: ClientSessionGenerator
) -> None:
    """A link opens the one export that it was made for, and nothing when anything of it is changed."""
    (ben,) = [each.person_id for each in hub.people.values() if each.name == "Benjamin"]
    hers, his = (await offer(hass, eileen))["url"], (await offer(hass, ben))["url"]
    ticket = urlsplit(hers).query.split("&")[0]
    client = await hass_client_no_auth()
    changed = [
        hers.replace(eileen, ben),
        hers.replace(ticket, urlsplit(his).query.split("&")[0]),
        hers.replace(f"{ticket}&", ""),
        hers.split("&authSig")[0],
        f"{hers[:-1]}{'A' if hers[-1] != 'A' else 'B'}",
        f"{hers}&more=1",
        f"{urlsplit(his).path}?{urlsplit(hers).query}",
        # Well signed, but with the ticket of somebody else.
        async_sign_path(hass, f"{urlsplit(his).path}?{ticket}", timedelta(minutes=5), use_content_user=True),
    ]
    for url in changed:
        assert url not in (hers, his)
        assert (await client.get(url)).status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN), url
    assert (await client.post(hers)).status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.METHOD_NOT_ALLOWED)
    assert await exported(hass, hub) == []
    assert (await client.get(hers)).status == HTTPStatus.OK


async def test_a_link_that_is_over(
    hass: HomeAssistant,
    hub: Hub,
    eileen: str,
    hass_client_no_auth: ClientSessionGenerator,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A link works for five minutes; its ticket is over even if its signature should not be."""
    offered = await hub.exports.async_offer(eileen, "en")
    client = await hass_client_no_auth()
    ticket = urlsplit(offered.url).query.split("&")[0]
    path = f"/api/familiar_faces/export/{eileen}?{ticket}"
    longer = async_sign_path(hass, path, timedelta(hours=1), use_content_user=True)
    freezer.move_to(offered.expires_at - timedelta(seconds=1))
    assert (await client.get(longer)).status == HTTPStatus.OK
    freezer.move_to(offered.expires_at)
    assert (await client.get(offered.url)).status == HTTPStatus.UNAUTHORIZED
    assert (await client.get(longer)).status == HTTPStatus.FORBIDDEN


async def test_a_link_to_somebody_forgotten(
    hass: HomeAssistant, hub: Hub, eileen: str, hass_client_no_auth: ClientSessionGenerator
) -> None:
    """A link that was offered before opens nothing once its person is forgotten."""
    url = (await offer(hass, eileen))["url"]
    await hub.forgetting.async_forget(eileen)
    response = await (await hass_client_no_auth()).get(url)
    assert (response.status, await response.read()) == (HTTPStatus.NOT_FOUND, b"")


async def test_after_a_restart(
    hass: HomeAssistant,
    hub: Hub,
    eileen: str,
    entry: MockConfigEntry,
    hass_client: ClientSessionGenerator,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    """Tickets do not outlive the entry; while it does not run there is nothing for anybody."""
    url = (await offer(hass, eileen))["url"]
    await hass.config_entries.async_unload(entry.entry_id)
    nobody, admin = await hass_client_no_auth(), await hass_client()
    # The engine is spoken to on a Unix socket, which the clients' fixtures forbid again.
    pytest_socket.socket_allow_hosts(["127.0.0.1"], allow_unix_socket=True)
    assert (await nobody.get(url)).status == HTTPStatus.FORBIDDEN
    response = await admin.get(f"/api/familiar_faces/export/{eileen}")
    assert response.status == HTTPStatus.SERVICE_UNAVAILABLE
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert (await nobody.get(url)).status == HTTPStatus.FORBIDDEN


async def test_not_without_a_note(
    hass: HomeAssistant,
    hub: Hub,
    eileen: str,
    hass_client: ClientSessionGenerator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What cannot be written into the audit log is not given to the owner."""

    def refuse(*_args: object) -> None:
        raise VaultUnwritable

    monkeypatch.setattr(hub.vault, "audit", refuse)
    response = await (await hass_client()).get(f"/api/familiar_faces/export/{eileen}")
    assert (response.status, await response.read()) == (HTTPStatus.INTERNAL_SERVER_ERROR, b"")
