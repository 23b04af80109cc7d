"""Where the engine's socket lies, and what its end at the start means."""

from pathlib import Path
import stat
import sys
import tempfile

import pytest

from custom_components.familiar_faces.host.client import EngineClient
from custom_components.familiar_faces.host.engine_errors import EngineBroken, EngineUnavailable
from custom_components.familiar_faces.host.serving import (
    SOCKET,
    Server,
    keep_socket_folder,
    make_socket_folder,
    open_session,
    remove_socket_folder,
)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_preferred_folder_is_used_and_made_private(short_path: Path) -> None:
    folder = short_path / "run"
    folder.mkdir(mode=0o777)
    (folder / SOCKET).touch()
    assert make_socket_folder(folder) == folder
    assert mode(folder) == 0o700
    remove_socket_folder(folder)
    assert not folder.exists()


def test_a_path_too_long_for_a_socket_goes_elsewhere(
    short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    # The longest that works, and one more.
    longest = short_path / ("x" * (107 - len(str(short_path / "x" / SOCKET)) + 1))
    assert len(str(longest / SOCKET)) == 107
    assert make_socket_folder(longest) == longest

    folder = make_socket_folder(longest.with_name(longest.name + "x"))
    assert folder.parent == Path(tempfile.gettempdir())
    assert mode(folder) == 0o700
    assert not longest.with_name(longest.name + "x").exists()
    remove_socket_folder(folder)
    assert not folder.exists()


def test_the_users_runtime_folder_comes_next(short_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_path))
    folder = make_socket_folder(short_path / ("x" * 150))
    assert folder.parent == short_path
    assert folder == make_socket_folder(short_path / ("x" * 150)), "the same again after a crash"
    assert mode(folder) == 0o700


def test_a_place_that_cannot_be_written_goes_elsewhere(
    short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    (short_path / "file").touch()
    folder = make_socket_folder(short_path / "file" / "run")
    assert folder.parent == Path(tempfile.gettempdir())
    remove_socket_folder(folder)


def test_a_long_temporary_folder_is_not_the_end(short_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    long = short_path / ("y" * 120)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    folder = make_socket_folder(long / "run")
    assert folder.parent == Path("/tmp")
    assert list(long.iterdir()) == []
    remove_socket_folder(folder)


def test_a_folder_in_use_is_kept_and_one_that_is_gone_is_made_again(
    short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    preferred = short_path / "run"
    assert keep_socket_folder(None, preferred) == preferred
    (preferred / SOCKET).touch()
    assert keep_socket_folder(preferred, preferred) == preferred
    assert (preferred / SOCKET).exists()
    remove_socket_folder(preferred)
    assert keep_socket_folder(preferred, preferred) == preferred
    assert mode(preferred) == 0o700
    # One elsewhere is kept as long as it is there, and its name is not used again by somebody else's leave.
    (short_path / "file").touch()
    elsewhere = keep_socket_folder(None, short_path / "file" / "run")
    assert keep_socket_folder(elsewhere, short_path / "file" / "run") == elsewhere
    remove_socket_folder(elsewhere)
    other = keep_socket_folder(elsewhere, short_path / "file" / "run")
    assert other != elsewhere
    remove_socket_folder(other)


SAYS = (
    'print(\'{"failed": "%s", "what": "%s", "detail": ""}\')\nprint("engine: it failed")\nraise SystemExit(1)'
)
ENDS: dict[str, tuple[str, str | None, str]] = {
    "a module": (SAYS % ("import", "cv2"), "import", "cv2"),
    "weights": (SAYS % ("weights", ""), "weights", ""),
    "a traceback": ("raise ImportError('of Python itself')", "start", ""),
    "a crash": ("import os, signal; os.kill(os.getpid(), signal.SIGBUS)", "start", ""),
    "short of memory": ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", None, ""),
    "an address in use": ("print('engine: cannot listen: in use'); raise SystemExit(1)", None, ""),
    "a wrong use": ("print('usage: engine'); raise SystemExit(2)", None, ""),
}


@pytest.mark.parametrize("end", ENDS)
async def test_an_end_at_the_start_says_whether_something_is_damaged(
    short_path: Path, tmp_path: Path, end: str
) -> None:
    """Only what speaks of damage has the environment looked at."""
    body, failed, what = ENDS[end]
    stub = tmp_path / "python"
    stub.write_text(f"#!{sys.executable}\n{body}\n")
    stub.chmod(0o755)
    async with open_session(short_path) as session:
        client = EngineClient(session, "http://engine")
        with pytest.raises(EngineUnavailable) as caught:
            await Server.start((stub,), tmp_path, short_path, client)
    if failed is None:
        assert not isinstance(caught.value, EngineBroken)
    else:
        assert isinstance(caught.value, EngineBroken)
        assert (caught.value.failed, caught.value.what) == (failed, what)


@pytest.mark.parametrize("content", [None, b"", b"\x7fELF and no more"])
async def test_an_interpreter_that_cannot_be_run_is_damage(
    short_path: Path, tmp_path: Path, content: bytes | None
) -> None:
    stub = tmp_path / "python"
    if content is not None:
        stub.write_bytes(content)
        stub.chmod(0o755)
    async with open_session(short_path) as session:
        with pytest.raises(EngineBroken) as caught:
            await Server.start((stub,), tmp_path, short_path, EngineClient(session, "http://engine"))
    assert caught.value.failed == "start"
