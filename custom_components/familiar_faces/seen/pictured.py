"""The visits that there is a picture of, as far as a user may see them: for the media browser."""

from dataclasses import replace
from datetime import timedelta

from homeassistant.util import dt as dt_util

from ..household.household import Household
from ..visits.visit import Decision
from .board import PAGE
from .listing import Cursor, Listed, Listing, Wanted
from .shown import Picture

INBOX = "review"
VISIT = "visit"
"""What the ids of the pictures in the media browser begin with."""
MOST = 500
"""How many pictures can be seen: nobody looks through more of them at once."""
_A_DAY = timedelta(days=1)
"""A visit may have begun before its picture was taken; the board says which pictures are past their time."""


async def async_pictured(household: Household, listing: Listing, wanted: Wanted) -> list[Listed]:
    """Return the wanted visits of familiar people that have a picture, newest first; raise VaultError."""
    since = dt_util.utcnow() - household.retention.pictures - _A_DAY
    wanted = replace(wanted, kinds=frozenset({Decision.FAMILIAR}), since=max(since, wanted.since or since))
    found: list[Listed] = []
    after: Cursor | None = None
    while len(found) < MOST:
        page = await listing.async_page(wanted, limit=PAGE, after=after)
        found += [each for each in page.visits if each.picture is Picture.SHOWN and each.place is not None]
        if (after := page.after) is None:
            break
    return found[:MOST]
