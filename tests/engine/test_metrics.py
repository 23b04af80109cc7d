"""What the engine counts, and who may read it."""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
import http.client
from pathlib import Path
import subprocess
import time

from PIL import Image
import pytest

from custom_components.familiar_faces.engine import PROTOCOL, VERSION
from custom_components.familiar_faces.engine.model_card import space
from custom_components.familiar_faces.engine.pinned import Variant
from tests.common import pictures
from tests.common.engine_process import EngineProcess, engine_command, engine_weights, run_in_engine

TOKEN = "the engine's token"
FIGURES = "the token of monitoring"
PATH = "/metrics"

PARSE = """
from prometheus_client.parser import text_string_to_metric_families
print(json.dumps([
    [sample.name, sample.labels, sample.value]
    for family in text_string_to_metric_families(Path(sys.argv[1]).read_text())
    for sample in family.samples
]))
"""


@pytest.fixture(scope="module")
def guarded(prepared: None, tmp_path_factory: pytest.TempPathFactory) -> Generator[EngineProcess]:
    """Return an engine on a TCP port with a token for its figures alone."""
    token = tmp_path_factory.mktemp("token") / "metrics"
    token.write_text(f"{FIGURES}\n")
    process = EngineProcess(token=TOKEN, arguments=["--metrics-token-file", str(token), "--queue", "2"])
    process.start()
    yield process
    assert process.stop() == 0


def _ask(engine: EngineProcess, token: str | None, method: str = "GET", path: str = PATH) -> int:
    return engine.request(method, path, headers={"Authorization": f"Bearer {token}" if token else ""}).status


def _figures(engine: EngineProcess, tmp_path: Path) -> dict[str, float]:
    """Return the figures as Prometheus' own library reads them, by name and labels."""
    time.sleep(1.1)  # for so long it answers the same ones
    answer = engine.request("GET", PATH)
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    assert answer.headers["Cache-Control"] == "no-store"
    text = tmp_path / "figures.txt"
    text.write_bytes(answer.body)
    return {
        " ".join([name, *(f"{key}={labels[key]}" for key in sorted(labels))]): value
        for name, labels, value in run_in_engine(PARSE, text)
    }


def _grown(before: dict[str, float], after: dict[str, float], what: str) -> dict[str, float]:
    """Return what has grown of the figures whose name begins so, without that."""
    names = [name for name in after if name.startswith(what) and after[name] != before[name]]
    return {name.removeprefix(what): after[name] - before[name] for name in names}


def test_pictures_are_counted_by_what_became_of_them(
    guarded: EngineProcess, portrait: bytes, tmp_path: Path
) -> None:
    before = _figures(guarded, tmp_path)
    assert "familiar_faces_pictures_total kind=stream outcome=answered" in before
    assert before[
        f"familiar_faces_engine_info model={space(Variant.INT8BQ)} protocol={PROTOCOL} provider=cpu version={VERSION}"
    ]
    assert before["familiar_faces_workers"] >= 1
    assert before["process_resident_memory_bytes"] > 100e6
    for _ in range(3):
        guarded.faces(portrait)
    guarded.faces(portrait, upload=1)
    assert guarded.post(b"no picture").status == 400
    assert guarded.post(portrait, min_face=1).status == 400
    assert guarded.post(b"no picture", upload=1).status == 400
    after = _figures(guarded, tmp_path)
    assert _grown(before, after, "familiar_faces_pictures_total ") == {
        "kind=camera outcome=answered": 3,
        "kind=camera outcome=refused": 2,
        "kind=upload outcome=answered": 1,
        "kind=upload outcome=refused": 1,
    }
    for figure in ("work", "answer"):
        counted = _grown(before, after, f"familiar_faces_{figure}_seconds_count ")
        assert counted == {"kind=camera": 3, "kind=upload": 1}
    work, answer = (
        _grown(before, after, f"familiar_faces_{figure}_seconds_sum ")["kind=camera"]
        for figure in ("work", "answer")
    )
    assert 0 < work < answer
    assert after["familiar_faces_inside queue=looks"] == 0


def test_who_finds_no_room_is_counted(guarded: EngineProcess, tmp_path: Path) -> None:
    before = _figures(guarded, tmp_path)
    slow = pictures.jpeg(Image.new("RGB", (7000, 7000), "grey"))
    with ThreadPoolExecutor(6) as pool:
        statuses = [answer.status for answer in pool.map(lambda _: guarded.post(slow), range(6))]
    after = _figures(guarded, tmp_path)
    assert statuses.count(503) == 4
    assert _grown(before, after, "familiar_faces_pictures_total kind=camera outcome=") == {
        "busy": 4,
        "answered": 2,
    }


def test_who_hangs_up_is_counted(guarded: EngineProcess, tmp_path: Path) -> None:
    name = "familiar_faces_pictures_total kind=camera outcome=left"
    before = _figures(guarded, tmp_path)[name]
    connection = guarded.connect()
    connection.request(
        "POST",
        "/v1/faces",
        pictures.jpeg(Image.new("RGB", (7000, 7000))),
        {"Authorization": f"Bearer {TOKEN}"},
    )
    time.sleep(0.3)
    connection.close()
    deadline = time.monotonic() + 20
    while (counted := _figures(guarded, tmp_path)[name]) == before and time.monotonic() < deadline:
        pass
    assert counted == before + 1


def test_what_is_seen_is_not_counted(guarded: EngineProcess, portrait: bytes, tmp_path: Path) -> None:
    """Two rooms with as many pictures say the same, no matter who was there."""
    empty = pictures.jpeg(Image.new("RGB", (270, 270), "grey"))
    guarded.faces(empty)
    names = set(_figures(guarded, tmp_path))
    guarded.faces(portrait)
    after = _figures(guarded, tmp_path)
    assert set(after) == names
    own = {name for name in names if name.startswith("familiar_faces_")}
    assert {name.partition(" ")[0] for name in own} - {
        "familiar_faces_engine_info",
        "familiar_faces_fell_back",
        "familiar_faces_workers",
        "familiar_faces_pictures_total",
        "familiar_faces_pictures_created",
        *(
            f"familiar_faces_{figure}_seconds_{part}"
            for figure in ("work", "answer")
            for part in ("bucket", "count", "sum", "created")
        ),
        "familiar_faces_inside",
        "familiar_faces_streams",
        "familiar_faces_refused_total",
        "familiar_faces_refused_created",
    } == set()


def test_the_token_of_monitoring_opens_the_figures_alone(guarded: EngineProcess, portrait: bytes) -> None:
    assert _ask(guarded, FIGURES) == 200
    for method, path in (
        ("GET", "/v1/health"),
        ("POST", "/v1/faces"),
        ("GET", "/v1/stream"),
        ("GET", "/metrics/"),
        ("GET", "//metrics"),
        ("GET", "/v1/metrics"),
        ("GET", "/metrics/../v1/health"),
        ("GET", "/v1/health?/metrics"),
    ):
        assert _ask(guarded, FIGURES, method, path) == 401, path
    assert _ask(guarded, TOKEN) == 200


@pytest.mark.parametrize("token", [None, "wrong", "", FIGURES[:-1], f"{FIGURES}x", "\xff" * 9])
def test_nobody_else_reads_them(guarded: EngineProcess, token: str | None) -> None:
    answer = guarded.request("GET", PATH, headers={"Authorization": f"Bearer {token}" if token else ""})
    assert answer.status == 401
    assert b"familiar_faces_" not in answer.body


def test_they_are_only_read(guarded: EngineProcess, portrait: bytes) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert _ask(guarded, FIGURES, method) == 405, method
    # A name that is asked for in the query chooses nothing, and makes no new figure.
    query = f"{PATH}?name[]=x&kind={'y' * 2000}"
    assert b"yyy" not in guarded.request("GET", query).body
    assert b"yyy" not in guarded.request("GET", PATH).body


def test_asked_without_end_the_engine_goes_on(
    guarded: EngineProcess, portrait: bytes, tmp_path: Path
) -> None:
    """Anyone who asks a thousand times gets the same figures, and cameras their answers."""
    before = _figures(guarded, tmp_path)
    with ThreadPoolExecutor(4) as pool:

        def ask(_: int) -> int:
            connection = guarded.connect()
            for _ in range(250):
                connection.request("GET", PATH, headers={"Authorization": f"Bearer {FIGURES}"})
                answer: http.client.HTTPResponse = connection.getresponse()
                answer.read()
            connection.close()
            return answer.status

        asking = [pool.submit(ask, number) for number in range(4)]
        assert len(guarded.faces(portrait).faces) == 1
        assert [each.result() for each in asking] == [200] * 4
    assert _ask(guarded, "wrong") == 401
    after = _figures(guarded, tmp_path)
    assert _grown(before, after, "familiar_faces_refused_total") == {"": 1}
    assert _grown(before, after, "familiar_faces_pictures_total ") == {"kind=camera outcome=answered": 1}


def test_on_a_socket_its_owner_reads_them(engine: EngineProcess) -> None:
    assert b"familiar_faces_workers" in engine.request("GET", PATH).body


@pytest.mark.parametrize(
    ("token", "content", "where", "said"),
    [
        (TOKEN, TOKEN, ["--port", "0"], "must not be the engine's own"),
        (TOKEN, "", ["--port", "0"], "is empty"),
        (TOKEN, None, ["--port", "0"], "could not be read"),
        (TOKEN, "x", ["--socket", "/nowhere/engine.sock"], "asks for no token"),
    ],
)
def test_a_wrong_token_file_is_named(
    prepared: None, tmp_path: Path, token: str, content: str | None, where: list[str], said: str
) -> None:
    engine_token, figures = tmp_path / "token", tmp_path / "figures"
    engine_token.write_text(token)
    if content is not None:
        figures.write_text(content)
    arguments = ["--weights", str(engine_weights()), "--metrics-token-file", str(figures), *where]
    command = engine_command("serve", *arguments, "--token-file", str(engine_token))
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert said in done.stderr
