"""Texts, comments and docs are plain: subject, verb, object, and Home Assistant's own words."""

import json
from pathlib import Path
import re
import tokenize
from typing import Any

import pytest

from tests.common.source import FOLDER, ROOT
from tests.common.texts import ENGLISH_TREE, TEXTS, flatten

# Each with what to say instead.
STUMBLES = {
    r"\bwhom(ever)?\b|\bwhoever\b|\bof which\b": "who, or a plain noun",
    r"\b(any|no) more\b[.,:;]?": "no longer",
    r"\bthemself\b": "themselves, or the role: the recipient",
    r"\btells? (of|nobody)\b|\b(be|is|are|was|were) told\b": "notify",
    r"\blook(s|ed|ing)? at\b(?! (it|the camera)\b)": "check",
    r"\b(say|says|said|saying) yes\b|\b(a|their|your|this|new) yes\b": "consent, agree",
    r"\ball the same\b": "anyway",
    r"\banew\b": "again",
    r"\bgoes back on\b|\bput(s|ting)? on record\b": "record",
    r"\bas (it|he|she|they) calls? (it|them)\b": "a plain noun",
}
"""Patterns that readers stumble over, as regular expressions, and what is plainer."""
WRITTEN = sorted((FOLDER / "wording" / "texts").glob("*en.json"))
"""The English texts of pages and papers."""


def stumbles(text: str) -> list[str]:
    """Return what a reader stumbles over in a text."""
    return [
        f"{found.group()!r}: say {better}"
        for pattern, better in STUMBLES.items()
        for found in re.finditer(pattern, text, re.IGNORECASE)
    ]


@pytest.mark.parametrize(
    "text",
    [
        "The person of whom nothing is kept.",
        "It is recognised no more.",
        "Choose whoever comes.",
        "They said yes to exactly this.",
        "Nobody is told about themself.",
        "The camera is looked at.",
        "Tells of",
    ],
)
def test_finds_stumbles(text: str) -> None:
    """Each kind is found."""
    assert stumbles(text)


def test_dialogs() -> None:
    """Dialogs, entities, errors, issues and actions are in plain English."""
    assert {key: found for key, text in flatten(ENGLISH_TREE).items() if (found := stumbles(text))} == {}


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.name)
def test_pages(path: Path) -> None:
    """What visitors read is in plain English."""
    texts = flatten(json.loads(path.read_text(encoding="utf-8")))
    assert {key: found for key, text in texts.items() if (found := stumbles(text))} == {}


def test_guides() -> None:
    """What users read about it, and the blueprints, are in plain English; pages for engineers have words of their own."""
    for_engineers = {"modules.md", *(path.name for path in (ROOT / "docs").glob("architecture*.md"))}
    guides = [path for path in (ROOT / "docs").glob("*.md") if path.name not in for_engineers]
    blueprints = sorted((ROOT / "blueprints").rglob("*.yaml"))
    assert len(guides) > 30
    assert blueprints
    written = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "deploy" / "app" / "DOCS.md"]
    found = {}
    for path in (*written, *guides, *blueprints):
        # Without line breaks: a sentence goes on in the next line.
        if stumbled := stumbles(" ".join(prose(path).split())):
            found[path.name] = stumbled
    assert found == {}


def test_labels_are_no_sentences() -> None:
    """A label of a field names it; what follows from it is in the help below."""
    labels = {
        key: text
        for key, text in flatten(ENGLISH_TREE).items()
        if re.search(r"\.data\.\w+$", key) or (key.startswith("services.") and key.endswith(".name"))
    }
    assert labels
    assert {key: text for key, text in labels.items() if text.endswith((".", ":", "!"))} == {}


def test_errors_say_what_to_do() -> None:
    """An error of a field has a verb of the reader's: enter, choose, check, wait, record, confirm ..."""
    does = re.compile(
        r"\b(add|check|choose|close|confirm|enter|free|give|install|invite|keep|leave|open|record|remove|restart|save|see|set"
        r"|start|switch|try|update|upload|use|wait)\b",
        re.IGNORECASE,
    )
    errors = {key: text for key, text in flatten(ENGLISH_TREE).items() if re.search(r"\.error\.\w+$", key)}
    assert errors
    assert {key: text for key, text in errors.items() if not does.search(text)} == {}


def forms(tree: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the texts of each step that is a form, by its path."""
    found: dict[str, dict[str, Any]] = {}

    def search(part: dict[str, Any], path: str) -> None:
        for key, value in part.items():
            if key == "step":
                found.update({f"{path}{step}": texts for step, texts in value.items()})
            elif isinstance(value, dict):
                search(value, f"{path}{key}.")

    search(tree, "")
    # What has a title alone shows progress.
    return {
        path: texts
        for path, texts in found.items()
        if "menu_options" not in texts and texts.keys() > {"title"}
    }


@pytest.mark.parametrize("language", sorted(TEXTS))
def test_buttons(language: str) -> None:
    """The button of each form says what it does, instead of "Submit"."""
    steps = forms(TEXTS[language])
    assert len(steps) > 30
    assert [path for path, texts in steps.items() if not texts.get("submit")] == []


def prose(path: Path) -> str:
    """Return what people read of a file: of Python the comments and the docstrings, of others no comments."""
    if path.suffix != ".py":
        return re.sub(r"<!--.*?-->", "", path.read_text(encoding="utf-8"))
    with path.open("rb") as source:
        return "\n".join(
            each.string
            for each in tokenize.tokenize(source.readline)
            if each.type == tokenize.COMMENT
            or (each.type == tokenize.STRING and each.string.startswith('"""'))
        )


OLD_WORDS = re.compile(r"\b(whom(ever)?|whoever|anew|themself|all the same)\b", re.IGNORECASE)
"""Words that no comment needs; names of variables and steps are no prose."""


def test_finds_old_words(tmp_path: Path) -> None:
    """They are found in a comment and in a docstring, and not in a name."""
    path = tmp_path / "module.py"
    path.write_text('"""Whoever comes."""\nwhom = 1  # begins anew\n', encoding="utf-8")
    assert [each.group() for each in OLD_WORDS.finditer(prose(path))] == ["Whoever", "anew"]


def test_comments_and_docs() -> None:
    """Comments, docstrings and docs use none of them."""
    here = Path(__file__).parent
    found = {}
    for folder in ("custom_components", "demo", "docs", "script", "tests", "frontend/src", "deploy"):
        for path in sorted((ROOT / folder).rglob("*")):
            if (
                path.suffix not in (".py", ".md", ".ts")
                or here in path.parents
                or path.name == "test_pages.py"
            ):
                continue
            if words := {each.group() for each in OLD_WORDS.finditer(prose(path))}:
                found[str(path.relative_to(ROOT))] = words
    assert found == {}
