"""Event media: the clip of an event that an integration keeps, where its camera shows Home Assistant nothing live."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
import io

import aiohttp
from homeassistant.components import media_source
from homeassistant.components.media_player.browse_media import async_process_play_media_url
from homeassistant.components.media_source.const import URI_SCHEME
from homeassistant.const import Platform
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.helpers.network import NoURLAvailableError, get_url
from homeassistant.util import dt as dt_util

from ..host.engine_errors import EngineBusy, EngineError, ImageRejected, NoNewFrame, StreamEnded
from ..host.stream_session import StreamSession
from .event_pictures import AHEAD, BEFORE
from .known_pictures import KnownPictures, async_digest
from .packets import Piece, Timeline
from .picture_source import Ask, NoPicture, Pictures, Seen, Trouble, Wish
from .piece_writer import CLOCK, CODECS, PieceWriter
from .stream_origin import Receiver

TOKENS: Mapping[str, str] = {"nest": "nest_event_id"}
"""By integration, the attribute in which its event entities name the media of the event. In the integration's media
source it lies below the device's id."""
CLIP_SECONDS = 45.0
"""How long the clip of an event is waited for, once there was one: it is there when the event has ended."""
AGAIN = 2.0
"""Seconds until a clip that is not there yet is asked for again."""
FETCH_SECONDS = 10.0
MAX_CLIP = 32 * 1024 * 1024
"""Bytes of a clip; those of ten seconds have two million."""
STEP = 0.4
"""Seconds of a clip from one picture that is looked at to the next."""
LOOK_SECONDS = 6.0
"""How long the engine may take for one."""


@dataclass(frozen=True, slots=True)
class MediaPlace:
    """Where the media of a camera's events are."""

    camera: str
    integration: str
    device_id: str

    def media_id(self, token: str) -> str:
        """Return what Home Assistant calls the media of an event."""
        return f"{URI_SCHEME}{self.integration}/{self.device_id}/{token}"


def event_media_of(hass: HomeAssistant, camera: str) -> MediaPlace | None:
    """Return where the media of a camera's events are; None where its integration keeps none."""
    entry = er.async_get(hass).async_get(camera)
    if entry is None or entry.device_id is None or entry.platform not in TOKENS:
        return None
    return MediaPlace(camera, entry.platform, entry.device_id)


class EventMedia:
    """The frames of the clips of a camera's events. A clip belongs to an event, and that has a time."""

    def __init__(self, hass: HomeAssistant, place: MediaPlace, known: KnownPictures) -> None:
        """Take the clips of a place, except those that are `known`."""
        self._hass = hass
        self._place = place
        self._known = known

    def open(self, ask: Ask) -> AbstractAsyncContextManager[Pictures]:
        """Take pictures for a look from now on."""
        return self._async_open(ask)

    @asynccontextmanager
    async def _async_open(self, ask: Ask) -> AsyncGenerator[Pictures]:
        async with AsyncExitStack() as stack:
            look = _LookAtMedia(self._hass, self._place, self._known, ask, stack)
            stack.callback(async_track_state_change_event(self._hass, look.events, look.async_changed))
            yield look


class _LookAtMedia:
    """The clips of one look."""

    def __init__(
        self,
        hass: HomeAssistant,
        place: MediaPlace,
        known: KnownPictures,
        ask: Ask,
        stack: AsyncExitStack,
    ) -> None:
        self.waited = 0.0
        self.newest: bytes | None = None
        self.trouble: Trouble | None = Trouble.NO_PICTURE
        self.events = [
            each.entity_id
            for each in er.async_entries_for_device(er.async_get(hass), place.device_id)
            if each.domain == Platform.EVENT and each.platform == place.integration
        ]
        self._hass = hass
        self._place = place
        self._known = known
        self._ask = ask
        self._stack = stack
        self._began = hass.loop.time()
        self._done: set[str] = set()
        """Events whose clips were looked at, or are of no use."""
        self._clip: _Clip | None = None
        self._changed = asyncio.Event()

    @callback
    def async_changed(self, _event: Event[EventStateChangedData]) -> None:
        self._changed.set()

    async def ready(self) -> bool:
        loop = self._hass.loop
        since = loop.time()
        try:
            while not (self._clip is not None and self._clip.has_more):
                self._changed.clear()
                waiting = self._events()
                if await self._async_fetch(waiting):
                    continue
                seconds = max(self._ask.seconds, CLIP_SECONDS) if waiting else self._ask.seconds
                left = self._began + seconds - loop.time()
                if left <= 0 or (self.trouble is None and not waiting):
                    if self.trouble is not None:
                        raise NoPicture(self.trouble, self._place.camera)
                    return False
                with suppress(TimeoutError):
                    async with asyncio.timeout(min(left, AGAIN) if waiting else left):
                        await self._changed.wait()
        finally:
            self.waited += loop.time() - since
        return True

    def _events(self) -> list[tuple[datetime, str]]:
        """Return the events whose clips are still to be looked at, the oldest first: when they were, and their names."""
        found = []
        for entity_id in self.events:
            state = self._hass.states.get(entity_id)
            at = None if state is None else dt_util.parse_datetime(state.state)
            token = None if state is None else state.attributes.get(TOKENS[self._place.integration])
            if at is None or at.tzinfo is None or not isinstance(token, str) or token in self._done:
                continue
            if self._ask.at - BEFORE < at <= dt_util.utcnow() + AHEAD:
                found.append((at, token))
        return sorted(found)

    async def _async_fetch(self, events: list[tuple[datetime, str]]) -> bool:
        """Take the clip of one of these events; return whether there is a new one."""
        for at, token in events:
            if (data := await _async_media(self._hass, self._place.media_id(token))) is None:
                continue
            self._done.add(token)
            if self._known.note(await async_digest(data)):
                # Several events may share a clip.
                if self.trouble is Trouble.NO_PICTURE:
                    self.trouble = Trouble.OLD_PICTURE
                continue
            pieces = await self._hass.async_add_executor_job(_pieces_of, data)
            if pieces:
                await self._async_close()
                self._clip, self.trouble = _Clip(at, pieces), None
                return True
        return False

    async def see(self, wish: Wish) -> Seen:
        clip = self._clip
        if clip is None:
            raise ValueError("there is no picture to look at")
        try:
            if clip.session is None:
                clip.session = await self._stack.enter_async_context(self._ask.engine().stream())
            seen = await clip.see(clip.session, self._ask, wish, first=self.newest is None)
        except EngineBusy:
            raise
        except NoNewFrame as err:
            raise ImageRejected("no_frame", str(err)) from err
        except StreamEnded as err:
            clip.end()
            raise ImageRejected("stream_ended", str(err)) from err
        except ImageRejected:
            clip.end()
            raise
        except EngineError:
            # The clip is passed on once more, to an engine that is back.
            clip.restart()
            raise
        self.newest = seen.picture or self.newest
        return seen

    async def _async_close(self) -> None:
        """Leave the engine's stream of the clip before."""
        if self._clip is not None and self._clip.session is not None:
            await self._clip.session.close()


class _Clip:
    """A clip that is looked at step by step."""

    def __init__(self, at: datetime, pieces: list[Piece]) -> None:
        self.session: StreamSession | None = None
        self._at = at
        self._pieces = pieces
        self._steps = _steps(pieces)
        self._next: int | None = next(self._steps)
        self._fed = 0
        self._after: float | None = None

    @property
    def has_more(self) -> bool:
        return self._next is not None

    def end(self) -> None:
        self._next = None

    def restart(self) -> None:
        self.session, self._fed = None, 0

    async def see(self, session: StreamSession, ask: Ask, wish: Wish, *, first: bool) -> Seen:
        """Pass the next part of the clip on, and return what its last frame shows."""
        assert self._next is not None, "`ready` was asked before"
        if self._fed < self._next:
            await session.feed(b"".join(each.data for each in self._pieces[self._fed : self._next]))
            self._fed = self._next
            if self._fed == len(self._pieces):
                # The decoder gives its last frames, too.
                await session.end()
        seen = await session.look(
            after=self._after,
            picture=first,
            min_face=wish.min_face,
            portraits=wish.portraits,
            mirrored=wish.mirrored,
            rotate=ask.turn,
            search_shadows=wish.search_shadows,
            judge=wish.judge,
            timeout=LOOK_SECONDS,
        )
        # Rounded on its way, the last frame must not be a newer one.
        self._after = seen.time + 1e-3
        self._next = next(self._steps, None)
        return Seen(seen.faces, self._at + timedelta(seconds=max(0.0, seen.time)), seen.picture)


def _steps(pieces: list[Piece]) -> Iterator[int]:
    """Return how many pieces there are up to each picture that is looked at."""
    shown = pieces[0].time
    for number, piece in enumerate(pieces):
        if piece.time >= shown + STEP:
            shown = piece.time
            yield number
    yield len(pieces)


async def _async_media(hass: HomeAssistant, media_id: str) -> bytes | None:
    """Return a clip that Home Assistant serves; None when it has none of that name yet, or it is too large."""
    try:
        media = await media_source.async_resolve_media(hass, media_id, None)
        if not media.mime_type.startswith("video/") or not media.url.startswith("/"):
            return None
        path = async_process_play_media_url(hass, media.url, allow_relative_url=True)
        # It never leaves the house.
        address = get_url(hass, allow_external=False, allow_cloud=False) + path
        # A certificate is made for the name that others know.
        session = async_get_clientsession(hass, verify_ssl=False)
        async with asyncio.timeout(FETCH_SECONDS), session.get(address, allow_redirects=False) as response:
            if response.status != HTTPStatus.OK:
                return None
            data = bytearray()
            async for chunk in response.content.iter_chunked(1 << 16):
                data += chunk
                if len(data) > MAX_CLIP:
                    return None
    except HomeAssistantError, NoURLAvailableError, aiohttp.ClientError, TimeoutError, OSError:
        return None
    return bytes(data)


def _pieces_of(clip: bytes) -> list[Piece]:
    """Return the frames of a clip as pieces of MPEG-TS, timed as they are shown in it; none where it is of no use."""
    import av

    pieces: list[Piece] = []
    receiver = Receiver(Timeline(), pieces.append, lambda _: None)
    try:
        with av.open(io.BytesIO(clip), "r") as container:
            if not container.streams.video or container.streams.video[0].codec_context.name not in CODECS:
                return []
            stream = container.streams.video[0]
            with PieceWriter(stream, receiver, 0) as writer:
                for packet in container.demux(stream):
                    if packet.size:
                        writer.write(packet, float((packet.dts or 0) * (packet.time_base or CLOCK)))
    except av.FFmpegError, OSError, ValueError:
        return []
    return pieces
