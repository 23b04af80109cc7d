"""The security pages: their tables have every door, and the tests and attacks that they name exist."""

import re

from attacks.attack import Attack
from attacks.catalogue import ATTACKS
import pytest

from ..common.documents import DOCS, anchors
from ..common.doors import DOORS, Who
from ..common.source import ROOT

PAGES = [DOCS / name for name in ("security.md", "security-machine.md", "doors.md", "doors-panel.md")]
WHO = {
    "anybody": Who.ANYBODY,
    "a link": Who.LINK,
    "users": Who.USER,
    "administrators": Who.ADMIN,
}
_TESTS = re.compile(r"`(tests/[\w/]+\.py)`")
_NAMES = re.compile(r"`([a-z0-9]+(?:-[a-z0-9]+)+)`")
"""Only attacks, and the panel, have a name with a dash on these pages."""


def doors() -> list[list[str]]:
    """Return the cells of the tables of doors, without the two lines of their heads."""
    text = "\n".join((DOCS / name).read_text() for name in ("doors.md", "doors-panel.md"))
    lines = [each for each in text.splitlines() if each.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return [row for row in cells if row[0] != "door" and not row[0].startswith("-")]


def written() -> str:
    """Return the text of all pages on security."""
    return "\n".join(page.read_text() for page in PAGES)


def test_the_table_has_every_door() -> None:
    told = {(kind.strip(), what.strip("`"), WHO[who]) for kind, what, who, *_ in doors()}
    assert told == {(str(door.kind), door.what, door.who) for door in DOORS}


def test_each_door_has_a_limit_and_what_shows_it() -> None:
    for _, what, _, limit, shown in doors():
        assert limit, what
        assert _TESTS.search(shown) or _NAMES.search(shown), what


def test_what_the_page_names_is_there() -> None:
    text = written()
    assert set(_NAMES.findall(text)) <= {each.name for each in ATTACKS} | {door.what for door in DOORS}
    missing = [name for name in _TESTS.findall(text) if not (ROOT / name).is_file()]
    assert missing == []


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_each_attack_is_named_and_says_what_it_tries(attack: Attack) -> None:
    assert f"`{attack.name}`" in written()
    document, _, heading = attack.claim.partition("#")
    assert heading in anchors((ROOT / document).read_text())


@pytest.mark.parametrize("page", ["README.md", "SECURITY.md", "CONTRIBUTING.md", "docs/privacy.md"])
def test_it_is_found(page: str) -> None:
    assert "security.md" in (ROOT / page).read_text()
