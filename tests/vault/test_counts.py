"""Visits are counted for each camera and week, as numbers that lead to nobody, and go in their time."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
import signal
import subprocess
import sys

import pytest

from custom_components.familiar_faces.vault import counts
from custom_components.familiar_faces.vault.errors import UnknownPerson
from custom_components.familiar_faces.vault.records import Counted, took
from custom_components.familiar_faces.vault.retention import Retention
from custom_components.familiar_faces.vault.store import Vault
from tests.common.source import ROOT
from tests.vault.makers import (
    DAY,
    MARIA,
    NOW,
    OTTO,
    a_consent,
    a_photo,
    a_visit,
    bytes_of,
    drop_fifth_version,
    enrol,
)

WEEK = 7 * DAY
MONDAY = datetime(2026, 2, 23, tzinfo=UTC)
"""When the week of NOW, a Sunday, began."""
DOOR = a_visit().camera_id
GARDEN = "01JGARDENCAMERA00000000000"
KILLED = """
import os, signal, sys
from pathlib import Path
from custom_components.familiar_faces.vault.store import Vault
from tests.vault.makers import NOW
vault = Vault.open(Path(sys.argv[1]))
for number in range(int(sys.argv[3])):
    vault.counts.add({(sys.argv[2], NOW): {"stranger": 1, "unclear:not_sure": 2}})
    print(number, flush=True)
with vault._database.write() as connection:
    connection.execute("DELETE FROM counts")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def of(vault: Vault, camera_id: str = DOOR) -> Mapping[datetime, Mapping[str, int]]:
    """Return what is counted of a camera."""
    return vault.counts.read([camera_id])[camera_id]


def test_a_visit_and_the_answers_to_it_are_counted_with_it(vault: Vault) -> None:
    enrol(vault, seeds=(1, 2))
    enrol(vault, OTTO, "Otto", seeds=(3,))
    vault.add_visit(a_visit("one"), None, NOW, took_ms=1400)
    vault.add_visit(a_visit("two"), None, NOW)
    vault.add_visit(a_visit("three"), None, NOW)
    for _ in range(2):
        vault.confirm_visit("one", NOW)
    vault.correct_visit("two", NOW, OTTO)
    vault.correct_visit("three", NOW, None)
    vault.name_visit(a_visit("four", OTTO), None, NOW)
    assert of(vault) == {
        MONDAY: {"named": 3, "took:1500": 1, "confirmed": 1, "corrected": 2, "missed": 1},
    }
    assert of(vault, GARDEN) == {}


def test_a_visit_that_is_refused_counts_nothing(vault: Vault) -> None:
    with pytest.raises(UnknownPerson):
        vault.add_visit(a_visit(), None, NOW, took_ms=10)
    assert of(vault) == {}


def test_weeks_begin_on_monday(vault: Vault) -> None:
    enrol(vault)
    next_monday = MONDAY + WEEK
    vault.counts.add({(DOOR, next_monday - timedelta(microseconds=1)): {"stranger": 1}})
    vault.counts.add({(DOOR, next_monday): {"stranger": 2}, (GARDEN, next_monday): {"stranger": 4}})
    assert of(vault) == {MONDAY: {"stranger": 1}, next_monday: {"stranger": 2}}
    assert of(vault, GARDEN) == {next_monday: {"stranger": 4}}


@pytest.mark.parametrize(
    ("ms", "kind"), [(0, "took:250"), (250, "took:250"), (251, "took:500"), (1e9, "took:60000")]
)
def test_times_are_counted_between_bounds(ms: float, kind: str) -> None:
    assert took(ms) == kind


def test_it_stays_bounded(vault: Vault) -> None:
    enrol(vault)
    for wrong in ({"x" * 61: 1}, {"": 1}, {"stranger": 0}, {"stranger": -1}):
        with pytest.raises(ValueError, match="a count"):
            vault.counts.add({(DOOR, NOW): wrong})
    vault.counts.add({(DOOR, NOW): {f"unclear:{each}": 1 for each in range(counts.MOST_KINDS)}})
    with pytest.raises(ValueError, match="too many"):
        vault.counts.add({(DOOR, NOW): {"stranger": 1}})
    assert len(of(vault)[MONDAY]) == counts.MOST_KINDS


def test_what_is_on_the_disk_names_neither_camera_nor_person(vault: Vault, folder: Path) -> None:
    enrol(vault)
    vault.counts.add({(DOOR, NOW): {str(Counted.STRANGER): 1}})
    vault.close()
    found = bytes_of(folder)
    assert DOOR.encode() not in found
    assert str(Counted.STRANGER).encode() not in found


def test_a_damaged_week_is_left_out_and_begins_anew(vault: Vault) -> None:
    enrol(vault)
    vault.counts.add({(DOOR, NOW): {"stranger": 5}, (DOOR, NOW - WEEK): {"stranger": 7}})
    with vault._database.write() as connection:
        connection.execute(
            "UPDATE counts SET sealed = zeroblob(60) WHERE week = (SELECT max(week) FROM counts)"
        )
    assert of(vault) == {MONDAY - WEEK: {"stranger": 7}}
    vault.counts.add({(DOOR, NOW): {"stranger": 1}})
    assert of(vault)[MONDAY] == {"stranger": 1}


def test_a_week_put_in_the_place_of_another_is_damaged(vault: Vault) -> None:
    enrol(vault)
    vault.counts.add({(DOOR, NOW): {"stranger": 5}, (GARDEN, NOW): {"stranger": 7}})
    with vault._database.write() as connection:
        (one,) = connection.execute("SELECT sealed FROM counts LIMIT 1").fetchone()
        connection.execute("UPDATE counts SET sealed = ?", (one,))
    assert len([each for camera in (DOOR, GARDEN) for each in of(vault, camera)]) == 1


def test_a_week_goes_in_its_time(vault: Vault) -> None:
    enrol(vault)
    vault.counts.add({(DOOR, NOW): {"stranger": 1}, (DOOR, NOW + WEEK): {"stranger": 2}})
    kept = Retention(counts=5 * WEEK)
    due = MONDAY + kept.counts
    assert vault.next_purge(NOW, kept) == due
    vault.purge(due - timedelta(microseconds=1), kept)
    assert len(of(vault)) == 2
    vault.purge(due, kept)
    assert of(vault) == {MONDAY + WEEK: {"stranger": 2}}
    (entry, *_) = vault.audit_entries()
    assert (entry.kind, dict(entry.details)) == ("purged", {"counts": 1})


def test_the_weeks_of_a_camera_go_with_it(vault: Vault, folder: Path) -> None:
    enrol(vault)
    vault.counts.add({(DOOR, NOW): {"stranger": 1}, (DOOR, NOW - WEEK): {"stranger": 1}})
    vault.counts.add({(GARDEN, NOW): {"stranger": 2}})
    with vault._database.read() as connection:
        rows = [row[0] for row in connection.execute("SELECT sealed FROM counts")]
    assert vault.counts.keep_only([GARDEN, "another"]) == 2
    assert vault.counts.keep_only([GARDEN]) == 0
    assert (of(vault), of(vault, GARDEN)) == ({}, {MONDAY: {"stranger": 2}})
    vault.close()
    found = bytes_of(folder)
    assert [row in found for row in rows].count(True) == 1


def test_those_in_which_somebody_may_be_go_with_them(vault: Vault, folder: Path) -> None:
    enrol(vault)
    enrol(vault, OTTO, "Otto", seeds=(3,))
    early = NOW - 10 * WEEK
    # Long before either of them was there, and of somebody else.
    vault.counts.add({(DOOR, early): {"named": 4, "stranger": 1}})
    vault.add_visit(a_visit(), a_photo(1), NOW)
    vault.counts.add({(GARDEN, NOW): {"stranger": 1}})
    assert of(vault)[MONDAY] == {"named": 1}
    with vault._database.read() as connection:
        rows = [row[0] for row in connection.execute("SELECT sealed FROM counts ORDER BY week")]
    vault.forget(MARIA, NOW)
    assert (of(vault), of(vault, GARDEN)) == ({MONDAY - 10 * WEEK: {"named": 4, "stranger": 1}}, {})
    vault.counts.add({(DOOR, NOW): {"stranger": 2}})
    vault.forget(OTTO, NOW)
    assert of(vault) == {}
    vault.close()
    assert not any(row in bytes_of(folder) for row in rows)


def test_an_enrolment_that_was_given_up_takes_no_week_along(vault: Vault) -> None:
    enrol(vault)
    vault.counts.add({(DOOR, NOW): {"stranger": 2}})
    vault.begin_enrolment(OTTO, "Otto", None, a_consent(), NOW)
    assert vault.abandon_enrolments(now=NOW) == [OTTO]
    assert of(vault) == {MONDAY: {"stranger": 2}}


def test_a_store_of_the_fourth_version_begins_to_count(vault: Vault, folder: Path) -> None:
    enrol(vault)
    vault.add_visit(a_visit("before"), a_photo(9), NOW)
    with vault._database.write() as connection:
        drop_fifth_version(connection)
        connection.execute("PRAGMA user_version = 4")
    vault.close()
    vault = Vault.open(folder)
    assert (folder / "vault.db.before-v4").exists()
    assert vault.visit_picture("before") == a_photo(9)
    assert vault.verify_audit().ok
    assert of(vault) == {}
    vault.confirm_visit("before", NOW)
    vault.close()
    again = Vault.open(folder)
    assert of(again) == {MONDAY: {"confirmed": 1}}
    again.close()


def test_what_was_counted_outlives_a_kill(vault: Vault, folder: Path) -> None:
    """Each count that was reported is there once, and what the kill interrupted did not happen."""
    enrol(vault)
    vault.close()
    writer = subprocess.run(
        [sys.executable, "-c", KILLED, str(folder), DOOR, "7"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert writer.returncode == -signal.SIGKILL, writer.stderr
    assert writer.stdout.split() == [str(number) for number in range(7)]
    again = Vault.open(folder)
    assert of(again) == {MONDAY: {"stranger": 7, "unclear:not_sure": 14}}
    again.close()
