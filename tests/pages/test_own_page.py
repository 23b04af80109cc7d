"""Somebody's own page: all that is kept is shown, taken along, changed and ended, and only theirs."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from io import BytesIO
import json
import logging
import os
import threading
import time
from typing import Any
import zipfile
import zlib

from aiohttp import ClientError, FormData
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import numpy as np
from PIL import Image
import pytest

from custom_components.familiar_faces.const import EVERYWHERE
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.pages.guard import PAGES, TooOften, async_get_guard
from custom_components.familiar_faces.pages.visitor_photos import free_name
from custom_components.familiar_faces.pages.visitor_upload import MAX_BODY, MAX_PHOTO_BYTES
from custom_components.familiar_faces.people.choices import Choices, Keeping
from custom_components.familiar_faces.vault.errors import ErasedLater, VaultUnwritable
from custom_components.familiar_faces.vault.records import VisitRecord

from ..common.pictures import (
    astronaut,
    enrolment_photos,
    group,
    huge_png,
    jpeg,
    photos_of,
    png,
    stranger,
    variant,
)
from ..common.steps import enrol, ring, visits
from ..conftest import FrontDoor
from .visitors import CHOSEN, Phone, a_consent

pytestmark = pytest.mark.usefixtures("no_waits")

PICTURE = b"\xff\xd8\xff a picture of a visit"


async def audit_of(hub: Hub, person_id: str | None) -> list[str]:
    """Return what the audit log says of somebody, oldest first."""
    entries = await hub.hass.async_add_executor_job(hub.vault.audit_entries, person_id)
    return [each.kind for each in entries][::-1]


async def add_visit(hub: Hub, person_id: str, visit_id: str, picture: bytes | None = PICTURE) -> None:
    """Keep a visit."""
    (camera_id,) = hub.watchers
    now = dt_util.utcnow()
    visit = VisitRecord(visit_id, person_id, camera_id, now - timedelta(hours=1), 0.9, 3)
    await hub.hass.async_add_executor_job(hub.vault.add_visit, visit, picture, now)


@pytest.fixture
async def own(phone: Phone) -> str:
    """Return the own page of somebody who came by an invitation."""
    return await phone.enrol(enrolment_photos())


async def own_id(phone: Phone, own: str) -> str:
    """Return whose page it is."""
    person_id = await phone.person_of(own)
    assert person_id is not None
    return person_id


async def test_what_is_kept_is_shown(hass: HomeAssistant, hub: Hub, phone: Phone, own: str) -> None:
    """The consent with its text, every photo, every visit with its picture, and how long each."""
    person_id = await own_id(phone, own)
    await add_visit(hub, person_id, "a" * 16)
    await add_visit(hub, person_id, "b" * 16, None)
    page = await phone.open(own)
    for said in (
        "Eileen",
        "Your consent is valid",
        "At every camera",
        "Front door",
        "30 days",
        "7 days",
        "36 months",
    ):
        assert said in page.text
    person = hub.people[person_id]
    assert person.consent is not None
    for paragraph in person.consent.text.split("\n\n"):
        assert paragraph in page.text
    photos = [each for each in page.links if each.startswith(f"{own}/photos/")]
    assert sorted(photos) == sorted(f"{own}/photos/{each.template_id}" for each in person.templates)
    for template in person.templates:
        shown = await phone.open(f"{own}/photos/{template.template_id}")
        kept = await hass.async_add_executor_job(hub.vault.reference_photo, template.template_id)
        assert (shown.status, shown.headers["Content-Type"], shown.body) == (200, "image/jpeg", kept)
    assert [each for each in page.links if "/visits/" in each] == [f"{own}/visits/{'a' * 16}"]
    assert (await phone.open(f"{own}/visits/{'a' * 16}")).body == PICTURE
    assert (await phone.open(f"{own}/visits/{'b' * 16}")).status == 404


async def test_a_visit_at_the_door(
    hass: HomeAssistant, hub: Hub, phone: Phone, own: str, front_door: FrontDoor
) -> None:
    """A real ring stands on the page with its picture, and in the file to take along."""
    front_door.frames = visits(astronaut())
    await ring(hass, hub)
    await hass.async_block_till_done(wait_background_tasks=True)
    page = await phone.open(own)
    (picture,) = (each for each in page.links if "/visits/" in each)
    shown = await phone.open(picture)
    assert Image.open(BytesIO(shown.body)).format == "JPEG"

    answer = await phone.open(f"{own}/download?lang=nl")
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="familiar-faces-')
    with zipfile.ZipFile(BytesIO(answer.body)) as archive:
        assert archive.testzip() is None
        contents = {name: archive.read(name) for name in archive.namelist()}
    assert shown.body in contents.values()
    assert any(b"Eileen" in data for name, data in contents.items() if name.endswith(".json"))
    assert any(b'lang="nl"' in data for name, data in contents.items() if name.endswith(".html"))
    assert "exported" in await audit_of(hub, await own_id(phone, own))


async def test_only_what_is_ones_own(hass: HomeAssistant, hub: Hub, phone: Phone, own: str) -> None:
    """Nobody sees or removes what is another person's through their own link, whatever ids they know."""
    other = await enrol(hass, hub.entry, photos_of(stranger(0)), name="Paul")
    await add_visit(hub, other, "c" * 16)
    template = hub.people[other].templates[0].template_id
    assert (await phone.open(f"{own}/photos/{template}")).status == 404
    assert (await phone.send(f"{own}/photos/{template}/remove", {})).status == 404
    assert (await phone.open(f"{own}/visits/{'c' * 16}")).status == 404
    assert len(hub.people[other].templates) == 2
    assert "Paul" not in (await phone.open(own)).text
    for odd in ("..%2f..%2fsecrets.yaml", "%2e%2e", "..;", "%00", "a/b", "' OR '1'='1", "x" * 4000):
        for where in ("photos", "visits"):
            assert (await phone.open(f"{own}/{where}/{odd}")).status in (400, 404), odd


async def test_other_people_are_not_given_away(hass: HomeAssistant, hub: Hub, phone: Phone) -> None:
    """Who a photo resembles is said to nobody without an account: it would tell who else is known."""
    await enrol(hass, hub.entry, photos_of(stranger(0)), name="Paul Secret")
    page = await phone.agree(await phone.invite())
    answer = await phone.upload(page.path, photos_of(stranger(0))[:1])
    assert "could mix people up" in answer.text
    assert "Paul" not in answer.html
    assert "Secret" not in answer.html
    assert await hass.async_add_executor_job(hub.vault.stored) is not None
    person_id = await own_id(phone, page.path.partition("/photos")[0])
    assert (await hass.async_add_executor_job(hub.vault.person, person_id)).templates == ()


def bomb() -> bytes:
    """Return a small PNG of a great many pixels that is right in every way."""
    pixels = zlib.compressobj(9)
    rows = b"".join([pixels.compress(bytes(20_001) * 100) for _ in range(200)]) + pixels.flush()
    start = huge_png(20_000)
    header = start[: start.index(b"IDAT") - 4]
    chunk = b"IDAT" + rows
    return header + len(rows).to_bytes(4) + chunk + zlib.crc32(chunk).to_bytes(4) + start[-12:]


def archive() -> bytes:
    """Return a zip file."""
    data = BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        file.writestr("face.jpg", enrolment_photos()[0])
    return data.getvalue()


async def test_each_photo_is_judged(hass: HomeAssistant, hub: Hub, phone: Phone) -> None:
    """Every file gets its own verdict, what is no photo never reaches the store, and the engine lives on."""
    page = await phone.agree(await phone.invite())
    own = page.path.partition("/photos")[0]
    good = enrolment_photos()[0]
    answer = await phone.upload(
        f"{own}/photos",
        [
            archive(),
            b"GIF89a" + bytes(100),
            b"\x00\x00\x00\x18ftypheic" + bytes(100),
            b"\xff\xd8\xff\xe0" + os.urandom(1000),
            huge_png(),
            bomb(),
            jpeg(group()),
            good,
        ],
    )
    assert answer.status == 200
    said = [
        "cannot be read as a photo",
        "cannot be read as a photo",
        "part of the photo is missing",
        "cannot be read as a photo",
        "too large",
        "too large",
        "more than one face",
        "This photo is good.",
    ]
    for number, sentence in enumerate(said, start=1):
        verdict = answer.text.partition(f"Photo {number}:")[2].partition(f"Photo {number + 1}:")[0]
        assert sentence in verdict, number
    person_id = await own_id(phone, own)
    person = await hass.async_add_executor_job(hub.vault.person, person_id)
    assert len(person.templates) == 1
    for photo, sentence in (
        (good, "was already added"),
        (jpeg(variant(astronaut().resize((540, 540)), blur=12)), "too blurred"),
        (jpeg(Image.fromarray(np.full((400, 400, 3), 128, np.uint8))), "no face"),
        (photos_of(stranger(0))[0], "does not look like the other photos"),
        (jpeg(astronaut().resize((200, 200))), "too small"),
        (png(astronaut().resize((540, 540))), "This photo is good."),
    ):
        assert sentence in (await phone.upload(f"{own}/photos", [photo])).text


async def test_too_much_at_a_time(hass: HomeAssistant, hub: Hub, phone: Phone) -> None:
    """Of nine files the ninth is not looked at, one that is too large is read past, and of too many bytes nothing is read."""
    page = await phone.agree(await phone.invite())
    own = page.path.partition("/photos")[0]
    answer = await phone.upload(f"{own}/photos", [b"no picture"] * 9)
    assert answer.text.count("cannot be read as a photo") == 8
    assert answer.text.count("too many photos at a time") == 1

    large = enrolment_photos()[0] + bytes(MAX_PHOTO_BYTES)
    answer = await phone.upload(f"{own}/photos", [large, enrolment_photos()[0]])
    assert answer.text.count("the photo is too large") == 1
    assert answer.text.count("This photo is good.") == 1
    just = enrolment_photos()[1]
    answer = await phone.upload(f"{own}/photos", [just + bytes(MAX_PHOTO_BYTES - len(just))])
    assert "too large" not in answer.text

    nothing = FormData(default_to_multipart=True)
    nothing.add_field("photo", b"", filename="", content_type="application/octet-stream")
    response = await phone.client.post(f"{own}/photos", data=nothing)
    assert "No photo was chosen" in await response.text()

    async def endless() -> Any:
        yield b"--x\r\nContent-Disposition: form-data; name=photo; filename=a.jpg\r\n\r\n"
        yield bytes(1000)

    for headers in ({}, {"Content-Length": str(MAX_BODY + 1)}):
        response = await phone.client.post(
            f"{own}/photos",
            data=endless(),
            headers={"Content-Type": "multipart/form-data; boundary=x", **headers},
        )
        assert response.status == 413
        assert "too much at a time" in await response.text()
    person = await hass.async_add_executor_job(hub.vault.person, await own_id(phone, own))
    assert len(person.templates) == 2


@pytest.mark.parametrize(
    "garbled",
    [b"no header\r\n\r\n", b'Content-Disposition: form-data; name="_charset_"\r\n\r\n' + bytes(99)],
    ids=["header", "charset"],
)
async def test_garbled_photos(phone: Phone, garbled: bytes) -> None:
    """What no browser sends is refused like whatever else is no form."""
    page = await phone.agree(await phone.invite())
    response = await phone.client.post(
        page.path,
        data=b"--x\r\n" + garbled + b"\r\n--x--\r\n",
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    )
    assert response.status == 413
    assert "too much at a time" in await response.text()


async def test_a_network_that_is_gone(
    hass: HomeAssistant, hub: Hub, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose photo comes no further does not hold their place, and can send it again."""
    monkeypatch.setattr("custom_components.familiar_faces.pages.visitor_upload.IDLE_SECONDS", 0.2)
    page = await phone.agree(await phone.invite())
    own = page.path.partition("/photos")[0]
    gone = asyncio.Event()

    async def stalling() -> Any:
        yield b"--x\r\nContent-Disposition: form-data; name=photo; filename=a.jpg\r\n\r\n\xff\xd8\xff"
        await gone.wait()

    headers = {"Content-Type": "multipart/form-data; boundary=x", "Content-Length": "100000"}
    sending = asyncio.ensure_future(phone.client.post(f"{own}/photos", data=stalling(), headers=headers))
    async with asyncio.timeout(60):
        while not async_get_guard(hass)._uploading:
            await asyncio.sleep(0.01)
        assert "other photos are being sent" in (await phone.upload(f"{own}/photos", [b"x"])).text
        while async_get_guard(hass)._uploading:
            await asyncio.sleep(0.01)
    assert "This photo is good." in (await phone.upload(f"{own}/photos", enrolment_photos()[:1])).text
    gone.set()
    with suppress(ClientError):
        assert (await sending).status == 413


async def test_done_needs_a_photo(hub: Hub, phone: Phone) -> None:
    """Without a good photo nobody is enrolled, and the page says what is missing."""
    page = await phone.agree(await phone.invite())
    own = page.path.partition("/photos")[0]
    assert (await phone.send(f"{own}/done", {})).path.startswith(f"{own}/photos")
    assert not hub.people
    assert "You are not recognised yet" in (await phone.open(own)).text
    await phone.upload(f"{own}/photos", enrolment_photos()[:1])
    (photo,) = [each for each in (await phone.open(f"{own}/photos")).links if "/photos/" in each]
    assert (await phone.send(f"{photo}/remove", {})).status == 200
    assert (await phone.send(f"{own}/done", {})).path.startswith(f"{own}/photos")
    assert not hub.people


async def test_photos_are_added_and_removed(hub: Hub, phone: Phone, own: str) -> None:
    """All photos but the last in use can be removed, and new ones count at once."""
    person_id = await own_id(phone, own)
    ids = [each.template_id for each in hub.people[person_id].templates]
    for left, template_id in enumerate(ids[:0:-1]):
        assert (await phone.send(f"{own}/photos/{template_id}/remove", {})).status == 200
        assert len(hub.people[person_id].templates) == len(ids) - left - 1
    page = await phone.open(own)
    assert "/remove" not in page.html
    assert "The last photo can only be removed with everything else" in page.text
    assert (await phone.send(f"{own}/photos/{ids[0]}/remove", {})).status == 200
    assert [each.template_id for each in hub.people[person_id].templates] == ids[:1]
    await phone.upload(f"{own}/photos", enrolment_photos()[1:2])
    assert len(hub.people[person_id].templates) == 2
    assert (await audit_of(hub, person_id)).count("reference_removed") == 2


async def test_choices_are_changed(hass: HomeAssistant, hub: Hub, phone: Phone, own: str) -> None:
    """A new consent counts at once, what it does not allow is erased, and the one before can still be read."""
    person_id = await own_id(phone, own)
    await add_visit(hub, person_id, "d" * 16)
    page = await phone.open(f"{own}/choices")
    assert page.checked("keeping", "visits")
    assert page.checked("everywhere")
    assert page.checked("pictures")
    assert not page.checked("agreed")
    wrong = await phone.agree(f"{own}/choices", keeping=None)
    assert "Choose what may happen" in wrong.text
    assert len(hub.people[person_id].consents) == 1

    answer = await phone.agree(f"{own}/choices", keeping="nothing", pictures=None, name="Mallory")
    assert answer.path == f"{own}?lang=en"
    person = hub.people[person_id]
    assert person.name == "Eileen"
    assert person.choices == Choices(None, Keeping.NOTHING, False)
    assert len(person.consents) == 2
    assert "No visits of yours are kept" in answer.text
    assert "replaced by a later consent" in answer.text
    assert await hass.async_add_executor_job(hub.vault.visits, person_id) == []


async def test_consents_of_the_owners_dialog(hass: HomeAssistant, hub: Hub, phone: Phone) -> None:
    """What was agreed to elsewhere is shown too, with cameras that are gone, and can be renewed."""
    person_id = await enrol(hass, hub.entry, photos_of(stranger(0)), name="Paul")
    await hass.async_add_executor_job(hub.vault.record_consent, person_id, a_consent())
    await hub.async_refresh_people()
    own = await phone.own_path(person_id)
    page = await phone.open(own)
    for said in ("a camera that is gone", "in person", "What Paul agreed to.", "Second paragraph."):
        assert said in page.text
    await hass.async_add_executor_job(
        hub.vault.record_consent,
        person_id,
        a_consent(consent_id="over", valid_until=dt_util.utcnow() - timedelta(hours=1)),
    )
    await hub.async_refresh_people()
    page = await phone.open(own)
    assert "Your consent has ended" in page.text
    assert "no valid consent" in (await phone.upload(f"{own}/photos", enrolment_photos()[:1])).text
    await phone.agree(f"{own}/choices")
    assert "Your consent is valid" in (await phone.open(own)).text
    assert hub.people[person_id].may_be_recognised(dt_util.utcnow())


@pytest.mark.parametrize("language", ["en", "nl", "de"])
async def test_withdrawn(hass: HomeAssistant, hub: Hub, phone: Phone, own: str, language: str) -> None:
    """One page asks, the next is the receipt, and everything behind the link is gone."""
    person_id = await own_id(phone, own)
    await add_visit(hub, person_id, "e" * 16)
    photo = f"{own}/photos/{hub.people[person_id].templates[0].template_id}"
    await hub.settings.async_switch_recognition(False, EVERYWHERE)
    await hub.engine.stop()
    paths = (own, f"{own}/photos", photo, f"{own}/visits/{'e' * 16}", f"{own}/choices", f"{own}/download")
    for path in (*paths, f"{own}/withdraw"):
        assert (await phone.open(path)).status == 200, path
    assert hub.people, "looking withdraws nothing"

    receipt = await phone.send(f"{own}/withdraw?lang={language}", {})
    assert receipt.status == 200
    assert f'<html lang="{language}">' in receipt.html
    rows = {"templates": 3, "photos": 3, "visits": 1, "pictures": 1, "consents": 1, "invitations": 1}
    cells = [cell.strip() for cell in receipt.html.replace("</td>", "<td>").split("<td>")]
    assert [each for each in cells if each.isdigit()][: len(rows)] == [str(each) for each in rows.values()]
    kept = await hass.async_add_executor_job(hub.vault.receipt, person_id)
    assert kept is not None
    assert kept.verified
    assert "Eileen" not in receipt.text
    assert not hub.people
    assert hass.states.get("event.eileen_seen") is None
    for path in (*paths, f"{own}/withdraw"):
        assert (await phone.open(path)).status == 404, path
    for path in (f"{own}/photos", f"{own}/choices", f"{own}/withdraw", f"{own}/done", f"{photo}/remove"):
        assert (await phone.send(path, CHOSEN)).status == 404, path
    entries = await hass.async_add_executor_job(hub.vault.audit_entries, person_id)
    assert {each.details.get("reason") for each in entries if each.kind == "forgotten"} == {"withdrawn"}


async def hang_up(
    phone: Phone, monkeypatch: pytest.MonkeyPatch, method: str, path: str, fields: Mapping[str, Any]
) -> None:
    """Send a form and hang up while the vault is at work, on a server that then stops, as Home Assistant's does."""
    hass, server = phone.hub.hass, phone.client.server.runner.server
    assert server is not None
    server.handler_cancellation = True
    begun, go_on = threading.Event(), threading.Event()
    work = getattr(phone.hub.vault, method)

    def slow(*args: Any) -> Any:
        begun.set()
        go_on.wait(60)
        return work(*args)

    monkeypatch.setattr(phone.hub.vault, method, slow)
    sending = asyncio.ensure_future(phone.send(path, fields))
    assert await hass.async_add_executor_job(begun.wait, 60)
    connections = len(server.connections)
    sending.cancel()
    with suppress(asyncio.CancelledError):
        await sending
    async with asyncio.timeout(60):
        while len(server.connections) >= connections:
            await asyncio.sleep(0.01)
    # What is stopped is stopped now.
    await asyncio.sleep(0.05)
    go_on.set()
    await hass.async_block_till_done(wait_background_tasks=True)


async def test_withdrawn_and_hung_up(
    hass: HomeAssistant, hub: Hub, phone: Phone, own: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anyone who says no and closes the page at once has said no, and everything is erased."""
    person_id = await own_id(phone, own)
    await hang_up(phone, monkeypatch, "withdraw_consent", f"{own}/withdraw", {})
    assert person_id not in hub.people
    receipt = await hass.async_add_executor_job(hub.vault.receipt, person_id)
    assert receipt is not None
    assert receipt.templates == 3


async def test_chosen_and_hung_up(
    hass: HomeAssistant, hub: Hub, phone: Phone, own: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was chosen otherwise counts at once, whether the answer was waited for or not."""
    person_id = await own_id(phone, own)
    read = (await phone.open(f"{own}/choices")).value("read")
    fields = {**CHOSEN, "keeping": "silent", "read": read}
    await hang_up(phone, monkeypatch, "record_consent", f"{own}/choices", fields)
    assert hub.people[person_id].choices.keeping is Keeping.SILENT


async def test_a_photo_and_hung_up(
    hass: HomeAssistant, hub: Hub, phone: Phone, own: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A photo that is being removed when the page is closed is no longer compared with."""
    person_id = await own_id(phone, own)
    photo_id = hub.people[person_id].templates[0].template_id
    await hang_up(phone, monkeypatch, "remove_reference", f"{own}/photos/{photo_id}/remove", {})
    assert photo_id not in {each.template_id for each in hub.people[person_id].templates}
    assert hub.gallery is not None
    assert len(hub.people[person_id].templates) == 2


async def test_too_often(hass: HomeAssistant, hub: Hub, phone: Phone, own: str) -> None:
    """A link is no way to fill the vault and its log, or to keep the engine busy; saying no is never too often."""
    person_id = await own_id(phone, own)
    guard, counted = async_get_guard(hass), 0
    with suppress(TooOften):
        while counted < 1000:
            guard.count_change(person_id)
            counted += 1
    assert 40 < counted < 60, "three photos and being done are counted already"
    before = await audit_of(hub, person_id)
    for answer in (
        await phone.agree(f"{own}/choices", keeping="nothing"),
        await phone.open(f"{own}/download"),
    ):
        assert answer.status == 429
        assert "Nothing was changed" in answer.text
    sent = await phone.upload(f"{own}/photos", enrolment_photos()[:1])
    assert sent.status == 429
    assert "too much was sent" in sent.text
    photo = f"{own}/photos/{hub.people[person_id].templates[0].template_id}"
    assert (await phone.send(f"{photo}/remove", {})).status == 429
    assert (await phone.send(f"{own}/done", {})).status == 429
    assert await audit_of(hub, person_id) == before
    assert hub.people[person_id].choices.keeping is Keeping.VISITS
    assert (await phone.open(own)).status == 200
    assert (await phone.send(f"{own}/withdraw", {})).status == 200
    assert person_id not in hub.people


async def test_downloads_at_a_time(hass: HomeAssistant, hub: Hub, phone: Phone, own: str) -> None:
    """A download comes in pieces, and only a few at once."""
    person_id, guard = await own_id(phone, own), async_get_guard(hass)
    with guard.download(person_id), guard.download(person_id):
        assert (await phone.open(f"{own}/download")).status == 429
        with guard.download("somebody else"):
            pass
    for _ in range(3):
        answer = await phone.open(f"{own}/download")
        assert answer.status == 200
        assert answer.headers["Transfer-Encoding"] == "chunked"
        with zipfile.ZipFile(BytesIO(answer.body)) as archive:
            assert archive.testzip() is None


async def test_forgotten_while_downloading(
    hass: HomeAssistant, hub: Hub, phone: Phone, own: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection is cut, so that what has come so far is not taken for all of it."""
    person_id = await own_id(phone, own)
    read = hub.vault.reference_photo

    def forget(template_id: str) -> bytes:
        photo = read(template_id)
        hub.vault.forget(person_id, dt_util.utcnow())
        return photo

    monkeypatch.setattr(hub.vault, "reference_photo", forget)
    with pytest.raises(ClientError):
        await phone.open(f"{own}/download")
    assert (await phone.open(own)).status == 404


async def test_a_few_pages_at_a_time(
    hass: HomeAssistant, hub: Hub, phone: Phone, own: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anyone who opens a page a great many times leaves threads to the rest of Home Assistant."""
    lock, full = threading.Lock(), threading.Event()
    at_work, most, state = 0, 0, hub.vault.state

    def slow(person_id: str) -> Any:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
            if at_work == PAGES:
                full.set()
        # Until all there is room for are at work, and long enough for one too many to come.
        full.wait(60)
        time.sleep(0.1)
        with lock:
            at_work -= 1
        return state(person_id)

    monkeypatch.setattr(hub.vault, "state", slow)
    answers = await asyncio.gather(*(phone.open(own) for _ in range(16)))
    assert {each.status for each in answers} == {200}
    assert most == PAGES


async def test_withdrawn_before_being_done(hub: Hub, phone: Phone) -> None:
    """Anyone who changes their mind while sending photos leaves nothing either."""
    page = await phone.agree(await phone.invite())
    own = page.path.partition("/photos")[0]
    await phone.upload(f"{own}/photos", enrolment_photos()[:1])
    assert (await phone.send(f"{own}/withdraw", {})).status == 200
    assert (await phone.open(own)).status == 404
    people = await hub.hass.async_add_executor_job(lambda: hub.vault.people(include_enrolling=True))
    assert people == []


async def test_withdrawn_on_a_full_disk(
    hass: HomeAssistant, hub: Hub, phone: Phone, own: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Recognition stops at once, the page says that the rest is done later, and it is."""
    person_id = await own_id(phone, own)

    def full(*_args: object) -> None:
        raise ErasedLater

    with monkeypatch.context() as patched:
        patched.setattr(hub.vault, "forget", full)
        answer = await phone.send(f"{own}/withdraw", {})
        assert answer.status == 200
        assert answer.text.lstrip().startswith("You are no longer recognised"), (
            "its title says something else"
        )
        assert "You are no longer recognised" in answer.text
        assert "tried again every hour" in answer.text
        assert person_id not in hub.people
        assert (await phone.open(own)).status == 404
        assert (await phone.upload(f"{own}/photos", enrolment_photos()[:1])).status == 404
    await hub.purging.async_purge()
    assert await hass.async_add_executor_job(hub.vault.receipt, person_id) is not None


async def test_withdrawn_where_nothing_can_be_written(
    hass: HomeAssistant, hub: Hub, phone: Phone, own: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not on the disk is not confirmed, though they are no longer recognised for now."""
    person_id = await own_id(phone, own)

    def refuse(*_args: object) -> None:
        raise VaultUnwritable

    with monkeypatch.context() as patched:
        patched.setattr(hub.vault, "forget", refuse)
        answer = await phone.send(f"{own}/withdraw", {})
    assert answer.status == 503
    assert answer.text.lstrip().startswith("Not saved yet")
    assert "applies at once" not in answer.text
    assert "erased" not in answer.text.partition("Not erased")[0]
    assert person_id not in hub.people
    await hub.purging.async_purge()
    assert await hass.async_add_executor_job(hub.vault.receipt, person_id) is not None


async def test_damaged(
    hass: HomeAssistant, hub: Hub, phone: Phone, own: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person is told when their data can no longer be read, and can have it erased anyway."""

    def spoil() -> None:
        with hub.vault._database.write() as connection:
            connection.execute("UPDATE person SET sealed = x'00'")

    await hass.async_add_executor_job(spoil)
    page = await phone.open(own)
    assert page.status == 503
    assert f"{own}/withdraw?lang=en" in page.links
    assert (await phone.open(f"{own}/withdraw")).status == 200
    assert (await phone.send(f"{own}/withdraw", {})).status == 200
    assert (await phone.open(own)).status == 404


async def test_the_engine_is_away(hub: Hub, phone: Phone, own: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Photos wait for it, and nothing else does."""
    monkeypatch.setattr("custom_components.familiar_faces.enrolment.reference_photos.ENGINE_PATIENCE", 0.1)
    await hub.engine.stop()
    waited: list[float] = []
    wait_ready = hub.engine.wait_ready

    async def wait(patience: float) -> bool:
        waited.append(patience)
        return await wait_ready(patience)

    monkeypatch.setattr(hub.engine, "wait_ready", wait)
    answer = await phone.upload(f"{own}/photos", [b"\xff\xd8\xff"] * 3)
    assert answer.status == 200
    assert answer.text.count("recognition is not ready") == 3
    assert waited == [0.1], "others who send photos wait as well"
    assert (await phone.open(f"{own}/download")).status == 200


async def test_viewing_is_noted_once_an_hour(hub: Hub, phone: Phone, own: str) -> None:
    """The log says that the page was looked at, and does not grow with every look."""
    for _ in range(3):
        await phone.open(own)
    assert (await audit_of(hub, await own_id(phone, own))).count("own_page_viewed") == 1


async def test_no_token_is_kept_or_logged(
    hass: HomeAssistant, hub: Hub, phone: Phone, own: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A token is in no state, in no audit entry, and in no line of the log."""
    token = own.rsplit("/", 1)[1]
    await phone.open(own)
    await phone.send(f"{own}/withdraw", {})
    states = json.dumps([each.as_dict() for each in hass.states.async_all()], default=str)
    assert token not in states
    for entry in await hass.async_add_executor_job(hub.vault.audit_entries):
        assert token not in repr(entry)
        assert "Eileen" not in repr(entry)
    # Home Assistant's own "Serving ..." comes only when the owner asks for its debug log, and it keeps the access
    # log, which this harness has, at warnings.
    said = [
        each.getMessage()
        for each in caplog.records
        if each.levelno >= logging.INFO and each.name != "aiohttp.access"
    ]
    assert caplog.records
    assert not [each for each in said if token in each or token in each.casefold()]


def test_a_free_name() -> None:
    """The number goes on until it is nobody's."""
    assert free_name("Anna", set()) == "Anna"
    assert free_name("Anna", {"anna"}) == "Anna 2"
    assert free_name("Anna", {"anna", "anna 2"}) == "Anna 3"
