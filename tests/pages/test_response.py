"""Every answer behind a link is strict, loads nothing of others, and leaves nothing where anybody could fetch it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
import re
from typing import Any

from freezegun import freeze_time
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest

from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.pages.response import HEADERS

from ..common.pictures import astronaut, enrolment_photos
from ..common.steps import ring, visits
from ..conftest import FrontDoor
from .visitors import CHOSEN, Answer, Phone

pytestmark = pytest.mark.usefixtures("no_waits")

LANGUAGES = ("en", "nl", "de")
IMPORTS = re.compile(
    r"^\s*(?:import|from)\s+(PIL|cv2|imageio|pyvips|turbojpeg|av|skimage|wand)\b", re.MULTILINE
)
"""What decodes a picture."""


def assert_strict(answer: Answer) -> None:
    """Nothing is kept by a browser, told to the next page, framed, or fetched by another site."""
    for name, value in HEADERS.items():
        assert answer.headers[name] == value, (answer.path, name)
    for name in ("Set-Cookie", "Access-Control-Allow-Origin", "ETag", "Last-Modified"):
        assert name not in answer.headers, (answer.path, name)


def assert_ours(answer: Answer) -> None:
    """A page names no address of others, and needs nothing that the policy forbids."""
    assert not re.search(r"<(style|iframe|object|embed|base)\b|\sstyle=|\son\w+=", answer.html), answer.path
    assert not re.search(
        r"<script(?! src=\"/familiar_faces/static/visitor\.js\" defer></script>)", answer.html
    )
    for address in re.findall(r'(?:src|href|action)="([^"]*)"', answer.html):
        assert address.startswith(("/familiar_faces/", "?lang=", "#")), address


async def test_every_answer_is_strict(
    hass: HomeAssistant, hub: Hub, phone: Phone, front_door: FrontDoor
) -> None:
    """Pages, pictures, files, redirects and refusals, in all languages."""
    invitation = await phone.invite()
    own = await phone.enrol(enrolment_photos())
    front_door.frames = visits(astronaut())
    await ring(hass, hub)
    await hass.async_block_till_done(wait_background_tasks=True)
    pages = [invitation, own, *(f"{own}/{each}" for each in ("choices", "photos", "withdraw", "nothing"))]
    for language in LANGUAGES:
        for path in pages:
            answer = await phone.open(f"{path}?lang={language}")
            assert_strict(answer)
            assert_ours(answer)
    pictures = [each for each in (await phone.open(own)).links if re.search(r"/(photos|visits)/\w", each)]
    assert {each.split("/")[4] for each in pictures if not each.endswith("?lang=en")} == {"photos", "visits"}
    for path in (*pictures, f"{own}/download"):
        assert_strict(await phone.open(path))

    wrong = await phone.send(f"{own}/choices", {**CHOSEN, "keeping": "everything"})
    refused = await phone.send(f"{own}/choices", {"name": "x" * 40_000})
    elsewhere = await phone.send(f"{own}/withdraw", {}, Origin="https://evil.example")
    no_photo = await phone.upload(f"{own}/photos", [b"no photo"])
    assert [each.status for each in (wrong, refused, elsewhere, no_photo)] == [200, 413, 403, 200]
    for answer in (wrong, refused, elsewhere, no_photo):
        assert_strict(answer)
        assert_ours(answer)
    read = (await phone.open(invitation)).value("read")
    taken = await phone.client.post(invitation, data={**CHOSEN, "read": read}, allow_redirects=False)
    assert taken.status == 303
    assert taken.headers["Location"].startswith("/familiar_faces/me/")
    assert_strict(await phone._answer(taken))
    receipt = await phone.send(f"{own}/withdraw", {})
    assert_strict(receipt)
    assert_ours(receipt)


async def test_an_expired_link_is_a_wrong_one(hass: HomeAssistant, hub: Hub, phone: Phone) -> None:
    """Nothing tells that there ever was an invitation, to look at it or to send its form."""

    def same(answer: Answer) -> tuple[Any, ...]:
        return answer.status, answer.body, {k: v for k, v in answer.headers.items() if k != "Date"}

    expired = await phone.invite()
    read = (await phone.open(expired)).value("read")
    wrong = f"/familiar_faces/invitation/{'A' * 43}"
    with freeze_time(dt_util.utcnow() + timedelta(hours=24, seconds=1)):
        assert same(await phone.open(expired)) == same(await phone.open(wrong))
        fields = {**CHOSEN, "read": read}
        assert same(await phone.send(expired, fields)) == same(await phone.send(wrong, fields))
        for method in ("OPTIONS", "TRACE", "PROPFIND"):
            answers = [
                await phone._answer(await phone.client.request(method, path)) for path in (expired, wrong)
            ]
            assert same(answers[0]) == same(answers[1]), method
    for method in ("OPTIONS", "TRACE", "PROPFIND"):
        answers = [await phone._answer(await phone.client.request(method, path)) for path in (expired, wrong)]
        assert same(answers[0]) == same(answers[1]), f"{method} tells an open one"


async def test_nothing_lies_where_it_could_be_fetched(
    hass: HomeAssistant, hub: Hub, phone: Phone, front_door: FrontDoor, config_folder: Path
) -> None:
    """Photos, pictures and exports are files in the vault's folder and nowhere else, and never as they are."""
    photos = enrolment_photos()
    own = await phone.enrol(photos)
    front_door.frames = visits(astronaut())
    await ring(hass, hub)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert (await phone.open(f"{own}/download")).status == 200

    def files() -> Iterator[Path]:
        return (each for each in config_folder.rglob("*") if each.is_file())

    ours = config_folder / ".storage" / "familiar_faces"
    assert any(ours in each.parents for each in files())
    for each in files():
        assert not {"www", "media", "image"} & set(each.relative_to(config_folder).parts), each
        assert each.suffix.lower() not in (".jpg", ".jpeg", ".png", ".webp", ".zip"), each
        assert not each.read_bytes().startswith((b"\xff\xd8\xff", b"\x89PNG", b"PK\x03\x04")), each
        assert not any(photo in each.read_bytes() for photo in photos), each


def test_only_the_engine_decodes() -> None:
    """In Home Assistant's own process nothing is there that could decode what a visitor sends."""
    root = Path(__file__).parents[2] / "custom_components" / "familiar_faces"
    sources = {path.relative_to(root): path.read_text(encoding="utf-8") for path in root.rglob("*.py")}
    found = {path.parts[0] for path, text in sources.items() if IMPORTS.search(text)}
    # A camera's stream is taken apart into packets there, which go to the engine as they came.
    assert found == {"engine", "capture"}
    decoding = re.compile(r"\.decode\(|to_ndarray|to_image|reformat")
    assert [
        path for path, text in sources.items() if path.parts[0] == "capture" and decoding.search(text)
    ] == []
