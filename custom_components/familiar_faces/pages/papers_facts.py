"""What the papers say, read from the settings and from what runs at this moment."""

from dataclasses import dataclass
from datetime import timedelta
import re
from typing import Any

from ..const import (
    CONF_CONTACT,
    CONF_MODE,
    CONF_PUBLIC_SPACE,
    CONF_RESPONSIBLE,
    CONF_WHERE,
    PURGE_INTERVAL,
    SUBENTRY_CAMERA,
    Mode,
)
from ..engine.model_card import model_card, space
from ..engine.pinned import Variant
from ..household.options import chosen_retention, papers_shown, strangers_held
from ..hub import FamiliarFacesConfigEntry
from ..people.measured import MEASURED
from ..people.promise import Promise, promises
from ..vault.records import StoredItems
from ..vault.retention import Retention
from ..visits.missed_visits import HELD_FOR
from ..visits.open_visits import GAP

EMAIL = re.compile(r"[A-Za-z0-9._+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
PHONE = re.compile(r"\+?[0-9][0-9 ()/-]{4,24}")

SCHEDULE = (
    "consent",
    "child_consent",
    "after_withdrawal",
    "after_expiry",
    "unseen",
    "visits",
    "pictures",
    "review",
    "counts",
    "invitation",
    "audit",
)
"""The periods of `Retention`, in the order in which they are shown."""


@dataclass(frozen=True, slots=True)
class CameraFacts:
    """A camera; the public papers do not name it."""

    name: str
    mode: Mode
    public_space: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """What is so at this moment."""

    shown: bool
    """Whether the public papers can be seen."""
    responsible: str
    contact: str
    where: str
    """Where the engine runs, a `const.Where`."""
    cameras: tuple[CameraFacts, ...]
    retention: Retention
    stored: StoredItems | None
    people: int
    strangers_held: bool = False
    """Whether strangers' pictures, too, are in memory for as long as a visit can be named."""
    in_memory: timedelta = GAP
    missed_for: timedelta = HELD_FOR
    purged_every: timedelta = PURGE_INTERVAL

    @property
    def contact_link(self) -> str | None:
        """Return what a phone makes of the contact: a mail or a call; None when it is neither."""
        if EMAIL.fullmatch(self.contact):
            return f"mailto:{self.contact}"
        if PHONE.fullmatch(self.contact):
            return "tel:" + re.sub(r"[^+0-9]", "", self.contact)
        return None

    @property
    def modes(self) -> list[Mode]:
        """Return when cameras are looked at, what is least often first."""
        return [mode for mode in Mode if any(camera.mode == mode for camera in self.cameras)]

    @property
    def public_space(self) -> bool:
        """Return whether any camera sees public space."""
        return any(camera.public_space for camera in self.cameras)

    @property
    def missed(self) -> str:
        """Return by which name the texts speak of the pictures that are in memory."""
        return "missed_strangers" if self.strangers_held else "missed"

    @property
    def schedule(self) -> list[tuple[str, timedelta]]:
        """Return what is kept and for how long; nothing stands for not at all, or for at once."""
        rows = [(name, getattr(self.retention, name)) for name in SCHEDULE]
        after = SCHEDULE.index("review") + 1
        rows[after:after] = [(self.missed, self.missed_for), ("faces", self.in_memory)]
        return rows


def gather(entry: FamiliarFacesConfigEntry) -> Facts:
    """Return what is so with a running entry."""
    hub = entry.runtime_data
    return Facts(
        shown=papers_shown(entry),
        responsible=str(entry.options.get(CONF_RESPONSIBLE, "")),
        contact=str(entry.options.get(CONF_CONTACT, "")),
        where=entry.data[CONF_WHERE],
        cameras=tuple(
            CameraFacts(
                name=subentry.title,
                mode=Mode(subentry.data[CONF_MODE]),
                public_space=bool(subentry.data.get(CONF_PUBLIC_SPACE)),
            )
            for subentry in entry.get_subentries_of_type(SUBENTRY_CAMERA)
        ),
        retention=chosen_retention(entry),
        stored=hub.stored,
        people=len(hub.people),
        strangers_held=strangers_held(entry),
    )


def promise_of(entry: FamiliarFacesConfigEntry) -> Promise:
    """Return what the strictness that the owner chose promises."""
    strictness = entry.runtime_data.strictness
    return next(each for each in promises(MEASURED) if each.strictness is strictness)


def card_of(model: str | None) -> dict[str, Any] | None:
    """Return the model card of an engine's model; of the one we ship until an engine has said what it is."""
    cards = {space(variant): model_card(variant) for variant in Variant}
    return cards[space(Variant.INT8BQ)] if model is None else cards.get(model)
