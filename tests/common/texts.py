"""The texts of the integration, as its translations hold them."""

import json
from pathlib import Path
from string import Formatter
from typing import Any

from .source import FOLDER


def read_json(path: Path) -> dict[str, Any]:
    """Return an object of a file, in which no key may stand twice."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in pairs]
        assert len(set(keys)) == len(keys), f"{path.name} has a key twice: {keys}"
        return dict(pairs)

    read: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=unique)
    return read


def flatten(tree: dict[str, Any], prefix: str = "") -> dict[str, str]:
    """Return every text by its path."""
    flat: dict[str, str] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def placeholders(text: str) -> set[str]:
    """Return the names of a text's placeholders."""
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


TEXTS = {path.stem: read_json(path) for path in sorted((FOLDER / "translations").glob("*.json"))}
ENGLISH_TREE = TEXTS["en"]
