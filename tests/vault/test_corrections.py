"""A visit is confirmed, or taken from the person it was not of, whole or not at all."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from custom_components.familiar_faces.people.choices import Choices, Keeping
from custom_components.familiar_faces.people.guards import GUARD_STEP
from custom_components.familiar_faces.vault import visit_rows
from custom_components.familiar_faces.vault.audit import AuditLog
from custom_components.familiar_faces.vault.errors import (
    AlreadyRecorded,
    ConsentMissing,
    UnknownPerson,
    UnknownTemplate,
    UnknownVisit,
)
from custom_components.familiar_faces.vault.records import VisitRecord
from custom_components.familiar_faces.vault.sealed import seal_json
from custom_components.familiar_faces.vault.store import Vault
from custom_components.familiar_faces.vault.times import to_stamp
from tests.vault.makers import (
    DAY,
    MARIA,
    NOW,
    OTTO,
    SECOND,
    a_consent,
    a_photo,
    a_visit,
    add_reference,
    bytes_of,
    enrol,
)


@pytest.fixture
def visit(vault: Vault) -> VisitRecord:
    """Keep a visit that was named by the second of Maria's three photos, and return it."""
    maria = enrol(vault, seeds=(1, 2, 3))
    visit = replace(a_visit(), template_id=maria.templates[1].template_id, similarity=0.5)
    vault.add_visit(visit, a_photo(9), NOW)
    return visit


def changed(vault: Vault) -> list[tuple[bool, float | None]]:
    """Return what of Maria's templates a correction may change."""
    return [(each.usable, each.guard) for each in vault.person(MARIA).templates]


def test_a_visit_comes_back_with_what_caused_it(vault: Vault, folder: Path, visit: VisitRecord) -> None:
    assert vault.visit("visit-1") == visit
    assert vault.visits() == [visit]
    vault.close()
    again = Vault.open(folder)
    assert again.visit("visit-1") == visit
    with pytest.raises(UnknownVisit):
        again.visit("visit-2")
    again.close()


def test_a_visit_that_was_not_theirs_is_erased(vault: Vault, folder: Path, visit: VisitRecord) -> None:
    before = vault.person(MARIA).templates
    assert visit.visit_id.encode() in bytes_of(folder)
    corrected = vault.correct_visit("visit-1", NOW)
    assert (corrected.visit_id, corrected.said, corrected.moved) == ("visit-1", MARIA, None)
    assert (corrected.template_id, corrected.set_aside) == (visit.template_id, True)
    assert corrected.guard == pytest.approx(0.5 + GUARD_STEP)
    assert changed(vault) == [(True, None), (False, corrected.guard), (True, None)]
    after = vault.person(MARIA).templates
    assert all(np.array_equal(old.embedding, new.embedding) for old, new in zip(before, after, strict=True))
    stored = vault.stored()
    assert (stored.visits, stored.pictures, stored.templates, stored.photos) == (0, 0, 3, 3)
    assert visit.visit_id.encode() not in bytes_of(folder)
    assert vault.reference_photo(str(visit.template_id)) == a_photo(2)

    logged = vault.audit_entries(limit=1)[0]
    assert (logged.kind, logged.person_id) == ("visit_corrected", MARIA)
    assert logged.details == {
        "template_id": visit.template_id,
        "set_aside": True,
        "guard": corrected.guard,
        "moved": False,
    }
    with pytest.raises(UnknownVisit):
        vault.correct_visit("visit-1", NOW)
    with pytest.raises(UnknownVisit):
        vault.confirm_visit("visit-1", NOW)
    assert vault.verify_audit().ok


def test_the_visit_becomes_somebody_elses(vault: Vault, visit: VisitRecord) -> None:
    enrol(vault, OTTO, "Otto", seeds=(7,))
    corrected = vault.correct_visit("visit-1", NOW, OTTO)
    moved = replace(visit, person_id=OTTO, confidence=1.0, template_id=None, similarity=None, confirmed=True)
    assert corrected.moved == moved
    assert vault.visits() == [moved]
    assert vault.visit_picture("visit-1") == a_photo(9)
    assert corrected.concerns(MARIA)
    assert corrected.concerns(OTTO)
    assert not corrected.concerns("nobody")
    assert vault.person(OTTO).templates[0].guard is None

    # Nor was it them: there is no photo to blame.
    again = vault.correct_visit("visit-1", NOW)
    assert (again.template_id, again.set_aside, again.guard) == (None, False, None)
    assert vault.visits() == []


def test_what_was_not_theirs_goes_only_to_whoever_agreed(vault: Vault, visit: VisitRecord) -> None:
    enrol(vault, OTTO, "Otto", seeds=(7,))
    vault.withdraw_consent(OTTO, NOW)
    vault.begin_enrolment("ida", "Ida", None, a_consent("ida-1"), NOW)
    for person_id, error in (
        (OTTO, ConsentMissing),
        ("ida", UnknownPerson),
        ("nobody", UnknownPerson),
        (MARIA, AlreadyRecorded),
    ):
        with pytest.raises(error):
            vault.correct_visit("visit-1", NOW, person_id)
        assert vault.visits() == [visit]
        assert vault.visit_picture("visit-1") == a_photo(9)
        assert changed(vault) == [(True, None)] * 3
    # Who withdrew may still be told apart from somebody else.
    vault.withdraw_consent(MARIA, NOW)
    assert vault.correct_visit("visit-1", NOW).set_aside


def test_a_correction_is_written_whole_or_not_at_all(
    vault: Vault, visit: VisitRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise RuntimeError("killed")

    # Each of them is a moment between two writes of the transaction; the last one is its end.
    for place, name in ((visit_rows, "delete_visit"), (AuditLog, "append")):
        with monkeypatch.context() as dying:
            dying.setattr(place, name, fail)
            with pytest.raises(RuntimeError):
                vault.correct_visit("visit-1", NOW)
        assert vault.visits() == [visit]
        assert vault.visit_picture("visit-1") == a_photo(9)
        assert changed(vault) == [(True, None)] * 3


def test_the_last_photo_is_not_set_aside(vault: Vault) -> None:
    (template,) = enrol(vault).templates
    vault.add_visit(replace(a_visit(), template_id=template.template_id, similarity=0.6), None, NOW)
    corrected = vault.correct_visit("visit-1", NOW)
    assert (corrected.template_id, corrected.set_aside) == (template.template_id, False)
    assert changed(vault) == [(True, corrected.guard)]


def test_a_photo_that_is_gone_is_not_looked_for(vault: Vault, visit: VisitRecord) -> None:
    vault.remove_reference(MARIA, str(visit.template_id), NOW)
    corrected = vault.correct_visit("visit-1", NOW)
    assert (corrected.template_id, corrected.set_aside, corrected.guard) == (None, False, None)
    assert changed(vault) == [(True, None)] * 2
    assert vault.visits() == []


def test_last_seen_goes_back_to_the_visit_before(vault: Vault) -> None:
    enrol(vault)
    vault.add_visit(a_visit("a", started_at=NOW - 3 * DAY), None, NOW)
    vault.add_visit(a_visit("b", started_at=NOW - 2 * DAY), None, NOW)
    vault.add_visit(a_visit("c", started_at=NOW - DAY), None, NOW)

    def seen_at() -> int | None:
        with vault._database.read() as connection:
            (stamp,) = connection.execute("SELECT seen_at FROM person").fetchone()
        return stamp if stamp is None else int(stamp)

    vault.correct_visit("c", NOW)
    assert seen_at() == to_stamp(NOW - 2 * DAY)
    vault.correct_visit("a", NOW)
    assert seen_at() == to_stamp(NOW - 2 * DAY)
    # Without another visit nothing earlier is known, and nobody is forgotten too early for that.
    vault.correct_visit("b", NOW)
    assert seen_at() == to_stamp(NOW - 2 * DAY)


def test_a_visit_is_confirmed_once(vault: Vault, visit: VisitRecord) -> None:
    assert vault.confirm_visit("visit-1", NOW) == replace(visit, confirmed=True)
    assert vault.confirm_visit("visit-1", NOW + SECOND).confirmed
    assert vault.visits() == [replace(visit, confirmed=True)]
    assert vault.visit_picture("visit-1") == a_photo(9)
    assert changed(vault) == [(True, None)] * 3
    assert [each.kind for each in vault.audit_entries()].count("visit_confirmed") == 1
    with pytest.raises(UnknownVisit):
        vault.confirm_visit("visit-2", NOW)
    # One may change one's mind.
    assert vault.correct_visit("visit-1", NOW).set_aside


def test_a_photo_is_set_aside_and_used_again(vault: Vault, visit: VisitRecord) -> None:
    corrected = vault.correct_visit("visit-1", NOW)
    template_id = str(visit.template_id)
    vault.use_reference(MARIA, template_id, usable=True, now=NOW)
    vault.use_reference(MARIA, template_id, usable=True, now=NOW)
    assert changed(vault) == [(True, None), (True, corrected.guard), (True, None)]
    vault.use_reference(MARIA, template_id, usable=False, now=NOW)
    assert [usable for usable, _ in changed(vault)] == [True, False, True]
    kinds = [each.kind for each in vault.audit_entries()]
    assert kinds[:2] == ["reference_set_aside", "reference_used_again"]
    with pytest.raises(UnknownTemplate):
        vault.use_reference(MARIA, "nothing", usable=True, now=NOW)
    with pytest.raises(UnknownPerson):
        vault.use_reference(OTTO, template_id, usable=True, now=NOW)
    vault.withdraw_consent(MARIA, NOW)
    with pytest.raises(ConsentMissing):
        vault.use_reference(MARIA, template_id, usable=True, now=NOW)


def test_rows_from_before_are_read(vault: Vault, folder: Path) -> None:
    """A visit and a template that know nothing of corrections are as if nothing had been corrected."""
    enrol(vault)
    added = add_reference(vault, MARIA, 2)
    vault.add_visit(a_visit(), a_photo(9), NOW)
    with vault._database.write() as connection:
        row = connection.execute("SELECT wrapped_key FROM person").fetchone()
        key = vault._keys.person_key(MARIA, row[0])
        old = seal_json(
            key,
            {"camera_id": "door", "confidence": 0.9, "frames": 4},
            ("visit", "visit-1", MARIA, to_stamp(NOW)),
        )
        connection.execute("UPDATE visit SET sealed = ?", (old,))
        unsealed = {"embedding": "", "model": "sface", "photo_digest": "d", "usable": True}
        place = ("template", added.template_id, MARIA, to_stamp(NOW))
        connection.execute(
            "UPDATE template SET sealed = ? WHERE template_id = ?",
            (seal_json(key, unsealed, place), added.template_id),
        )
    assert vault.visit("visit-1") == VisitRecord("visit-1", MARIA, "door", NOW, 0.9, 4)
    assert changed(vault) == [(True, None)] * 2
    corrected = vault.correct_visit("visit-1", NOW)
    assert (corrected.template_id, corrected.guard) == (None, None)
    assert vault.visits() == []


@pytest.mark.parametrize("similarity", [1.2, -1.2, float("nan")])
def test_a_similarity_is_a_cosine(similarity: float) -> None:
    with pytest.raises(ValueError, match="similarity"):
        replace(a_visit(), similarity=similarity)


def test_the_most_alike_moment_of_a_visit_is_guarded(vault: Vault, visit: VisitRecord) -> None:
    first, _, third = vault.person(MARIA).templates
    later = NOW + 30 * SECOND
    vault.continue_visit("visit-1", MARIA, later, 0.7, third.template_id)
    vault.continue_visit("visit-1", MARIA, later, 0.6, first.template_id)
    vault.continue_visit("visit-1", MARIA, later, None, None)
    assert vault.visit("visit-1") == replace(
        visit, similarity=0.7, template_id=third.template_id, last_seen_at=later
    )
    # One that is not kept is passed over.
    vault.continue_visit("visit-2", MARIA, later, 0.9, first.template_id)
    corrected = vault.correct_visit("visit-1", NOW)
    assert corrected.template_id == third.template_id
    assert corrected.guard == pytest.approx(0.7 + GUARD_STEP)
    with pytest.raises(UnknownPerson):
        vault.continue_visit("visit-1", "nobody", later, 0.9, first.template_id)


def test_a_visit_that_was_corrected_meanwhile_is_left_alone(vault: Vault, visit: VisitRecord) -> None:
    enrol(vault, OTTO, "Otto", seeds=(7,))
    moved = vault.correct_visit("visit-1", NOW, OTTO).moved
    vault.continue_visit("visit-1", MARIA, NOW + SECOND, 0.9, visit.template_id)
    assert vault.visit("visit-1") == moved


def test_of_a_visit_that_goes_on_nothing_is_written_without_a_yes(vault: Vault, visit: VisitRecord) -> None:
    """Anyone who chose meanwhile that nothing is kept was not seen, as far as the store knows."""
    narrower = replace(a_consent("narrower"), choices=Choices(keeping=Keeping.NOTHING))
    vault.record_consent(MARIA, narrower, NOW)
    with pytest.raises(ConsentMissing):
        vault.continue_visit("visit-1", MARIA, NOW + SECOND, 0.9, visit.template_id)
    vault.record_consent(MARIA, a_consent("wider"), NOW)
    vault.withdraw_consent(MARIA, NOW)
    with pytest.raises(ConsentMissing):
        vault.continue_visit("visit-1", MARIA, NOW + SECOND, 0.9, visit.template_id)
    with vault._database.read() as connection:
        assert connection.execute("SELECT seen_at FROM person").fetchall() == [(None,)]
