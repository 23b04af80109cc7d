"""Fills the tables of actions and options in the docs from what the user interface says: see script/structure."""

from collections.abc import Collection, Iterator, Mapping
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
REST = "rest"
"""The table of every field of a dialog that no other table has, so that a new one is not left out."""
_NO_QUESTION = {"qr"}
"""Fields that only show something."""
_DIALOGS = ("config", "options", "config_subentries", "issues")


def reference_pages() -> dict[Path, str]:
    """Return the pages that have such tables, as they should be."""
    texts = json.loads((INTEGRATION / "translations" / "en.json").read_text(encoding="utf-8"))
    services = yaml.safe_load((INTEGRATION / "services.yaml").read_text(encoding="utf-8"))
    pages = {path: path.read_text(encoding="utf-8") for path in sorted(DOCS.glob("*.md"))}
    named = {found[2] for page in pages.values() for found in _BLOCK.finditer(page)}
    texts[REST] = rest(texts, named)
    return {path: filled(page, texts, services) for path, page in pages.items() if _BLOCK.search(page)}


def rest(texts: Mapping[str, Any], named: Collection[str]) -> dict[str, dict[str, str]]:
    """Return the fields of all dialogs, with their helps, without those of the forms that are named."""
    forms = [each for kind in _DIALOGS for each in forms_in(texts[kind], kind)]
    known = {label for path, said in forms if path in named for label in said.get("data", {}).values()}
    others: dict[str, dict[str, str]] = {"data": {}, "data_description": {}}
    for path, said in forms:
        for name, label in said.get("data", {}).items():
            if label not in known and name not in _NO_QUESTION:
                known.add(label)
                others["data"][f"{path}.{name}"] = label
                others["data_description"][f"{path}.{name}"] = said.get("data_description", {}).get(name, "")
    return others


def forms_in(texts: Mapping[str, Any], path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each form below a place in the translations, with where it is."""
    if isinstance(texts.get("data"), Mapping):
        yield path, texts
    for name, text in texts.items():
        if isinstance(text, Mapping):
            yield from forms_in(text, f"{path}.{name}")


def filled(page: str, texts: Mapping[str, Any], services: Mapping[str, Any]) -> str:
    """Return a page with every table between its marks written again; raise KeyError where there is no such text."""

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
