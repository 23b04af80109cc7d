"""Protocol 1 as a client meets it."""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
import io
import json
import os
from pathlib import Path
import stat
import subprocess
import time

import numpy as np
from PIL import Image
import pytest

from custom_components.familiar_faces.engine import PROTOCOL, VERSION
from custom_components.familiar_faces.engine.model_card import model_card
from custom_components.familiar_faces.engine.pinned import Variant
from custom_components.familiar_faces.engine.protocol import SPEAKS, faces_from_json, health_from_json
from tests.common import pictures
from tests.common.engine_process import EngineProcess, engine_command, engine_weights

TOKEN = "a token of the tests"


@pytest.fixture(scope="module")
def guarded(prepared: None) -> Generator[EngineProcess]:
    """Return an engine on a TCP port, behind a token."""
    process = EngineProcess(token=TOKEN).start()
    yield process
    assert process.stop() == 0


@pytest.fixture
def fresh(prepared: None) -> Generator[EngineProcess]:
    """Return an engine with two places, for one test to do with as it likes."""
    process = EngineProcess(arguments=["--queue", "2"]).start()
    yield process
    if process.process is not None and process.process.poll() is None:
        process.kill()


def _slow_image() -> bytes:
    """Return an image that keeps the engine busy for a second or so."""
    return pictures.jpeg(Image.new("RGB", (7000, 7000), "grey"))


def _crowd(columns: int, rows: int, width: int = 270) -> bytes:
    image = Image.new("RGB", (columns * width, rows * width))
    face = pictures.astronaut().resize((width, width))
    for at in range(columns * rows):
        image.paste(face, (at % columns * width, at // columns * width))
    return pictures.jpeg(image, 90)


def test_a_face_is_answered_in_protocol_1(engine: EngineProcess, portrait: bytes) -> None:
    answer = engine.post(portrait)
    assert answer.status == 200
    data = answer.json()
    assert set(data) == {"model", "size", "faces", "ms", "turned", "in_shadow", "judges"}
    assert data["turned"] == 0
    assert set(data["ms"]) == {"decode", "detect", "align", "embed", "total"}
    assert set(data["faces"][0]) == {"box", "landmarks", "score", "quality", "embedding", "length"}
    faces = faces_from_json(data)
    assert faces.model == model_card(Variant.INT8BQ)["name"]
    assert faces.size == (270, 270)
    (face,) = faces.faces
    assert 85 < face.box[2] < 105
    assert face.quality.usable
    assert face.quality.reason is None
    assert abs(face.quality.size - face.box[2]) < 1
    assert face.score > 0.9
    assert face.embedding.shape == (128,)
    assert float(np.linalg.norm(face.embedding)) == pytest.approx(1, abs=1e-5)
    assert sum(faces.ms[name] for name in ("decode", "detect", "align", "embed")) <= faces.ms["total"] + 0.1


def test_landmarks_are_where_the_face_has_them(engine: EngineProcess, portrait: bytes) -> None:
    (face,) = engine.faces(portrait).faces
    # Read off the portrait by eye, pixels.
    for (x, y), (right_x, right_y) in zip(
        face.landmarks, [(111, 100), (160, 102), (136, 124), (115, 144), (155, 144)], strict=True
    ):
        assert abs(x - right_x) < 12
        assert abs(y - right_y) < 12


def test_an_image_without_a_face_has_no_faces(engine: EngineProcess) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    assert engine.faces(pictures.jpeg(Image.fromarray(noise))).faces == ()


@pytest.mark.parametrize("size", [(1, 1), (1, 2000), (2000, 1), (3, 3), (30, 30)])
def test_the_oddest_sizes_have_no_faces(engine: EngineProcess, size: tuple[int, int]) -> None:
    faces = engine.faces(pictures.jpeg(Image.new("RGB", size)))
    assert faces.size == size
    assert faces.faces == ()


def test_crops_and_portraits_come_when_asked_for(engine: EngineProcess, portrait: bytes) -> None:
    (face,) = engine.faces(portrait, crops=1, portraits=1).faces
    assert face.crop is not None
    assert face.portrait is not None
    with Image.open(io.BytesIO(face.crop)) as crop:
        assert (crop.format, crop.size) == ("JPEG", (112, 112))
    with Image.open(io.BytesIO(face.portrait)) as shown:
        assert shown.format == "JPEG"
        assert 1.7 * face.box[2] < shown.width <= 320
        assert shown.height <= 400
    large = pictures.astronaut().resize((1600, 1600))
    (face,) = engine.faces(pictures.jpeg(large), portraits=1).faces
    with Image.open(io.BytesIO(face.portrait or b"")) as shown:
        assert shown.size[0] <= 320
        assert shown.size[1] <= 400
        assert shown.size[0] == 320 or shown.size[1] == 400


def test_max_faces_keeps_the_largest(engine: EngineProcess) -> None:
    image = Image.new("RGB", (900, 400), "grey")
    image.paste(pictures.astronaut().resize((160, 160)), (10, 10))
    image.paste(pictures.astronaut(), (300, 50))
    data = pictures.jpeg(image)
    both = engine.faces(data).faces
    assert len(both) == 2
    assert both[0].box[2] > both[1].box[2]
    (one,) = engine.faces(data, max_faces=1).faces
    assert one.box == both[0].box


def test_faces_below_min_face_are_left_out(engine: EngineProcess) -> None:
    small = pictures.jpeg(pictures.astronaut().resize((95, 95)), quality=95)
    assert engine.faces(small).faces == ()
    (face,) = engine.faces(small, min_face=24).faces
    assert 28 < face.box[2] < 40


def test_a_crowd_is_found(engine: EngineProcess) -> None:
    assert len(engine.faces(_crowd(6, 4)).faces) == 20
    assert len(engine.faces(_crowd(6, 4), max_faces=100).faces) == 24


def test_a_face_that_fills_a_large_photo_is_found(engine: EngineProcess) -> None:
    close = pictures.astronaut().crop((75, 40, 200, 190)).resize((3000, 3600))
    (face,) = engine.faces(pictures.jpeg(close)).faces
    assert face.box[2] == pytest.approx(0.72 * 3000, rel=0.06)


@pytest.mark.parametrize(
    "query",
    [
        "min_face=9",
        "min_face=10001",
        "min_face=",
        "min_face=abc",
        "min_face=-40",
        "min_face=4_0",
        "min_face=40.0",
        "min_face=%D9%A4%D9%A0",
        "max_faces=0",
        "max_faces=101",
        "crops=2",
        "crops=true",
        "portraits=x",
        "mirrored=-1",
        "img=/etc/passwd",
    ],
)
def test_a_query_out_of_range_is_refused_by_name(engine: EngineProcess, portrait: bytes, query: str) -> None:
    answer = engine.request("POST", f"/v1/faces?{query}", portrait)
    assert answer.status == 400
    assert query.partition("=")[0] in answer.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/faces", 405), ("POST", "/v1/health", 405), ("GET", "/", 404), ("POST", "/represent", 404)],
)
def test_other_paths_are_problems(engine: EngineProcess, method: str, path: str, status: int) -> None:
    answer = engine.request(method, path)
    assert answer.status == status
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert answer.json()["status"] == status


def test_health_tells_the_model_card(engine: EngineProcess) -> None:
    health = health_from_json(engine.request("GET", "/v1/health", headers={SPEAKS: str(PROTOCOL)}).json())
    assert (health.version, health.protocol) == (VERSION, PROTOCOL)
    assert dict(health.model) == model_card(Variant.INT8BQ)


@pytest.mark.parametrize(
    ("newest", "spoken"),
    [
        (None, 1),
        ("1", 1),
        ("2", 2),
        ("3", 2),
        ("999999", 2),
        ("0", 1),
        ("x", 1),
        ("\u0662", 1),
        ("9" * 20, 1),
    ],
)
def test_the_newest_protocol_that_both_speak_is_spoken(
    engine: EngineProcess, newest: str | None, spoken: int
) -> None:
    headers = {} if newest is None else {SPEAKS: newest.encode().decode("latin-1")}
    assert engine.request("GET", "/v1/health", headers=headers).json()["protocol"] == spoken


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer wrong", f"bearer {TOKEN}", f"Basic {TOKEN}"])
def test_without_the_token_nothing_is_answered(
    guarded: EngineProcess, portrait: bytes, header: str | None
) -> None:
    for method, path in (("GET", "/v1/health"), ("POST", "/v1/faces"), ("GET", "/nothing")):
        connection = guarded.connect()
        connection.request(method, path, portrait, {} if header is None else {"Authorization": header})
        response = connection.getresponse()
        assert response.status == 401
        assert response.headers["WWW-Authenticate"] == "Proof, Bearer"
        assert json.loads(response.read())["status"] == 401
        connection.close()


def test_a_watchdog_needs_no_token_and_learns_nothing(guarded: EngineProcess) -> None:
    connection = guarded.connect()
    connection.request("GET", "/v1/alive")
    response = connection.getresponse()
    assert (response.status, response.read()) == (204, b"")
    assert not {"WWW-Authenticate", "ETag"} & set(response.headers)
    for path in ("/v1/alive/", "/v1/alive/../health", "//v1/alive", "/v1/aliveness"):
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        assert response.status == 401, path
    connection.request("POST", "/v1/alive", b"x")
    assert connection.getresponse().status == 405
    connection.close()


def test_with_the_token_all_is_answered(guarded: EngineProcess, portrait: bytes) -> None:
    assert guarded.request("GET", "/v1/health").status == 200
    assert len(guarded.faces(portrait).faces) == 1


def test_a_port_without_a_token_is_not_opened(prepared: None) -> None:
    command = engine_command("serve", "--weights", str(engine_weights()), "--port", "0")
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "a TCP port needs a token" in done.stderr


def test_only_the_owner_may_use_the_socket(engine: EngineProcess) -> None:
    assert engine.socket is not None
    assert stat.S_IMODE(engine.socket.stat().st_mode) == 0o600


def test_twenty_at_once_get_what_they_would_get_alone(engine: EngineProcess) -> None:
    images = [
        pictures.jpeg(pictures.variant(pictures.stranger(number % 3), light=0.7 + number * 0.03))
        for number in range(20)
    ]
    alone = [engine.faces(image) for image in images]
    with ThreadPoolExecutor(20) as pool:
        together = list(pool.map(engine.faces, images))
    for one, other in zip(alone, together, strict=True):
        assert len(one.faces) == 1
        assert one.faces[0].box == other.faces[0].box
        assert np.array_equal(one.faces[0].embedding, other.faces[0].embedding)


def test_two_workers_see_what_one_sees(prepared: None, engine: EngineProcess, portrait: bytes) -> None:
    alone = engine.faces(portrait)
    both = EngineProcess(arguments=["--workers", "2"]).start()
    try:
        health = health_from_json(both.request("GET", "/v1/health").json())
        assert health.at_once == 3
        assert health.up_seconds is not None
        assert health.up_seconds > 0
        assert health.memory is not None
        assert 50 << 20 < health.memory <= both.peak_mb() * (1 << 20) * 1.05
        with ThreadPoolExecutor(6) as pool:
            for seen in pool.map(lambda _: both.faces(portrait), range(12)):
                assert [face.box for face in seen.faces] == [face.box for face in alone.faces]
                assert np.array_equal(seen.faces[0].embedding, alone.faces[0].embedding)
        assert both.peak_mb() < 450
    finally:
        assert both.stop() == 0


def test_a_full_queue_says_when_to_come_back(fresh: EngineProcess, portrait: bytes) -> None:
    slow = _slow_image()
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: fresh.post(slow), range(6)))
    busy = [answer for answer in answers if answer.status == 503]
    assert len(busy) == 4
    assert [answer.status for answer in answers if answer.status != 503] == [200, 200]
    assert busy[0].headers["Retry-After"] == "1"
    assert busy[0].headers["Content-Type"].startswith("application/problem+json")
    assert len(fresh.faces(portrait).faces) == 1


def test_who_hangs_up_leaves_the_queue(fresh: EngineProcess, portrait: bytes) -> None:
    slow = _slow_image()
    for _ in range(6):
        connection = fresh.connect()
        connection.request("POST", "/v1/faces", slow)
        time.sleep(0.05)
        connection.close()
    # Two places: had they stayed, the room would be full until the last was done.
    deadline = time.monotonic() + 15
    while (answer := fresh.post(portrait)).status == 503 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert answer.status == 200


def test_who_never_sends_the_image_holds_nobody_up(fresh: EngineProcess, portrait: bytes) -> None:
    connection = fresh.connect()
    connection.putrequest("POST", "/v1/faces")
    connection.putheader("Content-Length", "1000")
    connection.endheaders()
    time.sleep(0.1)
    assert fresh.post(portrait).status == 200
    connection.close()


def test_killed_in_the_middle_the_next_one_starts(prepared: None, portrait: bytes) -> None:
    first = EngineProcess().start()
    connection = first.connect()
    connection.request("POST", "/v1/faces", _slow_image())
    time.sleep(0.2)
    assert first.kill() == -9
    with pytest.raises(ConnectionError):
        connection.getresponse()
    second = EngineProcess().start()
    assert len(second.faces(portrait).faces) == 1
    assert second.stop() == 0


def test_a_stale_socket_is_replaced(prepared: None, tmp_path: Path) -> None:
    first = EngineProcess().start()
    assert first.process is not None
    assert first.socket is not None
    first.process.kill()
    first.process.wait()
    assert first.socket.is_socket()
    command = engine_command("serve", "--weights", str(engine_weights()), "--socket", str(first.socket))
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as second:
        assert second.stdout is not None
        assert b"ready" in second.stdout.readline()
        assert first.request("GET", "/v1/health").status == 200
        second.terminate()
        assert second.wait(20) == 0
    assert not first.socket.exists()
    first.kill()


def test_it_ends_with_its_parent(fresh: EngineProcess) -> None:
    begun = time.monotonic()
    assert fresh.close_stdin() == 0
    assert time.monotonic() - begun < 5


def test_sigterm_lets_the_answer_at_hand_finish(fresh: EngineProcess) -> None:
    connection = fresh.connect()
    connection.request("POST", "/v1/faces", _slow_image())
    time.sleep(0.2)
    with ThreadPoolExecutor(1) as pool:
        code = pool.submit(fresh.stop)
        assert connection.getresponse().status == 200
        assert code.result(20) == 0
    connection.close()


def test_it_is_small_quick_to_start_and_idle_when_idle(fresh: EngineProcess, portrait: bytes) -> None:
    assert fresh.process is not None
    assert fresh.ready_seconds < 5
    frame = Image.new("RGB", (1920, 1080), "grey")
    frame.paste(pictures.astronaut(), (600, 400))
    for _ in range(5):
        assert len(fresh.faces(pictures.jpeg(frame)).faces) == 1
    assert fresh.memory_mb() < 400

    def ticks() -> int:
        fields = Path(f"/proc/{fresh.process.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    before = ticks()
    time.sleep(2)
    assert (ticks() - before) / os.sysconf("SC_CLK_TCK") < 0.05


def test_nothing_of_an_image_is_written(fresh: EngineProcess, portrait: bytes) -> None:
    assert fresh.process is not None
    assert fresh.post(portrait).status == 200
    written = Path(f"/proc/{fresh.process.pid}/io").read_text("ascii")
    before = next(int(line.split()[1]) for line in written.splitlines() if line.startswith("write_bytes"))
    for _ in range(5):
        fresh.post(portrait, crops=1, portraits=1)
    written = Path(f"/proc/{fresh.process.pid}/io").read_text("ascii")
    after = next(int(line.split()[1]) for line in written.splitlines() if line.startswith("write_bytes"))
    assert after == before
    assert fresh.log() == ""
