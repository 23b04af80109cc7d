"""What a person without an account sees: the public papers, an invitation, and what is kept of them."""

from homeassistant.core import HomeAssistant

from ..wording.renderer import async_get_renderer
from . import invitation, own_page, papers, photos_page, who
from .view import Asset, NotFound

VIEWS = (Asset, *papers.VIEWS, *invitation.VIEWS, *own_page.VIEWS, *photos_page.VIEWS, *who.VIEWS, NotFound)
"""`NotFound` takes what no other one takes."""


async def async_setup_pages(hass: HomeAssistant) -> None:
    """Register the pages. They look for the running entry when they are asked for."""
    renderer = await async_get_renderer(hass)
    for view in VIEWS:
        hass.http.register_view(view(hass, renderer))
