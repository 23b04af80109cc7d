"""docs/security.md: its table has every door, and what it names as shown is there."""

from pathlib import Path
import re

from attacks.attack import Attack
from attacks.catalogue import ATTACKS
import pytest

from ..common.doors import DOORS, Who
from ..common.source import ROOT

PAGE = ROOT / "docs" / "security.md"
WHO = {
    "anybody": Who.ANYBODY,
    "a link": Who.LINK,
    "users": Who.USER,
    "administrators": Who.ADMIN,
}
_TESTS = re.compile(r"`(tests/[\w/]+\.py)`")
_NAMES = re.compile(r"`([a-z0-9]+(?:-[a-z0-9]+)+)`")
"""Attacks are the only names of the page with a dash."""


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the table below a heading, without the two lines of its head."""
    below = PAGE.read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [each for each in below.splitlines() if each.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def anchors(page: Path) -> set[str]:
    """Return the headings of a page as links name them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}


def test_the_table_has_every_door() -> None:
    told = {(kind.strip(), what.strip("`"), WHO[who]) for kind, what, who, *_ in rows("The doors")}
    assert told == {(str(door.kind), door.what, door.who) for door in DOORS}


def test_each_door_has_a_limit_and_what_shows_it() -> None:
    for _, what, _, limit, shown in rows("The doors"):
        assert limit, what
        assert _TESTS.search(shown) or _NAMES.search(shown), what


def test_what_the_page_names_is_there() -> None:
    text = PAGE.read_text()
    assert set(_NAMES.findall(text)) - {each.name for each in ATTACKS} == set()
    missing = [name for name in _TESTS.findall(text) if not (ROOT / name).is_file()]
    assert missing == []


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_each_attack_is_named_and_says_what_it_tries(attack: Attack) -> None:
    assert f"`{attack.name}`" in PAGE.read_text()
    document, _, heading = attack.claim.partition("#")
    assert heading in anchors(ROOT / document)


@pytest.mark.parametrize("page", ["README.md", "SECURITY.md", "CONTRIBUTING.md", "docs/privacy.md"])
def test_it_is_found(page: str) -> None:
    assert "security.md" in (ROOT / page).read_text()
