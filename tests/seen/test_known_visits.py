"""The visits that are known in memory: by person and by camera, and no more than are asked for."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
import random

import pytest

from custom_components.familiar_faces.seen.known_visits import AT_HAND, EACH, KnownVisit, KnownVisits
from custom_components.familiar_faces.visits.visit import Decision

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PEOPLE = ("anna", "bert", "cleo")
CAMERAS = ("door", "garden")


def a_known_visit(chance: random.Random, visit_id: str, moment: datetime) -> KnownVisit:
    """Make a visit of anybody."""
    decision = chance.choice([Decision.FAMILIAR] * 4 + [Decision.STRANGER, Decision.UNCLEAR])
    familiar = decision is Decision.FAMILIAR
    return KnownVisit(
        visit_id=visit_id,
        camera_id=chance.choice(CAMERAS),
        decision=decision,
        person_id=chance.choice(PEOPLE) if familiar else None,
        confidence=0.99 if familiar else None,
        started_at=moment,
        # No two at the same moment: of those either may be left out.
        last_seen_at=moment + timedelta(seconds=600 * chance.random()),
        announced_at=moment + timedelta(seconds=chance.randrange(5)),
        lasting=not familiar or chance.random() < 0.8,
    )


def asked_for(known: dict[str, KnownVisit], at_hand: int) -> dict[str, KnownVisit]:
    """Return what is to be known of these visits, by looking at all of them."""
    latest = sorted(known.values(), key=lambda each: each.last_seen_at, reverse=True)
    newest: dict[str | None, datetime] = {}
    for each in latest:
        for of in (each.camera_id, each.person_id):
            newest[of] = max(newest.get(of, each.announced_at), each.announced_at)
    alike: Counter[tuple[Decision, str, str | None]] = Counter()
    kept = {}
    for each in latest:
        alike[each.decision, each.camera_id, each.person_id] += 1
        wanted = alike[each.decision, each.camera_id, each.person_id] <= EACH
        if not each.lasting:
            wanted = each.announced_at >= min(newest[each.camera_id], newest[each.person_id])
        elif each.person_id is not None and at_hand:
            at_hand -= 1
            wanted = True
        if wanted:
            kept[each.visit_id] = each
    return kept


@pytest.mark.parametrize("seed", range(20))
def test_what_is_known_is_what_is_asked_for(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    at_hand = 5
    monkeypatch.setattr("custom_components.familiar_faces.seen.known_visits.AT_HAND", at_hand)
    chance, visits, expected = random.Random(seed), KnownVisits(), dict[str, KnownVisit]()
    for number in range(300):
        moment = NOW + timedelta(minutes=number)
        match chance.randrange(10):
            case 0 if expected:
                gone = chance.choice(sorted(expected))
                visits.drop(gone)
                del expected[gone]
            case 1:
                person_id = chance.choice(PEOPLE)
                cameras = {each.camera_id for each in expected.values() if each.person_id == person_id}
                assert visits.forget(person_id) == cameras
                expected = {key: each for key, each in expected.items() if each.person_id != person_id}
            case 2 | 3 if expected:
                visit = expected[chance.choice(sorted(expected))]
                seen_at = moment + timedelta(seconds=chance.random())
                visit = replace(visit, last_seen_at=max(visit.last_seen_at, seen_at))
                visits.go_on(visit)
                expected = asked_for(expected | {visit.visit_id: visit}, at_hand)
            case 4 if expected:
                # It turns out to be another one's.
                visit = a_known_visit(chance, chance.choice(sorted(expected)), moment)
                visits.announce(visit)
                expected = asked_for(expected | {visit.visit_id: visit}, at_hand)
            case 5:
                before = [
                    replace(
                        a_known_visit(chance, f"old-{number}-{each}", NOW - timedelta(minutes=each)),
                        lasting=True,
                    )
                    for each in range(4)
                ]
                visits.add(before)
                for each in sorted(before, key=lambda each: each.started_at, reverse=True):
                    expected = asked_for({each.visit_id: each} | expected, at_hand)
            case _:
                visit = a_known_visit(chance, f"visit-{number}", moment)
                visits.announce(visit)
                expected = asked_for(expected | {visit.visit_id: visit}, at_hand)
        assert {each.visit_id: each for each in visits} == expected
        for person_id in PEOPLE:
            theirs = {each.visit_id for each in expected.values() if each.person_id == person_id}
            assert {each.visit_id for each in visits.of_person(person_id)} == theirs
        for camera_id in CAMERAS:
            here = {each.visit_id for each in expected.values() if each.camera_id == camera_id}
            assert {each.visit_id for each in visits.at_camera(camera_id)} == here


def test_the_last_ones_are_at_hand() -> None:
    visits = KnownVisits()
    for number in range(2 * AT_HAND):
        moment = NOW + timedelta(minutes=number)
        visits.announce(
            KnownVisit(f"{number:03}", "door", Decision.FAMILIAR, "anna", 0.9, moment, moment, moment)
        )
    assert sorted(each.visit_id for each in visits) == [
        f"{number:03}" for number in range(AT_HAND, 2 * AT_HAND)
    ]


def test_read_in_parts_the_newest_is_the_last() -> None:
    """The one who is read first is not the one who was there last; what is known since the start stays the last."""
    known = KnownVisits()
    older, newer = (
        KnownVisit(name, "garden", Decision.FAMILIAR, name, 0.9, at, at, at)
        for name, at in (("anna", NOW - timedelta(days=7)), ("ben", NOW - timedelta(days=1)))
    )
    known.add([older])
    assert known.last_at("garden") == older
    known.add([newer])
    assert known.last_at("garden") == newer
    known.add([older])
    assert known.last_at("garden") == newer
    known.drop("ben")
    known.add([older])
    assert known.last_at("garden") is None, "no earlier one is shown in the place of one that was taken away"
