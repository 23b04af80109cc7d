"""Rows of people: their keys, consents, templates and reference photos. Works in a given transaction."""

import base64
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
import sqlite3
from typing import Any

import numpy as np

from ..people.choices import ANYWHERE, Choices, Keeping
from ..people.person import Consent, ConsentMethod, Embedding, Person, Template
from .bound import Binding
from .ended import ended_of
from .errors import ConsentMissing, UnknownPerson, UnknownTemplate, VaultDamaged
from .keys import Keys
from .records import EnrolmentState
from .sealed import seal, seal_json, unseal, unseal_json
from .times import from_stamp, length, span, to_stamp

_CONSENT = (
    "SELECT consent_id, number, recorded_at, valid_until, withdrawn_at, visits_for, pictures_for, sealed "
    "FROM consent "
)

_FIRST_VISITS_FOR = timedelta(days=30)
_FIRST_PICTURES_FOR = timedelta(days=7)
"""What the first version of the consent text said."""

type _Times = tuple[int, int, int | None, int | None, int | None]
"""The plain columns of a consent: recorded at, valid until, withdrawn at, visits for, pictures for."""
type _ConsentRow = tuple[str, int, int, int, int | None, int | None, int | None, bytes]


def person_state(connection: sqlite3.Connection, person_id: str) -> EnrolmentState | None:
    """Return how far someone's enrolment is, None for nobody."""
    row = connection.execute("SELECT state FROM person WHERE person_id = ?", (person_id,)).fetchone()
    return None if row is None else EnrolmentState(row[0])


def person_key(connection: sqlite3.Connection, keys: Keys, person_id: str) -> bytes:
    """Return someone's key; raise UnknownPerson or VaultDamaged."""
    row = connection.execute("SELECT wrapped_key FROM person WHERE person_id = ?", (person_id,)).fetchone()
    if row is None:
        raise UnknownPerson
    return keys.person_key(person_id, row[0])


def sound_key(connection: sqlite3.Connection, keys: Keys, person_id: str) -> bytes:
    """Return the key of someone whose rows are all there, and no others; raise UnknownPerson or VaultDamaged."""
    key = person_key(connection, keys, person_id)
    Binding(keys).check_person(connection, person_id)
    return key


def consented_key(connection: sqlite3.Connection, keys: Keys, person_id: str, now: datetime) -> bytes:
    """Return the key of someone who agreed to be recognised; raise UnknownPerson or ConsentMissing."""
    return consented(connection, keys, person_id, now)[0]


def consented(
    connection: sqlite3.Connection, keys: Keys, person_id: str, now: datetime, camera_id: str = ANYWHERE
) -> tuple[bytes, Choices]:
    """Return someone's key, and what they agreed to besides being recognised at a camera.

    Raise UnknownPerson, or ConsentMissing when they did not agree to that.
    """
    to_stamp(now)  # Refuses a time without a time zone before it is compared with one.
    key = sound_key(connection, keys, person_id)
    consents = read_consents(connection, key, person_id)
    if not consents or not consents[-1].allows_recognition(now) or not consents[-1].choices.at(camera_id):
        raise ConsentMissing
    return key, consents[-1].choices


def insert_person(
    connection: sqlite3.Connection,
    keys: Keys,
    person_id: str,
    *,
    name: str,
    linked_entity: str | None,
    now: datetime,
) -> bytes:
    """Write someone new, with a new key, and return that key."""
    key, wrapped = keys.new_person_key(person_id)
    sealed = _sealed_person(key, person_id, name, linked_entity, ())
    connection.execute(
        "INSERT INTO person VALUES (?, ?, ?, NULL, ?, ?)",
        (person_id, EnrolmentState.ENROLLING, to_stamp(now), wrapped, sealed),
    )
    return key


def update_person(
    connection: sqlite3.Connection,
    keys: Keys,
    person_id: str,
    name: str,
    linked_entity: str | None,
    *,
    called: str | None = None,
) -> None:
    """Write someone's new name and link. What they were shown as before is kept, to find it when they go.

    `called`: what they call themselves, when the name differs from it by a number.
    """
    key, data = _opened_person(connection, keys, person_id)
    before, former = data["name"], list(data.get("former", ()))
    if person_state(connection, person_id) is EnrolmentState.ENROLLED:
        former.append(before)
    sealed = _sealed_person(
        key, person_id, name, linked_entity, sorted({*former} - {name}), called=called or data.get("called")
    )
    connection.execute("UPDATE person SET sealed = ? WHERE person_id = ?", (sealed, person_id))


def read_person(connection: sqlite3.Connection, keys: Keys, person_id: str) -> Person:
    """Return someone with consents and templates; raise UnknownPerson or VaultDamaged."""
    key, data = _opened_person(connection, keys, person_id)
    Binding(keys).check_person(connection, person_id)
    return Person(
        person_id=person_id,
        name=data["name"],
        consents=read_consents(connection, key, person_id),
        templates=read_templates(connection, key, person_id),
        linked_entity=data["linked_entity"],
        former_names=tuple(data.get("former", ())),
        called=data.get("called"),
    )


def read_names(connection: sqlite3.Connection, keys: Keys, person_id: str) -> tuple[str, ...]:
    """Return what someone is called, then what they were called before; raise UnknownPerson or VaultDamaged."""
    _, data = _opened_person(connection, keys, person_id)
    return (data["name"], *data.get("former", ()))


def insert_consent(connection: sqlite3.Connection, key: bytes, person_id: str, consent: Consent) -> None:
    """Write a consent as someone's newest."""
    (number,) = connection.execute(
        "SELECT ifnull(max(number), 0) + 1 FROM consent WHERE person_id = ?", (person_id,)
    ).fetchone()
    connection.execute(
        "INSERT INTO consent (consent_id, person_id, number, recorded_at, valid_until, withdrawn_at, "
        "visits_for, pictures_for, sealed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            consent.consent_id,
            person_id,
            number,
            *_times(consent),
            sealed_consent(key, person_id, number, consent),
        ),
    )


def seal_first_consents(connection: sqlite3.Connection, keys: Keys) -> None:
    """Bring the consents of the first version of the store up to date, with the periods that its text named."""
    rows = connection.execute(
        "SELECT consent_id, person_id, number, recorded_at, valid_until, withdrawn_at, sealed FROM consent"
    ).fetchall()
    for consent_id, person_id, number, recorded_at, valid_until, withdrawn_at, sealed in rows:
        place = ("consent", consent_id, person_id, number, recorded_at, valid_until, withdrawn_at)
        periods = (span(_FIRST_VISITS_FOR), span(_FIRST_PICTURES_FOR))
        try:
            key = person_key(connection, keys, person_id)
            data = unseal_json(key, sealed, place)
        except VaultDamaged:
            # It stays as damaged as it is.
            continue
        connection.execute(
            "UPDATE consent SET visits_for = ?, pictures_for = ?, sealed = ? WHERE consent_id = ?",
            (*periods, seal_json(key, data, (*place, *periods)), consent_id),
        )


def record_consent(connection: sqlite3.Connection, key: bytes, person_id: str, consent: Consent) -> None:
    """Write a consent as someone's newest, and erase what it no longer allows."""
    insert_consent(connection, key, person_id, consent)
    if not consent.choices.keeps_pictures:
        connection.execute("DELETE FROM picture WHERE person_id = ?", (person_id,))
    if not consent.choices.keeps_visits:
        connection.execute("DELETE FROM visit WHERE person_id = ?", (person_id,))
        connection.execute("UPDATE person SET seen_at = NULL WHERE person_id = ?", (person_id,))


def read_consents(connection: sqlite3.Connection, key: bytes, person_id: str) -> tuple[Consent, ...]:
    """Return someone's consents, oldest first."""
    rows = connection.execute(f"{_CONSENT} WHERE person_id = ? ORDER BY number", (person_id,))
    consents = [_opened_consent(key, person_id, row) for row in rows]
    ended = ended_of(connection, person_id)
    return tuple(replace(each, ended=True) if each.consent_id in ended else each for each in consents)


def withdraw_consents(connection: sqlite3.Connection, key: bytes, person_id: str, now: datetime) -> int:
    """Withdraw every consent that still stands, so that none can come to count; return how many."""
    rows: list[_ConsentRow] = connection.execute(
        f"{_CONSENT} WHERE person_id = ? AND (withdrawn_at IS NULL OR withdrawn_at > ?)",
        (person_id, to_stamp(now)),
    ).fetchall()
    for row in rows:
        consent = _opened_consent(key, person_id, row).withdrawn(now)
        connection.execute(
            "UPDATE consent SET withdrawn_at = ?, sealed = ? WHERE consent_id = ?",
            (to_stamp(now), sealed_consent(key, person_id, row[1], consent), consent.consent_id),
        )
    return len(rows)


def insert_template(
    connection: sqlite3.Connection, key: bytes, person_id: str, template: Template, photo: bytes
) -> None:
    """Write a template and the photo that made it."""
    connection.execute(
        "INSERT INTO template VALUES (?, ?, ?, ?)",
        (
            template.template_id,
            person_id,
            to_stamp(template.added_at),
            _sealed_template(key, person_id, template),
        ),
    )
    sealed_photo = seal(key, photo, ("photo", template.template_id, person_id))
    connection.execute("INSERT INTO photo VALUES (?, ?, ?)", (template.template_id, person_id, sealed_photo))


def update_template(connection: sqlite3.Connection, key: bytes, person_id: str, template: Template) -> None:
    """Write what has changed of a template: whether it is compared with, its guard, or the model that made it."""
    connection.execute(
        "UPDATE template SET sealed = ? WHERE template_id = ?",
        (_sealed_template(key, person_id, template), template.template_id),
    )


def read_templates(connection: sqlite3.Connection, key: bytes, person_id: str) -> tuple[Template, ...]:
    """Return someone's templates, oldest first."""
    rows = connection.execute(
        "SELECT template_id, added_at, sealed FROM template WHERE person_id = ? ORDER BY added_at, rowid",
        (person_id,),
    )
    return tuple(_opened_template(key, person_id, *row) for row in rows)


def delete_template(connection: sqlite3.Connection, person_id: str, template_id: str) -> None:
    """Erase a template and its photo; raise UnknownTemplate when this person has no such one."""
    gone = connection.execute(
        "DELETE FROM template WHERE template_id = ? AND person_id = ?", (template_id, person_id)
    )
    if gone.rowcount == 0:
        raise UnknownTemplate


def read_photo(connection: sqlite3.Connection, keys: Keys, template_id: str) -> bytes:
    """Return the photo that made a template; raise UnknownTemplate or VaultDamaged."""
    row = connection.execute(
        "SELECT person_id, sealed FROM photo WHERE template_id = ?", (template_id,)
    ).fetchone()
    if row is None:
        raise UnknownTemplate
    person_id, sealed = row
    return unseal(_owner_key(connection, keys, person_id, "photo"), sealed, ("photo", template_id, person_id))


def _owner_key(connection: sqlite3.Connection, keys: Keys, person_id: str, kind: str) -> bytes:
    """Return the key of the person a row says it belongs to; a row of nobody was changed."""
    try:
        return person_key(connection, keys, person_id)
    except UnknownPerson as err:
        raise VaultDamaged(f"a {kind} row belongs to nobody") from err


def _opened_person(
    connection: sqlite3.Connection, keys: Keys, person_id: str
) -> tuple[bytes, dict[str, Any]]:
    """Return someone's key, and what it opens of their own row; raise UnknownPerson or VaultDamaged."""
    key = person_key(connection, keys, person_id)
    (sealed,) = connection.execute("SELECT sealed FROM person WHERE person_id = ?", (person_id,)).fetchone()
    return key, unseal_json(key, sealed, ("person", person_id))


def _sealed_person(
    key: bytes,
    person_id: str,
    name: str,
    linked_entity: str | None,
    former: Iterable[str],
    *,
    called: str | None = None,
) -> bytes:
    data = {"name": name, "linked_entity": linked_entity, "former": list(former), "called": called}
    return seal_json(key, data, ("person", person_id))


def sealed_consent(key: bytes, person_id: str, number: int, consent: Consent) -> bytes:
    """Return a consent sealed for its row."""
    data = {
        "given_by": consent.given_by,
        "on_behalf_of_child": consent.on_behalf_of_child,
        "method": consent.method.value,
        "given_at": to_stamp(consent.given_at),
        "text_version": consent.text_version,
        "text": consent.text,
        "cameras": None if consent.choices.cameras is None else sorted(consent.choices.cameras),
        "keeping": consent.choices.keeping.value,
        "pictures": consent.choices.pictures,
        "uploads": consent.choices.uploads,
    }
    return seal_json(key, data, ("consent", consent.consent_id, person_id, number, *_times(consent)))


def _times(consent: Consent) -> _Times:
    visits_for, pictures_for = consent.keeps_visits_for, consent.keeps_pictures_for
    return (
        to_stamp(consent.recorded_at),
        to_stamp(consent.valid_until),
        None if consent.withdrawn_at is None else to_stamp(consent.withdrawn_at),
        None if visits_for is None else span(visits_for),
        None if pictures_for is None else span(pictures_for),
    )


def _opened_consent(key: bytes, person_id: str, row: _ConsentRow) -> Consent:
    consent_id, number, recorded_at, valid_until, withdrawn_at, visits_for, pictures_for, sealed = row
    times: _Times = (recorded_at, valid_until, withdrawn_at, visits_for, pictures_for)
    data = unseal_json(key, sealed, ("consent", consent_id, person_id, number, *times))
    choices = _choices(data)
    return Consent(
        consent_id=consent_id,
        given_by=data["given_by"],
        on_behalf_of_child=data["on_behalf_of_child"],
        method=ConsentMethod(data["method"]),
        given_at=from_stamp(data["given_at"]),
        valid_until=from_stamp(valid_until),
        text_version=data["text_version"],
        recorded_at=from_stamp(recorded_at),
        withdrawn_at=None if withdrawn_at is None else from_stamp(withdrawn_at),
        choices=choices,
        # Zero there stands for what was not chosen; what the text said is beside the point then.
        visits_for=None if visits_for is None or not choices.keeps_visits else length(visits_for),
        pictures_for=None if pictures_for is None or not choices.keeps_pictures else length(pictures_for),
        text=data.get("text", ""),
    )


def _choices(data: dict[str, Any]) -> Choices:
    if "keeping" not in data:
        # Agreed to when there was nothing to choose: the text asked for all of it.
        return Choices()
    cameras = None if data["cameras"] is None else frozenset(data["cameras"])
    # Uploaded pictures are in no text before the fourth.
    return Choices(cameras, Keeping(data["keeping"]), data["pictures"], data.get("uploads", False))


def _sealed_template(key: bytes, person_id: str, template: Template) -> bytes:
    data = {
        "embedding": base64.b64encode(template.embedding.astype("<f4").tobytes()).decode(),
        "model": template.model,
        "photo_digest": template.photo_digest,
        "usable": template.usable,
        "guard": template.guard,
        "camera": template.camera_id,
    }
    added_at = to_stamp(template.added_at)
    return seal_json(key, data, ("template", template.template_id, person_id, added_at))


def _opened_template(key: bytes, person_id: str, template_id: str, added_at: int, sealed: bytes) -> Template:
    data = unseal_json(key, sealed, ("template", template_id, person_id, added_at))
    return Template(
        template_id=template_id,
        embedding=_embedding(data["embedding"]),
        model=data["model"],
        photo_digest=data["photo_digest"],
        added_at=from_stamp(added_at),
        usable=data["usable"],
        # Not in the rows that were written before visits could be corrected.
        guard=data.get("guard"),
        camera_id=data.get("camera"),
    )


def _embedding(text: str) -> Embedding:
    return np.frombuffer(base64.b64decode(text), dtype="<f4").astype(np.float32)
