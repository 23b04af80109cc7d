"""Who the gallery compares with, and how."""

from dataclasses import replace
from datetime import datetime, timedelta
import gc
import weakref

import numpy as np
from numpy.typing import NDArray
import pytest

from custom_components.familiar_faces.people.fusing import fuse
from custom_components.familiar_faces.people.gallery import CANDIDATES, Comparison, Gallery
from custom_components.familiar_faces.people.person import Embedding
from tests.common.vectors import Axis, Like, MakePerson


def compare_one(gallery: Gallery, embedding: Embedding, now: datetime) -> Comparison:
    return gallery.compare(embedding[None], [1.0], now)


def test_candidates_come_best_first_with_their_nearest_template(
    make_person: MakePerson, axis: Axis, like: Like, now: datetime
) -> None:
    anna = make_person("Anna", like(axis(0), 0.9), like(axis(0), 0.7))
    ben = make_person("Ben", axis(1))
    probe = like(anna.templates[1].embedding, 0.95)
    comparison = compare_one(Gallery([ben, anna], "sface"), probe, now)

    assert [candidate.name for candidate in comparison.candidates] == ["Anna", "Ben"]
    assert comparison.best.person_id == "anna"
    assert comparison.best.template_id == "Anna-1"
    assert comparison.people == 2
    assert comparison.frames == 1
    first, second = comparison.candidates
    assert comparison.margin == pytest.approx(first.similarity - second.similarity)


def test_similarity_is_the_cosine_with_the_centroid(
    make_person: MakePerson, axis: Axis, like: Like, now: datetime
) -> None:
    templates = [like(axis(0), 0.8) for _ in range(3)]
    centroid = np.sum(templates, axis=0) / np.linalg.norm(np.sum(templates, axis=0))
    probe = like(axis(0), 0.7)

    best = compare_one(Gallery([make_person("Anna", *templates)], "sface"), probe, now).best

    assert best.similarity == pytest.approx(float(probe @ centroid), abs=1e-5)


def test_consent_counts_at_the_moment_of_comparing(
    make_person: MakePerson, axis: Axis, now: datetime
) -> None:
    ends = now + timedelta(hours=1)
    gallery = Gallery([make_person("Anna", axis(0), valid_until=ends)], "sface")

    assert compare_one(gallery, axis(0), ends - timedelta(seconds=1)).best.name == "Anna"
    assert compare_one(gallery, axis(0), ends).candidates == ()
    assert gallery.closest(axis(0), ends) is None


@pytest.mark.parametrize(
    "consent",
    [{"withdrawn_at": "now"}, {"given_at": "later"}],
    ids=["withdrawn", "not yet given"],
)
def test_nobody_is_compared_without_an_active_consent(
    make_person: MakePerson, axis: Axis, now: datetime, consent: dict[str, str]
) -> None:
    moments = {"now": now, "later": now + timedelta(seconds=1)}
    person = make_person("Anna", axis(0), **{key: moments[value] for key, value in consent.items()})

    assert compare_one(Gallery([person], "sface"), axis(0), now).best is None


def test_the_next_best_moves_up_when_a_consent_ends(
    make_person: MakePerson, axis: Axis, like: Like, now: datetime
) -> None:
    anna = make_person("Anna", axis(0), withdrawn_at=now)
    twin = make_person("Twin", like(axis(0), 0.9))

    comparison = compare_one(Gallery([anna, twin], "sface"), axis(0), now)

    assert [candidate.name for candidate in comparison.candidates] == ["Twin"]


def test_only_active_templates_of_the_model_take_part(
    make_person: MakePerson, axis: Axis, now: datetime
) -> None:
    people = [
        make_person("Set aside", axis(0), usable=(False,)),
        make_person("Other model", axis(0), model="another"),
        make_person("No photo"),
        replace(make_person("No consent", axis(0)), consents=()),
        make_person("Anna", axis(1), axis(0), usable=(True, False)),
    ]
    gallery = Gallery(people, "sface")

    assert len(gallery) == 1
    assert gallery.templates == 1
    assert compare_one(gallery, axis(1), now).best.name == "Anna"
    assert compare_one(gallery, axis(0), now).best.similarity == pytest.approx(0.0, abs=1e-6)


def test_an_empty_gallery_knows_nobody(axis: Axis, now: datetime) -> None:
    gallery = Gallery([], "sface")

    comparison = compare_one(gallery, axis(0), now)

    assert comparison.best is None
    assert comparison.margin == float("inf")
    assert gallery.closest(axis(0), now) is None


def test_several_frames_together_are_surer_than_each(
    make_person: MakePerson, axis: Axis, like: Like, now: datetime
) -> None:
    gallery = Gallery([make_person("Anna", axis(0))], "sface")
    frames = np.array([like(axis(0), 0.5) for _ in range(6)])
    alone = [compare_one(gallery, frame, now).best.similarity for frame in frames]

    together = gallery.compare(frames, np.ones(6), now)

    assert together.frames == 6
    assert together.best.similarity > max(alone) + 0.1


def test_a_frame_counts_by_its_weight(make_person: MakePerson, axis: Axis, now: datetime) -> None:
    gallery = Gallery([make_person("Anna", axis(0)), make_person("Ben", axis(1))], "sface")
    frames = np.array([axis(0), axis(1)])

    assert gallery.compare(frames, [1.0, 0.2], now).best.name == "Anna"
    assert gallery.compare(frames, [0.2, 1.0], now).best.name == "Ben"


def test_weights_of_nothing_count_all_frames_alike(axis: Axis) -> None:
    fused = fuse([axis(0), axis(1)], [0.0, 0.0])

    assert fused @ axis(0) == pytest.approx(fused @ axis(1))
    assert np.linalg.norm(fused) == pytest.approx(1.0)


def test_frames_that_cancel_out_resemble_nobody(make_person: MakePerson, axis: Axis, now: datetime) -> None:
    gallery = Gallery([make_person("Anna", axis(0))], "sface")

    assert gallery.compare([axis(0), -axis(0)], [1, 1], now).best.similarity == 0.0


@pytest.mark.parametrize(
    ("embeddings", "weights"),
    [
        (np.zeros((0, 128)), []),
        (np.ones(128), [1]),
        (np.ones((2, 128)), [1]),
        (np.ones((1, 128)), [-1]),
        (np.full((1, 128), np.nan), [1]),
        (np.ones((1, 128)), [np.inf]),
        (np.ones((1, 64)), [1]),
    ],
    ids=["none", "vector", "too few weights", "negative", "nan", "infinite", "other length"],
)
def test_bad_input_is_refused(
    make_person: MakePerson, axis: Axis, now: datetime, embeddings: NDArray[np.float64], weights: list[float]
) -> None:
    gallery = Gallery([make_person("Anna", axis(0))], "sface")

    with pytest.raises(ValueError, match=r"\w+"):
        gallery.compare(embeddings, weights, now)


def test_templates_of_different_lengths_are_refused(make_person: MakePerson, axis: Axis) -> None:
    short = np.ones(64, dtype=np.float32) / 8

    with pytest.raises(ValueError, match="differ in length"):
        Gallery([make_person("Anna", axis(0)), make_person("Ben", short)], "sface")


def test_closest_leaves_one_person_out(
    make_person: MakePerson, axis: Axis, like: Like, now: datetime
) -> None:
    gallery = Gallery([make_person("Anna", axis(0)), make_person("Ben", like(axis(0), 0.6))], "sface")

    assert gallery.closest(axis(0), now).name == "Anna"
    assert gallery.closest(axis(0), now, exclude="anna").name == "Ben"


def test_the_best_is_found_behind_many_whose_consent_ended(
    make_person: MakePerson, axis: Axis, like: Like, now: datetime
) -> None:
    gone = [make_person(f"Gone{index}", like(axis(0), 0.9), withdrawn_at=now) for index in range(100)]
    here = [make_person(f"Here{index}", like(axis(0), 0.3 + index / 100)) for index in range(30)]

    comparison = compare_one(Gallery([*here, *gone], "sface"), axis(0), now)

    assert [each.name for each in comparison.candidates] == [f"Here{index}" for index in range(29, 19, -1)]


def test_ten_thousand_templates(make_person: MakePerson, now: datetime) -> None:
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(10_000, 128)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    gallery = Gallery([make_person(f"P{index}", vector) for index, vector in enumerate(vectors)], "sface")

    comparison = gallery.compare(vectors[:5], np.ones(5), now)

    assert gallery.templates == 10_000
    assert len(comparison.candidates) == CANDIDATES
    assert {candidate.name for candidate in comparison.candidates[:5]} == {f"P{index}" for index in range(5)}


def test_a_guard_speaks_for_faces_nearest_to_its_template(
    make_person: MakePerson, axis: Axis, like: Like, now: datetime
) -> None:
    anna = make_person("Anna", axis(0), axis(1), axis(2), usable=(True, True, False))
    right, wrong, aside = anna.templates
    templates = (right, replace(wrong, guard=0.6), replace(aside, guard=0.7))
    gallery = Gallery([replace(anna, templates=templates)], "sface")

    likely = [compare_one(gallery, like(axis(index), 0.9), now).best for index in range(3)]

    assert [each.guard for each in likely] == [-1.0, 0.6, 0.7]
    # What is set aside is no part of the likeness, and is not named as its cause.
    assert likely[2].similarity < 0.3
    assert likely[2].template_id != aside.template_id


def test_one_person_can_be_compared_with(
    make_person: MakePerson, axis: Axis, like: Like, now: datetime
) -> None:
    people = [
        make_person("Anna", axis(0)),
        make_person("Ben", axis(1)),
        make_person("Gone", axis(2), withdrawn_at=now),
    ]
    gallery = Gallery(people, "sface")
    probes = np.array([like(axis(0), 0.8), like(axis(0), 0.6)])

    assert (
        gallery.compare_with("anna", probes, [1.0, 0.5], now)
        == (gallery.compare(probes, [1.0, 0.5], now).candidates[0])
    )
    assert gallery.compare_with("ben", probes, [1.0, 0.5], now).similarity < 0.3
    assert gallery.compare_with("gone", probes, [1.0, 0.5], now) is None
    assert gallery.compare_with("nobody", probes, [1.0, 0.5], now) is None
    with pytest.raises(ValueError, match="length|values"):
        gallery.compare_with("anna", probes[:, :64], [1.0, 0.5], now)


def test_whichever_template_was_corrected_last_guards(
    make_person: MakePerson, axis: Axis, like: Like, now: datetime
) -> None:
    """The first correction of somebody seen poorly must not hide a later one."""
    visitor = like(axis(0), 0.7)
    person = make_person("Anna", visitor, axis(0), usable=(False, True))
    aside, in_use = person.templates
    guarded = replace(person, templates=(replace(aside, guard=0.5), replace(in_use, guard=0.8)))
    gallery = Gallery([guarded], "sface")

    assert compare_one(gallery, visitor, now).best.guard == 0.8
    # Nearest to another template: what looked like this one is of no concern.
    assert compare_one(gallery, axis(0), now).best.guard == 0.8
    only_aside = Gallery([replace(person, templates=(replace(aside, guard=0.5), in_use))], "sface")
    assert compare_one(only_aside, visitor, now).best.guard == 0.5
    assert compare_one(only_aside, axis(0), now).best.guard == -1.0


def test_nothing_of_it_stays_in_memory_once_there_is_another(make_person: MakePerson, axis: Axis) -> None:
    gallery = Gallery([make_person("Anna", axis(0))], "sface")
    assert gallery.at("front door") is gallery.at("front door")
    alive = weakref.ref(gallery.at("front door"))
    gc.collect()
    gc.disable()
    try:
        del gallery
        assert alive() is None
    finally:
        gc.enable()


def test_a_clock_that_is_set_back_makes_no_yes_of_a_no(
    make_person: MakePerson, axis: Axis, now: datetime
) -> None:
    anna = make_person("Anna", axis(0), withdrawn_at=now)
    gallery = Gallery([anna], "sface")
    assert compare_one(gallery, axis(0), now - timedelta(hours=1)).best is None
    assert compare_one(gallery, axis(0), now).best is None


def test_what_a_face_has_in_common_with_others_is_told(
    make_person: MakePerson, axis: Axis, now: datetime
) -> None:
    """The more of them there are the surer it is; of somebody enrolled at this camera, only others who were too."""
    people = [make_person(f"P{index}", axis(index)) for index in range(5)]
    face = (axis(0) * 0.7 + sum((axis(index) for index in range(1, 5)), np.zeros(128)) * 0.3).astype(
        np.float32
    )
    few, many = (compare_one(Gallery(people[:count], "sface"), face, now).best for count in (2, 5))

    assert (few.others, many.others) == (1, 4)
    assert 0 < few.common < many.common < 0.3 / np.linalg.norm(face)
    assert many.own == many.similarity - many.common
    here = [
        replace(each, templates=tuple(replace(photo, camera_id="door") for photo in each.templates))
        for each in people[:2]
    ]
    gallery = Gallery([*here, *people[2:]], "sface")
    at_door, elsewhere = (compare_one(gallery.at(place), face, now).best for place in ("door", "garden"))
    assert (at_door.same_camera, at_door.others) == (True, 1)
    assert (elsewhere.same_camera, elsewhere.others) == (False, 4)


def test_what_a_face_has_in_common_by_chance_is_not_told(
    make_person: MakePerson, axis: Axis, now: datetime
) -> None:
    people = [make_person(f"P{index}", axis(index)) for index in range(5)]
    face = (axis(0) + sum((axis(index) for index in range(1, 5)), np.zeros(128)) * 0.05).astype(np.float32)

    best = compare_one(Gallery(people, "sface"), face, now).best

    assert (best.others, best.common, best.own) == (4, 0.0, best.similarity)


def test_who_may_not_be_recognised_tells_nothing_of_others(
    make_person: MakePerson, axis: Axis, now: datetime
) -> None:
    gone = make_person("Gone", axis(1), withdrawn_at=now)
    face = (axis(0) + axis(1)).astype(np.float32)

    best = compare_one(Gallery([make_person("Anna", axis(0)), gone], "sface"), face, now).best

    assert (best.common, best.others) == (0.0, 0)
