"""Somebody with a phone and no account, and what they do on the pages."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
import re
from typing import Any

from aiohttp import FormData
from aiohttp.test_utils import TestClient
from homeassistant.util import dt as dt_util

from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.people.choices import Choices, Keeping
from custom_components.familiar_faces.people.person import Consent, ConsentMethod

CHOSEN: dict[str, str | list[str]] = {
    "name": "Eileen",
    "everywhere": "yes",
    "keeping": "visits",
    "pictures": "yes",
    "agreed": "yes",
}
"""What somebody fills in who agrees to everything."""


@dataclass(frozen=True)
class Answer:
    """What the browser shows."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    path: str
    """Where the browser is now."""

    @property
    def html(self) -> str:
        return self.body.decode()

    @property
    def text(self) -> str:
        """What can be read."""
        return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", self.html)))

    def value(self, name: str) -> str:
        """What a field holds."""
        found = re.search(rf'<input[^>]*name="{name}"[^>]*value="([^"]*)"', self.html)
        assert found, name
        return unescape(found[1])

    def checked(self, name: str, value: str = "yes") -> bool:
        """Whether a box is ticked."""
        found = re.search(rf'<input[^>]*name="{name}" value="{value}"[^>]*>', self.html)
        assert found, name
        return " checked" in found[0]

    @property
    def links(self) -> list[str]:
        """Where pictures and links lead to."""
        return [unescape(each) for each in re.findall(r'(?:src|href)="(/familiar_faces/[^"]+)"', self.html)]


class Phone:
    """A browser that is not logged in."""

    def __init__(self, client: TestClient[Any, Any], hub: Hub) -> None:
        self.client = client
        self.hub = hub

    async def open(self, path: str, **headers: str) -> Answer:
        """Open a page."""
        return await self._answer(await self.client.get(path, headers=headers))

    async def send(self, path: str, fields: Mapping[str, Any], **headers: str) -> Answer:
        """Send a form, and follow where that leads."""
        pairs = [
            (key, each)
            for key, value in fields.items()
            for each in ([value] if isinstance(value, str) else value)
        ]
        return await self._answer(await self.client.post(path, data=pairs, headers=headers))

    async def upload(self, path: str, photos: Iterable[bytes], name: str = "photo.jpg") -> Answer:
        """Send photos."""
        form = FormData(default_to_multipart=True)
        for photo in photos:
            form.add_field("photo", photo, filename=name, content_type="image/jpeg")
        return await self._answer(await self.client.post(path, data=form))

    @staticmethod
    async def _answer(response: Any) -> Answer:
        return Answer(response.status, dict(response.headers), await response.read(), response.url.path_qs)

    async def invite(self, person_id: str | None = None) -> str:
        """Have the owner make an invitation, and return its path."""
        now = dt_util.utcnow()
        _, token = await self.hub.hass.async_add_executor_job(
            lambda: self.hub.vault.links.invite(
                person_id=person_id, expires_at=now + timedelta(hours=24), now=now
            )
        )
        return f"/familiar_faces/invitation/{token}"

    async def agree(self, path: str, **changes: Any) -> Answer:
        """Open an invitation or the choices, and say yes to everything but for the changes."""
        read = (await self.open(path)).value("read")
        fields = {key: value for key, value in {**CHOSEN, **changes}.items() if value is not None}
        return await self.send(path, {"read": read, **fields})

    async def enrol(self, photos: Iterable[bytes], **changes: Any) -> str:
        """Agree, send photos, be done, and return the path of the own page."""
        photos_page = await self.agree(await self.invite(), **changes)
        own = photos_page.path.partition("/photos")[0]
        assert (await self.upload(f"{own}/photos", photos)).status == 200
        assert (await self.send(f"{own}/done", {})).path.partition("?")[0] == own
        await self.hub.hass.async_block_till_done(wait_background_tasks=True)
        return own

    async def own_path(self, person_id: str) -> str:
        """Have the owner make somebody's own link, and return its path."""
        token = await self.hub.hass.async_add_executor_job(
            self.hub.vault.links.new_link, person_id, dt_util.utcnow()
        )
        return f"/familiar_faces/me/{token}"

    async def person_of(self, own: str) -> str | None:
        """Return whose page it is."""
        token = own.rsplit("/", 1)[1]
        return await self.hub.hass.async_add_executor_job(self.hub.vault.links.person_of, token)


def a_consent(choices: Choices | None = None, **changes: Any) -> Consent:
    """Return a consent that the owner put on record."""
    now = dt_util.utcnow()
    values: dict[str, Any] = {
        "consent_id": f"{now.timestamp()}",
        "given_by": "Paul",
        "on_behalf_of_child": False,
        "method": ConsentMethod.IN_PERSON,
        "given_at": now - timedelta(days=1),
        "valid_until": now + timedelta(days=100),
        "text_version": "en/2",
        "recorded_at": now,
        "choices": choices or Choices(frozenset({"gone"}), Keeping.NOTHING, False),
        "text": "What Paul agreed to.\n\nSecond paragraph.",
    }
    return Consent(**{**values, **changes})
