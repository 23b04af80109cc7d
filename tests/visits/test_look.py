"""A look: who is decided when, when it may end, and how small a face it searches for."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from custom_components.familiar_faces.engine.protocol import Face
from custom_components.familiar_faces.people.calibration import SFACE, Strictness
from custom_components.familiar_faces.people.gallery import Gallery
from custom_components.familiar_faces.visits.look import (
    EMPTY_FRAMES,
    ENOUGH_FRAMES,
    FAR,
    FAR_EVERY,
    NEAR,
    Look,
)
from custom_components.familiar_faces.visits.visit import Decision, Sighting, UnclearReason, Verdict
from tests.common.vectors import Axis, Like, MakeFace, MakeFrame, MakeGallery

type Take = Callable[..., list[tuple[Sighting, Verdict]]]


@pytest.fixture
def take(gallery: Gallery, make_frame: MakeFrame, now: datetime) -> Take:
    """Return a function that adds a frame of faces to a look, each a tenth of a second later."""

    def take(
        look: Look,
        *faces: Face,
        size: tuple[int, int] = (640, 480),
        gallery: Gallery = gallery,
        model: str = "sface",
        in_shadow: bool | None = False,
    ) -> list[tuple[Sighting, Verdict]]:
        at = now + timedelta(seconds=look.frames / 10)
        frame = replace(make_frame(*faces), size=size, model=model, in_shadow=in_shadow)
        return look.add(frame, at, gallery, at)

    return take


def test_everybody_is_decided_once_and_finally_again(
    take: Take, gallery: Gallery, make_face: MakeFace, axis: Axis, like: Like, now: datetime
) -> None:
    look = Look(now)
    anna = [make_face(like(axis(0), 0.8), 100) for _ in range(4)]
    other = [make_face(axis(2), 400) for _ in range(4)]
    assert take(look, anna[0], other[0]) == []
    ((sighting, verdict),) = take(look, anna[1], other[1])
    assert (verdict.decision, verdict.name) == (Decision.FAMILIAR, "Anna")
    assert sighting is look.sightings[0]
    assert not look.enough
    ((_, verdict),) = take(look, anna[2], other[2])
    assert verdict.decision is Decision.STRANGER
    assert look.enough
    assert take(look, anna[3], other[3]) == []
    assert [verdict.decision for _, verdict in look.finish(gallery, now)] == [
        Decision.FAMILIAR,
        Decision.STRANGER,
    ]


def test_a_look_ends_only_when_enough_was_seen(
    take: Take, make_face: MakeFace, axis: Axis, now: datetime
) -> None:
    look = Look(now)
    for number in range(ENOUGH_FRAMES):
        assert not look.enough
        take(look, make_face(axis(0)))
        assert look.frames == number + 1
    assert look.enough
    empty = Look(now)
    for _ in range(ENOUGH_FRAMES + 1):
        take(empty)
    assert not empty.enough


def test_only_what_is_new_is_compared_again(
    take: Take, gallery: Gallery, make_gallery: MakeGallery, make_face: MakeFace, axis: Axis, now: datetime
) -> None:
    look = Look(now)
    take(look, make_face(axis(0)))
    ((_, early),) = take(look, make_face(axis(0)))
    ((_, same),) = look.finish(gallery, now)
    assert same is early
    take(look, make_face(axis(0)))
    ((_, later),) = look.finish(gallery, now)
    assert later is not early
    # Anna was forgotten meanwhile.
    ((_, without),) = look.finish(make_gallery(Ben=axis(1)), now)
    assert without.decision is Decision.STRANGER


def test_the_chosen_strictness_counts(
    take: Take, gallery: Gallery, make_face: MakeFace, axis: Axis, like: Like, now: datetime
) -> None:
    similarity = (
        SFACE.familiar_threshold(2, 2, Strictness.BALANCED)
        + SFACE.familiar_threshold(2, 2, Strictness.STRICT)
    ) / 2
    decisions = []
    for strictness in (Strictness.BALANCED, Strictness.STRICT):
        look = Look(now, strictness=strictness)
        face = make_face((similarity * axis(0) + np.sqrt(1 - similarity**2) * axis(5)).astype(np.float32))
        take(look, face)
        take(look, face)
        decisions += [verdict.decision for _, verdict in look.finish(gallery, now)]
    assert decisions == [Decision.FAMILIAR, Decision.UNCLEAR]


def test_a_poor_face_says_what_is_wrong_with_it(
    take: Take, gallery: Gallery, make_face: MakeFace, axis: Axis, now: datetime
) -> None:
    look = Look(now)
    for reason in ("too_blurred", "too_dark", "too_dark"):
        face = make_face(axis(0), usable=False)
        take(look, replace(face, quality=replace(face.quality, reason=reason)))
    ((_, verdict),) = look.finish(gallery, now)
    assert (verdict.decision, verdict.reason) == (Decision.UNCLEAR, UnclearReason.NO_USABLE_FACE)
    assert verdict.quality == "too_dark"
    assert [each.reason for each in look.qualities] == ["too_blurred", "too_dark", "too_dark"]


def test_another_engine_starts_anew(
    take: Take, gallery: Gallery, make_face: MakeFace, axis: Axis, now: datetime
) -> None:
    look = Look(now)
    take(look, make_face(axis(0)))
    with pytest.raises(ValueError, match="cannot be compared"):
        take(look, make_face(axis(0)), model="other")
    take(look, make_face(axis(0)), model="other", gallery=Gallery([], "other"))
    assert [each.frames for each in look.sightings] == [1]
    assert look.finish(gallery, now) == []


def test_a_small_stranger_may_come_closer(
    take: Take, gallery: Gallery, make_face: MakeFace, axis: Axis, now: datetime
) -> None:
    look = Look(now)
    for _ in range(4):
        assert take(look, make_face(axis(2), width=30)) == []
    assert not look.enough
    ((_, verdict),) = look.finish(gallery, now)
    assert verdict.decision is Decision.STRANGER
    closer = Look(now)
    for width in (34, 38, 42):
        decided = take(closer, make_face(axis(2), width=width))
    assert [verdict.decision for _, verdict in decided] == [Decision.STRANGER]


def test_a_small_familiar_person_is_named_at_once(
    take: Take, make_face: MakeFace, axis: Axis, now: datetime
) -> None:
    look = Look(now)
    take(look, make_face(axis(0), width=30))
    ((_, verdict),) = take(look, make_face(axis(0), width=30))
    assert verdict.decision is Decision.FAMILIAR


def test_smaller_faces_are_searched_for_now_and_then(take: Take, now: datetime) -> None:
    look = Look(now)
    sought = []
    for _ in range(2 * FAR_EVERY):
        sought.append(look.min_face)
        take(look)
    assert sought == [NEAR, FAR, NEAR, NEAR] * 2


def test_shadows_are_searched_with_the_far_search(take: Take, now: datetime) -> None:
    look = Look(now)
    sought = []
    for _ in range(2 * FAR_EVERY):
        sought.append(look.search_shadows)
        take(look)
    assert sought == [False, True, False, False] * 2


def test_a_face_in_the_shadow_is_not_lost_again(
    take: Take, make_face: MakeFace, axis: Axis, now: datetime
) -> None:
    look = Look(now)
    take(look)
    take(look, make_face(axis(0), width=60), in_shadow=True)
    assert look.search_shadows
    # Somebody who steps into the light is found without, and may step back.
    take(look, make_face(axis(0), width=60))
    assert look.search_shadows


def test_nobody_in_the_light_has_shadows_searched(
    take: Take, make_face: MakeFace, axis: Axis, now: datetime
) -> None:
    look = Look(now)
    for _ in range(FAR_EVERY + 2):
        take(look, make_face(axis(0), width=60))
        assert not look.search_shadows


def test_an_engine_that_cannot_lift_shadows_is_not_asked_to(take: Take, now: datetime) -> None:
    look = Look(now)
    for _ in range(2 * FAR_EVERY):
        take(look, in_shadow=None)
        assert not look.search_shadows


def test_a_small_face_is_not_lost_again(take: Take, make_face: MakeFace, axis: Axis, now: datetime) -> None:
    look = Look(now)
    take(look)
    for width in (30, 38, 44):
        take(look, make_face(axis(0), width=width))
        assert look.min_face == FAR
    take(look)
    assert look.min_face == FAR
    take(look, make_face(axis(0), width=60))
    assert look.min_face == NEAR
    take(look)
    assert look.min_face == NEAR


@pytest.mark.parametrize(
    ("size", "width"), [((1280, 720), FAR), ((1920, 1080), FAR), ((2560, 1440), 27), ((3840, 2160), NEAR)]
)
def test_a_far_search_never_costs_more_than_one_of_a_1080p_frame(
    take: Take, now: datetime, size: tuple[int, int], width: float
) -> None:
    look = Look(now)
    take(look, size=size)
    assert look.min_face == width


@pytest.mark.parametrize(
    ("frames", "decisions"),
    [
        ("0100", []),
        ("0110", [Decision.UNCLEAR]),
        ("0101", [Decision.UNCLEAR]),
        ("1000", [Decision.UNCLEAR]),
        ("0001", [Decision.UNCLEAR]),
        ("1", [Decision.UNCLEAR]),
    ],
)
def test_a_face_in_one_frame_only_is_nobody(
    take: Take,
    gallery: Gallery,
    make_face: MakeFace,
    axis: Axis,
    now: datetime,
    frames: str,
    decisions: list[Decision],
) -> None:
    """With frames before and after that lack it, it is a print on a shirt or a shadow."""
    look = Look(now)
    for number in frames:
        take(look, *[make_face(axis(2), usable=False)] * int(number))
    assert [verdict.decision for _, verdict in look.finish(gallery, now)] == decisions


def test_a_ghost_beside_somebody(
    take: Take, gallery: Gallery, make_face: MakeFace, axis: Axis, now: datetime
) -> None:
    """Anyone who is really there is told anyway."""
    look = Look(now)
    for number in range(4):
        faces = [make_face(axis(0), 100)] + [make_face(axis(2), 500)] * (number == 2)
        take(look, *faces)
    ((_, verdict),) = look.finish(gallery, now)
    assert verdict.name == "Anna"


def test_patient_while_nobody_is_there(take: Take, make_face: MakeFace, axis: Axis, now: datetime) -> None:
    """A look takes its time only as long as nobody is seen."""
    look = Look(now)
    for _ in range(EMPTY_FRAMES):
        assert not look.patient
        take(look)
    assert look.patient
    assert not look.somebody_decided
    for _ in range(2):
        take(look, make_face(axis(0)))
        assert not look.patient
    assert look.somebody_decided
