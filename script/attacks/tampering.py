"""Somebody who can write to the disk but has no key: rows, files and the whole vault, taken back or put in place."""

from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
import json
from pathlib import Path
from secrets import token_urlsafe
import shutil
import sqlite3

from demo.house import NAME

from .attack import Room
from .grounds import CACHE, SILENT, VAULT, VISITOR, Grounds, Home
from .guest import confirmed
from .outcome import Promise, Trial

ROOM = Room(Promise.VAULT, "docs/security-machine.md#somebody-with-the-disk-but-without-the-key")
DATABASE, KEY, MARK = "vault.db", "vault.key", "witness.json"


def in_rows(change: Callable[[sqlite3.Connection], object]) -> Callable[[Path], None]:
    """Return what changes rows of the vault that stands still."""

    def apply(folder: Path) -> None:
        with closing(sqlite3.connect(folder / VAULT / DATABASE)) as connection:
            with connection:
                change(connection)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    return apply


def newest_consent_deleted(connection: sqlite3.Connection) -> int:
    """Take back the newest consent of the person who gave two, which is the silent one; return how many rows went."""
    return connection.execute(
        "DELETE FROM consent WHERE consent_id IN (SELECT consent_id FROM consent AS each WHERE number = "
        "(SELECT max(number) FROM consent WHERE person_id = each.person_id) AND number > "
        "(SELECT min(number) FROM consent WHERE person_id = each.person_id))"
    ).rowcount


def token_planted(connection: sqlite3.Connection, token: str) -> int:
    """Have a token that we know open everybody's page; the vault compares hashes. Return how many rows changed."""
    # One hash opens one person: each gets one of its own.
    rows = connection.execute("SELECT person_id FROM link").fetchall()
    for number, (person_id,) in enumerate(rows):
        connection.execute(
            "UPDATE link SET token_hash = ? WHERE person_id = ?",
            (sha256(_nth(token, number).encode()).digest(), person_id),
        )
    return len(rows)


def _nth(token: str, number: int) -> str:
    return f"{token[:-1]}{'ABCDEFGH'[number]}"


def audit_cut(folder: Path, earlier: Path) -> int:
    """Cut the newest entries of the log, put the older head back, and edit the mark to fit. Return how many went."""
    with closing(sqlite3.connect(earlier)) as old:
        (head,) = old.execute("SELECT value FROM meta WHERE name = 'audit_head'").fetchone()
        number, link = old.execute("SELECT number, link FROM audit ORDER BY number DESC LIMIT 1").fetchone()
    with closing(sqlite3.connect(folder / VAULT / DATABASE)) as connection:
        with connection:
            cut = connection.execute("DELETE FROM audit WHERE number > ?", (number,)).rowcount
            connection.execute("UPDATE meta SET value = ? WHERE name = 'audit_head'", (head,))
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    mark = folder / CACHE / MARK
    told = json.loads(mark.read_text())
    mark.write_text(json.dumps(told | {"number": number, "link": link.hex()}))
    return cut


async def _stopped(at: Home) -> bool:
    """Return whether the set-up stopped and the owner is told why."""
    return (await at.entry())["state"] != "loaded" and bool(
        await at.issues() or (await at.entry()).get("reason")
    )


@ROOM.attack()
async def consent_rolled_back(grounds: Grounds, trial: Trial) -> None:
    """Take the newest consent back, by which somebody chose to stay silent."""
    async with grounds.copied() as folder:
        changed = 0

        def change(connection: sqlite3.Connection) -> None:
            nonlocal changed
            changed = newest_consent_deleted(connection)

        in_rows(change)(folder)
        trial.holds(changed == 1, f"{changed} consents were taken back instead of one")
        async with grounds.start(folder) as at:
            if await _stopped(at):
                trial.holds(True, "")
                return
            ring = await grounds.ring(at, SILENT)
            trial.holds(ring is None or ring.person != SILENT, f"{SILENT}, who chose silence, was named")


@ROOM.attack()
async def planted_token(grounds: Grounds, trial: Trial) -> None:
    """Plant the hash of a token that one knows."""
    token = token_urlsafe(32)
    async with grounds.copied() as folder:
        changed = 0

        def change(connection: sqlite3.Connection) -> None:
            nonlocal changed
            changed = token_planted(connection, token)

        in_rows(change)(folder)
        trial.holds(changed == 2, f"{changed} hashes were planted")
        async with grounds.start(folder, doors=False) as at:
            for number in range(changed):
                own = f"/familiar_faces/me/{_nth(token, number)}"
                for path in (own, f"{own}/download"):
                    answer = await at.guest().get(path)
                    trial.holds(
                        answer.status == 404, f"a planted token opens {path.rpartition('/')[2][:8]}..."
                    )


@ROOM.attack()
async def audit_cut_off(grounds: Grounds, trial: Trial) -> None:
    """Cut the end of the audit log, with the older head put back and the mark edited to fit."""
    async with grounds.copied() as folder:
        trial.holds(audit_cut(folder, grounds.earlier) > 0, "there was nothing to cut")
        (folder / VAULT / KEY).chmod(0o644)
        async with grounds.start(folder, doors=False) as at:
            verdict = await at.act("verify_audit")
            noticed = await _stopped(at) or bool(verdict and not verdict["ok"]) or bool(await at.issues())
            trial.holds(noticed, f"a log whose end was cut verifies: {verdict}")
            readable = (folder / VAULT / KEY).stat().st_mode & 0o077
            trial.holds(
                not readable or await at.issues(), "a key that others may read stays as it is, and unsaid"
            )


async def _without(grounds: Grounds, trial: Trial, what: str, change: Callable[[Path], object]) -> None:
    """Start a home whose vault is gone: it must not begin a new one as if nobody had ever been there."""
    async with grounds.copied() as folder:
        change(folder)
        async with grounds.start(folder, doors=False) as at:
            trial.holds(
                (await at.entry())["state"] != "loaded", f"with {what} it is set up as if it were new"
            )
            trial.holds(await at.issues(), f"with {what} the owner is asked for no repair")
            trial.holds(
                {NAME, VISITOR} <= await at.people(), f"with {what} the people are taken off the list"
            )
        path = folder / VAULT / DATABASE
        trial.holds(
            not path.exists() or not path.stat().st_size, f"with {what} a new vault was put in its place"
        )


@ROOM.attack()
async def vault_deleted(grounds: Grounds, trial: Trial) -> None:
    """Delete the vault."""
    await _without(grounds, trial, "vault.db deleted", lambda folder: (folder / VAULT / DATABASE).unlink())


@ROOM.attack(check=False)
async def vault_emptied(grounds: Grounds, trial: Trial) -> None:
    """Empty the vault."""
    await _without(
        grounds, trial, "vault.db emptied", lambda folder: (folder / VAULT / DATABASE).write_bytes(b"")
    )


@ROOM.attack()
async def vault_swapped(grounds: Grounds, trial: Trial) -> None:
    """Put a whole older vault in place of the newer one."""
    async with grounds.copied() as folder:
        shutil.copy(grounds.earlier, folder / VAULT / DATABASE)
        async with grounds.start(folder) as at:
            if await _stopped(at):
                trial.holds(True, "")
                return
            trial.holds(await at.issues(), "the owner is not asked about an older vault")
            for name in (SILENT, NAME):
                ring = await grounds.ring(at, name, 6)
                trial.holds(ring is None or not ring.person, f"{name} of an older vault was named unasked")


@ROOM.attack()
async def vault_replaced_meanwhile(grounds: Grounds, trial: Trial) -> None:
    """Replace the vault under a running Home Assistant, before somebody withdraws."""
    async with grounds.copied() as folder:
        async with grounds.start(folder, doors=False) as at:
            guest = at.guest(grounds.links[VISITOR])
            path = folder / VAULT / DATABASE
            for each in path.parent.glob(f"{DATABASE}-*"):
                each.unlink()
            path.rename(path.with_name("taken"))
            shutil.copy(grounds.earlier, path)
            answer = await guest.withdraw()
            said = confirmed(answer)
            await at.running.kill()
        async with grounds.start(folder, doors=False) as at:
            back = (await at.entry())["state"] == "loaded" and await at.guest(guest.own).is_let_in()
            trial.holds(
                not (said and back), f"{VISITOR} was told that all is erased, and is back after a start"
            )
            told = bool(await at.issues()) or (await at.entry())["state"] != "loaded" or not back
            trial.holds(told, "the owner is not told that the vault was replaced")


@ROOM.attack(check=False)
async def log_truncated(grounds: Grounds, trial: Trial) -> None:
    """Cut the write-ahead log in the middle of what it holds."""
    async with grounds.copied() as folder:
        async with grounds.start(folder, doors=False) as at:
            guest = at.guest(grounds.links[VISITOR])
            await guest.get(guest.own)
            await guest.fill(f"{guest.own}/choices", VISITOR, keeping="nothing")
            await at.running.kill()
        wal = folder / VAULT / f"{DATABASE}-wal"
        if wal.exists() and (size := wal.stat().st_size):
            with wal.open("r+b") as file:
                file.truncate(size * 2 // 3)
        async with grounds.start(folder, doors=False) as at:
            state = (await at.entry())["state"]
            sound = state == "loaded" and NAME in await at.people()
            trial.holds(
                sound or await at.issues(), f"after a log was cut the entry is {state}, and nothing is said"
            )
