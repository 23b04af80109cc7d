"""What a recipient is to know: made-up episodes, and every question asked in every way."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import product
from random import Random
from zoneinfo import ZoneInfo

import pytest

from custom_components.familiar_faces.alerts.episode import Episode, Seen
from custom_components.familiar_faces.alerts.rule import WEEKDAYS, Home, Pictures, Rule, Who
from custom_components.familiar_faces.alerts.telling import (
    PATIENCE,
    SELF_FRAMES,
    Kind,
    Part,
    Reader,
    Telling,
    tell,
)
from custom_components.familiar_faces.visits.visit import Decision, UnclearReason, Visit
from tests.common.vectors import NOW

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
SECOND = timedelta(seconds=1)
EVERYBODY = frozenset(Who)


def a_rule(alert_id: str = "alert", **changes: object) -> Rule:
    """Return an alert about everybody, everywhere and at all times."""
    return replace(Rule(alert_id, "Alert", EVERYBODY, frozenset(), ("phone",)), **changes)  # type: ignore[arg-type]


def a_reader(
    own_id: str | None = None,
    *,
    may_come: bool = False,
    muted: tuple[str, ...] = (),
    quiet: tuple[str, ...] = (),
) -> Reader:
    """Return a recipient; `muted`: ids of people and cameras, `quiet`: topics that were told a moment ago."""
    return Reader(
        own=frozenset() if own_id is None else frozenset({own_id}),
        may_come=lambda _camera_id: may_come,
        mutes=lambda camera_id, person_id: bool({camera_id, person_id} & set(muted)),
        quiet=lambda _rule, topic, _episode: topic in quiet,
    )


def a_visit(visit_id: str, name: str | None = None, camera_id: str = "front", second: int = 0) -> Visit:
    """Return a visit: of somebody familiar, or of a stranger."""
    at = NOW + second * SECOND
    visit = Visit(visit_id, camera_id, Decision.STRANGER, at, at, frames=3)
    return visit if name is None else visit.renamed(name.casefold(), name, 0.99)


def an_episode(*visits: Visit, counting: bool = True, **changes: object) -> Episode:
    """Return an episode with these visits, which any alert named `alert...` counts for."""
    episode = Episode(NOW, NOW, ["front"], **changes)  # type: ignore[arg-type]
    episode.counting = {"alert": counting, "alert2": counting}
    for visit in visits:
        individual = visit.person_id or visit.visit_id
        episode.seen[visit.visit_id] = Seen(visit, f"portrait of {visit.visit_id}".encode(), individual)
    return episode


def kinds(telling: Telling | None) -> list[str]:
    """Return what is said, and of which people."""
    return [] if telling is None else [str(part.name or part.kind) for part in telling.parts]


def told(episode: Episode, *rules: Rule, reader: Reader | None = None, at: datetime = NOW) -> list[str]:
    """Return what is said, and of which people."""
    return kinds(tell(rules or (a_rule(),), episode, reader or a_reader(), at))


def test_whom_a_rule_is_about() -> None:
    everybody = an_episode(a_visit("1", "Anna"), a_visit("2"))
    assert told(everybody) == ["Anna", "stranger"]
    assert told(everybody, a_rule(who=frozenset({Who.FAMILIAR}))) == ["Anna"]
    assert told(everybody, a_rule(who=frozenset({Who.STRANGER}))) == ["stranger"]
    assert told(everybody, a_rule(who=frozenset({Who.UNCLEAR}))) == []
    assert told(everybody, a_rule(who=frozenset(), people=frozenset({"bob"}))) == []
    assert told(everybody, a_rule(who=frozenset(), people=frozenset({"anna"}))) == ["Anna"]
    assert told(everybody, a_rule(cameras=frozenset({"back"}))) == []
    assert told(an_episode(a_visit("1", "Anna"), counting=False)) == []


def test_who_walks_on_is_told_where_the_alert_is_about() -> None:
    """The newest place that may be told, and the newest of all where every one may be."""
    episode = an_episode(a_visit("1", "Anna"), a_visit("2", "Anna", "back", second=5))
    for cameras, place in ((None, "back"), ({"front"}, "front"), ({"back"}, "back")):
        rule = a_rule(cameras=None if cameras is None else frozenset(cameras))
        telling = tell((rule,), episode, a_reader(), NOW)
        assert telling is not None
        assert [part.camera_id for part in telling.parts] == [place]
        visit_id = "1" if place == "front" else "2"
        assert telling.picture == f"portrait of {visit_id}".encode()
    assert told(episode, reader=a_reader(muted=("back",))) == ["Anna"]
    assert told(episode, reader=a_reader(muted=("anna",))) == []


def test_never_of_oneself() -> None:
    episode = an_episode(a_visit("1", "Anna"), a_visit("2", "Bob"))
    assert told(episode, reader=a_reader("anna")) == ["Bob"]
    assert told(an_episode(a_visit("1", "Anna"), someone="front"), reader=a_reader("anna")) == []


@pytest.mark.parametrize("looking", [True, False])
@pytest.mark.parametrize("may_come", [True, False])
@pytest.mark.parametrize("frames", [0, SELF_FRAMES - 1, SELF_FRAMES])
@pytest.mark.parametrize("patient", [True, False])
def test_someone(looking: bool, may_come: bool, frames: int, patient: bool) -> None:
    """Told at once; but not to who may be the visitor, until there has been time for a name."""
    episode = an_episode(someone="front", frames=frames, looking={"front"} if looking else set())
    at = NOW + (PATIENCE if patient else PATIENCE - SECOND)
    ought = not may_come or frames >= SELF_FRAMES or patient or not looking
    rule = a_rule(early=True, pictures=Pictures.NONE)
    assert told(episode, rule, reader=a_reader("anna", may_come=may_come), at=at) == ["someone"] * ought
    assert told(episode, a_rule(), at=at) == []


def test_who_rings_unseen_after_somebody_else() -> None:
    """Told beside those who were seen, by alerts that tell at once; not to somebody who is there."""
    episode = an_episode(a_visit("1", "Anna"), unseen="front", someone="front")
    early = a_rule(early=True)
    assert told(episode, early) == ["Anna", "someone"]
    assert told(episode, a_rule()) == ["Anna"]
    assert told(episode, early, reader=a_reader("anna", may_come=True)) == []
    assert told(episode, early, reader=a_reader("bob", may_come=True)) == ["Anna", "someone"]
    telling = tell((replace(early, pictures=Pictures.EVERYBODY),), episode, a_reader(), NOW)
    assert telling is not None
    assert telling.picture == b"portrait of 1"


def test_a_correction() -> None:
    """Told to who was told the name; to the others it is somebody, as if it had been known from the start."""
    right = a_visit("1", "Anna")
    wrong = replace(
        a_visit("1"), decision=Decision.UNCLEAR, reason=UnclearReason.NOT_SURE, visit_id=right.visit_id
    )
    episode = an_episode()
    episode.seen["1"] = Seen(wrong, None, "1", right)
    (part,) = _parts(tell((a_rule(),), episode, a_reader(), NOW))
    assert (part.kind, part.name) == (Kind.CORRECTED, "Anna")
    for reader in (a_reader("anna"), a_reader(muted=("anna",))):
        (part,) = _parts(tell((a_rule(),), episode, reader, NOW))
        assert (part.kind, part.name) == (Kind.UNCLEAR, None)
    familiar = a_rule(who=frozenset({Who.FAMILIAR}))
    assert kinds(tell((familiar,), episode, a_reader(), NOW)) == ["Anna"]
    assert tell((familiar,), episode, a_reader(muted=("anna",)), NOW) is None


def _parts(telling: Telling | None) -> tuple[Part, ...]:
    assert telling is not None
    return telling.parts


@pytest.mark.parametrize("seed", range(20))
def test_whatever_is_asked(seed: int) -> None:
    """Compared, for many episodes and recipients, with the rules said in another way."""
    random = Random(seed)
    for _ in range(60):
        cameras = random.sample(("front", "back", "garage"), random.randint(1, 3))
        visits = [
            a_visit(str(number), random.choice(("Anna", "Bob", None)), random.choice(cameras), number)
            for number in range(random.randint(0, 4))
        ]
        episode = an_episode(*visits, someone=random.choice((None, cameras[0])))
        for visit in visits:
            if random.random() < 0.4:
                episode.seen[visit.visit_id].portrait = None
        rules = [
            a_rule(
                alert_id,
                who=frozenset(random.sample(sorted(Who), random.randint(0, 3))),
                people=frozenset(random.sample(("anna", "bob"), random.randint(0, 2))),
                cameras=random.choice((None, frozenset({"front"}), frozenset({"back", "garage"}))),
                early=random.random() < 0.5,
                pictures=random.choice(list(Pictures)),
            )
            for alert_id in ("alert", "alert2")
        ]
        episode.counting["alert2"] = random.random() < 0.7
        own, muted = random.choice((None, "anna")), random.choice(((), ("bob",), ("front",)))
        reader = a_reader(own, muted=muted)
        telling = tell(rules, episode, reader, NOW)
        active = [rule for rule in rules if episode.counting[rule.alert_id]]
        ought: dict[str, str] = {}
        allowed: set[bytes] = set()
        for visit in visits:
            asking = [rule for rule in active if _asks(rule, visit)]
            if not asking or visit.person_id == (own or 0) or {visit.camera_id, visit.person_id} & set(muted):
                continue
            ought[visit.person_id or visit.visit_id] = visit.camera_id
            portrait = episode.seen[visit.visit_id].portrait
            familiar = visit.person_id is not None
            if portrait is not None and any(
                rule.pictures is Pictures.EVERYBODY or (familiar and rule.pictures is Pictures.FAMILIAR)
                for rule in asking
            ):
                allowed.add(portrait)
        if telling is None or telling.parts[0].kind is Kind.SOMEONE:
            assert not ought
            continue
        assert {part.individual: part.camera_id for part in telling.parts} == ought
        assert telling.picture is None or telling.picture in allowed
        assert telling.alerts <= {rule.alert_id for rule in active}


def _asks(rule: Rule, visit: Visit) -> bool:
    if rule.cameras is not None and visit.camera_id not in rule.cameras:
        return False
    return visit.person_id in rule.people or (
        Who.STRANGER in rule.who if visit.person_id is None else Who.FAMILIAR in rule.who
    )


HOURS = tuple(time(hour, minute) for hour, minute in product((0, 1, 6, 12, 22, 23), (0, 30)))


@pytest.mark.parametrize("after", [None, *HOURS])
@pytest.mark.parametrize("before", [None, *HOURS])
def test_the_times_of_a_week(after: time | None, before: time | None) -> None:
    """Compared, for every half hour of a week, with periods that begin on a chosen day and last so long."""
    chosen = frozenset({"fri", "sun"})
    rule = a_rule(after=after, before=before, weekdays=chosen)
    monday = datetime(2026, 3, 2, tzinfo=AMSTERDAM)
    begin, end = after or time.min, before or time.min
    minutes = (end.hour * 60 + end.minute) - (begin.hour * 60 + begin.minute)
    lasts = timedelta(minutes=minutes if minutes > 0 else minutes + 24 * 60)
    periods = [
        (start, start + lasts)
        for day in range(-1, 8)
        if WEEKDAYS[(start := datetime.combine(monday + timedelta(days=day), begin)).weekday()] in chosen
    ]
    for half_hour in range(7 * 48):
        local = monday + timedelta(minutes=30 * half_hour)
        plain = local.replace(tzinfo=None)
        ought = any(start <= plain < stop for start, stop in periods)
        assert rule.counts(local, somebody_home=False) is ought, local


@pytest.mark.parametrize(
    ("utc", "counts"),
    [
        # In the night to 29 March 2026 the hour from two to three is left out.
        ((3, 29, 0, 59), True),
        ((3, 29, 1, 0), False),
        # In the night to 25 October 2026 it comes twice, and counts twice.
        ((10, 25, 0, 15), True),
        ((10, 25, 1, 15), True),
        ((10, 25, 1, 30), False),
    ],
)
def test_when_the_clocks_change(utc: tuple[int, int, int, int], counts: bool) -> None:
    """A time of day is what a clock on the wall shows."""
    rule = a_rule(after=time(1, 30), before=time(2, 30))
    local = datetime(2026, *utc, tzinfo=UTC).astimezone(AMSTERDAM)
    assert rule.counts(local, somebody_home=True) is counts


@pytest.mark.parametrize("somebody", [True, False])
def test_who_is_at_home(somebody: bool) -> None:
    local = NOW.astimezone(AMSTERDAM)
    assert a_rule(home=Home.ANY).counts(local, somebody)
    assert a_rule(home=Home.SOMEBODY).counts(local, somebody) is somebody
    assert a_rule(home=Home.NOBODY).counts(local, somebody) is not somebody
