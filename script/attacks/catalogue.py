"""All attacks, by name."""

from collections.abc import Sequence

from . import backups, clock, disk, kills, pages, remains, roles, tampering, uploads
from .attack import Attack, Room

ROOMS: tuple[Room, ...] = (
    uploads.ROOM,
    pages.ROOM,
    roles.ROOM,
    tampering.ROOM,
    clock.ROOM,
    disk.ROOM,
    kills.ROOM,
    backups.ROOM,
    remains.ROOM,
)
ATTACKS: tuple[Attack, ...] = tuple(attack for room in ROOMS for attack in room.attacks)


def chosen(only: Sequence[str], *, check: bool = False) -> list[Attack]:
    """Return the attacks that are called so, or try a promise that is; all without a name.

    `check`: of those that no name was said of, the quick ones.
    """
    if only:
        return [each for each in ATTACKS if each.name in only or each.promise in only]
    return [each for each in ATTACKS if each.check or not check]
