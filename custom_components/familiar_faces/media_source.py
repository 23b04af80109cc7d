"""Media source: the review inbox, for administrators. Media > Familiar Faces > Review inbox."""

from typing import override

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
from homeassistant.helpers.translation import async_get_translations

from .const import DOMAIN
from .openness.review import PICTURE_PATH
from .running import async_running_hub
from .vault.review_rows import ReviewItem
from .wording.dates import say_moment

INBOX = "review"


async def async_get_media_source(hass: HomeAssistant) -> FamiliarFacesMediaSource:
    """Set up the media source."""
    return FamiliarFacesMediaSource(hass)


class FamiliarFacesMediaSource(MediaSource):
    """Shows the pictures of the review inbox while it is switched on."""

    name = "Familiar Faces"

    def __init__(self, hass: HomeAssistant) -> None:
        """Belong to a Home Assistant."""
        super().__init__(DOMAIN)
        self.hass = hass

    @override
    async def async_browse_media(self, item: MediaSourceItem) -> BrowseMediaSource:
        """List the inbox, and what is in it."""
        if not _asked_by_admin():
            raise BrowseError(translation_domain=DOMAIN, translation_key="review_for_admins")
        words = await async_get_translations(self.hass, self.hass.config.language, "common", [DOMAIN])
        inbox = _folder(INBOX, words.get(f"component.{DOMAIN}.common.review_inbox", INBOX))
        if not item.identifier:
            root = _folder(None, self.name)
            root.children = [inbox]
            return root
        if item.identifier != INBOX:
            raise BrowseError(translation_domain=DOMAIN, translation_key="review_unknown")
        inbox.children = [self._picture(each) for each in await self._async_items()]
        return inbox

    @override
    async def async_resolve_media(self, item: MediaSourceItem) -> PlayMedia:
        """Return where a picture is fetched; it is signed in the name of the user who asked."""
        if not _asked_by_admin():
            raise Unresolvable(translation_domain=DOMAIN, translation_key="review_for_admins")
        _, _, visit_id = item.identifier.partition(f"{INBOX}/")
        if visit_id not in {each.visit_id for each in await self._async_items()}:
            raise Unresolvable(translation_domain=DOMAIN, translation_key="review_unknown")
        return PlayMedia(PICTURE_PATH.format(visit_id=visit_id), "image/jpeg")

    async def _async_items(self) -> list[ReviewItem]:
        hub = async_running_hub(self.hass)
        return [] if hub is None else await hub.review.async_items()

    def _picture(self, item: ReviewItem) -> BrowseMediaSource:
        hub = async_running_hub(self.hass)
        subentry = None if hub is None else hub.entry.subentries.get(item.camera_id)
        at = say_moment(self.hass, item.at)
        return BrowseMediaSource(
            domain=DOMAIN,
            identifier=f"{INBOX}/{item.visit_id}",
            media_class=MediaClass.IMAGE,
            media_content_type="image/jpeg",
            title=at if subentry is None else f"{at}, {subentry.title}",
            can_play=True,
            can_expand=False,
            thumbnail=PICTURE_PATH.format(visit_id=item.visit_id),
        )


@callback
def _asked_by_admin() -> bool:
    """Return whether an administrator asks, on their own connection; a media player or an automation does not."""
    connection = current_connection.get()
    return connection is not None and connection.user.is_admin


def _folder(identifier: str | None, title: str) -> BrowseMediaSource:
    return BrowseMediaSource(
        domain=DOMAIN,
        identifier=identifier,
        media_class=MediaClass.DIRECTORY,
        media_content_type=MediaType.IMAGE,
        title=title,
        can_play=False,
        can_expand=True,
        children_media_class=MediaClass.IMAGE,
    )
