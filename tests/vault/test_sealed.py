"""What lies on the disk is encrypted, and each row only opens in its own place."""

# ruff: noqa: S608 - the SQL here is made of the tests' own words

import base64
from collections.abc import Callable, Iterator
from contextlib import closing
import logging
from pathlib import Path
import sqlite3

import numpy as np
import pytest

from custom_components.familiar_faces.vault.errors import VaultDamaged
from custom_components.familiar_faces.vault.sealed import seal, seal_json, unseal, unseal_json
from custom_components.familiar_faces.vault.store import Vault
from tests.vault.makers import (
    MARIA,
    NOW,
    OTTO,
    SECOND,
    a_consent,
    a_photo,
    a_visit,
    an_embedding,
    bytes_of,
    enrol,
)

KEY = bytes(range(32))


def test_what_was_sealed_opens_in_its_place_only() -> None:
    blob = seal(KEY, b"plain", ("visit", "v1", MARIA, 5))
    assert unseal(KEY, blob, ("visit", "v1", MARIA, 5)) == b"plain"
    assert b"plain" not in blob
    assert seal(KEY, b"plain", ("visit", "v1", MARIA, 5)) != blob
    for place in (
        ("visit", "v2", MARIA, 5),
        ("visit", "v1", OTTO, 5),
        ("visit", "v1", MARIA, 6),
        ("visit", "v1", MARIA, None),
        ("visit", "v1", MARIA, "5"),
        ("picture", "v1", MARIA, 5),
        ("visit", f'v1","{MARIA}', 5),
    ):
        with pytest.raises(VaultDamaged, match=str(place[0])):
            unseal(KEY, blob, place)


@pytest.mark.parametrize("position", range(0, 34, 3))
def test_every_changed_byte_is_found(position: int) -> None:
    blob = bytearray(seal(KEY, b"plain", ("visit",)))
    assert len(blob) == 34
    blob[position] ^= 1
    with pytest.raises(VaultDamaged):
        unseal(KEY, bytes(blob), ("visit",))


@pytest.mark.parametrize("length", [0, 1, 12, 13, 28, 33])
def test_a_cut_row_is_found(length: int) -> None:
    with pytest.raises(VaultDamaged):
        unseal(KEY, seal(KEY, b"plain", ("visit",))[:length], ("visit",))


def test_json_must_be_an_object() -> None:
    assert unseal_json(KEY, seal_json(KEY, {"a": "ö"}, ("x",)), ("x",)) == {"a": "ö"}
    for plain in (b"[]", b"{", b"\xff"):
        with pytest.raises(VaultDamaged):
            unseal_json(KEY, seal(KEY, plain, ("x",)), ("x",))


def secrets_of_maria() -> dict[str, bytes]:
    """Return everything that must not be on the disk in plain."""
    vector = np.asarray(an_embedding(1), "<f4").tobytes()
    return {
        "name": b"Maria Gantenbein",
        "last name": b"Gantenbein",
        "name in UTF-16": "Gantenbein".encode("utf-16-le"),
        "given by": b"Aunt Ottilie",
        "linked entity": b"person.maria",
        "camera": b"01JFRONTDOORCAMERA",
        "confidence": b"0.973",
        "template": vector[:24],
        "template, big-endian": np.asarray(an_embedding(1), ">f4").tobytes()[:24],
        "template as float64": np.asarray(an_embedding(1), "<f8").tobytes()[:24],
        "template in base64": base64.b64encode(vector)[:32],
        "photo": a_photo(1)[4:36],
        "photo in base64": base64.b64encode(a_photo(1))[:40],
        "picture": a_photo(9)[4:36],
        "middle of the picture": a_photo(9)[3000:3032],
    }


def test_nothing_lies_on_the_disk_in_plain(vault: Vault, folder: Path) -> None:
    enrol(vault, consent=a_consent("consent-a", given_by="Aunt Ottilie"))
    vault.update_person(MARIA, "Maria Gantenbein", "person.maria")
    vault.add_visit(a_visit(), a_photo(9), NOW)
    (template,) = vault.person(MARIA).templates

    def found() -> list[str]:
        everything = bytes_of(folder)
        assert MARIA.encode() in everything  # What is searched is what was written.
        return [what for what, secret in secrets_of_maria().items() if secret in everything]

    assert found() == []
    key = (folder / "vault.key").read_bytes()
    assert not any(secret in key for secret in secrets_of_maria().values())
    assert vault.reference_photo(template.template_id) == a_photo(1)
    vault.forget(MARIA, NOW)
    assert found() == []
    vault.close()
    assert found() == []


def swap(table: str, column: str, row_id: str, first: str, second: str) -> str:
    """Return the SQL that swaps a column of two rows."""
    return (
        f"WITH old AS MATERIALIZED (SELECT {row_id} AS id, {column} AS value FROM {table}) "
        f"UPDATE {table} SET {column} = (SELECT value FROM old WHERE id = "
        f"CASE {table}.{row_id} WHEN '{first}' THEN '{second}' ELSE '{first}' END) "
        f"WHERE {row_id} IN ('{first}', '{second}')"
    )


type Scene = Callable[[str], Vault]


@pytest.fixture
def tampered(vault: Vault, folder: Path) -> Iterator[Scene]:
    """Give a function that runs SQL on the closed vault of Maria, Otto and Ida, and opens it again."""
    enrol(vault, MARIA, "Maria", seeds=(1, 2), consent=a_consent("maria-1"))
    vault.record_consent(MARIA, a_consent("maria-2"))
    enrol(vault, OTTO, "Otto", seeds=(3,), consent=a_consent("otto-1"))
    enrol(vault, "ida", "Ida", seeds=(4,), consent=a_consent("ida-1"))
    vault.add_visit(a_visit("m1", MARIA), a_photo(11), NOW)
    vault.add_visit(a_visit("m2", MARIA, started_at=NOW + SECOND), a_photo(12), NOW)
    vault.add_visit(a_visit("o1", OTTO), a_photo(13), NOW)
    ids = [template.template_id for person in vault.people() for template in person.templates]
    vault.close()
    opened: list[Vault] = []

    def run(statement: str) -> Vault:
        for number, template_id in enumerate(ids, 1):
            statement = statement.replace(f"template-{number}", template_id)
        with closing(sqlite3.connect(folder / "vault.db")) as connection, connection:
            connection.execute(statement)
            assert connection.execute("SELECT changes()").fetchone()[0] > 0
        opened.append(Vault.open(folder))
        return opened[-1]

    yield run
    for each in opened:
        each.close()


@pytest.mark.parametrize(
    ("statement", "damaged"),
    [
        (swap("person", "sealed", "person_id", MARIA, OTTO), [MARIA, OTTO]),
        (swap("person", "wrapped_key", "person_id", MARIA, OTTO), [MARIA, OTTO]),
        (swap("consent", "sealed", "consent_id", "maria-1", "otto-1"), [MARIA, OTTO]),
        (swap("consent", "sealed", "consent_id", "maria-1", "maria-2"), [MARIA]),
        ("UPDATE consent SET valid_until = valid_until + 1 WHERE consent_id = 'maria-2'", [MARIA]),
        ("UPDATE consent SET withdrawn_at = 5 WHERE consent_id = 'otto-1'", [OTTO]),
        ("UPDATE consent SET number = 7 WHERE consent_id = 'maria-1'", [MARIA]),
        (swap("template", "sealed", "template_id", "template-1", "template-2"), [MARIA]),
        (swap("template", "sealed", "template_id", "template-1", "template-3"), [MARIA, OTTO]),
        (f"UPDATE template SET person_id = '{OTTO}' WHERE template_id = 'template-1'", [MARIA, OTTO]),
        ("UPDATE template SET added_at = added_at + 1 WHERE template_id = 'template-3'", [OTTO]),
        (f"UPDATE person SET sealed = zeroblob(40) WHERE person_id = '{MARIA}'", [MARIA]),
        (f"UPDATE person SET sealed = substr(sealed, 1, 30) WHERE person_id = '{OTTO}'", [OTTO]),
        (f"UPDATE person SET wrapped_key = x'' WHERE person_id = '{MARIA}'", [MARIA]),
    ],
)
def test_a_damaged_person_hides_nobody_else(tampered: Scene, statement: str, damaged: list[str]) -> None:
    vault = tampered(statement)
    names = {MARIA: "Maria", OTTO: "Otto", "ida": "Ida"}
    readable = [name for person_id, name in names.items() if person_id not in damaged]
    assert [person.name for person in vault.people()] == readable
    assert vault.damaged == damaged
    for person_id in damaged:
        with pytest.raises(VaultDamaged):
            vault.person(person_id)
        # A damaged person can be forgotten anyway.
        assert vault.forget(person_id, NOW).verified
    assert [person.name for person in vault.people()] == readable
    assert vault.damaged == []


def test_photos_and_pictures_cannot_be_swapped(tampered: Scene) -> None:
    vault = tampered(swap("photo", "sealed", "template_id", "template-1", "template-2"))
    for template in vault.person(MARIA).templates:
        with pytest.raises(VaultDamaged, match="photo row"):
            vault.reference_photo(template.template_id)
    vault.close()
    vault = tampered(swap("picture", "sealed", "visit_id", "m1", "o1"))
    for visit_id in ("m1", "o1"):
        with pytest.raises(VaultDamaged, match="picture row"):
            vault.visit_picture(visit_id)
    assert vault.visit_picture("m2") == a_photo(12)


@pytest.mark.parametrize(
    ("statement", "readable"),
    [
        (swap("visit", "sealed", "visit_id", "m1", "m2"), ["o1"]),
        (swap("visit", "sealed", "visit_id", "m1", "o1"), ["m2"]),
        (f"UPDATE visit SET person_id = '{OTTO}' WHERE visit_id = 'm1'", ["m2", "o1"]),
        ("UPDATE visit SET started_at = started_at + 1 WHERE visit_id = 'm1'", ["m2", "o1"]),
        ("UPDATE visit SET person_id = 'nobody' WHERE visit_id = 'o1'", ["m2", "m1"]),
    ],
)
def test_a_damaged_visit_hides_no_other(
    tampered: Scene, caplog: pytest.LogCaptureFixture, statement: str, readable: list[str]
) -> None:
    vault = tampered(statement)
    with caplog.at_level(logging.WARNING):
        assert [visit.visit_id for visit in vault.visits()] == readable
    assert len(caplog.records) == 3 - len(readable)
    assert "Maria" not in caplog.text


def test_a_row_of_nobody_is_said(tampered: Scene) -> None:
    vault = tampered("UPDATE photo SET person_id = 'nobody' WHERE template_id = 'template-1'")
    with pytest.raises(VaultDamaged, match="nobody"):
        vault.reference_photo(vault.person(MARIA).templates[0].template_id)
