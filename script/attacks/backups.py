"""A backup that is restored: made before somebody was forgotten, and made while they were."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
import json
from pathlib import Path
import sys
import tarfile

from demo.client import until
from demo.house import NAME
from demo.search import Needles, search

from .attack import Room
from .grounds import SILENT, VISITOR, Grounds, Home
from .guest import confirmed
from .outcome import Promise, Trial

ROOM = Room(Promise.BACKUP, "docs/forgetting.md#what-cannot-be-reached")
AGENT = "backup.local"
BACKUP_SECONDS = 90
ANSWER_SECONDS = 30
RESTORED = "restored"
RESTORE = """\
import sys
from homeassistant.backup_restore import restore_backup
sys.exit(0 if restore_backup(sys.argv[1]) else 1)
"""
"""What Home Assistant does at a start before anything else."""


async def _begin(at: Home) -> str:
    """Begin a backup of everything, as a click does; return the id of its job."""
    begun = await at.socket.command(
        "backup/generate", agent_ids=[AGENT], include_homeassistant=True, include_database=True, name="Attack"
    )
    job: str = begun["backup_job_id"]
    return job


async def _made(at: Home) -> Path:
    """Wait until there is a backup, and return its file."""

    async def idle() -> Path | None:
        told = await at.socket.command("backup/info")
        found = sorted((at.folder / "backups").glob("*.tar"))
        return found[0] if told["state"] == "idle" and told["backups"] and found else None

    return await until(idle, BACKUP_SECONDS, "No backup was made.")


async def _restore(at_folder: Path, backup: Path, grounds: Grounds) -> None:
    """Restore a backup into a stopped home, as Home Assistant does when it starts."""
    asked = {
        "path": str(backup),
        "password": None,
        "remove_after_restore": False,
        "restore_database": True,
        "restore_homeassistant": True,
    }
    (at_folder / ".HA_RESTORE").write_text(json.dumps(asked))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        RESTORE,
        str(at_folder),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"the backup was not restored: {said.decode(errors='replace')[-500:]}")
    await asyncio.to_thread(grounds.lend_engine, at_folder)


@asynccontextmanager
async def _restored(grounds: Grounds, trial: Trial, *, meanwhile: bool) -> AsyncGenerator[Home]:
    """Have somebody withdraw and somebody be forgotten, after or while a backup is made; yield the restored home."""
    async with grounds.copied() as folder:
        async with grounds.start(folder, doors=False) as at:
            await _begin(at)
            backup = None if meanwhile else await _made(at)
            visitor = at.guest(grounds.links[VISITOR])
            answer = await visitor.withdraw()
            trial.holds(confirmed(answer), f"withdrawing beside a backup is answered {answer.status}")
            trial.holds(
                await at.act("forget", {"person": NAME}) is not None, f"{NAME} could not be forgotten"
            )
            backup = backup or await _made(at)
            trial.holds(not await visitor.is_let_in(), "a link is open after its person withdrew")
        await _restore(folder, backup, grounds)
        async with grounds.start(folder) as at:
            yield at


async def _held_and_asked(grounds: Grounds, trial: Trial, at: Home) -> None:
    """Look whether nobody of a restored home is recognised unasked, and answer that nobody is to be kept."""
    trial.holds((await at.entry())["state"] == "loaded", "a restored home is not set up")
    there = await at.people()
    back = there & {NAME, VISITOR}
    if back or there:
        trial.holds(RESTORED in await at.issues(), f"the owner is not asked about {', '.join(sorted(there))}")
    for name in (NAME, VISITOR):
        ring = await grounds.ring(at, name, 6)
        trial.holds(
            ring is None or not ring.person, f"{name} was forgotten, came back with a backup, and was named"
        )
    if RESTORED in await at.issues():
        await _answer(at)
    for _ in range(ANSWER_SECONDS):
        if not await at.people():
            break
        await asyncio.sleep(1)
    trial.holds(not await at.people(), "who was not to be kept after a restore is still on the list")
    trial.holds(
        RESTORED not in await at.issues(), "the question about a restored backup stays after its answer"
    )
    for name in (VISITOR, SILENT):
        trial.holds(
            not await at.guest(grounds.links[name]).is_let_in(), f"the link of {name} opens after that"
        )


async def _answer(at: Home) -> None:
    """Answer the repair: keep nobody."""
    flow = await at.owner.repair(RESTORED)
    while flow.step["type"] == "form":
        await flow.send({"keep": []} if _asks_whom(flow.step) else {})


def _asks_whom(step: dict[str, object]) -> bool:
    fields = step.get("data_schema") or []
    return isinstance(fields, list) and any(each.get("name") == "keep" for each in fields)


async def _nothing_left(trial: Trial, folder: Path) -> None:
    for name in (NAME, VISITOR):
        needles = Needles()
        needles.add_name(name)
        found = await asyncio.to_thread(search, folder, needles)
        left = [
            each
            for where in found.places.values()
            for each in where
            if not each.startswith(("backups/", "console"))
        ]
        trial.holds(not left, f"{name} is left in {', '.join(left)} after a restore was answered")


async def _held_asked_and_gone(grounds: Grounds, trial: Trial, at: Home) -> None:
    """Look that all are held, have the owner keep nobody, and search what is left then."""
    await _held_and_asked(grounds, trial, at)
    folder = at.folder
    await at.running.stop()
    await _nothing_left(trial, folder)


@ROOM.attack()
async def backup_restored(grounds: Grounds, trial: Trial) -> None:
    """Restore a backup that was made before somebody withdrew and somebody was forgotten."""
    async with _restored(grounds, trial, meanwhile=False) as at:
        trial.holds(
            {NAME, VISITOR} <= await at.people(), "a backup is no whole one: it does not hold its people"
        )
        await _held_asked_and_gone(grounds, trial, at)


@ROOM.attack(check=False)
async def backup_made_meanwhile(grounds: Grounds, trial: Trial) -> None:
    """Restore a backup that was being made while somebody withdrew and somebody was forgotten."""
    async with _restored(grounds, trial, meanwhile=True) as at:
        await _held_asked_and_gone(grounds, trial, at)


@ROOM.attack(check=False)
async def key_in_a_backup(grounds: Grounds, trial: Trial) -> None:
    """Look into a backup for what the documentation says of it: it holds the vault and its key, and not the mark."""
    async with grounds.copied() as folder, grounds.start(folder, doors=False) as at:
        await _begin(at)
        backup = await _made(at)
        names = await asyncio.to_thread(_names, backup)
        for wanted in ("vault.db", "vault.key"):
            trial.holds(any(each.endswith(wanted) for each in names), f"a backup holds no {wanted}")
        trial.holds(
            not any("witness.json" in each for each in names), "a backup holds the mark that tells it is old"
        )


def _names(backup: Path) -> list[str]:
    """Return the names of all files in a backup, those of its inner archives included."""
    found = []
    with tarfile.open(backup) as outer:
        for member in outer:
            found.append(member.name)
            if member.name.endswith((".tar", ".tar.gz")) and (inner := outer.extractfile(member)) is not None:
                with tarfile.open(fileobj=inner) as archive:
                    found += archive.getnames()
    return found
