"""People, consents, photos and visits go in and come out as they were."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from freezegun import freeze_time
import numpy as np
import pytest

from custom_components.familiar_faces.people.person import ConsentState
from custom_components.familiar_faces.vault.errors import (
    AlreadyRecorded,
    ConsentMissing,
    DuplicatePhoto,
    UnknownPerson,
    UnknownTemplate,
    UnknownVisit,
    VaultClosed,
    VaultError,
)
from custom_components.familiar_faces.vault.records import EnrolmentState, VisitRecord
from custom_components.familiar_faces.vault.store import Vault
from tests.vault.makers import (
    DAY,
    MARIA,
    MODEL,
    NOW,
    OTTO,
    SECOND,
    a_consent,
    a_photo,
    a_visit,
    add_reference,
    an_embedding,
    digest,
    enrol,
)


def test_a_person_comes_back_as_written(vault: Vault, folder: Path) -> None:
    consent = a_consent(given_at=datetime(2026, 2, 28, 9, 30, 1, 234567, ZoneInfo("Europe/Amsterdam")))
    vault.begin_enrolment(MARIA, "María Gantenbein-Åkesson", "person.maria", consent, NOW)
    first = add_reference(vault, MARIA, 1)
    second = add_reference(vault, MARIA, 2, NOW + SECOND)
    vault.finish_enrolment(MARIA, NOW)
    vault.close()

    again = Vault.open(folder)
    (person,) = again.people()
    assert person.person_id == MARIA
    assert person.name == "María Gantenbein-Åkesson"
    assert person.linked_entity == "person.maria"
    assert person.consents == (consent,)
    assert [template.template_id for template in person.templates] == [
        first.template_id,
        second.template_id,
    ]
    for seed, template, added_at in zip((1, 2), person.templates, (NOW, NOW + SECOND), strict=True):
        assert template.embedding.dtype == np.float32
        assert np.array_equal(template.embedding, an_embedding(seed))
        assert template.model == MODEL
        assert template.photo_digest == digest(a_photo(seed))
        assert template.added_at == added_at
        assert template.usable
        assert again.reference_photo(template.template_id) == a_photo(seed)
    assert again.person(MARIA).consents == (consent,)
    assert again.damaged == []
    again.close()


def test_someone_being_enrolled_is_not_among_the_people(vault: Vault) -> None:
    vault.begin_enrolment(MARIA, "Maria", None, a_consent(), NOW)
    assert vault.state(MARIA) is EnrolmentState.ENROLLING
    assert vault.people() == []
    assert [person.name for person in vault.people(include_enrolling=True)] == ["Maria"]
    with pytest.raises(UnknownPerson):
        vault.add_visit(a_visit(), None, NOW)

    vault.finish_enrolment(MARIA, NOW)
    vault.finish_enrolment(MARIA, NOW)
    assert vault.state(MARIA) is EnrolmentState.ENROLLED
    assert [person.name for person in vault.people()] == ["Maria"]
    assert [entry.kind for entry in vault.audit_entries()] == ["enrolled", "consent_recorded"]


def test_unfinished_enrolments_are_erased_and_may_start_again(vault: Vault) -> None:
    enrol(vault, OTTO, "Otto", seeds=(7,))
    vault.begin_enrolment(MARIA, "Maria", None, a_consent("one"), NOW)
    add_reference(vault, MARIA, 1)
    assert vault.abandon_enrolments(NOW - SECOND) == []
    assert vault.abandon_enrolments(now=NOW) == [MARIA]
    assert vault.state(MARIA) is None
    assert not vault.was_forgotten(MARIA)
    assert vault.stored().photos == 1
    assert vault.abandon_enrolments() == []

    vault.begin_enrolment(MARIA, "Maria", None, a_consent("one"), NOW)
    assert vault.state(MARIA) is EnrolmentState.ENROLLING


def test_an_id_is_used_once(vault: Vault) -> None:
    enrol(vault)
    with pytest.raises(AlreadyRecorded):
        vault.begin_enrolment(MARIA, "Maria", None, a_consent("other"), NOW)
    vault.forget(MARIA, NOW)
    with pytest.raises(AlreadyRecorded):
        vault.begin_enrolment(MARIA, "Maria", None, a_consent("other"), NOW)


def test_a_name_and_link_can_change(vault: Vault) -> None:
    enrol(vault)
    vault.update_person(MARIA, "Maria Lind", "person.maria")
    assert (vault.person(MARIA).name, vault.person(MARIA).linked_entity) == ("Maria Lind", "person.maria")
    with pytest.raises(UnknownPerson):
        vault.update_person(OTTO, "Otto", None)


@pytest.mark.parametrize(
    ("given_at", "now"),
    [
        (NOW - 365 * DAY, NOW),  # over this very moment
        (NOW - 400 * DAY, NOW),
        (NOW + SECOND, NOW),  # not given yet
    ],
)
def test_no_template_without_an_active_consent(vault: Vault, given_at: datetime, now: datetime) -> None:
    vault.begin_enrolment(MARIA, "Maria", None, a_consent(given_at=given_at), NOW)
    with pytest.raises(ConsentMissing):
        add_reference(vault, MARIA, 1, now)
    assert vault.stored().templates == vault.stored().photos == 0


def test_the_last_second_of_a_consent_still_counts(vault: Vault) -> None:
    vault.begin_enrolment(MARIA, "Maria", None, a_consent(given_at=NOW - 365 * DAY + SECOND), NOW)
    add_reference(vault, MARIA, 1)
    assert vault.stored().templates == 1


def test_withdrawing_ends_recognition_at_once(vault: Vault) -> None:
    enrol(vault)
    vault.record_consent(MARIA, a_consent("second"))
    person = vault.withdraw_consent(MARIA, NOW)
    assert [consent.state(NOW) for consent in person.consents] == [ConsentState.WITHDRAWN] * 2
    assert not vault.person(MARIA).may_be_recognised(NOW)
    with pytest.raises(ConsentMissing):
        add_reference(vault, MARIA, 2)
    with pytest.raises(ConsentMissing):
        vault.add_visit(a_visit(), None, NOW)

    vault.withdraw_consent(MARIA, NOW + DAY)
    assert vault.person(MARIA).consents[-1].withdrawn_at == NOW
    assert [entry.kind for entry in vault.audit_entries()].count("consent_withdrawn") == 1


def test_the_newest_consent_counts(vault: Vault) -> None:
    enrol(vault, consent=a_consent("first", lasts=timedelta(days=2)))
    later = NOW + 2 * DAY
    with pytest.raises(ConsentMissing):
        add_reference(vault, MARIA, 2, later)
    vault.record_consent(MARIA, a_consent("second", given_at=later))
    add_reference(vault, MARIA, 2, later)
    assert [consent.consent_id for consent in vault.person(MARIA).consents] == ["first", "second"]
    with pytest.raises(AlreadyRecorded):
        vault.record_consent(MARIA, a_consent("second"))
    with pytest.raises(UnknownPerson):
        vault.record_consent(OTTO, a_consent("third"))


def test_the_same_photo_is_kept_once_a_person(vault: Vault) -> None:
    enrol(vault)
    enrol(vault, OTTO, "Otto", seeds=(1,))
    with pytest.raises(DuplicatePhoto):
        add_reference(vault, MARIA, 1)
    assert vault.stored().photos == 2


def test_it_is_kept_which_camera_a_photo_is_of(vault: Vault) -> None:
    """And none of a photo that no camera took."""
    enrol(vault)
    vault.add_reference(
        MARIA,
        photo=a_photo(7),
        embedding=an_embedding(7),
        model=MODEL,
        photo_digest=digest(a_photo(7)),
        now=NOW,
        camera_id="door",
    )

    assert [each.camera_id for each in vault.person(MARIA).templates] == [None, "door"]


def test_a_reference_can_be_removed(vault: Vault) -> None:
    person = enrol(vault, seeds=(1, 2))
    enrol(vault, OTTO, "Otto", seeds=(3,))
    template_id = person.templates[0].template_id
    with pytest.raises(UnknownTemplate):
        vault.remove_reference(OTTO, template_id)
    vault.remove_reference(MARIA, template_id)
    assert [each.template_id for each in vault.person(MARIA).templates] == [person.templates[1].template_id]
    with pytest.raises(UnknownTemplate):
        vault.reference_photo(template_id)
    with pytest.raises(UnknownTemplate):
        vault.remove_reference(MARIA, template_id)
    with pytest.raises(UnknownPerson):
        vault.remove_reference("nobody", template_id)


@pytest.mark.parametrize(
    "embedding",
    [
        np.zeros(128, np.float32),
        np.full(128, np.nan, np.float32),
        np.ones(128, np.float32),
        an_embedding(1).reshape(2, 64),
        np.array([], np.float32),
    ],
    ids=["zero", "nan", "long", "two rows", "empty"],
)
def test_an_embedding_that_cannot_be_compared_is_refused(vault: Vault, embedding: np.ndarray) -> None:
    vault.begin_enrolment(MARIA, "Maria", None, a_consent(), NOW)
    with pytest.raises(ValueError, match="embedding"):
        vault.add_reference(
            MARIA, photo=b"photo", embedding=embedding, model=MODEL, photo_digest="d", now=NOW
        )
    assert vault.stored().photos == 0


def test_empty_things_are_refused(vault: Vault) -> None:
    for person_id, name in (("", "Maria"), (MARIA, "  ")):
        with pytest.raises(ValueError, match="not empty"):
            vault.begin_enrolment(person_id, name, None, a_consent(), NOW)
    enrol(vault)
    with pytest.raises(ValueError, match="not empty"):
        vault.update_person(MARIA, "", None)
    with pytest.raises(ValueError, match="not empty"):
        vault.add_reference(
            MARIA, photo=b"", embedding=an_embedding(2), model=MODEL, photo_digest="d", now=NOW
        )
    with pytest.raises(ValueError, match="not empty"):
        vault.add_visit(a_visit(), b"", NOW)
    with pytest.raises(ValueError, match="time zone"):
        add_reference(vault, MARIA, 2, datetime(2026, 3, 1))
    assert (vault.stored().people, vault.stored().photos, vault.stored().visits) == (1, 1, 0)


def test_visits_come_back_newest_first(vault: Vault) -> None:
    enrol(vault)
    enrol(vault, OTTO, "Otto", seeds=(2,))
    visits = [
        a_visit("a", MARIA, started_at=NOW - 3 * DAY),
        a_visit("b", OTTO, started_at=NOW - 2 * DAY, camera_id="garden"),
        a_visit("c", MARIA, started_at=NOW - DAY, camera_id="garden"),
        a_visit("d", OTTO, started_at=NOW),
    ]
    for number, visit in enumerate(visits):
        vault.add_visit(visit, a_photo(100 + number) if number % 2 else None, NOW)

    def ids(found: list[VisitRecord]) -> str:
        return "".join(visit.visit_id for visit in found)

    assert vault.visits() == visits[::-1]
    assert ids(vault.visits(person_id=MARIA)) == "ca"
    assert ids(vault.visits(camera_id="garden")) == "cb"
    assert ids(vault.visits(person_id=OTTO, camera_id="garden")) == "b"
    assert ids(vault.visits(since=NOW - 2 * DAY)) == "dcb"
    assert ids(vault.visits(since=NOW - 2 * DAY + SECOND)) == "dc"
    assert ids(vault.visits(limit=2)) == "dc"
    assert vault.count_visits(NOW - DAY) == 2
    assert vault.visit_picture("a") is None
    assert vault.visit_picture("d") == a_photo(103)
    with pytest.raises(UnknownVisit):
        vault.visit_picture("e")
    with pytest.raises(AlreadyRecorded):
        vault.add_visit(a_visit("a", OTTO), None, NOW)
    with pytest.raises(UnknownPerson):
        vault.add_visit(a_visit("e", "nobody"), None, NOW)


@pytest.mark.parametrize(
    "fault",
    [
        {"person_id": None},
        {"person_id": ""},
        {"camera_id": ""},
        {"started_at": datetime(2026, 3, 1)},
        {"confidence": 1.2},
        {"confidence": float("nan")},
    ],
)
def test_a_visit_of_nobody_cannot_be_made(fault: dict[str, object]) -> None:
    whole: dict[str, object] = {
        "visit_id": "v",
        "person_id": MARIA,
        "camera_id": "c",
        "started_at": NOW,
        "confidence": 0.9,
        "frames": 3,
    }
    with pytest.raises(ValueError, match="a visit"):
        VisitRecord(**{**whole, **fault})  # type: ignore[arg-type]


def test_stored_items_are_counted(vault: Vault, folder: Path) -> None:
    enrol(vault, seeds=(1, 2))
    vault.add_visit(a_visit("a"), a_photo(3), NOW)
    vault.add_visit(a_visit("b"), None, NOW)
    stored = vault.stored()
    assert (stored.people, stored.templates, stored.photos, stored.consents) == (1, 2, 2, 1)
    assert (stored.visits, stored.pictures) == (2, 1)
    assert stored.audit_entries == len(vault.audit_entries()) == 4
    assert stored.bytes > 3 * 6000
    assert stored.bytes == sum(
        path.stat().st_size
        for path in folder.iterdir()
        if path.name.startswith("vault.db") or path.name == "vault.key"
    )


def test_many_threads_may_use_it(vault: Vault) -> None:
    enrol(vault)

    def work(number: int) -> int:
        vault.add_visit(a_visit(f"visit-{number}"), a_photo(number, 2000), NOW)
        assert vault.visit_picture(f"visit-{number}") == a_photo(number, 2000)
        vault.audit("looked", MARIA, {"visit": number}, NOW)
        return len(vault.people())

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(80))) == [1] * 80
    assert vault.count_visits(NOW) == 80
    assert vault.verify_audit().ok
    assert vault.stored().audit_entries == 83


def test_a_closed_vault_says_so(vault: Vault) -> None:
    vault.close()
    vault.close()
    for use in (
        vault.people,
        vault.stored,
        lambda: vault.add_visit(a_visit(), None, NOW),
        lambda: vault.forget(MARIA, NOW),
    ):
        with pytest.raises(VaultClosed, match="closed"):
            use()


def test_every_error_is_a_plain_sentence() -> None:
    def below(kind: type[VaultError]) -> list[type[VaultError]]:
        return [kind, *(each for child in kind.__subclasses__() for each in below(child))]

    sentences = {str(kind()) for kind in below(VaultError)}
    assert len(sentences) == len(below(VaultError)) == 20
    assert all(sentence[0].isupper() and sentence.endswith(".") for sentence in sentences)
    assert str(VaultError("disk")) == "The vault could not do this. (disk)"


def test_the_clock_is_used_where_no_time_is_given(vault: Vault) -> None:
    with freeze_time(NOW):
        vault.begin_enrolment(MARIA, "Maria", None, a_consent())
        vault.finish_enrolment(MARIA)
    assert {entry.at for entry in vault.audit_entries()} == {NOW}
