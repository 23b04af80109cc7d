"""A visitor without a browser: reads a page, fills in its form, and sends what a browser would or would not send."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import unescape
import re
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

PATIENCE = aiohttp.ClientTimeout(90)
_READ = re.compile(r'name="read" value="([0-9a-f]+)"')
_CAMERA = re.compile(r'name="camera" value="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """Return the body as it reads: without the escapes of HTML."""
        return unescape(self.body.decode(errors="replace"))

    @property
    def alike(self) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
        """Return all of it that does not tell the time: two answers that look the same have the same."""
        headers = sorted((name.lower(), value) for name, value in self.headers.items() if name != "Date")
        return self.status, tuple(headers), self.body


class Guest:
    """Somebody who knows one address, and perhaps a link."""

    def __init__(self, session: aiohttp.ClientSession, url: str, own: str = "") -> None:
        """Reach the home at `url`; `own`: the path of the personal link, for anyone who has one."""
        self.own = own
        self._session, self._url = session, url

    async def ask(
        self, method: str, path: str, data: object = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send a request; no redirection is followed. A path is sent as it stands."""
        url = URL(f"{self._url}{path}", encoded=True)
        async with self._session.request(
            method, url, data=data, headers=headers, allow_redirects=False, timeout=PATIENCE
        ) as response:
            return Answer(response.status, dict(response.headers), await response.read())

    async def get(self, path: str) -> Answer:
        """Get a page."""
        return await self.ask("GET", path)

    async def send(
        self, path: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send a form."""
        return await self.ask("POST", path, data=dict(form), headers=headers)

    async def fill(self, path: str, name: str, **answers: str) -> Answer:
        """Fill in the form of an invitation or of one's choices and send it; the answer sends on when it was taken.

        The text that is agreed to holds the name, so it is asked for with it first, as the page itself does.
        """
        asked = await self.get(path)
        cameras = _CAMERA.findall(asked.body.decode(errors="replace"))
        form = {"name": name, "keeping": "visits", "pictures": "yes", "agreed": "yes", "everywhere": "yes"}
        form |= {"camera": cameras[0]} if cameras else {}
        form |= answers
        answer = asked
        for _ in range(2):
            read = _READ.search(answer.body.decode(errors="replace"))
            if read is None:
                return answer
            answer = await self.send(path, form | {"read": read[1]})
        return answer

    async def accept(self, invitation: str, name: str, **answers: str) -> Answer:
        """Agree to an invitation; from then on there is a link of one's own."""
        answer = await self.fill(invitation, name, **answers)
        if answer.status == 303:
            self.own = urlsplit(answer.headers["Location"]).path.removesuffix("/photos")
        return answer

    async def give_photo(self, photo: bytes, filename: str = "selfie.jpg") -> Answer:
        """Send a photo of oneself."""
        form = aiohttp.FormData()
        form.add_field("photo", photo, filename=filename, content_type="image/jpeg")
        return await self.ask("POST", f"{self.own}/photos", data=form)

    async def done(self) -> Answer:
        """Say that these are all the photos."""
        return await self.send(f"{self.own}/done", {})

    async def withdraw(self) -> Answer:
        """Say no."""
        return await self.send(f"{self.own}/withdraw", {})

    async def is_let_in(self) -> bool:
        """Return whether the link opens anything."""
        return (await self.get(self.own)).status != 404


def confirmed(answer: Answer) -> bool:
    """Return whether a page says that all was erased: it counts what."""
    return answer.status == 200 and b"<table" in answer.body
