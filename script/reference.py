"""Fills the tables of actions and options in the docs from what the user interface says: see script/structure."""

from collections.abc import Iterator, Mapping
import json
from pathlib import Path
import re
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
INTEGRATION = ROOT / "custom_components" / "familiar_faces"
_BLOCK = re.compile(r"(<!-- reference: ([\w.]+) -->\n).*?(<!-- end -->)", re.DOTALL)
"""A table between two marks, and where its texts are in the English translations."""


def reference_pages() -> dict[Path, str]:
    """Return the pages that have such tables, as they should be."""
    texts = json.loads((INTEGRATION / "translations" / "en.json").read_text(encoding="utf-8"))
    services = yaml.safe_load((INTEGRATION / "services.yaml").read_text(encoding="utf-8"))
    pages = {path: path.read_text(encoding="utf-8") for path in sorted(DOCS.glob("*.md"))}
    return {path: filled(page, texts, services) for path, page in pages.items() if _BLOCK.search(page)}


def filled(page: str, texts: Mapping[str, Any], services: Mapping[str, Any]) -> str:
    """Return a page with every table between its marks written anew; raise KeyError where there is no such text."""

    def table(found: re.Match[str]) -> str:
        path = found[2].split(".")
        said: Any = texts
        for each in path:
            said = said[each]
        if path[0] == "services":
            lines = action(said, (services[path[1]] or {}).get("fields", {}))
        elif path[0] == "selector":
            lines = (f"- {_line(label)}" for label in said["options"].values())
        else:
            lines = form(said)
        return f"{found[1]}{'\n'.join(lines)}\n{found[3]}"

    return _BLOCK.sub(table, page)


def action(said: Mapping[str, Any], fields: Mapping[str, Any]) -> Iterator[str]:
    """Yield what an action does, and its fields, in the order of its own page in Home Assistant."""
    yield _line(said["description"])
    if not fields:
        return
    yield from ("", "| field | | |", "|---|---|---|")
    for name, field in fields.items():
        needed = "required" if field.get("required") else "optional"
        if "default" in field:
            needed = f"default {json.dumps(field['default']).strip('"')}"
        yield f"| `{name}` | {needed} | {_line(said['fields'][name]['description'])} |"


def form(said: Mapping[str, Any]) -> Iterator[str]:
    """Yield the fields of a form with their help, or the choices of a menu."""
    if "menu_options" in said:
        yield from ("| choice | |", "|---|---|")
        helps, labels = said.get("menu_option_descriptions", {}), said["menu_options"]
    else:
        yield from ("| setting | |", "|---|---|")
        helps, labels = dict(said.get("data_description", {})), dict(said.get("data", {}))
        for section in said.get("sections", {}).values():
            helps |= section.get("data_description", {})
            labels |= section.get("data", {})
    for name, label in labels.items():
        yield f"| **{_line(label)}** | {_line(helps.get(name, ''))} |"


def _line(text: str) -> str:
    """Return a text as it can stand in a table."""
    return " ".join(text.split()).replace("|", "\\|")
