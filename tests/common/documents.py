"""The pages of the documentation, as tests read them."""

import re

from .source import ROOT

DOCS = ROOT / "docs"
README = ROOT / "README.md"
GENERATED = DOCS / "modules.md"
"""Written by `script/structure`: a line for every file, so it is as long as they are many."""
PAGES = sorted(DOCS.glob("*.md"))
WRITTEN = [page for page in PAGES if page != GENERATED]
_CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
_IN_HEADING = re.compile(r"[*`]|!?\[([^\]]*)\]\([^)]*\)")


def without_code(text: str) -> str:
    """Return a page without its fenced examples, whose comments look like headings."""
    return _CODE.sub("", text)


def headings(text: str, level: int = 0) -> list[str]:
    """Return the headings of a page, of one level or of all."""
    return [each for marks, each in _HEADING.findall(without_code(text)) if level in (0, len(marks))]


def anchor(heading: str) -> str:
    """Return the name that GitHub gives a heading: small letters, digits, dashes for spaces."""
    shown = _IN_HEADING.sub(lambda found: found[1] or "", heading)
    return re.sub(r"[^\w -]", "", shown.lower()).replace(" ", "-")


def anchors(text: str) -> set[str]:
    """Return the headings of a page as links name them; the second of two equal ones has a number."""
    found: dict[str, int] = {}
    names: set[str] = set()
    for heading in headings(text):
        name = anchor(heading)
        count = found[name] = found.get(name, -1) + 1
        names.add(f"{name}-{count}" if count else name)
    return names
