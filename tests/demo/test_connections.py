"""The whole demo with every connection recorded: everything stays home, and nothing says where home is.

The demo's Home Assistant is told where it stands; that is then searched for in whatever is sent, logged and kept.
"""

from base64 import b64decode
from collections import defaultdict
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
import json
import os
from pathlib import Path
import re
import shutil
import sqlite3
import sys
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from demo import alerts
from demo.home import CONSOLE, DOMAIN
from tests.common.recording import events_in, recorded
from tests.common.whereabouts import PLACES, found_in

pytestmark = pytest.mark.timeout(600)

ROOT = Path(__file__).resolve().parents[2]
PYTHON = os.environ.get("FAMILIAR_FACES_DEMO_PYTHON", sys.executable)
SET_UP = "Familiar Faces is set up."
NAME_SERVICE = "unix:/var/run/nscd/socket"
"""glibc asks there whether somebody looks names up for it."""
MDNS = 5353
KERNEL = "kernel"

# All that a request may say beside its picture; whatever is new has to be thought about first.
HEADERS_TO_ENGINE = {
    "accept", "accept-encoding", "connection", "content-length", "content-type", "host", "user-agent",
    "x-protocol", "x-request-id",
}  # fmt: skip
HEADERS_TO_CAMERA = {"accept", "accept-encoding", "connection", "host", "user-agent"}
# How a picture lies is said of a camera that hangs on its side, or asked of a photo.
ASKED_OF_ENGINE = {
    "min_face",
    "max_faces",
    "crops",
    "portraits",
    "mirrored",
    "rotate",
    "search_turned",
    "upload",
}


@dataclass(frozen=True)
class Run:
    """What came of the demo."""

    scenario: str
    summary: dict[str, Any]
    events: list[dict[str, Any]]
    home: Path


@pytest.fixture(scope="module", params=["door", "alerts"])
def run(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Generator[Run]:
    """Run the demo as `script/demo --check` does, and yield what was recorded and what it left."""
    folder = tmp_path_factory.mktemp("demo")
    record = folder / "record"
    scenario: str = request.param
    demo = [PYTHON, "-P", "-m", "demo", "--check", "--port", "0", "--keep", str(folder / "home")]
    demo += ["--scenario", scenario]
    try:
        env = os.environ | {"PYTHONPATH": str(ROOT), "FF_CACHE": str(folder)}
        done = recorded(record, *demo, cwd=ROOT, env=env, timeout=500)
        assert done.returncode == 0, done.stdout + done.stderr
        yield Run(scenario, json.loads(done.stdout.splitlines()[-1]), events_in(record), folder / "home")
    finally:
        # The engine's environment is in it.
        shutil.rmtree(folder, ignore_errors=True)


def test_the_demo_did_all_that_it_does(run: Run) -> None:
    """A connection that nothing led to could not have been seen."""
    if run.scenario == "alerts":
        assert run.summary["right"]
        assert len(run.summary["notifications"]) == len(alerts.expected())
    else:
        assert run.summary["familiar"]["person"] == "Eileen"
        assert run.summary["stranger"]["decision"] == "stranger"
    assert {who(event) for event in run.events} >= {"demo", "Home Assistant", "engine"}
    assert not [event for event in run.events if event["what"] == "lost"]


def test_only_the_engine_the_camera_and_who_is_to_be_told_are_connected_to(run: Run) -> None:
    """Nobody else is asked or told anything by anyone; only installing packages, before, goes out."""
    engine, cameras, frontend = engine_sockets(run), camera_addresses(run), frontend_address(run)
    phones = push_addresses(run)
    assert len(cameras) == (len(alerts.DOORS) if run.scenario == "alerts" else 1)
    assert len(phones) == (1 if run.scenario == "alerts" else 0)
    may_reach = {
        "Home Assistant": engine | phones | cameras | {KERNEL},
        # It plays the users, before the frontend and with their phones.
        "demo": {frontend},
        "engine": set(),
    }
    set_up = set_up_at(run)
    strangers = []
    for event in out_of(run):
        process = who(event)
        allowed = event["to"] in may_reach.get(process, ())
        if event["at"] < set_up:
            allowed |= process == "installer" or event["to"] == NAME_SERVICE
        if not allowed:
            strangers.append(describe(event))
    assert not strangers, "\n".join(strangers)
    assert engine | phones | cameras <= {event["to"] for event in out_of(run)}


def test_nothing_can_be_reached_from_elsewhere(run: Run) -> None:
    """The engine listens on its Unix socket alone, and Home Assistant where it was told to."""
    frontend = frontend_address(run)
    others = []
    for event in run.events:
        if event["what"] != "bind" or event["to"].startswith("unix:") or event["to"] == KERNEL:
            continue
        host, port = event["to"].rsplit(":", 1)
        match who(event):
            case "demo":
                allowed = host == "127.0.0.1"
            case "Home Assistant":
                # Any port of IPv6's own machine: a look at whether there is IPv6, and no more.
                allowed = event["to"] in (frontend, "[::1]:0")
                # Its own way to find devices by name.
                allowed |= event["kind"] == "datagram" and int(port) == MDNS
            case "engine":
                allowed = event["to"] == "[::1]:0"
            case _:
                allowed = False
        if not allowed:
            others.append(describe(event))
    assert not others, "\n".join(others)


def test_the_engine_is_told_a_picture_and_no_more(run: Run) -> None:
    """A request to the engine has no header, no parameter and no part of a picture that tells more."""
    pictures = 0
    for head, body in requests(run, engine_sockets(run), "Home Assistant"):
        asked, headers = parsed(head)
        assert set(headers) <= HEADERS_TO_ENGINE
        assert set(parse_qs(urlsplit(asked).query)) <= ASKED_OF_ENGINE
        # All of it was recorded.
        assert len(body) == int(headers.get("content-length", 0))
        if body:
            pictures += 1
            assert body.startswith(b"\xff\xd8")
            assert b"Exif\0" not in body[:65536]
        assert found_in(head + body) == []
    # A still, three photos, and two looks of at least two frames.
    assert pictures >= 8


def test_the_camera_is_told_nothing(run: Run) -> None:
    """A camera is asked for pictures, in the words that every client uses."""
    asked = requests(run, camera_addresses(run), "Home Assistant")
    assert asked
    for head, body in asked:
        assert set(parsed(head)[1]) <= HEADERS_TO_CAMERA
        assert body == b""
        assert found_in(head) == []


def test_the_phones_are_told_neither_a_place_nor_a_picture(run: Run) -> None:
    """What is pushed goes through its maker's servers: a picture is a link for the phone to fetch at home."""
    pushed = requests(run, push_addresses(run), "Home Assistant")
    assert len(pushed) == (len(alerts.expected()) if run.scenario == "alerts" else 0)
    for head, body in pushed:
        assert found_in(head + body) == []
        told = json.loads(body)
        image = told["data"].get("image", "/api/familiar_faces/notification/")
        assert image.startswith("/api/familiar_faces/notification/")
        assert b"/9j/" not in body


def test_no_log_says_where_home_is(run: Run) -> None:
    """Neither Home Assistant's log nor what it printed does."""
    logs = [run.home / CONSOLE, *run.home.glob("home-assistant.log*")]
    assert sum(log.stat().st_size for log in logs) > 0
    for log in logs:
        assert found_in(log.read_bytes()) == []


def test_nothing_that_is_kept_says_where_home_is(run: Run) -> None:
    """Neither the vault, nor the entry, nor a recorded state of ours does; Home Assistant's own do."""
    for file in (run.home / ".storage" / DOMAIN).iterdir():
        assert found_in(file.read_bytes()) == []
    (entry,) = (each for each in stored(run, "core.config_entries", "entries") if each["domain"] == DOMAIN)
    ours = [each for each in stored(run, "core.entity_registry", "entities") if each["platform"] == DOMAIN]
    devices = [
        each
        for each in stored(run, "core.device_registry", "devices")
        if each["config_entry_id"] == entry["entry_id"]
    ]
    assert ours
    assert devices
    assert found_in(json.dumps([entry, ours, devices]).encode()) == []

    entities = {each["entity_id"] for each in ours}
    states = recorded_states(run.home)
    seen = {entity_id: told for entity_id, told in states.items() if entity_id in entities}
    assert len(seen) > 10
    assert found_in(json.dumps(seen).encode()) == []
    assert not [key for told in seen.values() for each in told for key in each[1] if PLACES.search(key)]
    # What is searched for can be found.
    assert {"latitude", "longitude", "name"} <= set(found_in(json.dumps(states["zone.home"]).encode()))


def who(event: dict[str, Any]) -> str:
    """Return which process did it."""
    words = event["command"].split()
    if not words:
        return ""
    if Path(words[0]).name == "uv" or words[1:3] == ["-m", "uv"]:
        return "installer"
    if "-I" in words and any(word.endswith(f"{DOMAIN}/engine/__main__.py") for word in words):
        if "fetch-weights" in words:
            return "installer"
        return "engine"
    if words[1:4] == ["-P", "-m", "demo"]:
        return "demo"
    return "Home Assistant" if "homeassistant" in event["command"] and "--config" in words else "other"


def describe(event: dict[str, Any]) -> str:
    """Return one line of what was done, a name that was looked up or the beginning of what was sent among it."""
    command = " ".join(event["command"].split()[:6])
    data = b64decode(event["data"])[:80] if event["data"] else b""
    return f"{event['at']:7.2f} s {event['what']} {event['kind']} {event['to']} {data!r} by {who(event)}: {command}"


def out_of(run: Run) -> list[dict[str, Any]]:
    """Return what reaches somebody: connecting a datagram socket sends nothing yet."""
    return [
        event
        for event in run.events
        if event["what"] == "send" or (event["what"] == "connect" and event["kind"] != "datagram")
    ]


def set_up_at(run: Run) -> float:
    """Return when the set-up was over."""
    (at,) = (event["at"] for event in run.events if event["what"] == "said" and SET_UP in event["data"])
    return float(at)


def engine_sockets(run: Run) -> set[str]:
    """Return where the engine listened, once to be checked and once to stay."""
    return {
        event["to"]
        for event in run.events
        if (event["what"], who(event)) == ("bind", "engine") and event["to"].startswith("unix:")
    }


def camera_addresses(run: Run) -> set[str]:
    """Return where Home Assistant was told that the cameras are."""
    entries = stored(run, "core.config_entries", "entries")
    options = [each["data"] | each["options"] for each in entries if each["domain"] == "mjpeg"]
    return {urlsplit(each["still_image_url"]).netloc for each in options}


def push_addresses(run: Run) -> set[str]:
    """Return where Home Assistant was told to send what phones are to show."""
    entries = stored(run, "core.config_entries", "entries")
    phones = [each["data"]["app_data"]["push_url"] for each in entries if each["domain"] == "mobile_app"]
    return {urlsplit(url).netloc for url in phones}


def frontend_address(run: Run) -> str:
    """Return where Home Assistant was told to listen."""
    said = "\n".join(event["data"] for event in run.events if event["what"] == "said")
    found = re.search(r"Home Assistant runs at http://([\d.:]+)\.", said)
    assert found is not None
    return found[1]


def requests(run: Run, to: set[str], process: str) -> list[tuple[bytes, bytes]]:
    """Return head and body of each request that a process sent there."""
    streams: dict[int, bytes] = defaultdict(bytes)
    for event in run.events:
        if event["what"] == "send" and event["to"] in to and who(event) == process:
            streams[event["socket"]] += b64decode(event["data"])
    return [
        (head, body)
        for sent in streams.values()
        for each in re.split(rb"(?<!^)(?=(?:GET|POST) /\S* HTTP/1\.1\r\n)", sent)
        for head, _, body in (each.partition(b"\r\n\r\n"),)
    ]


def parsed(head: bytes) -> tuple[str, dict[str, str]]:
    """Return what a request asks for, and its headers."""
    first, *lines = head.decode("ascii").split("\r\n")
    return first.split()[1], {
        name.lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)
    }


def stored(run: Run, file: str, what: str) -> list[dict[str, Any]]:
    """Return what Home Assistant keeps in a file of its own storage."""
    data: list[dict[str, Any]] = json.loads((run.home / ".storage" / file).read_text())["data"][what]
    return data


def recorded_states(home: Path) -> dict[str, list[tuple[str, dict[str, Any]]]]:
    """Return state and attributes that the recorder holds, by entity."""
    states: dict[str, list[tuple[str, dict[str, Any]]]] = defaultdict(list)
    with closing(sqlite3.connect(home / "home-assistant_v2.db")) as database:
        for entity_id, state, attributes in database.execute(
            "SELECT states_meta.entity_id, state, shared_attrs FROM states"
            " JOIN states_meta USING (metadata_id) LEFT JOIN state_attributes USING (attributes_id)"
        ):
            states[entity_id].append((state, json.loads(attributes or "{}")))
    return states
