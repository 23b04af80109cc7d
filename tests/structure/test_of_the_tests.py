"""The structure of the tests: they follow the rooms, and what they share stands in one place."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
import re

import pytest

from tests.common.source import FOLDER, ROOT, parse

TESTS = ROOT / "tests"
FILES = sorted(TESTS.rglob("*.py"))
MODULES = [path for path in FILES if path.name.startswith("test_")]
ROOMS = {path.parent.name for path in FOLDER.glob("*/__init__.py")}
BESIDES = {
    "attacks": "script/attack",
    "benchmarks": "script/bench",
    "camera_lab": "script/cameras",
    "common": "what tests share",
    "demo": "the demo",
    "deploy": "the container and the app",
    "docs": "what the documentation promises",
    "e2e": "the panel and the card in a real browser",
    "evaluation": "script/eval",
    "platforms": "the modules that are Home Assistant's own names",
    "promises": "what holds for all rooms together",
    "structure": "the structure of the source and of the tests",
    "ui": "the real frontend in a real browser",
}
"""Folders that are no room, and what they are for."""

type Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def functions(path: Path) -> list[Function]:
    """Return the functions that stand at the top of a module."""
    return [node for node in parse(path).body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def is_fixture(function: Function) -> bool:
    """Return whether a function is a fixture."""
    return any("pytest.fixture" in ast.unparse(each) for each in function.decorator_list)


def fixtures(path: Path) -> set[str]:
    """Return the names of a module's fixtures."""
    return {each.name for each in functions(path) if is_fixture(each)}


def imports(path: Path) -> Iterator[tuple[Path, str]]:
    """Yield what a module imports from other modules of the tests: the file, and the name in it."""
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            pairs = [(each.name, "") for each in node.names if each.name.startswith("tests.")]
            base = ROOT
        elif isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").startswith("tests")):
            pairs = [(node.module or "", each.name) for each in node.names]
            base = path.parents[node.level - 1] if node.level else ROOT
        else:
            continue
        for module, name in pairs:
            place = base.joinpath(*filter(None, module.split(".")))
            # A module may also be imported by its own name.
            file = place / f"{name}.py" if place.is_dir() else place.with_suffix(".py")
            assert file.is_file(), (path, module, name)
            yield file, name


def test_every_folder_is_a_room_or_says_what_it_is_for() -> None:
    """Anyone who changes a room finds its tests under the room's name."""
    folders = {path.parent.name for path in MODULES}
    assert folders | {"common"} == ROOMS | BESIDES.keys()
    assert {path.parent for path in MODULES} == {TESTS / each for each in folders}


def test_one_conftest_a_room() -> None:
    """What a room's tests share has one place, and what all share has one."""
    found = [path.relative_to(TESTS).parent.parts for path in FILES if path.name == "conftest.py"]
    assert () in found
    assert all(len(parts) <= 1 for parts in found), found
    # Fixtures stand nowhere else but beside their only tests.
    for path in FILES:
        if path.name != "conftest.py" and path not in MODULES:
            assert fixtures(path) == set(), path


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(TESTS)))
def test_no_fixture_is_imported(path: Path) -> None:
    """Nothing comes from a module of tests, no fixture from anywhere: pytest finds it in the conftest."""
    for file, name in imports(path):
        assert file not in MODULES, (file, name)
        assert name not in fixtures(file), (file, name)


def test_nothing_is_defined_twice_in_a_module() -> None:
    """No linter is told to look away from a name that hides another one."""
    for path in FILES:
        # Spelt so that this file does not speak of itself.
        assert not re.search(r"noqa:[^\n]*\bF(?:811|401)\b", path.read_text()), path


def test_no_setting_up_is_written_twice() -> None:
    """Fixtures and helpers that do the same are one."""
    same: dict[str, list[str]] = defaultdict(list)
    for path in FILES:
        for function in functions(path):
            body = [
                each
                for each in function.body
                if ast.get_docstring(function) is None or each != function.body[0]
            ]
            if not function.name.startswith("test_") and len(body) > 1:
                same["\n".join(map(ast.unparse, body))].append(f"{path.relative_to(TESTS)}: {function.name}")
    assert [where for where in same.values() if len(where) > 1] == []
