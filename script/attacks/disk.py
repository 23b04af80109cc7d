"""A disk without room: the home's folder lies on a small file system that is filled to its last byte."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
import errno
import os
from pathlib import Path

from demo.house import NAME

from .attack import Room
from .grounds import SILENT, VISITOR, Grounds, Home, is_root
from .guest import confirmed
from .outcome import Promise, Trial

ROOM = Room(Promise.DISK, "docs/forgetting.md#what-forgetting-does")
MEGABYTES = 64
FILLER = "filler"
PIECE = 1 << 16


@asynccontextmanager
async def _small_disk(grounds: Grounds, trial: Trial) -> AsyncGenerator[Path | None]:
    """Yield a folder on a file system of its own; None, and skip the attack, where none can be made."""
    if not is_root():
        trial.skip("only root may make a small file system")
        yield None
        return
    place = grounds.folder / f"disk-{trial.attack}"
    place.mkdir()
    if (
        said := await _run("mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs", str(place))
    ) is not None:
        trial.skip(f"no small file system can be made here: {said}")
        yield None
        return
    try:
        yield place
    finally:
        await _run("umount", "--lazy", str(place))


async def _run(*command: str) -> str | None:
    """Run a program; return what it said when it failed, None when it did not."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
    except OSError as err:
        return str(err)
    said, _ = await process.communicate()
    return said.decode(errors="replace").strip() or "failed" if process.returncode else None


def fill(folder: Path) -> int:
    """Write until there is no room left, not for a single byte; return how many were written."""
    written, size = 0, PIECE
    with (folder / FILLER).open("ab", buffering=0) as file:
        while size:
            try:
                written += file.write(os.urandom(size))
            except OSError as err:
                if err.errno != errno.ENOSPC:
                    raise
                size //= 2
    return written


async def _full(at: Home, place: Path) -> None:
    await asyncio.to_thread(fill, place)
    # What writes now and then may have made room meanwhile.
    await asyncio.sleep(0.5)
    with suppress(OSError):
        await asyncio.to_thread(fill, place)


@ROOM.attack()
async def full_disk(grounds: Grounds, trial: Trial) -> None:
    """Withdraw, forget and agree while the disk is full; then kill, make room and start again."""
    async with _small_disk(grounds, trial) as place:
        if place is None:
            return
        async with grounds.copied(place) as folder:
            async with grounds.start(folder, doors=False) as at:
                visitor = at.guest(grounds.links[VISITOR])
                newcomer, invitation = at.guest(), await at.invite()
                await _full(at, place)
                answer = await visitor.withdraw()
                said = confirmed(answer)
                forgotten = await at.act("forget", {"person": NAME})
                agreed = await newcomer.accept(invitation, "Corwin")
                trial.holds(not await visitor.is_let_in(), f"{VISITOR}'s link is open after they withdrew")
                trial.holds(
                    said or answer.status >= 500 or await at.issues(),
                    "what could not be written on a full disk is said to nobody",
                )
                trial.holds(
                    answer.status != 200
                    or said
                    or b"everything" not in answer.body.partition(b"</title>")[0].lower(),
                    "the title of a page says that all is erased, which it is not",
                )
                await at.running.kill()
            (place / FILLER).unlink()
            async with grounds.start(folder) as at:
                await _back(trial, grounds, at, visitor.own)
                if forgotten is not None:
                    trial.holds(
                        NAME not in await at.people(), f"forgetting {NAME} was answered, and they are back"
                    )
                if agreed.status == 303:
                    trial.holds(
                        await at.guest(newcomer.own).is_let_in(),
                        "an agreement was taken on a full disk and is lost",
                    )
                trial.holds(SILENT in await at.people(), f"{SILENT}, who asked for nothing, is gone")


async def _back(trial: Trial, grounds: Grounds, at: Home, own: str) -> None:
    """Look whether somebody who withdrew on a full disk is there again, whatever the page said."""
    trial.holds(
        not await at.guest(own).is_let_in(),
        f"{VISITOR}'s link opens again after they withdrew on a full disk",
    )
    trial.holds(
        VISITOR not in await at.people(), f"{VISITOR} is on the list again after they withdrew on a full disk"
    )
    ring = await grounds.ring(at, VISITOR, 8)
    trial.holds(
        ring is None or ring.person != VISITOR,
        f"{VISITOR} is recognised again after they withdrew on a full disk",
    )
