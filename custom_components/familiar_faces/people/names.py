"""Names as they are typed, by a visitor's phone or in the owner's dialog, made safe to be shown anywhere."""

import re
from typing import Final
import unicodedata

MAX_NAME: Final = 80
_MARKUP: Final = frozenset("<>[]{}\\`|@")
"""What no name has, and what makes a tag, a link, a picture, a template or an address elsewhere."""
_BLANK: Final = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    + "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
)
"""Signs that show nothing although Unicode counts them among letters, marks or symbols (Default_Ignorable_Code_Point,
and the blank of Braille)."""
_JOINER, _NON_JOINER = "\u200d", "\u200c"
_VIRAMA: Final = 9
"""Canonical combining class of the signs after which Indic scripts need joiners."""
_SCHEME = re.compile(r"(?<=\w):(?=//)")
_WWW = re.compile(r"\b(www)\.(?=\S)", re.IGNORECASE)
_DOMAIN = re.compile(r"(?<=\w)\.(?=\w{2})")


def cleaned(text: str) -> str:
    """Return a name on one line, without what cannot be seen, reverses what is read, or is markup.

    Home Assistant shows names as a part of Markdown, and makes links of `https://...`, `www....` and mail
    addresses in it; some notification services do of whatever looks like a domain. So a dot inside of a name has a
    space behind it, but for initials: "St. John", "J.R.R. Tolkien". Letters of two alphabets that look alike stay.
    """
    text = unicodedata.normalize("NFC", text)
    shown: list[str] = []
    for index, each in enumerate(text):
        if each.isspace():
            shown.append(" ")
        elif each in (_JOINER, _NON_JOINER):
            if _joins(text, index):
                shown.append(each)
        elif each not in _MARKUP and each not in _BLANK and not unicodedata.category(each).startswith("C"):
            shown.append(each)
    one_line = " ".join("".join(shown).split())
    return _DOMAIN.sub(". ", _WWW.sub(r"\1. ", _SCHEME.sub("", one_line)))


def _joins(text: str, index: int) -> bool:
    """Return whether a joiner is a part of how a word is written; as RFC 5892, appendix A, has it."""
    if index == 0:
        return False
    if unicodedata.combining(text[index - 1]) == _VIRAMA:
        return True
    return (
        text[index] == _NON_JOINER
        and index + 1 < len(text)
        and unicodedata.bidirectional(text[index - 1]) == unicodedata.bidirectional(text[index + 1]) == "AL"
    )
