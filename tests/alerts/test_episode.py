"""Episodes: what belongs together, what is one individual, and what is left of a merged one. Made-up visits."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

import pytest

from custom_components.familiar_faces.alerts.episode import LONGEST, Episode, Episodes
from custom_components.familiar_faces.visits.open_visits import GAP
from custom_components.familiar_faces.visits.visit import Decision, UnclearReason, Visit
from tests.common.vectors import NOW

CAMERAS = ("front", "back", "garage", "gate")
SECOND = timedelta(seconds=1)


def a_visit(visit_id: str, name: str | None = None, camera_id: str = "front", at: datetime = NOW) -> Visit:
    """Return a visit: of somebody familiar, or of a stranger."""
    visit = Visit(visit_id, camera_id, Decision.STRANGER, at, at, frames=3)
    return visit if name is None else visit.renamed(name.casefold(), name, 0.99)


def unclear(visit: Visit) -> Visit:
    """Return a visit as it is before it is sure whose it is."""
    return replace(visit, decision=Decision.UNCLEAR, reason=UnclearReason.NOT_SURE)


def test_one_person_at_two_cameras_is_one_episode() -> None:
    """The older one goes on; what is left of the other one tells of nobody."""
    episodes = Episodes()
    first, none = episodes.settle(a_visit("1", "Anna"), None, (), NOW)
    assert none == []
    second = episodes.at("back", NOW + SECOND)
    second.someone = "back"
    visit = a_visit("2", "Anna", "back", NOW + SECOND)
    episode, merged = episodes.settle(visit, None, ("1",), NOW + 2 * SECOND)
    assert (episode, merged) == (first, [second])
    assert set(episode.cameras) == {"front", "back"}
    assert [[each.visit.visit_id for each in visits] for visits in episode.individuals()] == [["2", "1"]]
    assert list(episodes) == [first]
    assert not second.seen
    assert second.someone is None


def test_all_that_show_one_individual_are_merged() -> None:
    """Also when they were two before it was known that they show one."""
    episodes = Episodes()
    for number, camera_id in enumerate(CAMERAS[:2]):
        episodes.settle(a_visit(str(number), None, camera_id), None, (), NOW)
    assert len(list(episodes)) == 2
    episode, _ = episodes.settle(a_visit("2", None, "garage"), None, ("0", "1"), NOW)
    assert [each.episode_id for each in episodes] == [episode.episode_id]
    assert set(episode.seen) == {"0", "1", "2"}


def test_a_stranger_who_becomes_familiar_stays_one() -> None:
    episodes = Episodes()
    episode, _ = episodes.settle(unclear(a_visit("1")), b"a portrait", (), NOW)
    again, merged = episodes.settle(a_visit("1", "Anna"), None, (), NOW + SECOND)
    assert (again, merged) == (episode, [])
    ((seen,),) = episode.individuals()
    assert (seen.individual, seen.portrait) == ("anna", None)


def test_after_the_gap_it_is_another_episode() -> None:
    episodes = Episodes()
    first = episodes.at("front", NOW)
    assert episodes.at("front", NOW + GAP) is first
    assert episodes.at("front", NOW + 2 * GAP + SECOND) is not first


def test_a_look_that_is_being_taken_holds_its_episode() -> None:
    episodes = Episodes()
    first = episodes.at("front", NOW)
    first.looking.add("front")
    assert episodes.current("front", NOW + 2 * GAP) is first
    first.looking.clear()
    assert episodes.current("front", NOW + 2 * GAP) is None


def test_newcomers_to_a_long_episode_begin_another() -> None:
    """Those who are there all the time stay in theirs."""
    episodes = Episodes()
    first, _ = episodes.settle(a_visit("1", "Anna"), None, (), NOW)
    at = NOW
    while at <= NOW + LONGEST:
        at += GAP
        assert episodes.settle(a_visit("1", "Anna"), None, (), at)[0] is first
    first.looking.add("front")
    second, _ = episodes.settle(a_visit("2", None, at=at), None, (), at)
    assert second is not first
    assert episodes.current("front", at) is second
    assert (first.looking, second.looking) == (set(), {"front"})
    assert episodes.settle(a_visit("1", "Anna"), None, (), at)[0] is first
    assert [key for each in episodes for key in each.seen] == ["2", "1"]


def test_forgetting_leaves_the_others() -> None:
    episodes = Episodes()
    episode, _ = episodes.settle(a_visit("1", "Anna"), None, (), NOW)
    episodes.settle(a_visit("2", "Bob"), None, (), NOW)
    assert episodes.forget("anna") == [episode]
    assert [each.individual for (each,) in episode.individuals()] == ["bob"]
    assert episodes.forget("anna") == []


@dataclass(frozen=True)
class Step:
    """Somebody is seen at a camera; those who have no name are known by `who` to the test alone."""

    visit: Visit
    who: str
    companions: tuple[str, ...]
    at: datetime
    rang: bool


def days(seed: int, steps: int = 150) -> Iterator[Step]:
    """Yield what happens at four cameras: a few familiar people and strangers come and go."""
    random, now = Random(seed), NOW
    going: dict[tuple[str, str], Visit] = {}
    for number in range(steps):
        now += random.choice((0.2, 1, 5, 20, 31, 90)) * SECOND
        going = {key: visit for key, visit in going.items() if now - visit.last_seen_at <= GAP}
        who, camera_id = random.choice(("Anna", "Bob", "x", "y", "z")), random.choice(CAMERAS)
        visit = going.get((who, camera_id)) or a_visit(
            f"{number}", who if who.istitle() else None, camera_id, now
        )
        visit = going[who, camera_id] = replace(visit, last_seen_at=now)
        companions = tuple(
            each.visit_id for (other, where), each in going.items() if other == who and where != camera_id
        )
        yield Step(visit, who, companions, now, random.random() < 0.5)


@pytest.mark.parametrize("seed", range(30))
def test_whatever_happens(seed: int) -> None:
    """Every visit is in one episode, and every individual in it is one: named people and others never mix."""
    episodes = Episodes()
    who: dict[str, str] = {}
    for step in days(seed):
        if step.rang:
            episodes.at(step.visit.camera_id, step.at).someone = step.visit.camera_id
        who[step.visit.visit_id] = step.who
        episode, merged = episodes.settle(step.visit, None, step.companions, step.at)
        everything: list[Episode] = list(episodes)
        assert not any(each in everything or each.seen or each.someone for each in merged)
        inside = [visit_id for each in everything for visit_id in each.seen]
        assert len(inside) == len(set(inside))
        assert {step.visit.visit_id, *step.companions} <= set(episode.seen)
        for each in everything:
            assert {seen.visit.camera_id for seen in each.seen.values()} <= set(each.cameras)
            for visits in each.individuals():
                assert len({who[seen.visit.visit_id] for seen in visits}) == 1
                assert [seen.visit.started_at for seen in visits] == sorted(
                    (seen.visit.started_at for seen in visits), reverse=True
                )
        # One individual who is at several cameras at one time is said once.
        mine = {episode.seen[each].individual for each in (step.visit.visit_id, *step.companions)}
        assert len(mine) == 1
