"""In which order it is attacked: what is measured first and alone, then the home that lives on beside copies of it."""

import asyncio
from collections.abc import Sequence

import aiohttp

from demo.client import DemoFailed
from demo.house import Say
from demo.pictures import PictureMissing

from .attack import Attack
from .grounds import Grounds
from .outcome import Promise, Trial

ALONE = (Promise.UPLOADS,)
"""What measures how long something takes."""
LANES = (
    # What needs no more than the home that lives on; the last of these ends it.
    (Promise.PAGES, Promise.ROLES, Promise.BYTES),
    (Promise.VAULT, Promise.BACKUP),
    (Promise.DISK, Promise.CLOCK, Promise.KILL),
)
"""What is tried one after the other, beside the other lanes: most of it waits for homes that start."""


async def carry_out(grounds: Grounds, attacks: Sequence[Attack], say: Say) -> list[Trial]:
    """Build the home and attack it; return what came of each attack.

    Where the home cannot even be built, each of them failed.
    """
    trials = {each.name: Trial(each.name, each.promise) for each in attacks}
    try:
        await grounds.build()
    except (DemoFailed, PictureMissing, aiohttp.ClientError, TimeoutError, OSError) as err:
        for trial in trials.values():
            trial.broke(f"the home could not be built: {err}")
        say(f"The home could not be built: {err}")
        return list(trials.values())

    async def lane(promises: Sequence[Promise]) -> None:
        for promise in promises:
            for attack in attacks:
                if attack.promise is promise:
                    await carry_out_one(grounds, attack, trials[attack.name], say)

    await lane(ALONE)
    async with asyncio.TaskGroup() as group:
        for promises in LANES:
            group.create_task(lane(promises))
    return list(trials.values())


async def carry_out_one(grounds: Grounds, attack: Attack, trial: Trial, say: Say) -> None:
    """Carry out an attack; one that breaks down in the middle has failed, and the next is tried anyway."""
    begun = asyncio.get_running_loop().time()
    try:
        await attack.run(grounds, trial)
    except Exception as err:  # noqa: BLE001 - whatever it is, the promise was not seen to hold
        trial.broke(f"{type(err).__name__}: {err}")
    took = asyncio.get_running_loop().time() - begun
    if trial.skipped:
        say(f"{attack.name}: skipped: {trial.skipped}")
        return
    held = trial.tries - len(trial.failures)
    say(f"{attack.name}: {held} of {trial.tries} tries held, {took:.1f} s")
    for why in trial.failures:
        say(f"  FAILED: {why}")
