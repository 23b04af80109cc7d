"""Links: what opens them, what closes them, and that nobody who reads the store can follow one."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
import hmac
from pathlib import Path
import threading

import pytest

from custom_components.familiar_faces.people.choices import Choices, Keeping
from custom_components.familiar_faces.vault.errors import AlreadyRecorded, InvitationClosed, UnknownPerson
from custom_components.familiar_faces.vault.records import EnrolmentState
from custom_components.familiar_faces.vault.retention import Retention
from custom_components.familiar_faces.vault.store import Vault
from tests.vault.makers import DAY, MARIA, NOW, OTTO, SECOND, a_consent, a_photo, a_visit, bytes_of, enrol

ENDS = NOW + DAY


def invite(vault: Vault, person_id: str | None = None) -> str:
    return vault.links.invite(person_id=person_id, expires_at=ENDS, now=NOW)[1]


def accept(vault: Vault, token: str, person_id: str = OTTO, consent_id: str = "own") -> str:
    return vault.links.accept(
        token, person_id=person_id, name="Otto", consent=a_consent(consent_id, given_by="Otto"), now=NOW
    )


def test_an_invitation_makes_somebody_new_be_enrolled_once(vault: Vault) -> None:
    token = invite(vault)
    own = accept(vault, token)
    assert vault.state(OTTO) is EnrolmentState.ENROLLING
    assert [each.consent_id for each in vault.person(OTTO).consents] == ["own"]
    assert vault.links.person_of(own) == OTTO
    assert vault.links.invitations(NOW) == []
    for person_id in (OTTO, MARIA):
        with pytest.raises(InvitationClosed):
            accept(vault, token, person_id, "again")
    assert vault.state(MARIA) is None
    assert [each.kind for each in vault.audit_entries()] == [
        "consent_recorded",
        "invitation_used",
        "invitation_made",
    ]


def test_an_invitation_of_somebody_here_is_theirs_whatever_is_said(vault: Vault) -> None:
    enrol(vault)
    token = invite(vault, MARIA)
    own = accept(vault, token, OTTO)
    assert vault.links.person_of(own) == MARIA
    assert vault.person(MARIA).name == "Maria Gantenbein"
    assert vault.person(MARIA).consent.consent_id == "own"
    assert vault.state(OTTO) is None


def test_an_invitation_ends_at_its_second(vault: Vault) -> None:
    token = invite(vault)
    assert vault.links.invitation(token, ENDS - SECOND) is not None
    assert vault.links.invitation(token, ENDS) is None
    consent = a_consent("own")
    with pytest.raises(InvitationClosed):
        vault.links.accept(token, person_id=OTTO, name="Otto", consent=consent, now=ENDS)
    assert vault.next_purge(ENDS - SECOND, Retention()) == ENDS
    assert vault.purge(ENDS - SECOND, Retention()).invitations == 0
    assert vault.purge(ENDS, Retention()).invitations == 1
    assert vault.stored().invitations == 0


def test_a_newer_link_closes_the_one_before(vault: Vault) -> None:
    enrol(vault)
    first, second = invite(vault, MARIA), invite(vault, MARIA)
    assert vault.links.invitation(first, NOW) is None
    assert vault.links.invitation(second, NOW).person_id == MARIA
    own, newer = vault.links.new_link(MARIA, NOW), vault.links.new_link(MARIA, NOW)
    assert vault.links.person_of(own) is None
    assert vault.links.person_of(newer) == MARIA
    assert len(vault.links.invitations(NOW)) == 1


def test_two_invitations_of_new_people_stand_beside_each_other(vault: Vault) -> None:
    first, second = invite(vault), invite(vault)
    accept(vault, second, MARIA, "one")
    accept(vault, first, OTTO, "two")
    assert {each.person_id for each in vault.people(include_enrolling=True)} == {MARIA, OTTO}


def test_closing_closes(vault: Vault) -> None:
    invitation, token = vault.links.invite(person_id=None, expires_at=ENDS, now=NOW)
    assert vault.links.close(invitation.invitation_id, NOW)
    assert not vault.links.close(invitation.invitation_id, NOW)
    assert vault.links.invitation(token, NOW) is None


def test_forgetting_closes_every_link(vault: Vault, folder: Path) -> None:
    enrol(vault)
    token, own = invite(vault, MARIA), vault.links.new_link(MARIA, NOW)
    with vault._database.read() as connection:
        rows = connection.execute("SELECT token_hash FROM invitation UNION SELECT token_hash FROM link")
        hashes = [stored for (stored,) in rows]
    assert len(hashes) == 2
    vault.close()
    assert all(each in bytes_of(folder) for each in hashes)
    vault = Vault.open(folder)
    receipt = vault.forget(MARIA, NOW)
    assert (receipt.invitations, receipt.verified) == (2, True)
    assert vault.links.invitation(token, NOW) is None
    assert vault.links.person_of(own) is None
    vault.close()
    assert not any(each in bytes_of(folder) for each in hashes)


def test_only_one_of_many_at_once_gets_in(vault: Vault) -> None:
    token = invite(vault)
    people = [f"{number:016}" for number in range(8)]
    together = threading.Barrier(len(people))

    def come(person_id: str) -> bool:
        together.wait()
        try:
            accept(vault, token, person_id, f"consent-{person_id}")
        except InvitationClosed:
            return False
        return True

    with ThreadPoolExecutor(len(people)) as pool:
        assert sorted(pool.map(come, people)) == [False] * 7 + [True]
    assert len(vault.people(include_enrolling=True)) == 1


def test_the_store_opens_no_link(vault: Vault, folder: Path) -> None:
    enrol(vault)
    tokens = [invite(vault), invite(vault, MARIA), vault.links.new_link(MARIA, NOW)]
    vault.close()
    everything = bytes_of(folder)
    assert all(len(each) == 43 and each.encode() not in everything for each in tokens)
    vault = Vault.open(folder)
    with vault._database.read() as connection:
        rows = connection.execute("SELECT token_hash FROM invitation UNION SELECT token_hash FROM link")
        for (stored,) in rows.fetchall():
            assert vault.links.invitation(stored.hex(), NOW) is None
            assert vault.links.person_of(stored.hex()) is None
    vault.close()


@pytest.mark.parametrize("token", ["", "x", "\0", "é" * 43, "\ud800", "a" * 1_000_000])
def test_nonsense_opens_nothing(vault: Vault, token: str) -> None:
    enrol(vault)
    invite(vault)
    vault.links.new_link(MARIA, NOW)
    assert vault.links.invitation(token, NOW) is None
    assert vault.links.person_of(token) is None


def test_every_hash_is_compared_in_constant_time(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    first = invite(vault)
    for _ in range(4):
        invite(vault)
    compared: list[bytes] = []

    def compare(given: bytes, stored: bytes) -> bool:
        compared.append(stored)
        return given == stored

    monkeypatch.setattr(hmac, "compare_digest", compare)
    assert vault.links.invitation(first, NOW) is not None
    assert len(set(compared)) == 5


def test_nothing_is_made_for_nobody_or_for_no_time(vault: Vault) -> None:
    with pytest.raises(UnknownPerson):
        invite(vault, MARIA)
    with pytest.raises(UnknownPerson):
        vault.links.new_link(MARIA, NOW)
    with pytest.raises(ValueError, match="later than now"):
        vault.links.invite(person_id=None, expires_at=NOW, now=NOW)
    enrol(vault)
    token = invite(vault)
    with pytest.raises(AlreadyRecorded):
        accept(vault, token, MARIA)
    assert vault.links.invitation(token, NOW) is not None


def test_a_narrower_consent_erases_what_it_does_not_allow(vault: Vault, folder: Path) -> None:
    enrol(vault)
    enrol(vault, OTTO, "Otto", seeds=(2,))
    for person_id in (MARIA, OTTO):
        vault.add_visit(a_visit(f"of-{person_id}", person_id), a_photo(7), NOW)
    no_pictures = replace(a_consent("c2"), choices=Choices(pictures=False))
    vault.record_consent(MARIA, no_pictures, NOW)
    assert vault.visit_picture(f"of-{MARIA}") is None
    assert len(vault.visits(MARIA)) == 1
    nothing = replace(a_consent("c3"), choices=Choices(keeping=Keeping.NOTHING))
    vault.links.accept(invite(vault, MARIA), person_id=MARIA, name="x", consent=nothing, now=NOW)
    assert vault.visits(MARIA) == []
    assert len(vault.visits(OTTO)) == 1
    assert vault.visit_picture(f"of-{OTTO}") == a_photo(7)
    with vault._database.read() as connection:
        rows = connection.execute("SELECT seen_at FROM person ORDER BY person_id").fetchall()
    assert [row[0] is None for row in rows] == [False, True]


def test_an_enrolment_on_a_phone_that_is_not_finished_is_erased(vault: Vault) -> None:
    own = accept(vault, invite(vault))
    due = NOW + Retention().invitation
    vault.purge(due - SECOND, Retention())
    assert vault.links.person_of(own) == OTTO
    assert vault.next_purge(due - SECOND, Retention()) == due
    vault.purge(due, Retention())
    assert vault.links.person_of(own) is None
    assert vault.state(OTTO) is None
    assert vault.purge(due + timedelta(days=1), Retention()).people == ()


def test_an_enrolment_on_a_phone_outlives_a_restart_and_a_dialog_does_not(vault: Vault) -> None:
    own = accept(vault, invite(vault))
    vault.begin_enrolment(MARIA, "Maria", None, a_consent("dialog"), NOW)
    earlier = NOW - Retention().invitation
    assert vault.abandon_enrolments(now=NOW, linked_older=earlier) == [MARIA]
    assert vault.links.person_of(own) == OTTO
    assert vault.abandon_enrolments(now=NOW, linked_older=NOW - SECOND) == []
    assert vault.abandon_enrolments(now=NOW, linked_older=NOW) == [OTTO]
    assert vault.links.person_of(own) is None


def test_nobody_who_was_forgotten_comes_back_by_an_invitation(vault: Vault) -> None:
    enrol(vault, OTTO, "Otto")
    vault.forget(OTTO, NOW)
    token = invite(vault)
    with pytest.raises(AlreadyRecorded):
        accept(vault, token, OTTO)
    assert vault.state(OTTO) is None
    assert vault.purge(NOW, Retention()).people == ()
