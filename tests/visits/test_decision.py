"""What is decided, and when."""

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from custom_components.familiar_faces.people.calibration import SFACE, Strictness
from custom_components.familiar_faces.people.gallery import Gallery
from custom_components.familiar_faces.visits.decision import decide
from custom_components.familiar_faces.visits.visit import Decision, UnclearReason
from tests.common.vectors import Axis, Like, MakeGallery, MakeSighting, make_person


def test_a_person_is_named_at_the_second_agreeing_frame(
    gallery: Gallery, make_sighting: MakeSighting, axis: Axis, like: Like, now: datetime
) -> None:
    faces = [like(axis(0), 0.75) for _ in range(2)]

    assert decide(make_sighting(faces[0]), gallery, now, final=False) is None
    verdict = decide(make_sighting(*faces), gallery, now, final=False)

    assert verdict.decision is Decision.FAMILIAR
    assert (verdict.person_id, verdict.name, verdict.template_id) == ("anna", "Anna", "Anna-0")
    assert verdict.confidence is not None
    assert 0.99 < verdict.confidence < 1


def test_one_frame_at_the_end_needs_more(
    gallery: Gallery, make_sighting: MakeSighting, axis: Axis, like: Like, now: datetime
) -> None:
    enough = SFACE.familiar_threshold(2, frames=1) + 0.01
    too_little = SFACE.familiar_threshold(2, frames=2) + 0.01

    one, other = (
        make_sighting((cosine * axis(0) + np.sqrt(1 - cosine**2) * axis(5)).astype(np.float32))
        for cosine in (enough, too_little)
    )
    named = decide(one, gallery, now, final=True, one_picture=True)
    unnamed = decide(other, gallery, now, final=True, one_picture=True)
    assert decide(one, gallery, now, final=False, one_picture=True) is None

    assert named.decision is Decision.FAMILIAR
    assert unnamed.decision is Decision.UNCLEAR
    assert unnamed.reason is UnclearReason.FEW_FRAMES


def test_a_single_picture_in_profile_needs_more(
    make_gallery: MakeGallery, make_sighting: MakeSighting, axis: Axis, now: datetime
) -> None:
    gallery = make_gallery(**{f"P{index}": axis(index) for index in range(20)})
    enough = SFACE.familiar_threshold(20, frames=1) + 0.01
    sighting = make_sighting((enough * axis(0) + np.sqrt(1 - enough**2) * axis(50)).astype(np.float32))
    (face,) = sighting.faces
    decisions = []
    for yaw in (5.0, 50.0, -50.0):
        sighting.faces[:] = [replace(face, quality=replace(face.quality, yaw=yaw))]
        decisions.append(decide(sighting, gallery, now, final=True, one_picture=True).decision)

    assert decisions == [Decision.FAMILIAR, Decision.UNCLEAR, Decision.UNCLEAR]


def test_a_camera_learns_only_from_names_that_a_balanced_household_would_hear(
    make_gallery: MakeGallery, make_sighting: MakeSighting, axis: Axis, now: datetime
) -> None:
    gallery = make_gallery(Anna=axis(0))
    relaxed, balanced = (
        SFACE.familiar_threshold(1, 3, each) for each in (Strictness.RELAXED, Strictness.BALANCED)
    )
    told = []
    for cosine in ((relaxed + balanced) / 2, balanced + 0.01):
        face = (cosine * axis(0) + np.sqrt(1 - cosine**2) * axis(5)).astype(np.float32)
        told.append(
            decide(make_sighting(face, face, face), gallery, now, final=True, strictness=Strictness.RELAXED)
        )

    assert [each.decision for each in told] == [Decision.FAMILIAR] * 2
    assert [each.sure for each in told] == [False, True]


def test_one_frame_alone_names_nobody(
    gallery: Gallery, make_sighting: MakeSighting, axis: Axis, now: datetime
) -> None:
    """Unless the owner said that the camera makes only one picture."""
    verdict = decide(make_sighting(axis(0)), gallery, now, final=True)
    assert (verdict.decision, verdict.reason) == (Decision.UNCLEAR, UnclearReason.FEW_FRAMES)
    assert verdict.resembled == {"anna"}
    assert decide(make_sighting(axis(0)), gallery, now, final=True, one_picture=True).name == "Anna"
    assert decide(make_sighting(axis(0), axis(0)), gallery, now, final=True).name == "Anna"


def test_an_unclear_verdict_says_whom_it_may_be(
    gallery: Gallery, make_sighting: MakeSighting, axis: Axis, like: Like, now: datetime
) -> None:
    close = like(axis(0), SFACE.stranger_threshold(2) + 0.02)

    assert decide(make_sighting(close), gallery, now, final=True).resembled == {"anna"}
    assert decide(make_sighting(axis(0), axis(1)), gallery, now, final=True).resembled == {"anna", "ben"}
    assert decide(make_sighting(axis(2)), gallery, now, final=True).resembled == frozenset()


def test_frames_that_name_different_people_name_nobody(
    gallery: Gallery, make_sighting: MakeSighting, axis: Axis, now: datetime
) -> None:
    sighting = make_sighting(axis(0), axis(1))

    assert decide(sighting, gallery, now, final=False) is None
    assert decide(sighting, gallery, now, final=True).reason is UnclearReason.TOO_ALIKE


@pytest.mark.parametrize("others", [2, 3])
def test_a_few_splendid_frames_do_not_outvote_the_others(
    make_gallery: MakeGallery, make_sighting: MakeSighting, axis: Axis, now: datetime, others: int
) -> None:
    gallery = make_gallery(Anna=axis(0))
    sighting = make_sighting(*[axis(0)] * (others - 1), *[axis(2)] * others)

    together = gallery.compare(sighting.embeddings, sighting.weights, now).best.similarity
    assert together >= SFACE.familiar_threshold(1)
    assert decide(sighting, gallery, now, final=True).decision is Decision.UNCLEAR


def test_two_who_look_alike_are_unclear(
    make_gallery: MakeGallery, make_sighting: MakeSighting, axis: Axis, like: Like, now: datetime
) -> None:
    between = axis(0) + axis(1)
    gallery = make_gallery(Anna=axis(0), Twin=axis(1))
    sighting = make_sighting(*[(between / np.linalg.norm(between)).astype(np.float32)] * 4)

    verdict = decide(sighting, gallery, now, final=True)

    assert decide(sighting, gallery, now, final=False) is None
    assert verdict.decision is Decision.UNCLEAR
    assert verdict.reason is UnclearReason.TOO_ALIKE


@pytest.mark.parametrize(
    ("frames", "final", "decided"), [(2, False, False), (3, False, True), (2, True, True)]
)
def test_a_stranger_needs_several_frames(
    gallery: Gallery,
    make_sighting: MakeSighting,
    axis: Axis,
    frames: int,
    final: bool,
    decided: bool,
    now: datetime,
) -> None:
    verdict = decide(make_sighting(*[axis(9)] * frames), gallery, now, final)

    assert (verdict is not None and verdict.decision is Decision.STRANGER) is decided


def test_one_frame_makes_nobody_a_stranger(
    gallery: Gallery, make_sighting: MakeSighting, axis: Axis, now: datetime
) -> None:
    verdict = decide(make_sighting(axis(9)), gallery, now, final=True)

    assert verdict.decision is Decision.UNCLEAR
    assert verdict.reason is UnclearReason.FEW_FRAMES


def test_one_frame_with_a_likeness_keeps_it_from_being_a_stranger(
    gallery: Gallery, make_sighting: MakeSighting, axis: Axis, like: Like, now: datetime
) -> None:
    in_band = SFACE.stranger_threshold(2) + 0.02
    alike = (in_band * axis(0) + np.sqrt(1 - in_band**2) * axis(5)).astype(np.float32)
    sighting = make_sighting(axis(9), axis(9), axis(9), alike)

    assert decide(sighting, gallery, now, final=False) is None
    assert decide(sighting, gallery, now, final=True).reason is UnclearReason.NOT_SURE


def test_between_stranger_and_familiar_it_is_unclear(
    make_gallery: MakeGallery, make_sighting: MakeSighting, axis: Axis, now: datetime
) -> None:
    gallery = make_gallery(Anna=axis(0))
    middle = (SFACE.stranger_threshold(1) + SFACE.familiar_threshold(1)) / 2
    face = (middle * axis(0) + np.sqrt(1 - middle**2) * axis(5)).astype(np.float32)

    verdict = decide(make_sighting(*[face] * 6), gallery, now, final=True)

    assert decide(make_sighting(*[face] * 6), gallery, now, final=False) is None
    assert verdict.reason is UnclearReason.NOT_SURE
    assert verdict.name is None


def test_poor_faces_are_never_a_stranger(
    gallery: Gallery, make_sighting: MakeSighting, axis: Axis, now: datetime
) -> None:
    sighting = make_sighting(*[axis(9)] * 8, usable=False)

    assert decide(sighting, gallery, now, final=False) is None
    verdict = decide(sighting, gallery, now, final=True)
    assert verdict.decision is Decision.UNCLEAR
    assert verdict.reason is UnclearReason.NO_USABLE_FACE


def test_poor_faces_are_never_a_person(
    gallery: Gallery, make_sighting: MakeSighting, axis: Axis, now: datetime
) -> None:
    sighting = make_sighting(*[axis(0)] * 8, usable=False)

    assert decide(sighting, gallery, now, final=True).reason is UnclearReason.NO_USABLE_FACE


def test_without_people_everybody_is_a_stranger(
    make_gallery: MakeGallery, make_sighting: MakeSighting, axis: Axis, like: Like, now: datetime
) -> None:
    verdict = decide(make_sighting(*[like(axis(0), 0.9) for _ in range(3)]), make_gallery(), now, final=False)

    assert verdict.decision is Decision.STRANGER


def test_an_expired_consent_makes_a_person_a_stranger(
    make_gallery: MakeGallery, make_sighting: MakeSighting, axis: Axis, now: datetime
) -> None:
    gallery = make_gallery(Anna=axis(0))
    sighting = make_sighting(*[axis(0)] * 3)

    assert decide(sighting, gallery, now, final=False).name == "Anna"
    later = now + timedelta(days=400)
    assert decide(sighting, gallery, later, final=False).decision is Decision.STRANGER


def test_strictness_moves_the_threshold(
    make_gallery: MakeGallery, make_sighting: MakeSighting, axis: Axis, now: datetime
) -> None:
    gallery = make_gallery(Anna=axis(0))
    between = (SFACE.familiar_threshold(1) + SFACE.familiar_threshold(1, 2, Strictness.STRICT)) / 2
    face = (between * axis(0) + np.sqrt(1 - between**2) * axis(5)).astype(np.float32)
    sighting = make_sighting(face, face, face)

    assert decide(sighting, gallery, now, final=True).decision is Decision.FAMILIAR
    strict = decide(sighting, gallery, now, final=True, strictness=Strictness.STRICT)
    assert strict.decision is Decision.UNCLEAR


def test_strangers_are_named_no_oftener_than_promised(
    make_gallery: MakeGallery, make_sighting: MakeSighting, now: datetime
) -> None:
    """Strangers drawn as the development set has them: 20,000 visits, five people."""
    rng = np.random.default_rng(5)
    people = np.eye(128, dtype=np.float32)[:5]
    gallery = make_gallery(**{f"P{index}": row for index, row in enumerate(people)})
    named = 0
    for _ in range(20_000):
        towards = rng.normal(SFACE.stranger_mean, SFACE.stranger_sd, size=5)
        if towards.max() < 0.35:
            continue  # Nobody is named so far below the threshold; saves the time to find that out.
        rest = rng.normal(size=128)
        rest[:5] = 0
        face = np.sqrt(1 - (towards**2).sum()) * rest / np.linalg.norm(rest)
        face[:5] = towards
        verdict = decide(make_sighting(*[face.astype(np.float32)] * 3), gallery, now, final=True)
        named += verdict.decision is Decision.FAMILIAR

    assert named <= 20


def test_what_was_named_wrongly_needs_more(
    make_gallery: MakeGallery, make_sighting: MakeSighting, axis: Axis, like: Like, now: datetime
) -> None:
    gallery = make_gallery(Anna=axis(0))
    anna = make_person("Anna", axis(0))
    (template,) = anna.templates
    guarded = Gallery([replace(anna, templates=(replace(template, guard=0.7),))], gallery.model)
    named, not_named = (make_sighting(*[like(axis(0), cosine)] * 2) for cosine in (0.9, 0.6))

    assert decide(not_named, gallery, now, final=True).decision is Decision.FAMILIAR
    assert decide(not_named, guarded, now, final=True).reason is UnclearReason.NOT_SURE
    verdict = decide(named, guarded, now, final=True)
    assert verdict.decision is Decision.FAMILIAR
    assert verdict.similarity == pytest.approx(guarded.compare(named.embeddings, [1, 1], now).best.similarity)


@pytest.mark.parametrize(("length", "decision"), [(None, "stranger"), (12.0, "stranger"), (9.0, "unclear")])
def test_a_stranger_needs_faces_that_were_seen_well(
    gallery: Gallery,
    make_sighting: MakeSighting,
    axis: Axis,
    now: datetime,
    length: float | None,
    decision: str,
) -> None:
    """Somebody of the household in the dark resembles nobody either."""
    sighting = make_sighting(*[axis(9)] * 6)
    sighting.faces = [replace(face, length=length) for face in sighting.faces]

    verdict = decide(sighting, gallery, now, final=True)

    assert verdict.decision == decision
    assert verdict.reason is (UnclearReason.POOR_FACE if decision == "unclear" else None)
    assert (decide(sighting, gallery, now, final=False) is None) is (decision == "unclear")


def test_a_few_faces_seen_well_are_enough_beside_poor_ones(
    gallery: Gallery, make_sighting: MakeSighting, axis: Axis, now: datetime
) -> None:
    sighting = make_sighting(*[axis(9)] * 6)
    sighting.faces = [
        replace(face, length=12.0 if index < 2 else 8.0) for index, face in enumerate(sighting.faces)
    ]

    assert decide(sighting, gallery, now, final=False) is None
    assert decide(sighting, gallery, now, final=True).decision is Decision.STRANGER
