"""Writes what the docs take from the code: the house, the modules, actions and options. See script/structure."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
import re
import sys

from reference import reference_pages

ROOT = Path(__file__).resolve().parent.parent
HOUSE = ROOT / "custom_components" / "familiar_faces"
ARCHITECTURE = ROOT / "docs" / "architecture.md"
MODULES = ROOT / "docs" / "modules.md"

KINDS: Mapping[str, tuple[str, ...]] = {
    "Home Assistant's own names": ("platforms",),
    "Surfaces": ("flows", "pages", "views", "actions", "panel"),
    "The whole": ("hub",),
    "Services": (
        "alerts",
        "seen",
        "openness",
        "recognising",
        "consent",
        "erasing",
        "enrolment",
        "capture",
    ),
    "Ground": ("household", "wording", "internals"),
    "Pure": ("vault", "visits", "people", "host", "engine"),
}
"""The rooms, from the top of the house to its bottom."""
EVERYWHERE = {"const"}
"""Imported by so many that an arrow would say nothing."""
_TOP = {"hub": "hub", "running": "hub", "const": "const"}


def main() -> int:
    """Write the pages, or say which of them is not as the code is; return the process's exit code."""
    arrows = imports()
    if circles := circles_of(arrows):
        print(f"[structure] a circle of files: {', '.join(sorted(circles))}", file=sys.stderr)
        return 1
    wanted = {
        MODULES: modules_page(),
        ARCHITECTURE: with_picture(ARCHITECTURE.read_text(encoding="utf-8"), picture(arrows)),
        **reference_pages(),
    }
    wrong = [path for path, text in wanted.items() if not path.exists() or path.read_text("utf-8") != text]
    if "--check" in sys.argv[1:]:
        for path in wrong:
            print(
                f"[structure] {path.relative_to(ROOT)} is not as the code is: run script/structure",
                file=sys.stderr,
            )
        return 1 if wrong else 0
    for path in wrong:
        path.write_text(wanted[path], encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}")
    between = {(room(one), room(other)) for one, others in arrows.items() if one for other in others}
    files = sum(map(len, arrows.values()))
    print(f"{len(arrows)} files, {files} arrows between them, no circle;", end=" ")
    print(f"{len({each for each in between if each[0] != each[1]})} arrows between rooms")
    return 0


def sources() -> list[Path]:
    """Return the source files of the integration."""
    return sorted(HOUSE.rglob("*.py"))


def module(path: Path) -> str:
    """Return the name of a file's module, such as `seen.board`; empty for the integration itself."""
    parts = path.relative_to(HOUSE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room(name: str) -> str:
    """Return the room of a module."""
    first, _, rest = name.partition(".")
    if rest or (HOUSE / first).is_dir():
        return first or "platforms"
    return _TOP.get(first, "platforms")


def imports() -> dict[str, set[str]]:
    """Return which of our modules each module imports, for types alone included."""
    names = {module(path): path for path in sources()}
    found: dict[str, set[str]] = {name: set() for name in names}
    for name, path in names.items():
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level:
                parts = package.split(".") if package else []
                base = parts[: len(parts) - node.level + 1]
                target = ".".join([*base, *([node.module] if node.module else [])])
                for alias in node.names:
                    inner = f"{target}.{alias.name}".lstrip(".")
                    imported = inner if inner in names else target
                    if imported in names and imported not in ("", name):
                        found[name].add(imported)
    return found


def circles_of(arrows: Mapping[str, set[str]]) -> set[str]:
    """Return the modules that are in a circle: those that are left when whatever leads nowhere is taken away."""
    left = {name: set(targets) for name, targets in arrows.items()}
    while ends := [name for name, targets in left.items() if not targets & left.keys()]:
        for name in ends:
            del left[name]
    return set(left)


def picture(arrows: Mapping[str, set[str]]) -> str:
    """Return the rooms and their arrows as Mermaid; an arrow that follows from others is left out."""
    between: dict[str, set[str]] = {each: set() for rooms in KINDS.values() for each in rooms}
    for name, targets in arrows.items():
        if name and (of := room(name)) not in EVERYWHERE:
            between[of] |= {room(each) for each in targets} - {of} - EVERYWHERE
    lines = ["flowchart TB"]
    for number, (kind, rooms) in enumerate(KINDS.items()):
        lines.append(f'  subgraph k{number}["{kind}"]')
        lines.append(
            "    "
            + "; ".join(
                f"{each}([{each}/])" if each not in ("platforms", "hub") else f"{each}([{_LABEL[each]}])"
                for each in rooms
            )
        )
        lines.append("  end")
    lines += [f"  {one} --> {other}" for one, other in sorted(reduced(between))]
    return "\n".join(lines)


_LABEL = {"platforms": "sensor.py, event.py, trigger.py ...", "hub": "hub.py"}


def reduced(between: Mapping[str, set[str]]) -> Iterator[tuple[str, str]]:
    """Yield the arrows that do not follow from others."""

    def reached(start: str, without: str) -> set[str]:
        found, todo = set(), [each for each in between[start] if each != without]
        while todo:
            if (each := todo.pop()) not in found:
                found.add(each)
                todo += between[each]
        return found

    for one, others in between.items():
        for other in others:
            if other not in reached(one, other):
                yield one, other


def with_picture(page: str, drawn: str) -> str:
    """Return a page with this picture between its marks."""
    return re.sub(
        r"(<!-- the house: script/structure -->\n```mermaid\n).*?(\n```)",
        lambda match: f"{match.group(1)}{drawn}{match.group(2)}",
        page,
        flags=re.DOTALL,
    )


def modules_page() -> str:
    """Return the page that lists every module with the first sentence of its docstring."""
    lines = [
        "# Modules",
        "",
        "Every file of `custom_components/familiar_faces` and what it is for, written by `script/structure` from their",
        "docstrings. How they belong together: [architecture.md](architecture.md).",
    ]
    for kind, rooms in KINDS.items():
        for each in rooms:
            lines += ["", f"## {kind}: `{each}/`" if (HOUSE / each).is_dir() else f"## {kind}", ""]
            if (HOUSE / each).is_dir():
                lines += [said(HOUSE / each / "__init__.py"), ""]
            lines += ["| file | |", "|---|---|"]
            lines += [f"| `{path.name}` | {said(path)} |" for path in of_room(each)]
    return "\n".join([*lines, ""])


def of_room(name: str) -> list[Path]:
    """Return the files of a room, its own `__init__.py` left out."""
    if (HOUSE / name).is_dir():
        return [path for path in sorted((HOUSE / name).glob("*.py")) if path.name != "__init__.py"]
    return [
        path
        for path in sorted(HOUSE.glob("*.py"))
        if (path.stem in ("hub", "running", "const")) is (name == "hub")
    ]


def said(path: Path) -> str:
    """Return the first line of a file's docstring."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0].replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main())
