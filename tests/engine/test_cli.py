"""The commands, both ways they are started."""

import ast
import json
import os
from pathlib import Path
import shutil
import subprocess

import pytest

from tests.common.engine_process import ENGINE, engine_command, engine_python, engine_weights


def _run(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **options)  # type: ignore[call-overload,no-any-return]


@pytest.fixture
def photo(tmp_path: Path, portrait: bytes) -> Path:
    """Return a photo in a file."""
    path = tmp_path / "photo.jpg"
    path.write_bytes(portrait)
    return path


def test_faces_prints_one_line_an_image(prepared: None, photo: Path, tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("no image")
    paths = [photo, tmp_path / "text.jpg", tmp_path / "missing.jpg", photo]
    done = _run(engine_command("faces", "--weights", str(engine_weights()), "--crops", *map(str, paths)))
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["image"] for line in lines] == [str(path) for path in paths]
    assert len(lines[0]["faces"]) == 1
    assert lines[0]["faces"][0]["crop"]
    assert lines[0]["faces"] == lines[3]["faces"]
    assert "not a JPEG" in lines[1]["error"]
    assert lines[2]["error"] == "No such file or directory"
    assert done.returncode == 1


def test_it_runs_as_a_module_beside_files_that_shadow_the_standard_library(
    prepared: None, photo: Path, tmp_path: Path
) -> None:
    above = tmp_path / "above"
    shutil.copytree(ENGINE, above / "engine", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("calendar", "select", "image", "queue", "logging", "json", "ssl", "socket", "email", "io"):
        (above / f"{name}.py").write_text(f"raise RuntimeError('{name} of the folder above was imported')")
    arguments = ["faces", "--weights", str(engine_weights()), str(photo)]
    as_module = _run([engine_python(), "-m", "engine", *arguments], cwd=above)
    assert as_module.returncode == 0, as_module.stderr
    as_file = _run([engine_python(), "-I", str(above / "engine" / "__main__.py"), *arguments], cwd=above)
    assert as_file.returncode == 0, as_file.stderr
    plain = _run([engine_python(), str(above / "engine" / "__main__.py"), *arguments], cwd=above)
    assert plain.returncode == 0, plain.stderr
    assert {len(json.loads(done.stdout)["faces"]) for done in (as_module, as_file, plain)} == {1}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["serve"], "name either --socket or --port"),
        (["serve", "--socket", "/tmp/x", "--port", "1"], "name either --socket or --port"),
        (["serve", "--port", "0", "--token-file", "/nonexistent"], "/nonexistent could not be read"),
        (["serve", "--port", "70000"], "from 0 to 65535"),
        (["faces"], "images"),
        (["faces", "--min-face", "5", "x.jpg"], "from 10 to 10000"),
        (["analyse"], "invalid choice"),
        (["serve", "--provider", "rocm"], "argument --provider"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(prepared: None, arguments: list[str], words: str) -> None:
    done = _run(engine_command(*arguments))
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_an_empty_token_is_no_token(prepared: None, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(" \n")
    done = _run(engine_command("serve", "--port", "0", "--token-file", str(tmp_path / "token")))
    assert done.returncode == 2
    assert "is empty" in done.stderr


def test_a_socket_that_cannot_be_made_is_said(prepared: None) -> None:
    done = _run(
        engine_command("serve", "--weights", str(engine_weights()), "--socket", "/nonexistent/engine.sock")
    )
    assert done.returncode == 1
    assert "cannot listen" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_token_may_come_from_the_environment(prepared: None) -> None:
    command = engine_command("serve", "--weights", str(engine_weights()), "--port", "0")
    variables = {**os.environ, "FAMILIAR_FACES_ENGINE_TOKEN": "secret"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=variables) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["ready"].startswith("http://127.0.0.1:")
        # Nobody who may read the process's command line learns it.
        assert b"secret" not in Path(f"/proc/{process.pid}/cmdline").read_bytes()
        process.terminate()
        assert process.wait(60) == 0


def test_deepface_brings_nothing_else(prepared: None, photo: Path) -> None:
    """Neither its server, its database nor its models of age, gender, emotion and ethnicity are loaded."""
    code = (
        "import sys\n"
        f"sys.argv = ['engine', 'faces', '--weights', {str(engine_weights())!r}, {str(photo)!r}]\n"
        "import runpy\n"
        "try:\n"
        f"    runpy.run_path({str(ENGINE / '__main__.py')!r}, run_name='__main__')\n"
        "except SystemExit:\n"
        "    pass\n"
        "print(sorted(n for n in sys.modules if n.startswith('deepface.models.') or n.startswith('deepface.api')))"
    )
    done = _run([engine_python(), "-I", "-c", code])
    loaded = done.stdout.splitlines()[-1]
    assert "facial_recognition.onnx.SFace" in loaded
    for name in ("demography.onnx", "spoofing.onnx", "deepface.api", "Age", "Gender", "Emotion", "Race"):
        assert name not in loaded


def test_the_engine_asks_deepface_for_its_two_models_only() -> None:
    nodes = [
        node
        for path in sorted(ENGINE.glob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8"), str(path)))
    ]
    used = [
        node.attr
        for node in nodes
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "DeepFace"
    ]
    taken = [
        (node.module, name.name)
        for node in nodes
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "deepface"
        for name in node.names
    ]
    imported = [
        name.name
        for node in nodes
        if isinstance(node, ast.Import)
        for name in node.names
        if name.name.split(".")[0] == "deepface"
    ]
    assert used == ["build_model", "build_model"]
    assert taken == [("deepface", "DeepFace")]
    assert imported == []
