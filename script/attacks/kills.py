"""The power fails, or somebody pulls the plug: the home is killed at random moments and started again."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from random import Random

import aiohttp

from demo.client import DemoFailed
from demo.house import NAME
from demo.search import Needles, search

from .attack import Room
from .grounds import VISITOR, Grounds, Home
from .guest import Guest, confirmed
from .outcome import Promise, Trial

ROOM = Room(Promise.KILL, "docs/architecture-storage.md#crashes")
LONGEST = 3.0
"""Seconds after which what was asked for is done in any case."""
SETTLED = 3.0
"""Seconds that a start has for what is left to do."""
_WITHDRAW, _FORGET, _AGREE = range(3)
NEWCOMERS = ("Corwin", "Deirdre", "Flora", "Gerard")


async def _until_killed(at: Home, seconds: float, act: Coroutine[None, None, bool]) -> bool:
    """Begin something and kill the home after so many seconds; return whether it was confirmed before."""
    acting = asyncio.create_task(act)
    await asyncio.wait({acting}, timeout=seconds)
    await at.running.kill()
    with suppress(aiohttp.ClientError, TimeoutError, ConnectionError, DemoFailed):
        return await acting
    return False


async def _withdraw(guest: Guest) -> bool:
    return confirmed(await guest.withdraw())


async def _forget(at: Home, name: str) -> bool:
    return await at.act("forget", {"person": name}) is not None


async def _agree(guest: Guest, invitation: str, name: str) -> bool:
    return (await guest.accept(invitation, name)).status == 303


async def _play(grounds: Grounds, trial: Trial, random: Random) -> None:
    """Kill a home while somebody withdraws, somebody is forgotten and somebody agrees, one after the other."""
    gone: list[str] = []
    newcomers: list[tuple[str, Guest]] = []
    async with grounds.copied() as folder:
        for what in random.sample((_WITHDRAW, _FORGET, _AGREE), 3):
            after = random.uniform(0.0, LONGEST)
            async with grounds.start(folder, doors=False) as at:
                await _look_again(trial, grounds, at, gone, newcomers)
                if what == _WITHDRAW:
                    if await _until_killed(at, after, _withdraw(at.guest(grounds.links[VISITOR]))):
                        gone.append(VISITOR)
                elif what == _FORGET:
                    if await _until_killed(at, after, _forget(at, NAME)):
                        gone.append(NAME)
                else:
                    name, guest, invitation = random.choice(NEWCOMERS), at.guest(), await at.invite()
                    if await _until_killed(at, after, _agree(guest, invitation, name)):
                        newcomers.append((name, guest))
        async with grounds.start(folder, doors=False) as at:
            await _look_again(trial, grounds, at, gone, newcomers)
            # What was begun is brought to its end without being asked for.
            await asyncio.sleep(SETTLED)
        for name in gone:
            needles = Needles()
            needles.add_name(name)
            found = await asyncio.to_thread(search, folder, needles)
            trial.holds(
                not found.places,
                f"{name}, who was confirmed to be gone, is found after a kill: {found.places}",
            )


async def _look_again(
    trial: Trial, grounds: Grounds, at: Home, gone: list[str], newcomers: list[tuple[str, Guest]]
) -> None:
    """Look whether all that was confirmed before the home was killed is so now."""
    there = await at.people()
    trial.holds((await at.entry())["state"] == "loaded", "a home that was killed is not set up again")
    for name in gone:
        trial.holds(
            name not in there, f"{name} was confirmed to be gone, and is back after the home was killed"
        )
        if own := grounds.links.get(name):
            trial.holds(not await at.guest(own).is_let_in(), f"the link of {name}, who is gone, opens again")
    for name, guest in newcomers:
        trial.holds(await at.guest(guest.own).is_let_in(), f"{name}'s consent was taken, and is lost")
    trial.holds(await at.act("verify_audit") is not None, "the audit log cannot be read after a kill")


@ROOM.attack()
async def kill_at_random(grounds: Grounds, trial: Trial) -> None:
    """Kill a home at random moments while somebody withdraws, is forgotten, or agrees."""
    random = Random(grounds.seed)
    for _ in range(1 if grounds.check else 6):
        await _play(grounds, trial, random)
