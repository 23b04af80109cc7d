"""Names that somebody types who means no good, and those of people."""

import re

import pytest

from custom_components.familiar_faces.people.names import cleaned

LINKS = re.compile(
    r"(?:(?:ftp|https?)://|www\.)(?:[a-zA-Z0-9\-]+\.?)+|[\w.+-]+@[\w-]+(\.[\w-]+)+", re.IGNORECASE
)
"""What Home Assistant's Markdown makes links of by itself (marked, GFM's extended autolinks)."""


@pytest.mark.parametrize(
    "name",
    [
        "Anna",
        "Wilhelmina Alexandra van der Bergh-Ķempe",
        "Nguyễn Thị Minh Khai",
        "O'Neil",
        "J.R.R. Tolkien",
        "Anna 2",
        "王小明",
        "محمد",
        "علی‌رضا",
        "क्‍षमा",
        "Σωκράτης",
        "Dr. Who",
        "Zoë & Max",
    ],
)
def test_names_of_people_stay(name: str) -> None:
    assert cleaned(name) == name


@pytest.mark.parametrize(
    "hidden",
    [
        *("\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u200e", "\u202e", "\u2066", "\u2069"),
        *("\u034f", "\u115f", "\u3164", "\uffa0", "\u2800", "\ufe0f", "\U000e0100", "\U000e0041", "\u180e"),
        *("\0", "\x1b", "\x7f", "\x9b", "\ue000", "\ud800"),
    ],
)
def test_what_cannot_be_seen_is_gone(hidden: str) -> None:
    """Nobody is called like somebody else but for a sign that nobody sees."""
    assert cleaned(f"An{hidden}na") == "Anna"
    assert cleaned(f"{hidden}Anna{hidden}") == "Anna"
    assert cleaned(hidden * 3) == ""


@pytest.mark.parametrize("blank", ["\u00a0", "\u3000", "\u2003", "\u2028", "\n", "\t", "\x85", "  "])
def test_blanks_are_one_space(blank: str) -> None:
    assert cleaned(f"{blank}Anna{blank}Maria{blank}") == "Anna Maria"


@pytest.mark.parametrize(
    "name",
    [
        "www.example.com",
        "WWW.a.b",
        "see www.example.com now",
        "https://example.com",
        "ftp://example.com/x",
        "HTTPS://EXAMPLE.COM",
        "anna@example.com",
        "evil.example",
        "http:/\u200b/example.com",
        "ww\u200bw.example.com",
        "https[://]example.com",
        "![x](https://example.com/x.png)",
        "<a href=//example.com>x</a>",
        "{{ states('lock.door') }}",
    ],
)
def test_no_link_comes_of_a_name(name: str) -> None:
    shown = cleaned(name)
    assert not LINKS.search(shown)
    assert not re.search(r"\w\.\w{2}", shown)
    assert not set("<>[]{}@`|\\") & set(shown)
    # It is the same the second time.
    assert cleaned(shown) == shown
