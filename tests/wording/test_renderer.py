"""The renderer: texts and figures as they are written in each language."""

from datetime import UTC, datetime, timedelta
import json

from jinja2 import UndefinedError
import pytest

from custom_components.familiar_faces.vault.retention import MONTH
from custom_components.familiar_faces.wording.renderer import FOLDER, Renderer, number, share
from tests.common.texts import placeholders

RENDERER = Renderer.load()
LANGUAGES = ("en", "nl", "de")


def rendered(source: str, language: str, **values: object) -> str:
    """Return what a template makes of values."""
    return Renderer({"page": source}, RENDERER.texts, {}).render("page", language, **values)


@pytest.mark.parametrize("language", ["nl", "de"])
def test_the_same_texts_in_every_language(language: str) -> None:
    """No language lacks a text or a placeholder, and none says a sentence in English."""
    english, texts = RENDERER.texts["en"], RENDERER.texts[language]
    assert texts.keys() == english.keys()
    assert {key for key in texts if placeholders(texts[key]) != placeholders(english[key])} == set()
    sentences = {key for key in english if " " in english[key] and english[key].endswith((".", "?"))}
    assert sentences
    assert {key for key in sentences if texts[key] == english[key]} == set()


def test_no_key_stands_twice() -> None:
    """No file says a text twice, and every file belongs to a language."""

    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        assert len({key for key, _ in pairs}) == len(pairs), pairs
        return dict(pairs)

    for path in (FOLDER / "texts").iterdir():
        assert path.name.split(".")[-2] in LANGUAGES
        json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=unique)


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_are_plain(language: str) -> None:
    """A text holds no markup of its own: that is the templates' affair, and would be shown as it is."""
    for key, text in RENDERER.texts[language].items():
        assert text == text.strip(), key
        assert not set("<>*`") & set(text), key
        assert "  " not in text, key


@pytest.mark.parametrize(
    ("kept", "english", "dutch", "german"),
    [
        (timedelta(seconds=30), "30 seconds", "30 seconden", "30 Sekunden"),
        (timedelta(seconds=90), "90 seconds", "90 seconden", "90 Sekunden"),
        (timedelta(minutes=5), "5 minutes", "5 minuten", "5 Minuten"),
        (timedelta(hours=1), "1 hour", "1 uur", "1 Stunde"),
        (timedelta(hours=24), "24 hours", "24 uur", "24 Stunden"),
        (timedelta(hours=36), "36 hours", "36 uur", "36 Stunden"),
        (timedelta(days=7), "7 days", "7 dagen", "7 Tage"),
        (timedelta(days=30), "30 days", "30 dagen", "30 Tage"),
        (MONTH, "1 month", "1 maand", "1 Monat"),
        (36 * MONTH, "36 months", "36 maanden", "36 Monate"),
        (timedelta(0), "0 seconds", "0 seconden", "0 Sekunden"),
    ],
)
def test_durations(kept: timedelta, english: str, dutch: str, german: str) -> None:
    """A period is said exactly, in the largest unit that can."""
    said = [rendered("{{ duration(kept) }}", language, kept=kept) for language in LANGUAGES]
    assert said == [english, dutch, german]


def test_figures() -> None:
    """Thousands, fractions, percents, days and times are written as in the language."""
    source = "{{ number(1208) }} {{ number(0.75) }} {{ share(0.9942, 2) }} {{ day(at) }} | {{ moment(at) }}"
    at = datetime(2026, 3, 1, 17, 5, tzinfo=UTC)
    said = [rendered(source, language, at=at) for language in LANGUAGES]
    assert said[0].startswith("1,208 0.75 99.42% 1 March 2026 | 1 March 2026, ")
    assert said[1].startswith("1.208 0,75 99,42% 1 maart 2026 | 1 maart 2026 om ")
    assert said[2].startswith("1.208 0,75 99,42\N{NO-BREAK SPACE}% 1. März 2026 | 1. März 2026, ")
    assert number(RENDERER.texts["de"], 1234567) == "1.234.567"
    assert share(RENDERER.texts["en"], 1.0, 0) == "100%"


def test_values_are_escaped_and_never_filled_in() -> None:
    """What people typed is shown as they typed it, in a text and beside it."""
    hostile = "<script>alert(1)</script>{{ 7*7 }}{t}\"'&"
    texts = {"en": {"hello": "Hello {name}"}}
    said = Renderer({"page": '{{ t("hello", name=name) }} {{ name }}'}, texts | _figures(), {})
    page = said.render("page", "en", name=hostile)
    assert "<script>" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;{{ 7*7 }}{t}&#34;&#39;&amp;") == 2


def _figures() -> dict[str, dict[str, str]]:
    return {"en": {**RENDERER.texts["en"], "hello": "Hello {name}"}}


def test_nothing_is_left_out_in_silence() -> None:
    """A value or a text that is missing is an error and no empty place."""
    with pytest.raises(UndefinedError):
        rendered("{{ forgotten }}", "en")
    with pytest.raises(KeyError):
        rendered('{{ t("forgotten") }}', "en")
    with pytest.raises(KeyError):
        Renderer({"page": '{{ t("hello") }}'}, _figures(), {}).render("page", "en")
