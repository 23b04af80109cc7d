"""Verification: one claimed person, yes, no or unclear."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest

from custom_components.familiar_faces.people.calibration import SFACE, Strictness
from custom_components.familiar_faces.people.gallery import Gallery
from custom_components.familiar_faces.people.person import Embedding
from custom_components.familiar_faces.people.verification import (
    Answer,
    Verification,
    WhyUnclear,
    best,
    unverified,
    verify,
)
from tests.common.vectors import Axis, Like, MakePerson


def claim(
    gallery: Gallery,
    embedding: Embedding,
    now: datetime,
    *,
    frames: int = 2,
    person_id: str = "anna",
    **options: Any,
) -> Verification:
    return verify(
        np.array([embedding] * frames), np.ones(frames, np.float32), gallery, person_id, now, **options
    )


@pytest.mark.parametrize("frames", [1, 2])
@pytest.mark.parametrize("strictness", Strictness)
def test_the_thresholds_are_those_of_one_person(
    make_person: MakePerson, axis: Axis, like: Like, now: datetime, frames: int, strictness: Strictness
) -> None:
    gallery = Gallery([make_person("Anna", axis(0))], "sface")
    yes, no = SFACE.familiar_threshold(1, frames, strictness), SFACE.stranger_threshold(1)
    answers = [
        claim(gallery, like(axis(0), cosine), now, frames=frames, strictness=strictness).answer
        for cosine in (yes + 0.01, yes - 0.01, no + 0.01, no - 0.01)
    ]

    assert answers == [Answer.YES, Answer.UNCLEAR, Answer.UNCLEAR, Answer.NO]


def test_other_people_do_not_matter(make_person: MakePerson, axis: Axis, like: Like, now: datetime) -> None:
    probe = like(axis(0), SFACE.familiar_threshold(1) + 0.01)
    anna = make_person("Anna", axis(0))
    alone = claim(Gallery([anna], "sface"), probe, now)
    crowd = Gallery([anna, *(make_person(f"P{i}", axis(i)) for i in range(2, 90))], "sface")

    assert claim(crowd, probe, now) == alone
    assert alone.answer is Answer.YES
    assert claim(crowd, probe, now, person_id="p9").answer is Answer.NO


def test_who_looks_clearly_more_like_somebody_else_is_no_yes(
    make_person: MakePerson, axis: Axis, like: Like, now: datetime
) -> None:
    probe = like(axis(0), 0.9)
    anna, twin = make_person("Anna", axis(0)), make_person("Twin", probe)
    gone = make_person("Twin", probe, withdrawn_at=now)
    as_alike = make_person("Twin", like(probe, 0.6))

    both = Gallery([anna, twin], "sface")
    assert claim(both, probe, now).answer is Answer.UNCLEAR
    assert claim(both, probe, now).reason is WhyUnclear.NOT_SURE
    assert claim(both, probe, now, person_id="twin").answer is Answer.YES
    # Nobody is a reason who may not be recognised, or is no clearer than the claimed person.
    assert claim(Gallery([anna, gone], "sface"), probe, now).answer is Answer.YES
    assert claim(Gallery([anna, as_alike], "sface"), probe, now).answer is Answer.YES


def test_the_probability_grows_with_the_likeness(
    make_person: MakePerson, axis: Axis, like: Like, now: datetime
) -> None:
    gallery = Gallery([make_person("Anna", axis(0))], "sface")
    said = [claim(gallery, like(axis(0), cosine), now) for cosine in (0.0, 0.2, 0.3, 0.4, 0.5, 0.9)]

    probabilities = [each.probability for each in said if each.probability is not None]
    assert len(probabilities) == len(said)
    assert probabilities == sorted(probabilities)
    assert probabilities[0] < 0.01
    assert 0.95 < probabilities[-1] < 1
    assert said[3].similarity == pytest.approx(0.4, abs=1e-5)


def test_a_guard_holds_here_too(make_person: MakePerson, axis: Axis, like: Like, now: datetime) -> None:
    anna = make_person("Anna", axis(0), axis(1))
    probe = like((axis(0) + axis(1)) / np.sqrt(2).astype(np.float32), 0.7)
    assert claim(Gallery([anna], "sface"), probe, now).answer is Answer.YES
    guarded = replace(anna, templates=tuple(replace(each, guard=0.75) for each in anna.templates))

    said = claim(Gallery([guarded], "sface"), probe, now)

    assert (said.answer, said.reason) == (Answer.UNCLEAR, WhyUnclear.NOT_SURE)


def test_who_did_not_agree_is_never_verified(make_person: MakePerson, axis: Axis, now: datetime) -> None:
    ends = now + timedelta(hours=1)
    gallery = Gallery([make_person("Anna", axis(0), valid_until=ends), make_person("Ben", axis(1))], "sface")

    assert claim(gallery, axis(0), ends - timedelta(seconds=1)).answer is Answer.YES
    with pytest.raises(LookupError):
        claim(gallery, axis(0), ends)
    with pytest.raises(LookupError):
        claim(gallery, axis(0), now, person_id="nobody")
    with pytest.raises(LookupError):
        claim(Gallery([], "sface"), axis(0), now)


def test_without_a_usable_face_it_is_unclear(make_person: MakePerson, axis: Axis, now: datetime) -> None:
    gallery = Gallery([make_person("Anna", axis(0))], "sface")

    said = verify(np.empty((0, 128), np.float32), np.empty(0, np.float32), gallery, "anna", now)

    assert said == Verification(Answer.UNCLEAR, reason=WhyUnclear.NO_USABLE_FACE)


def test_what_cannot_be_compared_is_refused(make_person: MakePerson, axis: Axis, now: datetime) -> None:
    gallery = Gallery([make_person("Anna", axis(0))], "sface")

    with pytest.raises(ValueError, match="64 values"):
        claim(gallery, np.full(64, 1 / 8, np.float32), now)
    with pytest.raises(ValueError, match="finite"):
        claim(gallery, np.full(128, np.nan, np.float32), now)


def test_a_picture_says_what_its_surest_face_says() -> None:
    yes = Verification(Answer.YES, 0.6, 0.99)
    surer = Verification(Answer.YES, 0.7, 0.999)
    unclear = Verification(Answer.UNCLEAR, 0.35, 0.4, WhyUnclear.NOT_SURE)
    poor = unverified(WhyUnclear.NO_USABLE_FACE)
    no = Verification(Answer.NO, 0.1, 0.001)

    assert best([no, yes, surer, unclear]) == surer
    assert best([no, poor, unclear]) == unclear
    assert best([no, poor]) == poor
    assert best([no, no]) == no
    assert best([]) == unverified(WhyUnclear.NO_FACE)


@pytest.mark.parametrize(
    "fault",
    [
        {"answer": Answer.UNCLEAR},
        {"answer": Answer.YES, "reason": WhyUnclear.NOT_SURE},
        {"answer": Answer.YES, "similarity": 0.5},
    ],
)
def test_a_verification_says_one_thing(fault: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="verification|together"):
        Verification(**fault)
