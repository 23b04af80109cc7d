"""The structure of the integration: what docs/architecture.md and the import contracts say of it holds for all of it."""

import ast
from collections import Counter
from pathlib import Path
import re
import tomllib
from typing import Any

import pytest

from tests.common.source import FOLDER, ROOT, parse

PAGES = sorted([*(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md")])
ROOMS = {path.parent.name for path in FOLDER.glob("*/__init__.py")}
MODULES = sorted(path for path in FOLDER.rglob("*.py") if path.name != "__init__.py")
CONTRACTS: dict[str, dict[str, Any]] = {
    each["id"]: each
    for each in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
}
PURE = {"engine", "host", "people", "vault", "visits"}
GROUND = {"household", "internals", "wording"}
SERVICES = {"alerts", "capture", "consent", "enrolment", "erasing", "openness", "recognising", "seen"}
SURFACES = {"actions", "flows", "pages", "panel", "views"}


def names(contract: str, key: str) -> set[str]:
    """Return the modules that a contract names, without the integration's name."""
    return {each.removeprefix("custom_components.familiar_faces.") for each in CONTRACTS[contract][key]}


def platforms() -> set[str]:
    """Return the modules that are Home Assistant's own names, or parts of them."""
    return {path.stem for path in FOLDER.glob("*.py")} - {"__init__", "const", "hub", "running"}


# The contracts


def test_every_room_has_its_kind() -> None:
    """A new room is pure, ground, a service or a surface, and the contracts below name it."""
    assert PURE | GROUND | SERVICES | SURFACES == ROOMS


def test_the_contracts_name_every_room() -> None:
    """A contract that forgets a room would be kept by leaving it alone."""
    inner = PURE | GROUND | SERVICES | {"const"}
    assert names("pure", "source_modules") == PURE
    assert names("hub", "source_modules") == inner
    assert names("shared", "source_modules") == PURE | GROUND | {"const"}
    assert names("shared", "forbidden_modules") == SERVICES | SURFACES | {"hub", "running"}
    assert names("surfaces", "source_modules") == inner | {"hub", "running"}
    assert names("surfaces", "forbidden_modules") == SURFACES | platforms()
    assert names("surfaces-apart", "modules") == SURFACES
    everything = ROOMS | platforms() | {"const", "hub", "running"}
    assert names("native", "source_modules") == everything - {"engine"}
    assert {each for each in names("board", "source_modules") if "." not in each} == (
        SURFACES - {"pages"} | platforms()
    )


def test_no_contract_has_an_exemption() -> None:
    """The code moves, the contracts do not."""
    for contract in CONTRACTS.values():
        assert (
            not {"ignore_imports", "skip_descendants", "unmatched_ignore_imports_alerting"} & contract.keys()
        )


# Names


def test_a_name_stands_for_one_thing() -> None:
    """No two modules have one name, so that a sentence can speak of a file."""
    doubled = [name for name, count in Counter(path.name for path in MODULES).items() if count > 1]
    assert doubled == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_files_that_a_page_names(page: Path) -> None:
    """A file that a page speaks of is there."""
    for name in re.findall(r"`([\w./-]+\.(?:py|json|yaml|toml|md|html))`", page.read_text()):
        below = [ROOT / name, FOLDER / name, FOLDER / "engine" / name, page.parent / name]
        assert any(map(Path.exists, below)) or any(FOLDER.rglob(name.rpartition("/")[2])), name


def test_every_module_has_a_line() -> None:
    """Anyone who looks for a module finds what it is for."""
    page = (ROOT / "docs" / "modules.md").read_text()
    for path in MODULES:
        line = re.search(rf"^\| `{re.escape(path.name)}` \| (.+) \|$", page, re.MULTILINE)
        assert line is not None, path
        assert len(line.group(1)) > 10, path


# The way of the data


def test_the_picture_of_the_way_of_the_data() -> None:
    """Each of its files is there, a plain arrow is an import, one with a name is a signal that is sent and heard."""
    page = (ROOT / "docs" / "architecture.md").read_text()
    (drawn,) = re.findall(r"```mermaid\n(flowchart LR.*?)```", page, re.DOTALL)
    files = dict(re.findall(r"(\w+)\[([\w/.]+)\]", drawn))
    sources = {name: (FOLDER / file).read_text() for name, file in files.items()}
    assert drawn.count(">") == len(drawn.strip().splitlines()) - 1
    for line in drawn.strip().splitlines()[1:]:
        found = re.fullmatch(
            r"  (\w+)(?:\[\S+\])? (?:-->|-- (\w+) -->|-\. ([\w.]+) \.->) (\w+)(?:\[\S+\])?", line
        )
        assert found is not None, line
        one, signal, handed, other = found.groups()
        if signal is not None:
            assert f"async_send({signal}" in sources[one], line
            assert re.search(rf"(?:async_connect|listener)\({signal}\b", sources[other]), line
        elif handed is not None:
            assert handed == "HTTP" or re.search(rf"\b_?{re.escape(handed)}\b", sources[one]), line
        else:
            # Data goes to the one that is called, or comes from there.
            pairs = ((one, other), (other, one))
            assert any(
                re.search(rf"^from \.\S*\b{Path(files[what]).stem}\b import", sources[whose], re.MULTILINE)
                for whose, what in pairs
            ), line


# Home Assistant's internals


def private_names(tree: ast.Module) -> set[str]:
    """Return what a module reaches for that is private to somebody else."""
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=str(module), level=0) if module.startswith("homeassistant"):
                found |= {each.name for each in node.names if re.match(r"_(?!_\w+__$)", each.name)}
            case ast.Attribute(attr=attr) if re.fullmatch(r"_[A-Z]\w*__\w+", attr):
                found.add(attr)
            case ast.Call(
                func=ast.Name(id="getattr" | "setattr" | "hasattr" | "delattr"),
                args=[_, ast.Constant(value=str(attr)), *_],
            ):
                found |= {attr} if attr.startswith("_") else set()
            case ast.JoinedStr(values=[ast.Constant(value=str(text)), *_]) if re.match(r"_[A-Z]\w*__", text):
                found.add(text)
    return found


def test_only_one_room_reaches_for_private_names() -> None:
    """What is private to Home Assistant is reached through `internals`; the linter looks for the other ways."""
    inside = [path for path in MODULES if path.parent.name == "internals"]
    assert any(private_names(parse(path)) for path in inside)
    for path in MODULES:
        if path not in inside:
            assert private_names(parse(path)) == set(), path
            assert "SLF001" not in path.read_text(), path
    ignored = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]["per-file-ignores"]
    ours = {
        key for key, rules in ignored.items() if "SLF001" in rules and key.startswith("custom_components")
    }
    assert ours == {"custom_components/familiar_faces/internals/**"}
