"""What the engine says of why it cannot start: which package, whatever the damage became."""

import json
from pathlib import Path
import subprocess
import sys

import pytest

from custom_components.familiar_faces.engine.last_words import DETAIL, module_of, say_why

from ..common.engine_process import ENGINE, engine_python

DAMAGES = {
    "another error": ("raise ValueError('half a file')\n", "broken"),
    "cut off": ("def half(:\n", "broken"),
    "a name that is gone": ("from json import nothing_of_that_name\n", "json"),
    "a module that is gone": ("import nothing_of_that_name\n", "nothing_of_that_name"),
    "not text": ("\0\0\0", "broken"),
    "a library": ("import ctypes\nctypes.CDLL(__file__)\n", "broken"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_the_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str) -> None:
    source, named = DAMAGES[damage]
    packages = tmp_path / "lib" / "python3" / "site-packages"
    (packages / "broken" / "inner").mkdir(parents=True)
    (packages / "broken" / "__init__.py").write_text("from .inner import deep\n")
    (packages / "broken" / "inner" / "__init__.py").write_text("")
    (packages / "broken" / "inner" / "deep.py").write_text(source)
    monkeypatch.syspath_prepend(packages)
    for name in [name for name in sys.modules if name.partition(".")[0] == "broken"]:
        del sys.modules[name]
    with pytest.raises(Exception) as caught:  # noqa: PT011 - whichever it is
        __import__("broken")
    assert module_of(caught.value).partition(".")[0] == named


def test_an_error_of_nobody_elses_names_nothing() -> None:
    assert module_of(ValueError("ours")) == ""


def test_it_is_one_short_line(capsys: pytest.CaptureFixture[str]) -> None:
    """The line is kept whole by who reads it, and whatever is in it stays inside."""
    say_why("import", "x" * 1000, 'a\n"text"' * 1000)
    (line,) = capsys.readouterr().out.splitlines()
    assert len(line) < 400 + DETAIL
    assert json.loads(line)["failed"] == "import"


def test_a_wrong_use_is_no_damage(tmp_path: Path) -> None:
    """An address that cannot be listened on says nothing against the packages."""
    command = [engine_python(), "-I", str(ENGINE / "__main__.py"), "serve"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "failed" not in done.stdout
