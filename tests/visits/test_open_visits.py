"""Which looks are one visit, and what is forgotten."""

from datetime import datetime, timedelta
import gc
import weakref

import pytest

from custom_components.familiar_faces.visits.open_visits import GAP, Change, OpenVisits
from custom_components.familiar_faces.visits.visit import Decision, UnclearReason, Verdict
from tests.common.vectors import Axis, Like, MakeFace, MakeSighting

STRANGER = Verdict(Decision.STRANGER)
NOT_SURE = Verdict(Decision.UNCLEAR, reason=UnclearReason.NOT_SURE)
NO_FACE = Verdict(Decision.UNCLEAR, reason=UnclearReason.NO_USABLE_FACE)


def familiar(name: str = "Anna", confidence: float = 0.97) -> Verdict:
    return Verdict(Decision.FAMILIAR, name.lower(), name, confidence, template_id=f"{name}-0")


def seconds(value: float) -> timedelta:
    return timedelta(seconds=value)


@pytest.fixture
def open_visits() -> OpenVisits:
    return OpenVisits()


def test_a_first_look_opens_a_visit(
    open_visits: OpenVisits, make_sighting: MakeSighting, axis: Axis, now: datetime
) -> None:
    outcome = open_visits.settle("door", make_sighting(axis(0), axis(0)), familiar())

    visit = outcome.visit
    assert outcome.change is Change.OPENED
    assert (visit.decision, visit.person_id, visit.name, visit.confidence) == (
        Decision.FAMILIAR,
        "anna",
        "Anna",
        0.97,
    )
    assert (visit.camera_id, visit.frames, visit.template_id) == ("door", 2, "Anna-0")
    assert visit.started_at == now
    assert visit.last_seen_at == now + seconds(0.5)
    assert open_visits.visits == (visit,)


def test_a_look_soon_after_is_the_same_visit(
    open_visits: OpenVisits, make_sighting: MakeSighting, axis: Axis, like: Like, now: datetime
) -> None:
    first = open_visits.settle("door", make_sighting(axis(0)), familiar()).visit
    # Another embedding on purpose: the person's id is enough.
    outcome = open_visits.settle("door", make_sighting(axis(3), axis(3), at=now + seconds(29)), familiar())

    assert outcome.change is Change.CONTINUED
    assert outcome.visit.visit_id == first.visit_id
    assert outcome.visit.frames == 3
    assert outcome.visit.started_at == now
    assert outcome.visit.last_seen_at == now + seconds(29.5)


def test_a_visit_goes_on_as_long_as_looks_follow(
    open_visits: OpenVisits, make_sighting: MakeSighting, axis: Axis, now: datetime
) -> None:
    ids = {
        open_visits.settle(
            "door", make_sighting(axis(0), at=now + seconds(25 * look)), familiar()
        ).visit.visit_id
        for look in range(10)
    }

    assert len(ids) == 1


@pytest.mark.parametrize("verdict", [familiar(), STRANGER, NOT_SURE])
def test_a_later_look_is_another_visit(
    open_visits: OpenVisits, make_sighting: MakeSighting, axis: Axis, now: datetime, verdict: Verdict
) -> None:
    first = open_visits.settle("door", make_sighting(axis(0)), verdict).visit
    # Also when nobody has called `expire` in between.
    outcome = open_visits.settle("door", make_sighting(axis(0), at=now + GAP + seconds(0.1)), verdict)

    assert outcome.change is Change.OPENED
    assert outcome.visit.visit_id != first.visit_id


def test_cameras_do_not_share_visits(
    open_visits: OpenVisits, make_sighting: MakeSighting, axis: Axis, now: datetime
) -> None:
    open_visits.settle("door", make_sighting(axis(0)), familiar())

    outcome = open_visits.settle("garden", make_sighting(axis(0), at=now + seconds(1)), familiar())

    assert outcome.change is Change.OPENED


@pytest.mark.parametrize("verdict", [STRANGER, NOT_SURE])
@pytest.mark.parametrize(("cosine", "change"), [(0.75, Change.CONTINUED), (0.3, Change.OPENED)])
def test_without_a_name_the_face_tells(
    open_visits: OpenVisits,
    make_sighting: MakeSighting,
    axis: Axis,
    like: Like,
    now: datetime,
    verdict: Verdict,
    cosine: float,
    change: Change,
) -> None:
    open_visits.settle("door", make_sighting(axis(0)), verdict)

    again = make_sighting(like(axis(0), cosine), at=now + seconds(10))

    assert open_visits.settle("door", again, verdict).change is change


def test_the_most_similar_visit_is_continued(
    open_visits: OpenVisits, make_sighting: MakeSighting, axis: Axis, like: Like, now: datetime
) -> None:
    open_visits.settle("door", make_sighting(like(axis(0), 0.6)), STRANGER)
    right = open_visits.settle("door", make_sighting(axis(0), at=now + seconds(1)), NOT_SURE).visit

    outcome = open_visits.settle("door", make_sighting(like(axis(0), 0.9), at=now + seconds(5)), STRANGER)

    assert outcome.visit.visit_id == right.visit_id


@pytest.mark.parametrize("before", [STRANGER, NOT_SURE])
def test_an_unclear_visit_becomes_familiar_once(
    open_visits: OpenVisits,
    make_sighting: MakeSighting,
    axis: Axis,
    like: Like,
    now: datetime,
    before: Verdict,
) -> None:
    first = open_visits.settle("door", make_sighting(axis(0)), before).visit

    upgraded = open_visits.settle("door", make_sighting(like(axis(0), 0.8), at=now + seconds(5)), familiar())
    after = open_visits.settle("door", make_sighting(axis(0), at=now + seconds(10)), familiar())

    assert upgraded.change is Change.UPGRADED
    assert upgraded.visit.visit_id == first.visit_id
    assert upgraded.visit.started_at == now
    assert (upgraded.visit.decision, upgraded.visit.name, upgraded.visit.reason) == (
        Decision.FAMILIAR,
        "Anna",
        None,
    )
    assert after.change is Change.CONTINUED


def test_the_same_sighting_may_be_upgraded(
    open_visits: OpenVisits,
    make_sighting: MakeSighting,
    make_face: MakeFace,
    axis: Axis,
    like: Like,
    now: datetime,
) -> None:
    sighting = make_sighting(axis(0))
    open_visits.settle("door", sighting, NOT_SURE)
    sighting.add(make_face(axis(1)), now + seconds(1))

    outcome = open_visits.settle("door", sighting, familiar())

    assert outcome.change is Change.UPGRADED
    assert outcome.visit.frames == 2


def test_a_named_visit_keeps_its_name(
    open_visits: OpenVisits, make_sighting: MakeSighting, axis: Axis, now: datetime
) -> None:
    sighting = make_sighting(axis(0))
    open_visits.settle("door", sighting, familiar())

    for verdict in (familiar("Ben"), STRANGER, NOT_SURE):
        outcome = open_visits.settle("door", sighting, verdict)
        assert outcome.change is Change.CONTINUED
        assert (outcome.visit.decision, outcome.visit.name) == (Decision.FAMILIAR, "Anna")


def test_a_person_who_turns_away_is_still_on_their_visit(
    open_visits: OpenVisits, make_sighting: MakeSighting, axis: Axis, like: Like, now: datetime
) -> None:
    first = open_visits.settle("door", make_sighting(axis(0)), familiar()).visit

    outcome = open_visits.settle("door", make_sighting(like(axis(0), 0.6), at=now + seconds(5)), NOT_SURE)

    assert outcome.change is Change.CONTINUED
    assert outcome.visit.visit_id == first.visit_id
    assert outcome.visit.name == "Anna"


def test_another_person_has_a_visit_of_their_own_however_alike(
    open_visits: OpenVisits, make_sighting: MakeSighting, axis: Axis, like: Like, now: datetime
) -> None:
    open_visits.settle("door", make_sighting(axis(0)), familiar())

    outcome = open_visits.settle(
        "door", make_sighting(like(axis(0), 0.9), at=now + seconds(5)), familiar("Ben")
    )

    assert outcome.change is Change.OPENED
    assert outcome.visit.name == "Ben"


def test_one_person_is_not_twice_in_a_frame(
    open_visits: OpenVisits, make_sighting: MakeSighting, axis: Axis, like: Like
) -> None:
    first = open_visits.settle("door", make_sighting(axis(0)), familiar()).visit

    outcome = open_visits.settle("door", make_sighting(like(axis(0), 0.8)), familiar())

    assert outcome.change is Change.OPENED
    assert outcome.visit.visit_id != first.visit_id
    assert outcome.visit.decision is Decision.UNCLEAR
    assert outcome.visit.reason is UnclearReason.TOO_ALIKE
    assert outcome.visit.name is None


def test_two_strangers_of_a_frame_are_two_visits(
    open_visits: OpenVisits, make_sighting: MakeSighting, axis: Axis, like: Like
) -> None:
    open_visits.settle("door", make_sighting(axis(0)), STRANGER)

    outcome = open_visits.settle("door", make_sighting(like(axis(0), 0.8)), STRANGER)

    assert outcome.change is Change.OPENED


def test_faces_nobody_can_be_told_by_are_no_event_while_somebody_visits(
    open_visits: OpenVisits, make_sighting: MakeSighting, axis: Axis, now: datetime
) -> None:
    first = open_visits.settle("door", make_sighting(axis(0)), familiar()).visit

    turned = make_sighting(axis(7), at=now + seconds(20), usable=False)
    outcome = open_visits.settle("door", turned, NO_FACE)

    assert outcome.change is Change.CONTINUED
    # It might be somebody else: the visit is not made longer.
    assert outcome.visit == first


def test_poor_faces_that_turn_out_to_be_somebody_else_are_their_own_visit(
    open_visits: OpenVisits, make_sighting: MakeSighting, make_face: MakeFace, axis: Axis, now: datetime
) -> None:
    first = open_visits.settle("door", make_sighting(axis(0)), familiar()).visit
    sighting = make_sighting(axis(1), at=now + seconds(5), usable=False)
    open_visits.settle("door", sighting, NO_FACE)
    sighting.add(make_face(axis(1)), now + seconds(6))

    outcome = open_visits.settle("door", sighting, familiar("Ben"))

    assert outcome.change is Change.OPENED
    assert outcome.visit.visit_id != first.visit_id


def test_looks_without_a_usable_face_are_one_visit(
    open_visits: OpenVisits, make_sighting: MakeSighting, axis: Axis, now: datetime
) -> None:
    outcomes = [
        open_visits.settle("door", make_sighting(axis(7), at=now + seconds(20 * look), usable=False), NO_FACE)
        for look in range(4)
    ]

    assert [outcome.change for outcome in outcomes] == [Change.OPENED, *[Change.CONTINUED] * 3]
    assert outcomes[-1].visit.frames == 4


@pytest.mark.parametrize(
    ("verdict", "change"),
    [(familiar(), Change.UPGRADED), (NOT_SURE, Change.CONTINUED), (STRANGER, Change.OPENED)],
)
def test_somebody_comes_closer_after_a_poor_look(
    open_visits: OpenVisits,
    make_sighting: MakeSighting,
    axis: Axis,
    now: datetime,
    verdict: Verdict,
    change: Change,
) -> None:
    first = open_visits.settle("door", make_sighting(axis(7), usable=False), NO_FACE).visit

    outcome = open_visits.settle("door", make_sighting(axis(0), at=now + seconds(5)), verdict)

    assert outcome.change is change
    assert (outcome.visit.visit_id == first.visit_id) is (change is not Change.OPENED)


def test_a_surer_look_makes_the_visit_surer(
    open_visits: OpenVisits, make_sighting: MakeSighting, axis: Axis, now: datetime
) -> None:
    for index, confidence in enumerate((0.95, 0.99, 0.96)):
        sighting = make_sighting(axis(0), at=now + seconds(index))
        visit = open_visits.settle("door", sighting, familiar(confidence=confidence)).visit

    assert visit.confidence == 0.99


def test_the_best_picture_of_a_person_is_kept(
    open_visits: OpenVisits, make_sighting: MakeSighting, axis: Axis, now: datetime
) -> None:
    for index, (sharpness, portrait) in enumerate(((20, b"soft"), (50, b"sharp"), (30, b"late"))):
        sighting = make_sighting(axis(0), at=now + seconds(index), sharpness=sharpness, portrait=portrait)
        visit = open_visits.settle("door", sighting, familiar()).visit

    assert visit.portrait == b"sharp"


@pytest.mark.parametrize("verdict", [STRANGER, NOT_SURE])
def test_no_picture_of_anybody_else_is_kept(
    open_visits: OpenVisits, make_sighting: MakeSighting, axis: Axis, verdict: Verdict
) -> None:
    assert (
        open_visits.settle("door", make_sighting(axis(0), portrait=b"jpeg"), verdict).visit.portrait is None
    )


def test_visits_end_when_their_gap_has_passed(
    open_visits: OpenVisits, make_sighting: MakeSighting, axis: Axis, now: datetime
) -> None:
    anna = open_visits.settle("door", make_sighting(axis(0)), familiar()).visit
    stranger = open_visits.settle("door", make_sighting(axis(1), at=now + seconds(10)), STRANGER).visit

    assert open_visits.expire(now + GAP) == ()
    assert open_visits.expire(now + GAP + seconds(1)) == (anna,)
    assert open_visits.visits == (stranger,)
    assert open_visits.expire(now + GAP + seconds(11)) == (stranger,)
    assert len(open_visits.visits) == 0


@pytest.mark.parametrize("verdict", [STRANGER, NOT_SURE])
def test_nothing_of_a_stranger_is_left_in_memory(
    open_visits: OpenVisits,
    make_sighting: MakeSighting,
    axis: Axis,
    like: Like,
    now: datetime,
    verdict: Verdict,
) -> None:
    looks = [make_sighting(axis(0), at=now), make_sighting(like(axis(0), 0.8), at=now + seconds(5))]
    outcomes = [open_visits.settle("door", look, verdict) for look in looks]
    held = [each.embedding for each in open_visits._open]
    traces = [
        weakref.ref(each)
        for each in (*looks, *held, *(face.embedding for look in looks for face in look.faces))
    ]
    del looks, held
    gc.collect()
    # While the visit goes on its newest face is held, to know the individual again.
    assert sum(trace() is not None for trace in traces) == 1

    ended = open_visits.expire(now + GAP + seconds(6))
    gc.collect()

    assert [trace() for trace in traces] == [None] * len(traces)
    # The caller may keep what is said about the visit: there is no face in it.
    assert [visit.visit_id for visit in ended] == [outcomes[0].visit.visit_id]


def test_a_forgotten_person_is_forgotten_at_once(
    open_visits: OpenVisits, make_sighting: MakeSighting, axis: Axis, now: datetime
) -> None:
    open_visits.settle("door", make_sighting(axis(0)), familiar())
    ben = open_visits.settle("door", make_sighting(axis(1), at=now + seconds(1)), familiar("Ben")).visit

    open_visits.forget("anna")

    assert open_visits.visits == (ben,)


def test_a_visit_that_was_not_theirs_does_not_go_on(
    open_visits: OpenVisits, make_sighting: MakeSighting, axis: Axis, now: datetime
) -> None:
    wrong = open_visits.settle("door", make_sighting(axis(0)), familiar()).visit
    ben = open_visits.settle("door", make_sighting(axis(1), at=now + seconds(1)), familiar("Ben")).visit

    open_visits.drop(wrong.visit_id)
    open_visits.drop("unknown")

    assert open_visits.visits == (ben,)
    again = open_visits.settle("door", make_sighting(axis(0), at=now + seconds(2)), familiar())
    assert again.change is Change.OPENED
    assert again.visit.visit_id != wrong.visit_id


def test_the_most_alike_moment_of_a_visit_is_noted(
    open_visits: OpenVisits, make_sighting: MakeSighting, axis: Axis, now: datetime
) -> None:
    def said(similarity: float, template: str) -> Verdict:
        return Verdict(Decision.FAMILIAR, "anna", "Anna", 0.999, template_id=template, similarity=similarity)

    first = open_visits.settle("door", make_sighting(axis(0)), said(0.5, "Anna-0")).visit
    outcomes = [
        open_visits.settle("door", make_sighting(axis(0), at=now + seconds(at)), said(similarity, template))
        for at, similarity, template in ((1, 0.7, "Anna-1"), (2, 0.6, "Anna-2"))
    ]

    assert (first.similarity, first.template_id) == (0.5, "Anna-0")
    assert [each.change for each in outcomes] == [Change.CONTINUED] * 2
    assert [(each.visit.similarity, each.visit.template_id) for each in outcomes] == [(0.7, "Anna-1")] * 2


@pytest.mark.parametrize(
    "change", [-timedelta(hours=1), -timedelta(days=3), timedelta(hours=1), timedelta(days=3)]
)
def test_a_clock_that_is_set(
    open_visits: OpenVisits, make_sighting: MakeSighting, axis: Axis, now: datetime, change: timedelta
) -> None:
    """Who comes after a clock was set is another visit, and what was open before is over, not open for days."""
    first = open_visits.settle("door", make_sighting(axis(0), axis(0)), familiar()).visit
    outcome = open_visits.settle("door", make_sighting(axis(0), axis(0), at=now + change), familiar())
    assert outcome.change is Change.OPENED
    assert outcome.visit.visit_id != first.visit_id
    assert open_visits.expire(now + change + seconds(1)) == (first,)
    assert open_visits.visits == (outcome.visit,)


def test_a_clock_that_is_corrected_by_a_second(
    open_visits: OpenVisits, make_sighting: MakeSighting, axis: Axis, now: datetime
) -> None:
    """It ends no visit."""
    first = open_visits.settle("door", make_sighting(axis(0), axis(0)), familiar()).visit
    outcome = open_visits.settle("door", make_sighting(axis(0), axis(0), at=now - seconds(2)), familiar())
    assert (outcome.change, outcome.visit.visit_id) == (Change.CONTINUED, first.visit_id)
    assert open_visits.expire(now - seconds(2)) == ()
