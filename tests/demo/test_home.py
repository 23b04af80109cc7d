"""Where the demo's Home Assistant lives: a port that nobody else is given, and a temporary folder of its own."""

import os
from pathlib import Path
import socket
import sys

import pytest

from demo.client import DemoFailed
from demo.home import PORT, TEMPORARY, free_port, running

pytestmark = pytest.mark.usefixtures("socket_enabled")

HANDED_OUT_FROM = 32768
"""Linux's default for the lowest port that it gives at random."""


def test_any_port_is_none_that_others_are_given() -> None:
    ports = {free_port(0) for _ in range(20)}
    assert len(ports) > 1
    assert max(ports) < HANDED_OUT_FROM


def test_a_port_that_is_taken_is_not_used() -> None:
    with socket.create_server(("127.0.0.1", free_port(0))) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(DemoFailed, match=f"Port {port} is taken"):
            free_port(port)
    assert free_port(port) == port


def test_without_a_wish_it_is_home_assistants_own_port_or_any(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", free_port(0))) as taken:
        monkeypatch.setattr("demo.home.PORT", taken.getsockname()[1])
        assert free_port(None) not in (PORT, taken.getsockname()[1])


async def test_home_assistant_has_a_temporary_folder_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Uploads are kept there, under one name for all Home Assistants of a machine."""
    told = tmp_path / "told"
    monkeypatch.setattr(
        "demo.home.LAUNCHER",
        f"import pathlib, tempfile; pathlib.Path({str(told)!r}).write_text(tempfile.gettempdir())",
    )
    monkeypatch.setattr(sys, "executable", os.environ.get("FAMILIAR_FACES_DEMO_PYTHON", sys.executable))
    with pytest.raises(DemoFailed, match="did not start"):
        async with running(tmp_path, free_port(0)):
            pass
    assert told.read_text() == str(tmp_path / TEMPORARY)
