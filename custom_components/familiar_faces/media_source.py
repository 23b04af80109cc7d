"""Media source: pictures of visits by person, camera and day, and the review inbox. Media > Familiar Faces."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import override

from homeassistant.auth.models import User
from homeassistant.components.media_player.const import MediaClass, MediaType
from homeassistant.components.media_player.errors import BrowseError
from homeassistant.components.media_source import (
    BrowseMediaSource,
    MediaSource,
    MediaSourceItem,
    PlayMedia,
    Unresolvable,
)
from homeassistant.components.websocket_api.connection import current_connection
from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .hub import Hub
from .openness.review import PICTURE_PATH as INBOX_PATH
from .running import async_running_hub
from .seen.listing import Listed, Listing, Wanted
from .seen.lookup import Asker, Lookup
from .seen.pictured import INBOX, VISIT, async_pictured
from .seen.shown import Picture
from .vault.errors import VaultError
from .vault.review_rows import ReviewItem
from .views.visit_picture import VISIT_PATH
from .wording.dates import say_day, say_moment
from .wording.vault_errors import Failed, vault_failed
from .wording.words import async_say

BY = ("person", "camera", "day")
"""By what the pictures of visits are sorted."""


async def async_get_media_source(hass: HomeAssistant) -> FamiliarFacesMediaSource:
    """Set up the media source."""
    return FamiliarFacesMediaSource(hass)


class FamiliarFacesMediaSource(MediaSource):
    """Shows pictures of visits that the user who asks may see, and the review inbox to administrators."""

    name = "Familiar Faces"

    def __init__(self, hass: HomeAssistant) -> None:
        """Belong to a Home Assistant."""
        super().__init__(DOMAIN)
        self.hass = hass

    @override
    async def async_browse_media(self, item: MediaSourceItem) -> BrowseMediaSource:
        """List what there is for the user; without a user, as in an automation, there is nothing."""
        kind, _, which = (item.identifier or "").partition("/")
        user, hub = _user(), async_running_hub(self.hass)
        if not kind:
            return await self._async_root(hub, user)
        if kind == INBOX and not which:
            inbox = await self._async_folder(INBOX)
            inbox.children = []
            # Others have no way here but an address that somebody gave them, and find it empty.
            if hub is not None and user is not None and user.is_admin:
                inbox.children += [self._inbox_picture(hub, each) for each in await _inbox(hub)]
            return inbox
        if kind in BY:
            return await self._async_sorted(
                kind, which, [] if user is None else await self._async_visits(hub, user)
            )
        raise BrowseError(translation_domain=DOMAIN, translation_key="review_unknown")

    @override
    async def async_resolve_media(self, item: MediaSourceItem) -> PlayMedia:
        """Return where a picture is fetched; it is signed in the name of the user who asked."""
        kind, _, visit_id = (item.identifier or "").partition("/")
        user, hub = _user(), async_running_hub(self.hass)
        if hub is not None and user is not None:
            if kind == INBOX and user.is_admin and visit_id in {each.visit_id for each in await _inbox(hub)}:
                return PlayMedia(INBOX_PATH.format(visit_id=visit_id), "image/jpeg")
            if kind == VISIT and await _async_is_shown(hub, user, visit_id):
                return PlayMedia(VISIT_PATH.format(visit_id=visit_id), "image/jpeg")
        raise Unresolvable(translation_domain=DOMAIN, translation_key="review_unknown")

    async def _async_root(self, hub: Hub | None, user: User | None) -> BrowseMediaSource:
        """Return what the pictures can be sorted by, and the inbox."""
        root = _folder(None, self.name)
        root.children = []
        if user is not None and await self._async_visits(hub, user):
            root.children += [await self._async_folder(each) for each in BY]
        if user is not None and user.is_admin:
            root.children.append(await self._async_folder(INBOX))
        return root

    async def _async_folder(self, key: str) -> BrowseMediaSource:
        return _folder(key, await async_say(self.hass, "media_folder", key))

    async def _async_visits(self, hub: Hub | None, user: User) -> list[Listed]:
        """Return the visits whose pictures a user may see, newest first."""
        if hub is None:
            return []
        try:
            return await async_pictured(hub, _listing(hub, user), Wanted())
        except VaultError as err:
            raise vault_failed(err, Failed.READING, BrowseError) from err

    async def _async_sorted(self, kind: str, which: str, visits: list[Listed]) -> BrowseMediaSource:
        """Return the people, cameras or days that there are pictures of, or the pictures of one of them."""
        if which:
            chosen = [each for each in visits if _sorted_by(kind, each) == which]
            folder = _folder(f"{kind}/{which}", self._title(kind, chosen[0]) if chosen else self.name)
            folder.children = [self._picture(each) for each in chosen]
            return folder
        found = {_sorted_by(kind, each): self._title(kind, each) for each in visits}
        newest = {_sorted_by(kind, each): each.visit_id for each in reversed(visits)}
        # The newest day comes first, people and cameras by their names.
        keys: Iterable[str] = found if kind == "day" else sorted(found, key=lambda key: found[key].casefold())
        folder = await self._async_folder(kind)
        folder.children_media_class = MediaClass.DIRECTORY
        folder.children = [
            _folder(f"{kind}/{key}", found[key], VISIT_PATH.format(visit_id=newest[key])) for key in keys
        ]
        return folder

    def _title(self, kind: str, visit: Listed) -> str:
        """Return what the folder is called that a visit is in."""
        if kind == "day":
            return say_day(self.hass, _day(visit.started_at))
        return _name(visit) if kind == "person" else _place(visit)

    def _picture(self, visit: Listed) -> BrowseMediaSource:
        title = ", ".join((_name(visit), _place(visit), say_moment(self.hass, visit.started_at)))
        return _image(f"{VISIT}/{visit.visit_id}", title, VISIT_PATH.format(visit_id=visit.visit_id))

    def _inbox_picture(self, hub: Hub, item: ReviewItem) -> BrowseMediaSource:
        subentry, at = hub.entry.subentries.get(item.camera_id), say_moment(self.hass, item.at)
        title = at if subentry is None else f"{at}, {subentry.title}"
        return _image(f"{INBOX}/{item.visit_id}", title, INBOX_PATH.format(visit_id=item.visit_id))


@callback
def _user() -> User | None:
    """Return who asks, on their own connection; None for a media player or an automation."""
    connection = current_connection.get()
    return None if connection is None else connection.user


def _listing(hub: Hub, user: User) -> Listing:
    return Listing(hub, hub.board, Lookup(hub, hub.board, Asker(hub.hass, user)))


async def _async_is_shown(hub: Hub, user: User, visit_id: str) -> bool:
    """Return whether there is a picture of a visit that a user may see."""
    try:
        visit = await _listing(hub, user).async_find(visit_id)
    except VaultError:
        return False
    return visit is not None and visit.place is not None and visit.picture is Picture.SHOWN


async def _inbox(hub: Hub) -> list[ReviewItem]:
    return await hub.review.async_items()


def _sorted_by(kind: str, visit: Listed) -> str:
    """Return the id of the person or camera of a visit, or its day."""
    if kind == "day":
        return _day(visit.started_at).isoformat()
    if kind == "person":
        return visit.person_id or ""
    return "" if visit.place is None else visit.place.camera_id


def _day(at: datetime) -> date:
    return dt_util.as_local(at).date()


def _name(visit: Listed) -> str:
    return visit.name or ""


def _place(visit: Listed) -> str:
    return "" if visit.place is None else visit.place.name


def _folder(identifier: str | None, title: str, picture: str | None = None) -> BrowseMediaSource:
    return BrowseMediaSource(
        domain=DOMAIN,
        identifier=identifier,
        media_class=MediaClass.DIRECTORY,
        media_content_type=MediaType.IMAGE,
        title=title,
        can_play=False,
        can_expand=True,
        children_media_class=MediaClass.IMAGE,
        thumbnail=picture,
    )


def _image(identifier: str, title: str, path: str) -> BrowseMediaSource:
    return BrowseMediaSource(
        domain=DOMAIN,
        identifier=identifier,
        media_class=MediaClass.IMAGE,
        media_content_type="image/jpeg",
        title=title,
        can_play=True,
        can_expand=False,
        thumbnail=path,
    )
