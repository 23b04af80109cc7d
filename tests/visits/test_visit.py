"""The words of a visit."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest

from custom_components.familiar_faces.visits.visit import (
    EVIDENCE,
    FAINT,
    Decision,
    Sighting,
    UnclearReason,
    Verdict,
    Visit,
    evidence_weight,
)
from tests.common.vectors import Axis, MakeFace


@pytest.mark.parametrize("decision", [Decision.STRANGER, Decision.UNCLEAR])
def test_nobody_but_a_familiar_person_has_a_portrait(now: datetime, decision: Decision) -> None:
    with pytest.raises(ValueError, match="portrait"):
        Visit("visit", "camera", decision, now, now, 1, portrait=b"jpeg")


@pytest.mark.parametrize(
    "fields",
    [
        {"decision": Decision.FAMILIAR},
        {"decision": Decision.FAMILIAR, "person_id": "anna", "name": "Anna"},
        {"decision": Decision.STRANGER, "name": "Anna"},
        {"decision": Decision.STRANGER, "confidence": 0.5},
        {"decision": Decision.STRANGER, "reason": UnclearReason.NOT_SURE},
        {"decision": Decision.UNCLEAR},
    ],
)
def test_a_verdict_says_one_thing(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="visit has"):
        Verdict(**fields)


def test_a_sighting_keeps_usable_faces_only_and_no_pictures(
    make_face: MakeFace, axis: Axis, now: datetime
) -> None:
    sighting = Sighting.begin(make_face(axis(0), portrait=b"first"), now)
    sighting.add(make_face(axis(1), usable=False, portrait=b"poor"), now + timedelta(seconds=1))

    assert sighting.frames == 2
    assert sighting.embeddings.shape == (1, 128)
    assert sighting.weights.shape == (1,)
    assert sighting.best_face.portrait == b"first"
    assert sighting.last_face.embedding[1] == 1
    assert all(face.portrait is None and face.crop is None for face in (*sighting.faces, sighting.last_face))


def test_the_best_face_is_the_sharpest(make_face: MakeFace, axis: Axis, now: datetime) -> None:
    sighting = Sighting.begin(make_face(axis(0), sharpness=20, portrait=b"soft"), now)
    sighting.add(make_face(axis(0), sharpness=50, portrait=b"sharp"), now + timedelta(seconds=1))
    sighting.add(make_face(axis(0), sharpness=30, portrait=b"soft"), now + timedelta(seconds=2))

    assert sighting.best_face.portrait == b"sharp"


def test_only_the_best_evidence_is_kept(make_face: MakeFace, axis: Axis, now: datetime) -> None:
    sighting = Sighting.begin(make_face(axis(0), sharpness=5), now)
    for second in range(1, EVIDENCE + 5):
        sighting.add(make_face(axis(0), sharpness=40), now + timedelta(seconds=second))

    assert sighting.frames == EVIDENCE + 5
    assert len(sighting.faces) == EVIDENCE
    assert all(face.quality.sharpness == 40 for face in sighting.faces)


def test_without_usable_faces_there_is_no_embedding(make_face: MakeFace, axis: Axis, now: datetime) -> None:
    sighting = Sighting.begin(make_face(axis(0), usable=False), now)

    assert sighting.embedding is None
    assert sighting.best_face is None


def test_blurred_faces_count_less(make_face: MakeFace, axis: Axis) -> None:
    weights = [evidence_weight(make_face(axis(0), sharpness=value)) for value in (0, 1, 15, 30, 60, 900)]

    assert weights == sorted(weights)
    assert weights[0] == FAINT
    assert weights[2] == pytest.approx(0.5)
    assert weights[-1] == 1.0


def test_a_face_in_profile_counts_half(make_face: MakeFace, axis: Axis) -> None:
    ahead, left, right = (evidence_weight(make_face(axis(0), yaw=yaw)) for yaw in (59.0, -61.0, 74.0))

    assert left == right == ahead / 2


def test_the_fused_embedding_follows_the_sharper_face(make_face: MakeFace, axis: Axis, now: datetime) -> None:
    sighting = Sighting.begin(make_face(axis(0), sharpness=80), now)
    sighting.add(make_face(axis(1), sharpness=10), now + timedelta(seconds=1))

    assert sighting.embedding is not None
    assert sighting.embedding @ axis(0) > 0.9
    assert np.linalg.norm(sighting.embedding) == pytest.approx(1.0)
