"""The papers: live, in three languages, off until switched on, and nobody's address."""

import copy
from dataclasses import fields
from datetime import timedelta
from html import unescape
import os
import re
import subprocess
from typing import Any
from urllib.parse import unquote

from aiohttp.test_utils import TestClient
from homeassistant.components.http.auth import async_sign_path
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import numpy as np
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.familiar_faces.const import PAPERS
from custom_components.familiar_faces.engine.model_card import model_card, space
from custom_components.familiar_faces.engine.pinned import Variant
from custom_components.familiar_faces.pages.papers import PAIRS_RIGHT
from custom_components.familiar_faces.pages.papers_facts import SCHEDULE, CameraFacts, Facts, card_of
from custom_components.familiar_faces.people.measured import MEASURED
from custom_components.familiar_faces.people.promise import promises
from custom_components.familiar_faces.vault.records import StoredItems
from custom_components.familiar_faces.vault.retention import Retention
from custom_components.familiar_faces.wording.renderer import Renderer

from ..common.source import ROOT
from .conftest import SHOWN, SetOptions

LANGUAGES = ("en", "nl", "de")
Visitor = TestClient[Any, Any]

LIVE = {
    "consent_days": 201,
    "child_consent_days": 102,
    "visit_days": 17,
    "picture_days": 3,
    "review_hours": 35,
    "unseen_days": 303,
    "audit_days": 404,
    "invitation_hours": 5,
}
SAID = {
    "en": [
        "201 days",
        "102 days",
        "17 days",
        "3 days",
        "35 hours",
        "303 days",
        "404 days",
        "5 hours",
    ],
    "nl": [
        "201 dagen",
        "102 dagen",
        "17 dagen",
        "3 dagen",
        "35 uur",
        "303 dagen",
        "404 dagen",
        "5 uur",
    ],
    "de": [
        "201 Tage",
        "102 Tage",
        "17 Tage",
        "3 Tage",
        "35 Stunden",
        "303 Tage",
        "404 Tage",
        "5 Stunden",
    ],
}
TITLES = {
    "en": "This door recognises people who agreed to it",
    "nl": "Deze deur herkent mensen die daarmee hebben ingestemd",
    "de": "Diese Tür erkennt Menschen, die darin eingewilligt haben",
}
NOT_THERE = [
    "/familiar_faces/no-such-page",
    "/familiar_faces/",
    "/familiar_faces/a/b/c",
    "/familiar_faces/static/x",
]


async def read(visitor: Visitor, path: str, language: str = "en") -> str:
    """Return a page that is there."""
    answer = await visitor.get(f"{path}?lang={language}")
    assert answer.status == 200, path
    html = await answer.text()
    assert f'<html lang="{language}">' in html
    return html


def words(html: str) -> str:
    """Return what can be read of a page."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html.split("<main", 1)[1])))


async def record_link(hass: HomeAssistant, user: MockUser, language: str = "en", hours: int = 1) -> str:
    """Return the link to the record that a user had signed."""
    token = await hass.auth.async_create_refresh_token(user, "https://client.example")
    return async_sign_path(
        hass, f"/familiar_faces/record/{language}", timedelta(hours=hours), refresh_token_id=token.id
    )


# Live


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("paper", ["notice", "policy", "record"])
async def test_every_period_is_the_live_one(
    hass: HomeAssistant,
    visitor: Visitor,
    set_options: SetOptions,
    hass_admin_user: MockUser,
    paper: str,
    language: str,
) -> None:
    """Each paper with a schedule says every period, before and after the owner changed them, and no old one."""
    set_options(**SHOWN)

    async def said() -> str:
        if paper != "record":
            return words(await read(visitor, PAPERS[paper], language))
        answer = await visitor.get(await record_link(hass, hass_admin_user, language))
        assert answer.status == 200
        return words(await answer.text())

    def found(paper: str) -> set[str]:
        # Not in "10:15 uur", which is when the paper was made.
        return {text for text in SAID[language] if re.search(rf"(?<!\d){re.escape(text)}", paper)}

    before = await said()
    assert found(before) == set()
    assert Renderer.load().texts[language]["papers.kept.review_off"] in before
    set_options(**LIVE)
    after = await said()
    assert found(after) == set(SAID[language])
    thirty = {"en": "30 days", "nl": "30 dagen", "de": "30 Tage"}[language]
    assert thirty in before
    assert thirty not in after


@pytest.mark.parametrize("language", LANGUAGES)
async def test_notice(
    hass: HomeAssistant, visitor: Visitor, set_options: SetOptions, running: MockConfigEntry, language: str
) -> None:
    """The notice says who is responsible, when a camera is looked at, and what becomes of strangers."""
    set_options(**SHOWN)
    texts = Renderer.load().texts[language]
    html = await read(visitor, PAPERS["notice"], language)
    said = words(html)
    assert f"<h1>{TITLES[language]}</h1>" in html
    assert "Eileen Collins" in said
    assert '<a href="mailto:eileen@example.org">eileen@example.org</a>' in html
    assert texts["papers.notice.on_ring"] in said
    assert texts["papers.notice.always"] not in said
    assert texts["papers.notice.not_agreed_nothing"] in said
    assert texts["papers.notice.public_space"] not in said

    (camera,) = running.subentries.values()
    hass.config_entries.async_update_subentry(
        running, camera, data={**camera.data, "mode": "on_motion", "public_space": True}
    )
    await hass.async_block_till_done()
    set_options(review_hours=48, contact="+31 20 123 45 67")
    html = await read(visitor, PAPERS["notice"], language)
    said = words(html)
    assert texts["papers.notice.on_motion"] in said
    assert texts["papers.notice.on_ring"] not in said
    assert texts["papers.notice.public_space"] in said
    assert texts["papers.notice.not_agreed_nothing"] not in said
    assert {"en": "2 days", "nl": "2 dagen", "de": "2 Tage"}[language] in said
    assert 'href="tel:+31201234567"' in html


@pytest.mark.parametrize("language", LANGUAGES)
async def test_sign(hass: HomeAssistant, visitor: Visitor, set_options: SetOptions, language: str) -> None:
    """A camera reads the address of the notice from the sign; without an address the sign says what to do."""
    set_options(**SHOWN)
    texts = Renderer.load().texts[language]
    hass.config.internal_url = hass.config.external_url = None
    hass.config.api = None
    assert texts["papers.sign.no_address"] in words(await read(visitor, PAPERS["sign"], language))
    hass.config.internal_url = "http://192.168.1.20:8123"
    hass.config.external_url = "https://door.example.org:8443"
    html = await read(visitor, PAPERS["sign"], language)
    said = words(html)
    assert TITLES[language] in said
    assert "https://door.example.org:8443/familiar_faces/notice" in said
    assert "Eileen Collins" in said
    assert texts["papers.sign.nothing"] in said
    assert decoded(html) == "https://door.example.org:8443/familiar_faces/notice"
    set_options(review_hours=35)
    said = words(await read(visitor, PAPERS["sign"], language))
    assert texts["papers.sign.nothing"] not in said
    assert SAID[language][4] in said


def found(pattern: str, text: str) -> str:
    """Return what a pattern finds in a text that has it."""
    match = re.search(pattern, text)
    assert match, pattern
    return match[1]


def decoded(html: str) -> str:
    """Return what a camera reads from the QR code of a page."""
    svg = unquote(found(r'src="data:image/svg\+xml[^,]*,([^"]+)"', html))
    scale = int(found(r"scale\((\d+)\)", svg))
    size = int(found(r"width=['\"](\d+)", svg)) // scale
    picture = np.full((size, size), 255, np.uint8)
    x, y = 0.0, 0.0
    # Each row is drawn as strokes: after "M", "m" moves on and "h" draws.
    for command, numbers in re.findall(r"([Mmh])([^Mmh]+)", found(r"stroke=.*? d=['\"]([^'\"]+)", svg)):
        first, *second = (float(each) for each in re.findall(r"-?[0-9.]+", numbers))
        if command == "h":
            picture[int(y), int(x) : int(x + first)] = 0
        elif command == "M":
            x, y = 0.0, 0.0
        x, y = x + first, y + sum(second)
    script = (
        "import sys, cv2, numpy as np;"
        "p = np.frombuffer(sys.stdin.buffer.read(), np.uint8);"
        "n = int(len(p) ** 0.5);"
        "p = cv2.resize(p.reshape(n, n), None, fx=8, fy=8, interpolation=cv2.INTER_NEAREST);"
        "print(cv2.QRCodeDetector().detectAndDecode(p)[0])"
    )
    command = [os.environ["FAMILIAR_FACES_ENGINE_PYTHON"], "-I", "-c", script]
    return (
        subprocess.run(command, input=picture.tobytes(), capture_output=True, check=True)
        .stdout.decode()
        .strip()
    )


@pytest.mark.parametrize("language", LANGUAGES)
async def test_model_card(visitor: Visitor, set_options: SetOptions, language: str) -> None:
    """The card has both models with their hashes and licences, every figure that was counted, and the limits."""
    set_options(**SHOWN, strictness="strict")
    said = words(await read(visitor, PAPERS["model"], language))
    card = model_card(Variant.INT8BQ)
    for part in ("detector", "recogniser"):
        assert card[part]["sha256"] in said
        assert card[part]["name"] in said
        assert card[part]["licence"] in said
    comma = str.maketrans(".", "," if language != "en" else ".")
    for figure in ("75.04", "99.42", "99.0"):
        assert figure.translate(comma) in said
    thousands = "," if language == "en" else "."
    for promise in promises(MEASURED):
        assert f" {promise.own_missed} " in said
    assert f"{MEASURED.strangers:,}".replace(",", thousands) in said
    assert "NIST" in said
    assert "MS-Celeb-1M" in said
    # What is aimed at is rarer than could be counted, so it is not said.
    assert f"10{thousands}000" not in said
    set_options(strictness="relaxed")
    assert words(await read(visitor, PAPERS["model"], language)) != said


def test_model_card_of_the_engine_in_use() -> None:
    """The card is that of the model in use, and of one that nothing is known of there is none."""
    for variant in Variant:
        assert card_of(space(variant)) == model_card(variant)
    assert card_of(None) == model_card(Variant.INT8BQ)
    assert card_of("arcface_5pt") is None


def test_own_figure_is_the_documented_one() -> None:
    """The share of pairs that are told rightly is the one that docs/accuracy.md has."""
    text = (ROOT / "docs" / "accuracy.md").read_text(encoding="utf-8")
    assert f"| Familiar Faces | {PAIRS_RIGHT:.3f} " in text
    assert "1,000 pairs of view 1" in text


# Who sees what


@pytest.mark.parametrize("language", LANGUAGES)
async def test_off_is_as_if_there_were_nothing(
    hass: HomeAssistant, visitor: Visitor, running: MockConfigEntry, set_options: SetOptions, language: str
) -> None:
    """Switched off, or with nothing running, a paper is the same bytes as a path that there never was."""

    async def answers() -> set[tuple[int, bytes, str]]:
        paths = [*PAPERS.values(), *NOT_THERE, f"/familiar_faces/record/{language}"]
        seen = set()
        for path in paths:
            answer = await visitor.get(f"{path}?lang={language}")
            headers = sorted((name, value) for name, value in answer.headers.items() if name != "Date")
            seen.add((answer.status, await answer.read(), str(headers)))
        return seen

    (off,) = await answers()
    assert off[0] == 404
    assert f'<html lang="{language}">'.encode() in off[1]
    # Only what is really switched on counts.
    for half in (False, "yes", None):
        set_options(**{**SHOWN, "notice": half})
        assert await answers() == {off}
    set_options(**SHOWN)
    assert (await visitor.get(PAPERS["notice"])).status == 200
    await hass.config_entries.async_unload(running.entry_id)
    assert await answers() == {off}


async def test_the_record_is_for_administrators(
    hass: HomeAssistant,
    visitor: Visitor,
    set_options: SetOptions,
    hass_client: ClientSessionGenerator,
    hass_admin_user: MockUser,
    hass_read_only_user: MockUser,
) -> None:
    """The record opens by a signed link of an administrator, or logged in as one, and to nobody else."""
    set_options(**SHOWN)
    nothing = await (await visitor.get("/familiar_faces/nothing")).read()
    link = await record_link(hass, hass_admin_user)
    answer = await visitor.get(link)
    assert answer.status == 200
    html = await answer.text()
    assert "Front door" in html
    assert "?lang=" not in html
    for wrong in (
        "/familiar_faces/record/en",
        link.replace("/en?", "/nl?"),
        link[:-3] + "abc",
        link + "&lang=en",
        await record_link(hass, hass_read_only_user),
        await record_link(hass, hass_admin_user, "fr"),
        await record_link(hass, hass_admin_user, hours=-1),
    ):
        answer = await visitor.get(wrong)
        assert (answer.status, await answer.read()) == (404, nothing), wrong
    assert (await (await hass_client()).get("/familiar_faces/record/de")).status == 200


async def test_the_record_is_there_without_the_notice(
    hass: HomeAssistant, visitor: Visitor, hass_admin_user: MockUser, running: MockConfigEntry
) -> None:
    """The owner reads the record also while nothing is public; what is not entered is said to be missing."""
    answer = await visitor.get(await record_link(hass, hass_admin_user))
    said = words(await answer.text())
    texts = Renderer.load().texts["en"]
    assert said.count(texts["papers.record.not_set"]) == 2
    assert texts["papers.record.public_off"] in said


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "HEAD"])
async def test_papers_are_only_read(visitor: Visitor, set_options: SetOptions, method: str) -> None:
    """Anything but reading is answered as if there were nothing."""
    set_options(**SHOWN)
    for path in (*PAPERS.values(), "/familiar_faces/static/pages.css"):
        answer = await visitor.request(method, path, data=b"x" * 1000)
        assert answer.status == 404
        assert_strict(answer.headers)


# Safe


STRICT = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Server": "",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}
"""`X-Frame-Options` is Home Assistant's own; where both are there, `frame-ancestors` counts."""


def assert_strict(headers: Any) -> None:
    """Assert the headers of an answer as it arrives, each of them once."""
    assert {name: headers.getall(name, []) for name in STRICT} == {
        name: [value] for name, value in STRICT.items()
    }
    for name in ("camera", "geolocation", "microphone"):
        assert f"{name}=()" in headers["Permissions-Policy"]
    for name in ("Set-Cookie", "ETag", "Last-Modified", "Access-Control-Allow-Origin"):
        assert name not in headers


async def test_headers(
    hass: HomeAssistant, visitor: Visitor, set_options: SetOptions, hass_admin_user: MockUser
) -> None:
    """Every answer has the strict headers, as it leaves Home Assistant."""
    set_options(**SHOWN)
    record = await record_link(hass, hass_admin_user)
    for path in (*PAPERS.values(), record, *NOT_THERE, "/familiar_faces/static/icon.svg"):
        assert_strict((await visitor.get(path)).headers)
    stylesheet = await visitor.get("/familiar_faces/static/pages.css")
    assert stylesheet.headers["Content-Type"] == "text/css; charset=utf-8"
    assert_strict(stylesheet.headers)


async def test_nothing_of_others_and_nothing_inline(
    hass: HomeAssistant, visitor: Visitor, set_options: SetOptions, hass_admin_user: MockUser
) -> None:
    """No page loads or names anything of a third party, or needs what the policy forbids."""
    set_options(**SHOWN)
    hass.config.external_url = "https://door.example.org"
    for path in (*PAPERS.values(), await record_link(hass, hass_admin_user), NOT_THERE[0]):
        html = await (await visitor.get(path)).text()
        assert not re.search(r"<(script|style|iframe|object|embed|form)\b|\sstyle=|\son\w+=", html)
        loaded = re.findall(r'(?:src|href)="([^"]*)"', html)
        assert loaded
        for address in loaded:
            assert address.startswith(("/familiar_faces/", "?lang=", "#", "mailto:", "data:image/svg+xml")), (
                address
            )
    css = await (await visitor.get("/familiar_faces/static/pages.css")).text()
    assert "url(" not in css
    assert "@import" not in css


@pytest.mark.parametrize("language", LANGUAGES)
async def test_hostile_name(
    hass: HomeAssistant, visitor: Visitor, set_options: SetOptions, hass_admin_user: MockUser, language: str
) -> None:
    """A name that is a program is shown as it was typed, and runs nowhere."""
    hostile = "<script>alert('1')</script>\"><img src=x onerror=alert(2)>{{ 7*191 }}{responsible}%s"
    set_options(**SHOWN)
    set_options(responsible=hostile, contact="javascript:alert(3)//@example.org")
    for path in (
        PAPERS["notice"],
        PAPERS["policy"],
        PAPERS["sign"],
        await record_link(hass, hass_admin_user, language),
    ):
        path = path if "authSig" in path else f"{path}?lang={language}"
        html = await (await visitor.get(path)).text()
        assert "<script" not in html
        assert "<img src=x" not in html
        assert 'href="javascript' not in html
        assert "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&#34;&gt;&lt;img" in html
        assert "{{ 7*191 }}{responsible}%s" in html


async def test_no_place(
    hass: HomeAssistant,
    visitor: Visitor,
    set_options: SetOptions,
    running: MockConfigEntry,
    hass_admin_user: MockUser,
) -> None:
    """No paper says where the home is, what it is called, or what its cameras and people are."""
    await hass.config.async_update(
        latitude=52.0876543,
        longitude=5.1234567,
        elevation=4321,
        location_name="Oudegracht 111",
        time_zone="Europe/Amsterdam",
        country="NL",
        currency="EUR",
    )
    set_options(**SHOWN, **LIVE)
    signed = await record_link(hass, hass_admin_user)
    for path in (*PAPERS.values(), *NOT_THERE, signed):
        for language in LANGUAGES:
            asked = path if path == signed else f"{path}?lang={language}"
            html = await (await visitor.get(asked)).text()
            for secret in ("52.08", "5.12", "4321", "Oudegracht", "Amsterdam", "52,08", "5,12"):
                assert secret not in html, path
            if path != signed:
                assert "Front door" not in html
                assert "camera." not in html
                assert "doorbell" not in html


@pytest.mark.parametrize(
    ("query", "header", "language"),
    [
        ("?lang=de", "nl", "de"),
        ("?lang=xx", "nl-BE,nl;q=0.9,en;q=0.8", "nl"),
        ("", "fr, de;q=0.2, nl;q=0.7", "nl"),
        ("", "de;q=0, nl;q=banana, en-GB", "en"),
        ("?lang=", "", "nl"),
        ("", "fr", "nl"),
        ("?lang=" + "de" * 1500, "x" * 3000 + ",de", "nl"),
        ("?lang=en%20de", ",;;q=,-,", "nl"),
        ("?lang=de&lang=en", "", "de"),
        ("?lang=%00de", "*", "nl"),
    ],
    ids=str.split("address unknown weights region empty none long nonsense twice zero"),
)
async def test_language(
    visitor: Visitor, set_options: SetOptions, query: str, header: str, language: str
) -> None:
    """The address counts, then the browser, then what the owner chose; nonsense counts for nothing."""
    set_options(**{**SHOWN, "language": "nl"})
    for path in (PAPERS["notice"], NOT_THERE[0]):
        answer = await visitor.get(path + query, headers={"Accept-Language": header})
        assert f'<html lang="{language}">' in await answer.text()


async def test_language_of_home_assistant(
    hass: HomeAssistant, visitor: Visitor, set_options: SetOptions
) -> None:
    """Without a choice of the owner, Home Assistant's language counts."""
    hass.config.language = "de-AT"
    set_options(notice=True, language="klingon")
    assert '<html lang="de">' in await (await visitor.get(PAPERS["notice"])).text()


# Whole


STORED = StoredItems(**{each.name: number for number, each in enumerate(fields(StoredItems), start=1)})
NOTHING_STORED = StoredItems(**dict.fromkeys((each.name for each in fields(StoredItems)), 0))
FACTS = [
    Facts(
        shown=shown,
        responsible=name,
        contact=contact,
        where=where,
        cameras=cameras,
        retention=retention,
        stored=stored,
        people=3,
        strangers_held=not shown,
    )
    for shown, name, contact, where, cameras, retention, stored in (
        (True, "A", "a@b.org", "this_machine", (), Retention(after_withdrawal=timedelta(0)), None),
        (
            False,
            "",
            "",
            "another_machine",
            tuple(
                CameraFacts(mode, mode, mode == "always")  # type: ignore[arg-type]
                for mode in ("on_ring", "on_motion", "always")
            ),
            Retention(review=timedelta(hours=36), after_expiry=timedelta(0)),
            STORED,
        ),
        (
            True,
            "A",
            "call me",
            "this_machine",
            (),
            Retention(visits=timedelta(0), pictures=timedelta(0)),
            NOTHING_STORED,
        ),
    )
]


class Noted(dict[str, str]):
    """Texts that note which of them were asked for."""

    def __init__(self, texts: dict[str, str]) -> None:
        """Start with none."""
        super().__init__(texts)
        self.asked: set[str] = set()

    def __getitem__(self, key: str) -> str:
        """Note the key."""
        self.asked.add(key)
        return super().__getitem__(key)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_said_and_filled_in(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the settings, every page is whole; and over all settings, every text of the papers is used."""
    renderer = copy.copy(Renderer.load())
    texts = Noted(dict(renderer.texts[language]))
    monkeypatch.setattr(renderer, "texts", {language: texts})
    for facts in FACTS:
        for address in ("https://door.example.org/familiar_faces/notice", None):
            for card in (card_of(None), None):
                for promise in promises(MEASURED):
                    for paper in (*PAPERS, "record"):
                        html = renderer.render(
                            f"{paper}.html",
                            language,
                            paper=paper,
                            papers=None if paper == "record" else PAPERS,
                            facts=facts,
                            now=dt_util.utcnow(),
                            url=address,
                            qr="data:",
                            model="m",
                            card=card,
                            measured=MEASURED,
                            promises=promises(MEASURED),
                            promise=promise,
                            certainty=0.95,
                            pairs=1000,
                            pairs_right=PAIRS_RIGHT,
                        )
                        assert not set("{}") & set(html)
                        assert "None" not in html
                        assert "papers." not in html
                        assert html.count("<h1") == 1
    said = {key for key in texts if key.startswith("papers.")}
    assert said - texts.asked == set()


def test_every_period_is_in_the_schedule() -> None:
    """A period of retention that is new has to be put into the papers."""
    assert set(SCHEDULE) == {each.name for each in fields(Retention)}
