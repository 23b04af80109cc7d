"""A home that is none: it keeps the promises that an attack looks at, or breaks the one that it is told to."""

import base64
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from io import BytesIO
import json
import os
from pathlib import Path
import random
import secrets
from typing import Any, cast
from zipfile import ZipFile

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
from attacks.grounds import SILENT, VISITOR, Grounds
from attacks.guest import Guest
from attacks.outcome import Promise, Trial
from attacks.pages import STRICT

from demo.client import Json
from demo.house import NAME, Ring

ROOT = "/familiar_faces"
READ = '<input type="hidden" name="read" value="abc"><input name="camera" value="door">'


@dataclass
class Pages:
    """The pages of a home, right in all but one thing."""

    wrong: str = ""
    """What is wrong: see where it is asked for."""
    people: dict[str, str] = field(default_factory=dict)
    """Names by the tokens of their links."""
    photos: dict[str, str] = field(default_factory=dict)
    """Tokens by photos."""
    invitations: set[str] = field(default_factory=set)
    written: list[Path] = field(default_factory=list)
    """Files with somebody's name."""
    on_disk: dict[str, str] | None = None
    """The people as they are after a kill, when they are others than those who were told of."""

    def add(self, name: str) -> str:
        """Have somebody with a link and a photo; return the path of the link."""
        token = secrets.token_urlsafe(32)
        self.people[token] = name
        self.photos[f"photo-{name}"] = token
        return f"{ROOT}/me/{token}"

    def invite(self) -> str:
        """Return the path of an open invitation."""
        token = secrets.token_urlsafe(32)
        self.invitations.add(token)
        return f"{ROOT}/invitation/{token}"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer anything."""
        if request.path.startswith("/api/"):
            # Those who may not are told nothing.
            return page("{}", 200 if self.wrong == "open" else 401)
        parts = request.path.removeprefix(ROOT).strip("/").split("/")
        said = await self._answer(request, parts)
        if self.wrong == "headers":
            del said.headers["Content-Security-Policy"]
        if self.wrong == "cookie":
            said.headers["Set-Cookie"] = "a=b"
        return said

    async def _answer(self, request: web.Request, parts: list[str]) -> web.Response:
        if request.method not in ("GET", "POST"):
            if self.wrong == "methods" and request.method == "PROPFIND":
                return page("", 405)
            return page("nothing", 404)
        if parts[0] == "static":
            return page("body {}")
        if parts[0] == "invitation" and parts[-1] in self.invitations:
            return self._invitation(request, parts[1])
        if parts[0] == "me" and len(parts) > 1 and parts[1] in self.people:
            return await self._own(request, parts[1], parts[2:])
        if parts[0] == "me" and self.wrong == "told":
            return page("nothing, but a link might be here", 404)
        return page("nothing", 404)

    def _erase(self, name: str) -> None:
        """Erase what a home that keeps its promise erases."""
        for path in self.written:
            if self.wrong != "bytes":
                path.unlink(missing_ok=True)

    def _invitation(self, request: web.Request, token: str) -> web.Response:
        if request.method == "GET":
            return page(READ)
        if self.wrong != "replay":
            self.invitations.discard(token)
        return page("", 303, Location=f"{self.add('Corwin')}/photos")

    async def _own(self, request: web.Request, token: str, rest: list[str]) -> web.Response:
        elsewhere = request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin"
        elsewhere |= not request.headers.get("Origin", request.url.human_repr()).startswith("http://127")
        if request.method == "POST" and elsewhere and self.wrong != "origin":
            return page("refused", 403)
        match rest:
            case ["withdraw"] if request.method == "POST":
                self._erase(self.people.pop(token))
                return page("<table>")
            case ["download"]:
                return web.Response(body=export())
            case ["photos"] if request.method == "POST":
                sent = (await request.post())["photo"]
                whole = (
                    isinstance(sent, web.FileField)
                    and len(sent.file.read()) > 5000
                    and "png" not in sent.filename
                )
                return page('<p class="verdict taken">' if whole or self.wrong == "takes all" else "refused")
            case ["photos", photo, *_]:
                mine = self.photos.get(photo) == token
                return page("a photo") if mine or self.wrong == "photos" else page("nothing", 404)
            case ["visits", visit]:
                mine = visit == f"visit-{self.people[token]}"
                return page("a picture") if mine else page("nothing", 404)
            case ["photos"]:
                own = f"{ROOT}/me/{token}/photos"
                return page(
                    "".join(f'<img src="{own}/{each}">' for each, at in self.photos.items() if at == token)
                )
            case ["choices"] if request.method == "POST":
                body = await request.read()
                form = request.content_type == "application/x-www-form-urlencoded"
                fits = form and len(body) <= 32 * 1024 and body.count(b"&") < 300
                return page("", 303, Location="") if fits else page("refused", 413)
            case ["choices"]:
                return page(READ)
        return page("yours")


def export() -> bytes:
    """Return an export with a photo and an embedding."""
    packed = BytesIO()
    with ZipFile(packed, "w") as archive:
        archive.writestr("photo.jpg", random.randbytes(4000))
        archive.writestr(
            "data.json", json.dumps({"embedding": base64.b64encode(random.randbytes(512)).decode()})
        )
    return packed.getvalue()


def page(text: str, status: int = 200, **headers: str) -> web.Response:
    """Return a page with strict headers."""
    return web.Response(text=text, status=status, headers={**STRICT, **headers}, content_type="text/html")


class Home:
    """What attacks ask of a running home."""

    def __init__(self, folder: Path, session: aiohttp.ClientSession, url: str, pages: Pages) -> None:
        """Serve the pages of a home in a folder."""
        self.folder, self.session, self.url = folder, session, url
        self.running = self.owner = self.process = self
        self.pid = os.getpid()
        self._pages = pages
        self.state = "loaded"
        self.services: set[str] = set()
        self.told: set[str] = set()
        self.verdict: Json = {"ok": True, "entries": []}

    def guest(self, own: str = "") -> Guest:
        return Guest(self.session, self.url, own)

    async def invite(self) -> str:
        return self._pages.invite()

    async def call(self, _domain: str, action: str, _data: Json, *, answer: bool = False) -> Json:
        if action == "close_invitations":
            self._pages.invitations.clear()
        return {}

    async def act(self, action: str, data: Json | None = None) -> Json | None:
        if action == "forget":
            for token, name in list(self._pages.people.items()):
                if name == (data or {})["person"]:
                    del self._pages.people[token]
            return {"person_id": "0"}
        return self.verdict

    async def people(self) -> set[str]:
        return set(self._pages.people.values())

    async def entry(self) -> Json:
        return {"state": self.state, "reason": None}

    async def issues(self) -> set[str]:
        return self.told

    async def get(self, path: str) -> list[Any]:
        if path == "services":
            return [{"domain": "familiar_faces", "services": self.services}]
        return sorted(self._pages.people.values())

    async def kill(self) -> None:
        if self._pages.on_disk is not None:
            self._pages.people = dict(self._pages.on_disk)


class Double:
    """What attacks ask of the grounds: one home, whatever is copied and started."""

    check = True
    seed = 0

    def __init__(self, home: Home, pages: Pages, folder: Path) -> None:
        """Have three people with links."""
        self.home, self.folder = home, folder
        self.links = {name: pages.add(name) for name in (VISITOR, SILENT)}
        pages.add(NAME)
        self.visits = {name: f"visit-{name}" for name in (VISITOR, SILENT)}
        self.named: set[str] = {NAME, VISITOR}
        """Who is recognised."""
        self.earlier = folder / "earlier.db"
        self.lived_in = folder
        self.distrusts = False
        """Whether it recognises nobody the first time that somebody rings."""
        self.pages = pages

    async def live(self) -> Home:
        return self.home

    async def end_live(self) -> None:
        """Go on."""

    @asynccontextmanager
    async def copied(self, inside: Path | None = None) -> AsyncGenerator[Path]:
        yield self.home.folder

    @asynccontextmanager
    async def start(self, folder: Path, *, prelude: str = "", doors: bool = True) -> AsyncGenerator[Home]:
        yield self.home

    async def ring_anew(self, at: Home, who: str) -> Ring | None:
        return await self.ring(at, who)

    async def ring(self, at: Home, who: str, patience: float = 0) -> Ring | None:
        if self.distrusts:
            self.distrusts = False
            return None
        person = who if who in self.named and who in await at.people() else None
        return (
            Ring("familiar" if person else "stranger", person, None, 500, 10, 20.0, "0", 3)
            if person
            else None
        )


@asynccontextmanager
async def double(folder: Path, wrong: str = "") -> AsyncGenerator[Double]:
    """Yield grounds whose home breaks a promise, or none."""
    pages = Pages(wrong)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", pages.answer)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        home = Home(folder, session, f"http://127.0.0.1:{server.port}", pages)
        yield Double(home, pages, folder)


async def attacked(at: Double, attack: Any, promise: Promise = Promise.PAGES) -> Trial:
    """Carry out an attack, and return what came of it."""
    trial = Trial(attack.__name__, promise)
    await attack(cast(Grounds, at), trial)
    assert trial.tries
    return trial


def on_disk(at: Double) -> None:
    """Have whatever is told from now on be lost with a kill."""
    at.pages.on_disk = dict(at.pages.people)
