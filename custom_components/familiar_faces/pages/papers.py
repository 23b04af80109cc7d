"""The papers: notice, sign, retention policy and model card for everybody, the record for the owner."""

from functools import lru_cache
from typing import Any, override

from aiohttp import web
from homeassistant.components.http.const import KEY_HASS_USER
from homeassistant.core import HomeAssistant
from homeassistant.helpers.http import KEY_AUTHENTICATED
from homeassistant.helpers.network import NoURLAvailableError, get_url
from homeassistant.util import dt as dt_util

from ..consent.invitations import qr_data_uri
from ..const import PAPERS, RECORD
from ..household.options import papers_shown
from ..hub import FamiliarFacesConfigEntry
from ..people.measured import MEASURED
from ..people.promise import CERTAINTY, promises
from .papers_facts import card_of, gather, promise_of
from .view import PageView

PAIRS = 1000
PAIRS_RIGHT = 0.991
"""How many of the pairs of LFW's view 1 `script/eval verify` tells rightly; see docs/accuracy.md."""


class PaperView(PageView):
    """A paper that is there for everybody while the owner has switched the papers on."""

    paper: str

    async def get(self, request: web.Request) -> web.Response:
        """Show the paper as the settings are now."""
        entry = self.entry()
        if entry is None or not papers_shown(entry):
            return self.not_found(request)
        return self.page(
            request,
            f"{self.paper}.html",
            paper=self.paper,
            papers=PAPERS,
            facts=gather(entry),
            now=dt_util.utcnow(),
            **self.values(entry),
        )

    def values(self, entry: FamiliarFacesConfigEntry) -> dict[str, Any]:
        """Return what this paper says besides the facts."""
        return {}


class NoticeView(PaperView):
    """Who is responsible, what is done, for how long, and everybody's rights."""

    url = PAPERS["notice"]
    name = "familiar_faces:notice"
    paper = "notice"


class SignView(PaperView):
    """A sign to print, with the way to the notice."""

    url = PAPERS["sign"]
    name = "familiar_faces:sign"
    paper = "sign"

    @override
    def values(self, entry: FamiliarFacesConfigEntry) -> dict[str, Any]:
        address = notice_address(self.hass)
        return {"url": address, "qr": _qr_code(address) if address else None}


class PolicyView(PaperView):
    """How long everything is kept and how it is destroyed."""

    url = PAPERS["policy"]
    name = "familiar_faces:policy"
    paper = "policy"


class ModelView(PaperView):
    """The models, and what is known of how well they recognise."""

    url = PAPERS["model"]
    name = "familiar_faces:model"
    paper = "model"

    @override
    def values(self, entry: FamiliarFacesConfigEntry) -> dict[str, Any]:
        gallery = entry.runtime_data.gallery
        model = gallery.model if gallery is not None else None
        return {
            "model": model,
            "card": card_of(model),
            "measured": MEASURED,
            "promises": promises(MEASURED),
            "promise": promise_of(entry),
            "certainty": CERTAINTY,
            "pairs": PAIRS,
            "pairs_right": PAIRS_RIGHT,
        }


class RecordView(PageView):
    """The record of processing activities, for administrators and by a link that one of them had signed."""

    url = RECORD
    name = "familiar_faces:record"

    async def get(self, request: web.Request, language: str) -> web.Response:
        """Show the record; to anybody else it is not there."""
        entry = self.entry()
        if entry is None or language not in self.renderer.texts or not _is_owner(request):
            return self.not_found(request)
        return self.page(
            request,
            "record.html",
            paper="record",
            papers=None,
            language=language,
            switch=False,
            facts=gather(entry),
            promise=promise_of(entry),
            now=dt_util.utcnow(),
        )


VIEWS = (NoticeView, SignView, PolicyView, ModelView, RecordView)


def _is_owner(request: web.Request) -> bool:
    user = request.get(KEY_HASS_USER)
    return bool(request.get(KEY_AUTHENTICATED)) and user is not None and user.is_admin


def notice_address(hass: HomeAssistant) -> str | None:
    """Return the address of the notice for somebody outside; None when no address of this home is known."""
    try:
        return get_url(hass, prefer_external=True) + PAPERS["notice"]
    except NoURLAvailableError:
        return None


@lru_cache(maxsize=4)
def _qr_code(address: str) -> str:
    """Return the QR code of a public address. Only such a one is remembered: what a link opens is secret."""
    return qr_data_uri(address)
