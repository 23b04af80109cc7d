"""The guard: one answer to every wrong link, guessing slowed and noticed, forms from here only."""

import asyncio
from collections.abc import Callable
from ipaddress import ip_network
import itertools
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer, make_mocked_request
from homeassistant.components.http.forwarded import async_setup_forwarded
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.familiar_faces.const import DOMAIN
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.pages.guard import (
    CHANGE_EVERY,
    FORGIVEN_EVERY,
    FREE,
    FREE_IN_ALL,
    LONGEST_WAIT,
    MAX_ADDRESSES,
    MAX_CHANGES,
    MAX_FORM,
    MAX_UPLOADS,
    MAX_WAITING,
    NOTICED,
    Guard,
    TooOften,
    UploadBusy,
    _address,
    async_get_guard,
    delay,
    sent_from_here,
    well_formed,
)
from custom_components.familiar_faces.pages.response import HEADERS

from ..common.pictures import enrolment_photos
from .visitors import CHOSEN, Answer, Phone

NOBODYS = "A" * 43
ODD = [
    "x",
    NOBODYS + "A",
    NOBODYS[1:] + "!",
    "%E2%82%AC" * 15,
    "A" * 3000,
    "..",
    "me",
    "{token}",
]


@pytest.fixture(autouse=True)
def waits() -> Any:
    """Count the waits instead of waiting."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    with patch.object(Guard, "_sleep", staticmethod(sleep)):
        yield waited


def same(answer: Answer) -> tuple[int, bytes, dict[str, str]]:
    """Return all of an answer but when it was given."""
    return answer.status, answer.body, {k: v for k, v in answer.headers.items() if k != "Date"}


async def test_one_answer_to_every_wrong_link(hass: HomeAssistant, hub: Hub, phone: Phone) -> None:
    """Wrong, used, closed, malformed, another method, a path below, and nothing set up: nothing tells them apart."""
    used = await phone.invite()
    own = (await phone.agree(used)).path.partition("/photos")[0]
    closed = await phone.invite()
    for each in await hass.async_add_executor_job(hub.vault.links.invitations, dt_util.utcnow()):
        await hass.async_add_executor_job(hub.vault.links.close, each.invitation_id, dt_util.utcnow())
    token = own.rsplit("/", 1)[1]
    wrong = await phone.open(f"/familiar_faces/me/{NOBODYS}")
    assert wrong.status == 404
    # The frontend's service worker would keep a copy of a page with photos, and show it after a withdrawal.
    assert wrong.headers["Vary"] == "*"
    assert NOBODYS not in wrong.html
    for name, value in HEADERS.items():
        assert wrong.headers[name] == value
    below = (
        "",
        "/photos",
        "/photos/x",
        "/visits/x",
        "/choices",
        "/download",
        "/withdraw",
        "/nothing",
        "/done",
    )
    paths = [f"/familiar_faces/me/{NOBODYS}{each}" for each in below]
    paths += [f"/familiar_faces/{kind}/{each}" for kind in ("me", "invitation") for each in ODD]
    paths += [
        used,
        closed,
        f"/familiar_faces/invitation/{token}",
        own.replace("/me/", "/mine/"),
        "/familiar_faces/me/",
    ]
    paths += [
        f"{own}/photos/nothing",
        f"{own}/visits/nothing",
        f"{own}/done",
        f"/familiar_faces/invitation/{NOBODYS}",
    ]
    for path in paths:
        assert same(await phone.open(path)) == same(wrong), path
        assert same(await phone.send(path, CHOSEN)) == same(wrong) or path.startswith(f"{own}/done"), path
    for method in ("PUT", "PATCH", "DELETE"):
        for path in (own, f"{own}/photos", used, f"/familiar_faces/me/{NOBODYS}"):
            answer = await phone._answer(await phone.client.request(method, path))
            assert same(answer) == same(wrong), (method, path)
    for path in (own, f"{own}/withdraw", used):
        response = await phone.client.head(path)
        assert (response.status, await response.read()) == (404, b"")
    assert (await phone.open(own)).status == 200

    assert await hass.config_entries.async_unload(hub.entry.entry_id)
    for path in (own, used, f"/familiar_faces/me/{NOBODYS}"):
        assert same(await phone.open(path)) == same(wrong), path


async def test_every_link_is_looked_up_alike(hub: Hub, phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be a token goes the same way as what could be one, so that time tells nothing."""
    asked: list[str] = []
    find = hub.vault.links.person_of

    def person_of(token: str) -> str | None:
        asked.append(token)
        return find(token)

    monkeypatch.setattr(hub.vault.links, "person_of", person_of)
    for token in (NOBODYS, "x", "A" * 3000):
        await phone.open(f"/familiar_faces/me/{token}")
    assert asked == [NOBODYS, "x", "A" * 3000]


async def test_guessing_is_slowed_and_noticed(
    hass: HomeAssistant, hub: Hub, phone: Phone, waits: list[float]
) -> None:
    """Wrong links wait longer and longer, a right one never does, and the owner hears of it once."""
    path = await phone.invite()
    for _ in range(NOTICED + 2):
        await phone.open(f"/familiar_faces/me/{NOBODYS}")
    assert len(waits) == NOTICED + 2 - FREE
    assert waits == sorted(waits)
    assert waits[0] == 0.25
    assert waits[-1] == LONGEST_WAIT
    waits.clear()
    assert (await phone.open(path)).status == 200
    assert waits == []
    issue = ir.async_get(hass).async_get_issue(DOMAIN, "links_guessed")
    assert issue is not None
    assert issue.severity is ir.IssueSeverity.WARNING
    entries = await hass.async_add_executor_job(hub.vault.audit_entries)
    (noted,) = (each for each in entries if each.kind == "links_guessed")
    assert noted.person_id is None
    assert dict(noted.details) == {"wrong_links": NOTICED}


async def test_a_few_wrong_links_are_nothing(
    hass: HomeAssistant, hub: Hub, phone: Phone, waits: list[float]
) -> None:
    """An old link that is tried again is answered at once, and the owner hears nothing."""
    for _ in range(FREE):
        await phone.open(f"/familiar_faces/me/{NOBODYS}")
    assert waits == []
    assert ir.async_get(hass).async_get_issue(DOMAIN, "links_guessed") is None


def _request(remote: str = "192.0.2.1", **headers: str) -> Any:
    request = make_mocked_request("POST", "/", headers={"Host": "home.example:8123", **headers})
    return request.clone(remote=remote)


async def test_addresses(hass: HomeAssistant, waits: list[float]) -> None:
    """Each address has its own count, a network of IPv6 has one, and only so many are remembered."""
    guard = Guard(hass)
    for number in range(FREE + 1):
        await guard.async_wrong(_request(f"2001:db8:1:2:{number:x}::1"), None)
    assert waits == [0.25]
    await guard.async_wrong(_request("2001:db8:1:3::1"), None)
    assert waits == [0.25]
    for number in range(MAX_ADDRESSES + 50):
        guard._count(f"192.0.2.{number}", 0.0)
    assert len(guard._by_address) == MAX_ADDRESSES
    assert _address(_request("::ffff:192.0.2.7")) == "::ffff:192.0.2.7"
    assert _address(_request("")) == ""


@pytest.mark.usefixtures("socket_enabled")
async def test_behind_a_reverse_proxy(hass: HomeAssistant, waits: list[float]) -> None:
    """Visitors are told apart by what the owner's proxy says of them, and nobody can pretend to be many."""
    guard = Guard(hass)

    async def wrong(request: web.Request) -> web.Response:
        await guard.async_wrong(request, None)
        return web.Response()

    app = web.Application()
    app.router.add_get("/", wrong)
    async_setup_forwarded(app, True, [ip_network("127.0.0.1/32")])
    async with TestClient(TestServer(app)) as client:
        for _ in range(FREE + 1):
            await client.get("/", headers={"X-Forwarded-For": "203.0.113.5"})
        assert waits == [0.25]
        await client.get("/", headers={"X-Forwarded-For": "203.0.113.6"})
        assert waits == [0.25]
        # What the visitor claims comes first, and what the proxy has seen last.
        await client.get("/", headers={"X-Forwarded-For": "198.51.100.77, 203.0.113.5"})
        assert waits == [0.25, 0.5]
    assert set(guard._by_address) == {"203.0.113.5", "203.0.113.6"}


async def test_what_a_right_link_lacks_is_no_guess(
    hass: HomeAssistant, hub: Hub, phone: Phone, waits: list[float]
) -> None:
    """A page that is still open asks for pictures that were erased: nobody waits, and the owner hears nothing."""
    own = await phone.enrol(enrolment_photos())
    for _ in range(NOTICED + 5):
        assert (await phone.open(f"{own}/visits/{'a' * 16}")).status == 404
    assert waits == []
    assert ir.async_get(hass).async_get_issue(DOMAIN, "links_guessed") is None


async def test_changes_come_back(hass: HomeAssistant) -> None:
    """What somebody may send comes back with time, for each of them alone."""
    guard, now = Guard(hass), 1000.0
    with patch.object(guard, "_hass", SimpleNamespace(loop=SimpleNamespace(time=lambda: now))):
        for _ in range(int(MAX_CHANGES)):
            guard.count_change("a")
        with pytest.raises(TooOften):
            guard.count_change("a")
        guard.count_change("b")
        now += CHANGE_EVERY - 1
        with pytest.raises(TooOften):
            guard.count_change("a")
        now += 1
        guard.count_change("a")
        with pytest.raises(TooOften):
            guard.count_change("a")
        for number in range(MAX_ADDRESSES + 5):
            guard.count_change(f"person {number}")
    assert len(guard._changes) == MAX_ADDRESSES


async def test_many_addresses_together(hass: HomeAssistant, waits: list[float]) -> None:
    """Guessing from many addresses is slowed as well."""
    guard = Guard(hass)
    for number in range(FREE_IN_ALL + 3):
        await guard.async_wrong(_request(f"198.51.100.{number}"), None)
    assert waits == [0.25, 0.5, 1.0]


async def test_wrong_links_are_forgiven(hass: HomeAssistant, waits: list[float]) -> None:
    """One a minute: anyone who waits is answered at once again."""
    guard = Guard(hass)
    clock = itertools.count(1000.0, FORGIVEN_EVERY)
    loop = SimpleNamespace(time=lambda: next(clock))
    with patch.object(guard, "_hass", SimpleNamespace(loop=loop)):
        for _ in range(20):
            await guard.async_wrong(_request(), None)
    assert waits == []


async def test_a_flood_does_not_pile_up(hass: HomeAssistant) -> None:
    """Only so many answers wait at a time; the others are given at once."""
    guard, go_on = Guard(hass), asyncio.Event()

    async def sleep(_seconds: float) -> None:
        await go_on.wait()

    with patch.object(Guard, "_sleep", staticmethod(sleep)):
        tasks = [asyncio.ensure_future(guard.async_wrong(_request(), None)) for _ in range(MAX_WAITING + 60)]
        for _ in range(5):
            await asyncio.wait(tasks, timeout=0.01)
        assert sum(not each.done() for each in tasks) == MAX_WAITING
        go_on.set()
        await asyncio.gather(*tasks)


def test_delays() -> None:
    """A quarter of a second, then twice as long each time, up to the longest."""
    assert [delay(count, 3, 8.0) for count in range(1, 11)] == [0, 0, 0, 0.25, 0.5, 1, 2, 4, 8, 8]
    assert delay(10**9, 3, 8.0) == 8.0


@pytest.mark.parametrize(
    ("headers", "accepted"),
    [
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, True),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://home.example:8123"}, False),
        ({"Origin": "http://home.example:8123"}, True),
        ({"Origin": "https://HOME.example:8123"}, True),
        ({"Origin": "http://home.example"}, False),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "https://home.example:8123.evil.example"}, False),
        ({"Origin": "http://["}, False),
        ({"Origin": "null"}, True),
        ({}, True),
    ],
)
def test_where_a_form_comes_from(headers: dict[str, str], accepted: bool) -> None:
    """What the browser says of it decides; where it says nothing, the token in the path does."""
    assert sent_from_here(_request(**headers)) is accepted


async def test_forms_of_another_site_change_nothing(hub: Hub, phone: Phone) -> None:
    """Also with the right address: neither the invitation nor the own page takes them."""
    path = await phone.invite()
    read = (await phone.open(path)).value("read")
    fields = {**CHOSEN, "read": read}
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert (await phone.send(path, fields, **headers)).status == 403
    own = await phone.enrol(enrolment_photos())
    for each in ("withdraw", "choices", "photos", "done"):
        assert (await phone.send(f"{own}/{each}", fields, Origin="https://evil.example")).status == 403
    assert len(hub.people) == 1
    assert (await phone.open(path)).status == 200
    # A wrong link is refused in the same way: the origin is looked at first.
    assert (
        await phone.send(f"/familiar_faces/me/{NOBODYS}", {}, Origin="https://evil.example")
    ).status == 403


@pytest.mark.parametrize("too_much", ["long", "many", "chunked", "json"])
async def test_forms_have_limits(phone: Phone, too_much: str) -> None:
    """More than a form can hold is refused, and the invitation stays open."""
    path = await phone.invite()

    async def chunks() -> Any:
        for _ in range(MAX_FORM // 1000 + 2):
            yield b"name=" + b"x" * 995

    bodies: dict[str, Callable[[], Any]] = {
        "long": lambda: {"name": "x" * MAX_FORM},
        "many": lambda: [("camera", "x")] * 1000,
        "chunked": chunks,
        "json": lambda: b"{}",
    }
    kind = {"chunked": "application/x-www-form-urlencoded", "json": "application/json"}.get(too_much)
    headers = {} if kind is None else {"Content-Type": kind}
    response = await phone.client.post(path, data=bodies[too_much](), headers=headers)
    assert response.status == 413
    assert "Nothing was changed" in await response.text()
    assert (await phone.open(path)).status == 200


async def test_a_garbled_form(phone: Phone) -> None:
    """What cannot be unpacked is refused like whatever else is no form."""
    path = await phone.invite()
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Content-Encoding": "gzip"}
    # What is garbled ends the connection, of which nothing else is to be sent.
    response = await phone.client.post(path, data=b"no gzip", headers={**headers, "Connection": "close"})
    assert response.status == 413
    assert "Nothing was changed" in await response.text()
    assert (await phone.open(path)).status == 200


async def test_uploads_at_a_time(hass: HomeAssistant, hub: Hub, phone: Phone) -> None:
    """One upload a person and a few in all, and anyone who comes too much is told to try again."""
    guard = Guard(hass)
    with guard.upload("a"):
        with pytest.raises(UploadBusy), guard.upload("a"):
            pass
        with guard.upload("b"), guard.upload("c"), pytest.raises(UploadBusy), guard.upload("d"):
            pass
        with guard.upload("d"):
            pass
    assert MAX_UPLOADS == 3
    page = await phone.agree(await phone.invite())
    own = page.path.partition("/photos")[0]
    person_id = await phone.person_of(own)
    assert person_id is not None
    with async_get_guard(hass).upload(person_id):
        answer = await phone.upload(f"{own}/photos", enrolment_photos()[:1])
    assert answer.status == 503
    assert "other photos are being sent" in answer.text
    assert "This photo is good." in (await phone.upload(f"{own}/photos", enrolment_photos()[:1])).text


async def test_nothing_without_an_entry(
    hass: HomeAssistant, running: MockConfigEntry, visitor: TestClient[Any, Any]
) -> None:
    """Once the integration is removed there is nothing behind any link."""
    await hass.config_entries.async_remove(running.entry_id)
    for path in (f"/familiar_faces/me/{NOBODYS}", f"/familiar_faces/invitation/{NOBODYS}"):
        assert (await visitor.get(path)).status == 404
        assert (await visitor.post(path)).status == 404


def test_tokens() -> None:
    """43 letters of URL-safe base64, and nothing else."""
    assert well_formed(NOBODYS)
    assert not any(
        well_formed(each) for each in ("", NOBODYS[1:], NOBODYS + "A", NOBODYS[1:] + "\n", NOBODYS[1:] + "é")
    )
