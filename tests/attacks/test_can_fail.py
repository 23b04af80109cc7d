"""An attack that cannot fail shows nothing: each is tried against a home that keeps the promise, and one that breaks it."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
import os
from pathlib import Path
from random import Random
import subprocess
import sys
from typing import Any, cast

from attacks import backups, clock, disk, kills, pages, remains, roles, tampering, uploads
from attacks.grounds import SILENT, VAULT, VISITOR, Grounds
from attacks.outcome import Promise, Trial
import pytest

from demo.house import NAME

from ..common.doors import Kind, doors
from .doubles import attacked, double, on_disk

BROKEN_PAGES = (
    (pages.replay_invitation, "replay", "accepted 3 times"),
    (pages.odd_methods, "methods", "PROPFIND answers 405"),
    (pages.strict_headers, "headers", "Content-Security-Policy"),
    (pages.strict_headers, "cookie", "sets a cookie"),
    (pages.cross_links, "photos", "a photo of somebody else answers 200"),
    (pages.forms_from_elsewhere, "origin", "withdrew somebody's consent"),
    (pages.guess_links, "told", "is told from nothing"),
)


@pytest.mark.parametrize(("attack", "wrong", "why"), BROKEN_PAGES, ids=[each[1] for each in BROKEN_PAGES])
async def test_pages(tmp_path: Path, attack: Any, wrong: str, why: str) -> None:
    async with double(tmp_path) as right:
        assert (await attacked(right, attack)).failures == []
    async with double(tmp_path, wrong) as broken:
        assert why in " ".join((await attacked(broken, attack)).failures)


async def test_a_closed_invitation_that_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with double(tmp_path) as at:
        assert (await attacked(at, pages.closed_links)).failures == []

        async def nothing(*_: Any, **__: Any) -> dict[str, Any]:
            return {}

        monkeypatch.setattr(at.home, "call", nothing)
        assert "a closed invitation answers 200" in (await attacked(at, pages.closed_links)).failures


@pytest.mark.parametrize("attack", [tampering.vault_deleted, tampering.vault_emptied])
async def test_a_vault_that_is_replaced_in_silence(tmp_path: Path, attack: Any) -> None:
    path = tmp_path / VAULT / tampering.DATABASE
    path.parent.mkdir(parents=True)
    path.write_bytes(b"a vault")
    async with double(tmp_path) as at:
        at.home.state, at.home.told = "setup_error", {"vault_gone"}
        assert (await attacked(at, attack, Promise.VAULT)).failures == []
        path.write_bytes(b"a vault")
        at.home.state, at.home.told = "loaded", set()
        failures = (await attacked(at, attack, Promise.VAULT)).failures
        assert any("set up as if it were new" in each for each in failures)
        assert any("asked for no repair" in each for each in failures)


async def test_a_clock_that_is_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "CHECK_SECONDS", 0)
    folder = tmp_path / "c"
    folder.mkdir()
    async with double(folder) as at:
        at.distrusts = True
        assert (await attacked(at, clock.clock_far_ahead, Promise.CLOCK)).failures == []
    async with double(folder) as at:
        failures = (await attacked(at, clock.clock_far_ahead, Promise.CLOCK)).failures
        assert "somebody is named by a clock that cannot be right" in failures
        at.pages.people.clear()
        failures = (await attacked(at, clock.clock_far_ahead, Promise.CLOCK)).failures
        assert any(f"{NAME} is gone" in each for each in failures)


def test_the_clock_that_a_program_sees(tmp_path: Path) -> None:
    """Moved is what Home Assistant calls the time, also while it runs."""
    moved = clock.Clock(tmp_path / "clock")
    program = moved.prelude + (
        "from homeassistant.util import dt\n"
        "import sys\n"
        "def told():\n"
        "    sys.stdin.readline()\n"
        "    running = _time.clock_gettime(_time.CLOCK_BOOTTIME) - _real_get(_time.CLOCK_BOOTTIME)\n"
        "    print(round((dt.utcnow() - _real.now(_datetime.UTC)).total_seconds() / 86400), round(running), flush=True)\n"
        "told()\ntold()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for ahead, passed in ((0.0, 0.0), (400 * clock.DAY + 60, 7.0)):
            moved.set(ahead, passed=passed)
            process.stdin.write("\n")
            process.stdin.flush()
            days, running = process.stdout.readline().split()
            assert (int(days), int(running)) == (int(ahead // clock.DAY), int(passed))
    moved.close()


async def test_a_consent_that_comes_back(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    folder.mkdir()
    async with double(folder) as at:
        failures = (await attacked(at, clock.clock_set_back, Promise.CLOCK)).failures
        assert any("named after the consent ran out" in each for each in failures)
        assert any("named again" in each for each in failures)
        at.named.discard(VISITOR)
        assert (await attacked(at, clock.clock_set_back, Promise.CLOCK)).failures == []


async def test_what_was_confirmed_and_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All is confirmed within no time, and nothing of it is on the disk."""
    for what in ("LONGEST", "SETTLED"):
        monkeypatch.setattr(kills, what, 0.1)
    monkeypatch.setattr(Random, "uniform", lambda *_: 5.0)
    async with double(tmp_path) as at:
        assert (await attacked(at, kills.kill_at_random, Promise.KILL)).failures == []
    async with double(tmp_path) as at:
        on_disk(at)
        failures = (await attacked(at, kills.kill_at_random, Promise.KILL)).failures
        assert any(f"{NAME} was confirmed to be gone, and is back" in each for each in failures)
        assert any(f"the link of {VISITOR}, who is gone, opens again" in each for each in failures)


async def test_a_withdrawal_that_a_full_disk_loses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @asynccontextmanager
    async def small(*_: Any) -> AsyncGenerator[Path]:
        yield tmp_path

    async def full(*_: Any) -> None:
        (tmp_path / disk.FILLER).write_bytes(b"")

    monkeypatch.setattr(disk, "_small_disk", small)
    monkeypatch.setattr(disk, "_full", full)
    async with double(tmp_path) as at:
        at.named.discard(VISITOR)
        assert (await attacked(at, disk.full_disk, Promise.DISK)).failures == []
    async with double(tmp_path) as at:
        on_disk(at)
        failures = (await attacked(at, disk.full_disk, Promise.DISK)).failures
        assert any("link opens again" in each for each in failures)
        assert any(f"{VISITOR} is recognised again" in each for each in failures)
        assert any(f"forgetting {NAME} was answered, and they are back" in each for each in failures)
        assert not any(SILENT in each for each in failures)


async def test_without_root_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    async with double(tmp_path) as at:
        trial = Trial("full-disk", Promise.DISK)
        await disk.full_disk(cast(Grounds, at), trial)
    assert (trial.tries, trial.failures) == (0, [])
    assert "root" in trial.skipped


async def test_actions_that_anybody_may_perform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nobody(at: Any, **_: bool) -> list[roles.Asker]:
        return [roles.Asker(roles.ANONYMOUS, at.session, at.url, None)]

    monkeypatch.setattr(roles, "_askers", nobody)
    there = {*doors(Kind.ACTION)}
    async with double(tmp_path) as at:
        at.home.services = there
        assert (await attacked(at, roles.actions_of_others, Promise.ROLES)).failures == []
    async with double(tmp_path, "open") as at:
        at.home.services = {*there, "a_new_one"}
        failures = (await attacked(at, roles.actions_of_others, Promise.ROLES)).failures
    assert "these actions are not tried, or gone: {'a_new_one'}" in failures
    assert "anonymous may perform identify (200)" in failures


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Return a process that looks like an engine, and takes some memory."""
    code = "import time; a = bytearray(30 << 20); print('ready', flush=True); time.sleep(60)"
    with subprocess.Popen(
        [sys.executable, "-c", code, "serve", "--weights"], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process.pid
        process.kill()


async def test_an_engine_that_takes_too_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: int
) -> None:
    assert engine in uploads.engines(os.getpid())
    async with double(tmp_path) as at:
        assert (await attacked(at, uploads.odd_pictures, Promise.UPLOADS)).failures == []
    monkeypatch.setattr(uploads, "MOST_MB", 20)
    async with double(tmp_path, "takes all") as at:
        failures = (await attacked(at, uploads.odd_pictures, Promise.UPLOADS)).failures
    assert "a GIF was taken for a photo" in failures
    assert any(each.startswith("the engine took ") for each in failures)


async def test_bytes_that_are_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remains, "WRITTEN_SECONDS", 0)
    for wrong in ("", "bytes"):
        folder = tmp_path / f"home-{wrong}"
        folder.mkdir()
        for number in range(101):
            (folder / f"{number}").write_bytes(b"nothing")
        async with double(folder, wrong) as at:
            at.pages.written = [folder / "database"]
            at.pages.written[0].write_bytes(b"... " + VISITOR.upper().encode("utf-16-le"))
            failures = (await attacked(at, remains.bytes_of_the_forgotten, Promise.BYTES)).failures
        assert failures == ([f"name of {VISITOR} is left in database"] if wrong else [])


async def test_a_backup_whose_people_are_recognised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def answered(at: Any) -> None:
        at.told = set()
        at._pages.people.clear()

    monkeypatch.setattr(backups, "_answer", answered)

    async def look(at: Any) -> list[str]:
        trial = Trial("backup-restored", Promise.BACKUP)
        await backups._held_and_asked(at, trial, at.home)
        return trial.failures

    async with double(tmp_path) as at:
        at.home.told, at.named = {backups.RESTORED}, set()
        assert await look(at) == []
    monkeypatch.setattr(backups, "ANSWER_SECONDS", 0)
    async with double(tmp_path) as at:
        failures = await look(at)
    assert any("the owner is not asked" in each for each in failures)
    assert any(f"{NAME} was forgotten, came back with a backup, and was named" in each for each in failures)
    assert any("still on the list" in each for each in failures)
