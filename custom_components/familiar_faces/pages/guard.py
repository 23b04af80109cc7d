"""Keeps the links from being guessed, and the forms from being driven from elsewhere or flooded.

A link's token has 256 random bits: nobody guesses one. Trying is slowed and noticed anyway. Only the
answer to a wrong link is slow, so nobody with a real one waits for what somebody else does.
"""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
import logging
from math import ceil
import re
from urllib.parse import parse_qs, urlsplit

from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError
from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN
from ..household.issues import async_links_guessed
from ..hub import Hub
from ..vault.errors import VaultError

_LOGGER = logging.getLogger(__name__)

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
"""32 bytes in URL-safe base64, as `vault.links` makes them."""

FORGIVEN_EVERY = 60.0
"""Seconds after which one wrong link is no longer counted."""
MAX_COUNT = 60.0
"""Whatever was tried, an hour later it is forgiven."""
FREE, FREE_IN_ALL = 3, 20
"""How many wrong links from one address, and from all, are answered at once: an old link is tried a few times."""
LONGEST_WAIT, LONGEST_WAIT_IN_ALL = 8.0, 2.0
MAX_WAITING = 100
"""How many answers wait at most; a flood gets the others at once rather than filling the memory."""
MAX_ADDRESSES = 1000
NOTICED = 30
"""How many wrong links that are not forgiven yet are told to the owner."""
NOTICED_EVERY = 3600.0
LOOKUPS = 4
"""How many links are looked up at a time: a flood leaves threads to the rest of Home Assistant."""
PAGES = 4
"""How many pages are made at a time; many visits to one page do not block the look-up of another link."""

MAX_FORM = 32 * 1024
MAX_FIELDS = 300
FORM_SECONDS = 20.0
MAX_UPLOADS = 3
"""How many people upload at a time; each holds one photo in memory."""
MAX_DOWNLOADS = 2
"""How many times at once somebody downloads what is kept of them: one may hang on a network that is gone."""
MAX_CHANGES = 60.0
"""How often behind one link something is sent that is kept or written down, or that the engine looks at."""
CHANGE_EVERY = 120.0
"""Seconds after which there is leave for one more."""

UNREADABLE = (ValueError, RuntimeError, OSError, HttpProcessingError, web.RequestPayloadError)
"""What reading a body raises that is no form, comes too slowly, or is cut off."""

type Form = dict[str, list[str]]
"""The values of a form by the names of their fields."""


class FormRefused(Exception):
    """What was sent is no form of these pages."""


class UploadBusy(Exception):
    """Enough is being uploaded."""


class TooOften(Exception):
    """Behind a link more was sent or fetched than anybody needs."""


@dataclass(slots=True)
class _Count:
    """How often something was done; one time is forgiven every so many seconds."""

    every: float
    most: float
    count: float = 0.0
    at: float = 0.0

    def add(self, now: float) -> int:
        """Count one more, and return how many there are."""
        self.count = min(self.most, self._left(now) + 1)
        self.at = now
        return ceil(self.count)

    def full(self, now: float) -> bool:
        """Return whether one more would be too many."""
        return self._left(now) + 1 > self.most

    def _left(self, now: float) -> float:
        return max(0.0, self.count - (now - self.at) / self.every)


class Guard:
    """What is remembered of wrong links, for as long as Home Assistant runs; nothing of it is stored."""

    _sleep = staticmethod(asyncio.sleep)

    def __init__(self, hass: HomeAssistant) -> None:
        """Have seen nothing yet."""
        self.enrolling = asyncio.Lock()
        """Held while somebody's enrolment ends: two of one name get two names."""
        self.lookup = asyncio.Semaphore(LOOKUPS)
        """The turns to look up a link."""
        self.page = asyncio.Semaphore(PAGES)
        """The turns to make a page."""
        self._hass = hass
        self._by_address: OrderedDict[str, _Count] = OrderedDict()
        self._in_all = _Count(FORGIVEN_EVERY, MAX_COUNT)
        self._waiting = 0
        self._noticed_at = float("-inf")
        self._uploading: set[str] = set()
        self._downloading: Counter[str] = Counter()
        self._changes: OrderedDict[str, _Count] = OrderedDict()
        self._viewed: OrderedDict[str, _Count] = OrderedDict()

    async def async_wrong(self, request: web.Request, hub: Hub | None) -> None:
        """Count a wrong link, tell the owner when there are many, and wait before it is answered."""
        now = self._hass.loop.time()
        count, in_all = self._count(_address(request), now), self._in_all.add(now)
        if hub is not None and in_all >= NOTICED and now - self._noticed_at >= NOTICED_EVERY:
            self._noticed_at = now
            await self._async_notice(hub, in_all)
        wait = max(delay(count, FREE, LONGEST_WAIT), delay(in_all, FREE_IN_ALL, LONGEST_WAIT_IN_ALL))
        if not wait or self._waiting >= MAX_WAITING:
            return
        self._waiting += 1
        try:
            await self._sleep(wait)
        finally:
            self._waiting -= 1

    @contextmanager
    def upload(self, person_id: str) -> Iterator[None]:
        """Hold one of the few places to upload; raise UploadBusy when there is none."""
        if person_id in self._uploading or len(self._uploading) >= MAX_UPLOADS:
            raise UploadBusy
        self._uploading.add(person_id)
        try:
            yield
        finally:
            self._uploading.discard(person_id)

    @contextmanager
    def download(self, person_id: str) -> Iterator[None]:
        """Hold one of somebody's places to download; raise TooOften when there is none."""
        if self._downloading[person_id] >= MAX_DOWNLOADS:
            raise TooOften
        self._downloading[person_id] += 1
        try:
            yield
        finally:
            self._downloading[person_id] -= 1
            self._downloading += Counter()

    @callback
    def count_change(self, person_id: str) -> None:
        """Count what somebody sends, so that the vault and its log are not flooded; raise TooOften.

        Withdrawing is not counted: nothing keeps anybody from it.
        """
        if not self._count_unless_full(self._changes, person_id, CHANGE_EVERY, MAX_CHANGES):
            raise TooOften

    @callback
    def first_view(self, person_id: str) -> bool:
        """Return whether somebody's own page was not looked at within the hour, and note that it is now."""
        return self._count_unless_full(self._viewed, person_id, NOTICED_EVERY, 1.0)

    def _count_unless_full(
        self, counts: OrderedDict[str, _Count], person_id: str, every: float, most: float
    ) -> bool:
        """Count something that somebody does, and return True, unless that would be too many."""
        now = self._hass.loop.time()
        count = _remembered(counts, person_id, _Count(every, most, at=now))
        if count.full(now):
            return False
        count.add(now)
        return True

    def _count(self, address: str, now: float) -> int:
        count = _Count(FORGIVEN_EVERY, MAX_COUNT, at=now)
        return _remembered(self._by_address, address, count).add(now)

    async def _async_notice(self, hub: Hub, count: int) -> None:
        async_links_guessed(self._hass)
        details = {"wrong_links": count}
        try:
            await self._hass.async_add_executor_job(
                hub.vault.audit, "links_guessed", None, details, dt_util.utcnow()
            )
        except VaultError as err:
            _LOGGER.debug("That links are guessed could not be written: %s", err)


_GUARD: HassKey[Guard] = HassKey(f"{DOMAIN}_guard")


@callback
def async_get_guard(hass: HomeAssistant) -> Guard:
    """Return the guard of this Home Assistant; it stays when the entry is loaded again."""
    if _GUARD not in hass.data:
        hass.data[_GUARD] = Guard(hass)
    return hass.data[_GUARD]


def well_formed(token: str) -> bool:
    """Return whether a text could be a token at all."""
    return _TOKEN.fullmatch(token) is not None


def delay(count: int, free: int, longest: float) -> float:
    """Return how many seconds the answer to this many wrong links waits: a quarter, then twice as long each time."""
    over = count - free
    return 0.0 if over <= 0 else min(longest, 0.25 * 2.0 ** min(over - 1, 16))


def sent_from_here(request: web.Request) -> bool:
    """Return whether a form was sent by one of these pages, as far as the browser says.

    Over plain HTTP browsers say nothing, and no origin either on a page without referrers. What another site
    lacks in any case is the address itself: nothing but its token opens anything, and no cookie is asked for.
    """
    if (site := request.headers.get("Sec-Fetch-Site")) is not None:
        return site == "same-origin"
    origin = request.headers.get(hdrs.ORIGIN, "null")
    try:
        return origin == "null" or urlsplit(origin).netloc.casefold() == request.host.casefold()
    except ValueError:
        # Of no browser.
        return False


async def read_form(request: web.Request) -> Form:
    """Return what was sent with a form; raise FormRefused for more than any of these sends."""
    if request.content_type != "application/x-www-form-urlencoded":
        raise FormRefused
    if (request.content_length or 0) > MAX_FORM:
        raise FormRefused
    body = bytearray()
    try:
        async with asyncio.timeout(FORM_SECONDS):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > MAX_FORM:
                    raise FormRefused
        return parse_qs(body.decode(errors="replace"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except UNREADABLE as err:
        raise FormRefused from err


def _remembered(counts: OrderedDict[str, _Count], key: str, new: _Count) -> _Count:
    """Return what is counted under a key, and forget what was not asked about for longest."""
    count = counts.setdefault(key, new)
    counts.move_to_end(key)
    if len(counts) > MAX_ADDRESSES:
        counts.popitem(last=False)
    return count


def _address(request: web.Request) -> str:
    """Return what counts as one address; a client with IPv6 has a whole network of them."""
    try:
        address = ip_address(request.remote or "")
    except ValueError:
        return ""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return address.exploded[:19]
    return str(address)
