"""The pages of the documentation: short, with a table of contents, and with links that lead somewhere."""

from pathlib import Path
import re

import pytest

from ..common.documents import GENERATED, PAGES, README, WRITTEN, anchor, anchors, headings, without_code
from ..common.source import ROOT

MOST_WORDS = 1500
MOST_WORDS_OF_README = 900
LINK = re.compile(r"(?<!!)\[(?:!\[[^\]]*\]\([^)]*\)|[^\]])*\]\(([^)\s]+)\)")
CONTENTS = re.compile(r"^- \[(.+)\]\(#([^)]+)\)$", re.MULTILINE)
HARD_TO_READ = re.compile(
    r"\b(?:of whom|of which|whoever|any more|tells? of|themself|said yes)\b", re.IGNORECASE
)
"""Turns of phrase that readers who learned English stumble over; a plain noun or verb is always at hand."""
TAKEN_OVER = re.compile(r"<!-- reference: .*?<!-- end -->", re.DOTALL)
"""What the dialogs say, whose words have a test of their own."""
EVERY_PAGE = sorted([*PAGES, *ROOT.glob("*.md"), *ROOT.glob("deploy/*/*.md"), *ROOT.glob(".github/**/*.md")])


SHORT = [pytest.param(page, id=page.name) for page in WRITTEN]


def name(page: Path) -> str:
    """Return a page's path from the top of the repository."""
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", SHORT)
def test_a_page_is_short(page: Path) -> None:
    assert len(page.read_text().split()) < MOST_WORDS


def test_the_readme_is_shorter() -> None:
    assert len(README.read_text().split()) < MOST_WORDS_OF_README


@pytest.mark.parametrize("page", SHORT)
def test_a_page_has_a_table_of_contents(page: Path) -> None:
    """Before the first section, with a link to each of them, in their order."""
    text = without_code(page.read_text())
    sections = headings(text, 2)
    assert sections
    before = text.partition("\n## ")[0]
    assert CONTENTS.findall(before) == [(each, anchor(each)) for each in sections]


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_page_has_one_title_and_says_what_it_is_about(page: Path) -> None:
    text = page.read_text()
    assert text.startswith("# ")
    assert len(headings(text, 1)) == 1
    about = text.split("\n", 2)[2].strip().splitlines()[0]
    assert len(about.split()) >= 4
    assert about[0].isupper()


@pytest.mark.parametrize("page", EVERY_PAGE, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    """Each file is there, and each heading on it."""
    dead: list[str] = []
    for target in LINK.findall(page.read_text()):
        if re.match(r"[a-z]+:", target) or target.startswith("../../"):
            # An address, or a path below GitHub's own pages.
            continue
        path, _, heading = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        if not there.exists() or (heading and heading not in anchors(there.read_text())):
            dead.append(target)
    assert dead == []


def test_pages_are_found() -> None:
    """From the README, through any number of other pages."""
    found, todo = set[Path](), [README]
    while todo:
        if (page := todo.pop()) in found:
            continue
        found.add(page)
        targets = [each.partition("#")[0] for each in LINK.findall(page.read_text()) if ":" not in each]
        todo += [there for each in targets if (there := (page.parent / each).resolve()) in PAGES]
    assert set(PAGES) <= found


def test_links_are_found_by_the_pattern() -> None:
    """Also around a picture, and more than one a line."""
    text = "[a](b.md) and [![c](d.svg)](e.md#f), not ![g](h.png); [`i`](j.md)"
    assert LINK.findall(text) == ["b.md", "e.md#f", "j.md"]


def test_only_one_page_is_generated() -> None:
    """It may be long, for it has a line for every file."""
    assert "written by `script/structure`" in GENERATED.read_text()
    assert [page for page in WRITTEN if "written by `script/structure`" in page.read_text()] == []


@pytest.mark.parametrize("page", [each for each in EVERY_PAGE if each != GENERATED], ids=name)
def test_a_page_is_in_plain_words(page: Path) -> None:
    text = TAKEN_OVER.sub("", page.read_text())
    assert HARD_TO_READ.findall(text) == []


def test_hard_words_are_found() -> None:
    assert HARD_TO_READ.findall("Whoever comes, of whom nothing is kept") == ["Whoever", "of whom"]
