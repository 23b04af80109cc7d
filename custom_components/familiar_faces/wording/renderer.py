"""Pages from templates and texts; each file is read once."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
import json
from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey
from jinja2 import DictLoader, Environment, StrictUndefined, Template

from ..const import DOMAIN
from .words import LANGUAGES, in_whole_units

FOLDER = Path(__file__).parent
LANGUAGE_NAMES = {"en": "English", "nl": "Nederlands", "de": "Deutsch"}
CONTENT_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

type Texts = Mapping[str, str]


class Renderer:
    """Makes pages. `load` reads and compiles everything, off the event loop; after that no file is opened."""

    def __init__(
        self, templates: Mapping[str, str], texts: Mapping[str, Texts], assets: Mapping[str, bytes]
    ) -> None:
        """Compile the templates; `texts` are by language and then by key, `assets` by file name."""
        self.texts = texts
        self.assets = assets
        environment = Environment(
            autoescape=True,
            loader=DictLoader(dict(templates)),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._templates: dict[str, Template] = {name: environment.get_template(name) for name in templates}

    @classmethod
    def load(cls) -> Renderer:
        """Read every template, text and asset of this folder."""
        folder = FOLDER / "templates"
        return cls(
            templates={
                path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
                for path in folder.rglob("*.html")
            },
            texts={language: read_texts(language) for language in LANGUAGES},
            assets={
                path.name: path.read_bytes()
                for path in (FOLDER / "static").iterdir()
                if path.suffix in CONTENT_TYPES
            },
        )

    def render(self, template: str, language: str, /, **values: Any) -> str:
        """Return a page in a language.

        In the template are, besides `values`: `t(key, **values)` for a text, `duration`, `number`, `share`,
        `day` and `moment` for figures as they are written in the language, `language` and `languages`.
        """
        texts = self.texts[language]
        return self._templates[template].render(
            {
                "t": partial(say, texts),
                "language": language,
                "languages": LANGUAGE_NAMES,
                "switch": True,
                **{name: partial(write, texts) for name, write in WRITERS.items()},
                **values,
            }
        )


_RENDERER: HassKey[Renderer] = HassKey(f"{DOMAIN}_renderer")


async def async_get_renderer(hass: HomeAssistant) -> Renderer:
    """Return the renderer of this Home Assistant."""
    if _RENDERER not in hass.data:
        hass.data[_RENDERER] = await hass.async_add_executor_job(Renderer.load)
    return hass.data[_RENDERER]


def read_texts(language: str) -> dict[str, str]:
    """Return the texts of a language by their keys.

    `nl.json` holds what all pages share, under its own keys; `papers.nl.json` the texts of one area, whose
    keys begin with its name, as in `papers.notice.title`.
    """
    texts: dict[str, str] = {}
    for path in sorted((FOLDER / "texts").glob(f"*{language}.json")):
        area = path.name.removesuffix(f"{language}.json")
        for key, value in json.loads(path.read_text(encoding="utf-8")).items():
            if isinstance(value, dict):
                texts |= {f"{area}{key}.{name}": text for name, text in value.items()}
            else:
                texts[f"{area}{key}"] = value
    return texts


def say(texts: Texts, key: str, /, **values: object) -> str:
    """Return a text with its placeholders filled in; raises KeyError for one that there is not."""
    return texts[key].format(**values)


def duration(texts: Texts, kept: timedelta) -> str:
    """Return how long, in the largest unit that says it exactly: "12 months", "30 days", "36 hours"."""
    if (whole := in_whole_units(kept)) is not None:
        count, unit = whole
        return _count(texts, unit, count)
    count = -(-kept // timedelta(seconds=1))
    return _count(texts, "second", count) if count % 60 or not count else _count(texts, "minute", count // 60)


def _count(texts: Texts, unit: str, count: int) -> str:
    return texts[f"{unit}.{'one' if count == 1 else 'many'}"].format(count=number(texts, count))


def number(texts: Texts, value: float) -> str:
    """Return a number as it is written in the language: "1,208"."""
    swap = str.maketrans({",": texts["number.thousands"], ".": texts["number.decimal"]})
    return f"{value:,}".translate(swap)


def share(texts: Texts, value: float, digits: int = 1) -> str:
    """Return a share of 0 to 1 in percent, as it is written in the language: "99.4%"."""
    return texts["number.percent"].format(
        share=f"{100 * value:.{digits}f}".replace(".", texts["number.decimal"])
    )


def day(texts: Texts, at: datetime) -> str:
    """Return a day, in this home's time zone."""
    local = dt_util.as_local(at)
    return texts["date.day"].format(day=local.day, month=texts[f"date.{local.month}"], year=local.year)


def moment(texts: Texts, at: datetime) -> str:
    """Return a day and the time of day, in this home's time zone."""
    local = dt_util.as_local(at)
    return texts["date.moment"].format(day=day(texts, at), time=f"{local:%H:%M}")


WRITERS: dict[str, Callable[..., str]] = {
    "duration": duration,
    "number": number,
    "share": share,
    "day": day,
    "moment": moment,
}
