"""What is left of somebody who was forgotten: what has to be done until it is done, and a receipt without a name."""

from dataclasses import replace
from pathlib import Path

import pytest

from custom_components.familiar_faces.vault.errors import UnknownPerson
from custom_components.familiar_faces.vault.retention import MONTH, Retention
from custom_components.familiar_faces.vault.store import Vault
from tests.vault.makers import DAY, MARIA, NOW, OTTO, SECOND, a_consent, a_photo, a_visit, bytes_of, enrol

ENTITIES = ("event.maria_seen", "sensor.maria_consent")


def test_what_is_left_to_do_outlives_a_restart_and_ends(vault: Vault, folder: Path) -> None:
    enrol(vault)
    vault.forget(MARIA, NOW)
    vault.note_entities(MARIA, ENTITIES[:1])
    vault.note_entities(MARIA, ENTITIES)
    vault.close()
    vault = Vault.open(folder)
    (left,) = vault.unfinished()
    assert (left.person_id, left.name, left.entity_ids) == (MARIA, "Maria Gantenbein", ENTITIES)
    begun = vault.receipt(MARIA)
    assert begun is not None
    assert begun.finished_at is None
    with vault._database.read() as connection:
        (pending,) = connection.execute("SELECT pending FROM tombstone").fetchone()
    assert pending in bytes_of(folder)

    receipt = vault.finish_forgetting(MARIA, {"states": 7, "backups": "not reached"}, NOW + SECOND)
    assert vault.unfinished() == []
    assert receipt.reached == {"states": 7, "backups": "not reached"}
    assert (receipt.templates, receipt.finished_at, receipt.forgotten_at) == (1, NOW + SECOND, NOW)
    assert receipt.verified
    assert pending[13:40] not in bytes_of(folder)
    assert vault.finish_forgetting(MARIA, {"states": 9}, NOW + DAY) == receipt
    vault.note_entities(MARIA, ["sensor.late"])
    assert vault.unfinished() == []
    vault.close()
    vault = Vault.open(folder)
    assert vault.receipt(MARIA) == receipt
    kinds = [each.kind for each in vault.audit_entries(MARIA)]
    assert kinds[:2] == ["forgotten_everywhere", "forgotten"]
    vault.close()


def test_the_places_that_the_owner_chose_are_noted_as_the_person_is_erased(
    vault: Vault, folder: Path
) -> None:
    enrol(vault)
    vault.forget(MARIA, NOW, also=["entity:input_text.note"])
    vault.close()
    vault = Vault.open(folder)
    (left,) = vault.unfinished()
    assert left.also == ("entity:input_text.note",)
    # Asked once more, with another place.
    vault.forget(MARIA, NOW, also=["event:doorbell"])
    vault.note_entities(MARIA, ENTITIES)
    (left,) = vault.unfinished()
    assert left.also == ("entity:input_text.note", "event:doorbell")
    assert left.entity_ids == ENTITIES
    vault.close()


def test_nothing_of_the_name_can_be_read_in_the_file(vault: Vault, folder: Path) -> None:
    enrol(vault)
    vault.forget(MARIA, NOW)
    vault.note_entities(MARIA, ENTITIES)
    vault.close()
    assert not any(each in bytes_of(folder).lower() for each in (b"maria", b"gantenbein"))


def test_nobody_else_has_a_receipt(vault: Vault) -> None:
    enrol(vault)
    assert vault.receipt(MARIA) is None
    with pytest.raises(UnknownPerson):
        vault.finish_forgetting(MARIA, {}, NOW)
    with pytest.raises(UnknownPerson):
        vault.note_entities(MARIA, ENTITIES)


def test_somebody_who_was_never_shown_leaves_nothing_to_do(vault: Vault) -> None:
    vault.begin_enrolment(OTTO, "Otto", None, a_consent(), NOW)
    vault.forget(OTTO, NOW)
    assert vault.unfinished() == []
    assert vault.receipt(OTTO).finished_at == NOW


def test_somebody_whose_name_is_damaged_is_looked_for_by_the_id(vault: Vault) -> None:
    enrol(vault)
    with vault._database.write() as connection:
        connection.execute("UPDATE person SET sealed = zeroblob(61)")
    vault.forget(MARIA, NOW)
    assert [(each.person_id, each.name) for each in vault.unfinished()] == [(MARIA, "")]


def test_somebody_whose_receipt_is_damaged_keeps_nobody_from_being_looked_for(vault: Vault) -> None:
    """What is left to do is asked for at every start, which has to go on."""
    enrol(vault)
    vault.forget(MARIA, NOW)
    with vault._database.write() as connection:
        connection.execute("UPDATE tombstone SET receipt = zeroblob(61)")
    assert [(each.person_id, each.name) for each in vault.unfinished()] == [(MARIA, "Maria Gantenbein")]


def test_people_whose_time_is_over_are_left_to_do_too(vault: Vault) -> None:
    enrol(vault, consent=replace(a_consent(), valid_until=NOW + DAY))
    vault.add_visit(a_visit(), a_photo(2), NOW)
    assert vault.purge(NOW + 15 * DAY, Retention()).people[0].visits == 1
    assert [each.person_id for each in vault.unfinished()] == [MARIA]
    assert vault.audit_entries(MARIA)[0].details["reason"] == "expired"


def test_a_tombstone_stays_while_there_is_something_left_to_do(vault: Vault) -> None:
    enrol(vault)
    vault.forget(MARIA, NOW)
    vault.purge(NOW + 40 * MONTH, Retention())
    assert vault.was_forgotten(MARIA)
    assert vault.next_purge(NOW + 40 * MONTH, Retention()) != NOW + 40 * MONTH


def test_former_names_are_looked_for_until_all_is_done(vault: Vault, folder: Path) -> None:
    """Only of those who were shown: a name that an enrolment began with was never anywhere else."""
    vault.begin_enrolment(MARIA, "Maria", None, a_consent(), NOW)
    vault.update_person(MARIA, "Maria 2", None, NOW)
    vault.finish_enrolment(MARIA, NOW)
    assert vault.person(MARIA).former_names == ()
    vault.update_person(MARIA, "Mia Lindqvist", None, NOW)
    vault.update_person(MARIA, "Maria Gantenbein", None, NOW)
    vault.update_person(MARIA, "Maria Gantenbein", "person.maria", NOW)
    assert vault.person(MARIA).former_names == ("Maria 2", "Mia Lindqvist")
    vault.forget(MARIA, NOW)
    vault.note_entities(MARIA, ["event.maria_seen"])
    (left,) = vault.unfinished()
    assert (left.name, left.former_names) == ("Maria Gantenbein", ("Maria 2", "Mia Lindqvist"))
    assert left.entity_ids == ("event.maria_seen",)
    assert b"Lindqvist" not in bytes_of(folder)
