"""Prints figures as tables that can be put into a document."""

from collections.abc import Mapping, Sequence
from typing import Any


def table(result: Mapping[str, Any]) -> str:
    """Return the figures as Markdown: what is one number in lines, what is counted by strictness in columns."""
    plain = {name: value for name, value in result.items() if not isinstance(value, Mapping | list)}
    peer = result.get("peer", {})
    parts = [
        _rows(
            ["", "ours", "represent"] if peer else ["", "ours"],
            [[name, value, *([peer.get(name)] if peer else [])] for name, value in plain.items()],
        )
    ]
    if by_strictness := result.get("decisions"):
        kinds = list(next(iter(by_strictness.values())))
        parts.append(
            _rows(
                ["strictness", *kinds],
                [[name, *(row[kind] for kind in kinds)] for name, row in by_strictness.items()],
            )
        )
    for name, rows in result.items():
        if isinstance(rows, list) and rows:
            parts.append(f"{name}:\n\n{_rows(list(rows[0]), [list(row.values()) for row in rows])}")
    for name, value in (*result.items(), *((f"represent {name}", value) for name, value in peer.items())):
        if isinstance(value, Mapping) and name not in ("decisions", "peer"):
            parts.append(f"{name.replace('_', ' ')}: {_flat(value)}")
    return "\n\n".join(parts)


def _flat(value: Mapping[str, Any]) -> str:
    words = [
        f"{name} ({_flat(each)})" if isinstance(each, Mapping) else f"{name} {each}"
        for name, each in value.items()
        if each != {}
    ]
    return ", ".join(words)


def _rows(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    cells = [list(head), *[["" if cell is None else str(cell) for cell in row] for row in rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    lines = [
        f"| {' | '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))} |"
        for row in cells
    ]
    lines.insert(1, f"|{'|'.join('-' * (width + 2) for width in widths)}|")
    return "\n".join(lines)
