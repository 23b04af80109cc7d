"""Where the engine's socket lies."""

from pathlib import Path
import stat
import tempfile

import pytest

from custom_components.familiar_faces.host.serving import SOCKET, make_socket_folder, remove_socket_folder


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
