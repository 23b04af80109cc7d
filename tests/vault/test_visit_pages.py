"""Visits are found by indices alone, whatever they are sought by, and no page lacks or repeats any."""

from datetime import timedelta
from itertools import product
from pathlib import Path
import random
import subprocess
import sys

import pytest

from custom_components.familiar_faces.vault import visit_pages
from custom_components.familiar_faces.vault.people_rows import person_key
from custom_components.familiar_faces.vault.records import SoughtVisits, VisitCursor, VisitRecord
from custom_components.familiar_faces.vault.retention import Retention, is_due, kept_for
from custom_components.familiar_faces.vault.store import Vault
from custom_components.familiar_faces.vault.visit_rows import insert_visit
from tests.vault.makers import (
    DAY,
    MARIA,
    NOW,
    OTTO,
    SECOND,
    a_photo,
    a_visit,
    bytes_of,
    drop_fifth_version,
    drop_fourth_version,
    drop_third_version,
    enrol,
)

IDA = "0c2f4b1d99a7e633"
PEOPLE = (MARIA, OTTO, IDA)
CAMERAS = tuple(f"01JCAMERA{number:017}" for number in range(4))

SOUGHT = [
    SoughtVisits(
        person_ids=people,
        camera_ids=cameras,
        since=NOW - 9 * DAY if since else None,
        before=NOW - 3 * DAY if before else None,
    )
    for people, cameras, since, before in product(
        (None, frozenset(), frozenset({MARIA}), frozenset({OTTO, IDA, "nobody"})),
        (None, frozenset(), frozenset(CAMERAS[:1]), frozenset(CAMERAS[1:])),
        (False, True),
        (False, True),
    )
]


@pytest.fixture
def visits(vault: Vault) -> list[VisitRecord]:
    """Keep visits of three people at four cameras, some at the same moments; return them, newest first."""
    for person_id in PEOPLE:
        enrol(vault, person_id, f"Name of {person_id}", seeds=())
    chance = random.Random(7)
    kept = []
    for number in range(150):
        visit = a_visit(
            f"visit-{number}",
            chance.choice(PEOPLE),
            camera_id=chance.choice(CAMERAS),
            started_at=NOW - chance.randrange(60) * DAY / 5,
        )
        vault.add_visit(visit, None, NOW)
        kept.append(visit)
    # Of two that began at the same moment the one that was written later comes first.
    order = sorted(range(len(kept)), key=lambda number: (kept[number].started_at, number), reverse=True)
    return [kept[number] for number in order]


def fitting(sought: SoughtVisits, visits: list[VisitRecord]) -> list[str]:
    """Return the ids of the visits that fit, by asking each."""
    return [
        visit.visit_id
        for visit in visits
        if (sought.person_ids is None or visit.person_id in sought.person_ids)
        and (sought.camera_ids is None or visit.camera_id in sought.camera_ids)
        and (sought.since is None or visit.started_at >= sought.since)
        and (sought.before is None or visit.started_at < sought.before)
    ]


def plan(vault: Vault, sql: str, values: dict[str, str | bytes | int]) -> list[str]:
    """Return how SQLite goes about a query."""
    with vault._database.read() as connection:
        return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)]


@pytest.mark.parametrize("streams", [visit_pages.MOST_STREAMS, 0], ids=["each", "all"])
def test_every_page_has_the_next_visits(
    vault: Vault, visits: list[VisitRecord], monkeypatch: pytest.MonkeyPatch, streams: int
) -> None:
    monkeypatch.setattr(visit_pages, "MOST_STREAMS", streams)
    for sought, limit in product(SOUGHT, (1, 7, 1000)):
        found, after = [], None
        while True:
            page = vault.visit_page(sought, limit=limit, after=after)
            assert len(page.visits) <= limit
            found += [visit.visit_id for visit in page.visits]
            if (after := page.after) is None:
                break
        assert found == fitting(sought, visits), sought


@pytest.mark.parametrize("streams", [visit_pages.MOST_STREAMS, 0], ids=["each", "all"])
def test_no_query_reads_all_visits_or_sorts_them(
    vault: Vault, monkeypatch: pytest.MonkeyPatch, streams: int
) -> None:
    """SQLite chooses without statistics, as it does in a home: the vault never runs ANALYZE."""
    monkeypatch.setattr(visit_pages, "MOST_STREAMS", streams)
    some = VisitCursor(0, 1)
    for sought, after in product(SOUGHT, (None, some)):
        for sql, values in visit_pages.queries(vault._keys, sought, limit=10, after=after):
            steps = plan(vault, sql, values)
            assert steps[0].startswith("SEARCH visit USING"), steps
            assert "started_at<?" in steps[0], steps
            assert not [step for step in steps if "B-TREE" in step or "SCAN visit" in step], steps


def test_each_index_is_used(vault: Vault) -> None:
    used = {
        step.split("INDEX ")[1].split(" ")[0]
        for sought in SOUGHT
        for sql, values in visit_pages.queries(vault._keys, sought, limit=10)
        for step in plan(vault, sql, values)
    }
    assert used == {"visit_time", "visit_person", "visit_camera", "visit_person_camera"}


@pytest.mark.parametrize("table", ["visit", "picture"])
def test_what_is_due_is_found_by_indices(vault: Vault, table: str) -> None:
    values: dict[str, str | bytes | int] = {"now": 1, "kept": 2, "person": MARIA, "limit": 50}
    queries = (
        f"SELECT visit_id FROM {table} WHERE {is_due(table, ':person')} LIMIT :limit",  # noqa: S608
        f"SELECT person_id FROM person WHERE EXISTS (SELECT 1 FROM {table} WHERE {is_due(table)})",  # noqa: S608
        f"SELECT min({kept_for(table)}) FROM person",  # noqa: S608
        f"DELETE FROM {table} WHERE person_id = :person",  # noqa: S608
    )
    steps = [step for sql in queries for step in plan(vault, sql, values)]
    assert not [step for step in steps if step.startswith("SCAN") and not step.startswith("SCAN person")], (
        steps
    )
    assert [step for step in steps if "USING COVERING INDEX consent_kept" in step]


def test_a_page_goes_on_where_the_last_one_ended_whatever_went_meanwhile(
    vault: Vault, visits: list[VisitRecord]
) -> None:
    first = vault.visit_page(SoughtVisits(), limit=40)
    gone = {first.visits[-1].visit_id, *(visit.visit_id for visit in visits[45:50])}
    for visit_id in gone:
        vault.correct_visit(visit_id, NOW)
    vault.add_visit(a_visit("new", started_at=NOW + SECOND), None, NOW)
    second = vault.visit_page(SoughtVisits(), limit=1000, after=first.after)
    assert [visit.visit_id for visit in second.visits] == [
        visit.visit_id for visit in visits[40:] if visit.visit_id not in gone
    ]


def test_a_damaged_visit_takes_no_place_of_a_page(vault: Vault, visits: list[VisitRecord]) -> None:
    damaged = {visit.visit_id for visit in visits[2:6]}
    with vault._database.write() as connection:
        for visit_id in damaged:
            connection.execute("UPDATE visit SET sealed = zeroblob(80) WHERE visit_id = ?", (visit_id,))
    page = vault.visit_page(SoughtVisits(), limit=10)
    left = [visit.visit_id for visit in visits if visit.visit_id not in damaged]
    assert [visit.visit_id for visit in page.visits] == left[:10]


def test_a_visit_whose_mark_of_a_camera_was_changed_is_at_no_other(
    vault: Vault, visits: list[VisitRecord]
) -> None:
    """What lies in the clear leads to a visit, and is not believed."""
    moved = next(visit for visit in visits if visit.camera_id == CAMERAS[0])
    with vault._database.write() as connection:
        connection.execute(
            "UPDATE visit SET camera = ? WHERE visit_id = ?",
            (vault._keys.camera_tag(CAMERAS[1]), moved.visit_id),
        )
    found = vault.visits(camera_id=CAMERAS[1], limit=1000)
    assert {visit.camera_id for visit in found} == {CAMERAS[1]}
    assert moved in vault.visits(limit=1000)


def test_no_camera_is_in_the_clear(vault: Vault, visits: list[VisitRecord], folder: Path) -> None:
    vault.close()
    stored = bytes_of(folder)
    assert MARIA.encode() in stored
    assert not [camera for camera in CAMERAS if camera.encode() in stored]


def test_a_purge_takes_whose_time_is_over_of_everybody(vault: Vault, visits: list[VisitRecord]) -> None:
    kept = [visit.visit_id for visit in visits if visit.started_at > NOW - 5 * DAY]
    purged = vault.purge(NOW, Retention(visits=5 * DAY))
    assert purged.visits == len(visits) - len(kept)
    assert [visit.visit_id for visit in vault.visits(limit=1000)] == kept
    assert (
        vault.next_purge(NOW, Retention(visits=5 * DAY))
        == min(visit.started_at for visit in visits if visit.visit_id in kept) + 5 * DAY
    )


def make_second_version(vault: Vault) -> None:
    """Make an open store one of the second version: close it afterwards."""
    with vault._database.write() as connection:
        drop_fifth_version(connection)
        drop_fourth_version(vault, connection)
        drop_third_version(connection)
        connection.execute("PRAGMA user_version = 2")


def test_a_store_of_the_second_version_finds_visits_by_their_cameras(
    vault: Vault, visits: list[VisitRecord], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.familiar_faces.vault.visit_rows._AT_ONCE", 40)
    damaged = visits[3].visit_id
    make_second_version(vault)
    with vault._database.write() as connection:
        connection.execute("UPDATE visit SET sealed = zeroblob(80) WHERE visit_id = ?", (damaged,))
    vault.close()

    vault = Vault.open(folder)
    assert (folder / "vault.db.before-v2").exists()
    for camera in CAMERAS:
        found = [visit.visit_id for visit in vault.visits(camera_id=camera, limit=1000)]
        assert found == [
            visit.visit_id for visit in visits if visit.camera_id == camera and visit.visit_id != damaged
        ]
    with vault._database.read() as connection:
        migrated = connection.execute("SELECT name, sql FROM sqlite_schema ORDER BY name").fetchall()
    vault.close()
    new = Vault.open(folder.with_name("new"))
    with new._database.read() as connection:
        made = connection.execute("SELECT name, sql FROM sqlite_schema ORDER BY name").fetchall()
    new.close()
    assert [name for name, _ in migrated] == [name for name, _ in made]
    assert {name: sql for name, sql in migrated if name.startswith("visit_")} == {
        name: sql for name, sql in made if name.startswith("visit_")
    }


def test_a_kill_at_any_instant_of_the_migration_loses_nothing(vault: Vault, folder: Path) -> None:
    for person_id in PEOPLE:
        enrol(vault, person_id, f"Name of {person_id}", seeds=())
    with vault._database.write() as connection:
        for number in range(600):
            visit = a_visit(
                f"visit-{number}",
                PEOPLE[number % 3],
                camera_id=CAMERAS[number % 4],
                started_at=NOW - timedelta(minutes=number),
            )
            picture = a_photo(number, 500) if number % 10 == 0 else None
            key = person_key(connection, vault._keys, visit.person_id)
            insert_visit(connection, key, vault._keys.camera_tag(visit.camera_id), visit, picture)
    make_second_version(vault)
    vault.close()
    done = subprocess.run(
        [sys.executable, "-m", "tests.vault.killed_migrations", folder],
        capture_output=True,
        check=False,
        cwd=Path(__file__).parents[2],
        timeout=100,
    )
    assert done.returncode == 0, done.stderr.decode()
    statements, killed = map(int, done.stdout.split())
    assert statements > 600
    assert killed > 20
    vault = Vault.open(folder)
    assert len(vault.visits(limit=10_000)) == 600
    assert [len(vault.visits(camera_id=camera, limit=10_000)) for camera in CAMERAS] == [150] * 4
    assert vault.visit_picture("visit-10") == a_photo(10, 500)
    assert vault.verify_audit().ok
    vault.close()
