"""A home with many people, cameras and visits, made up and written in one go."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
import random

from homeassistant.config_entries import ConfigSubentryData
import numpy as np

from custom_components.familiar_faces.people.person import Consent, ConsentMethod, Embedding, Template
from custom_components.familiar_faces.vault import people_rows
from custom_components.familiar_faces.vault.records import EnrolmentState, VisitRecord
from custom_components.familiar_faces.vault.store import Vault
from custom_components.familiar_faces.vault.visit_rows import insert_visit

DAY = timedelta(days=1)
LASTING = 29 * DAY
"""How long ago the oldest visits were: none is past its time."""
PICTURED = 10
"""Of every so many visits one has a picture."""


def person_id_of(number: int) -> str:
    """Return the id of a person."""
    return f"{number:032x}"


def fill(
    folder: Path, people: int, cameras: Sequence[str], visits: int, now: datetime, *, model: str = "made up"
) -> None:
    """Make a vault with so many people, who came by chance to cameras within the last 29 days. Blocks."""
    chance, vectors = random.Random(people * 31 + visits), np.random.default_rng(people)
    vault = Vault.open(folder)
    with vault._database.write() as connection:
        keys: list[tuple[str, bytes]] = []
        for number in range(people):
            person_id = person_id_of(number)
            key = people_rows.insert_person(
                connection,
                vault._keys,
                person_id,
                name=f"Person {number}",
                linked_entity=None,
                now=now - 100 * DAY,
            )
            people_rows.insert_consent(connection, key, person_id, _consent(person_id, now))
            vector: Embedding = vectors.standard_normal(128).astype(np.float32)
            vector /= np.float32(np.linalg.norm(vector))
            template = Template(f"t{person_id}", vector, model, f"digest of {number}", now - 100 * DAY)
            people_rows.insert_template(connection, key, person_id, template, b"a photo" * 100)
            keys.append((person_id, key))
        connection.execute("UPDATE person SET state = ?", (EnrolmentState.ENROLLED,))
        for number in range(visits):
            person_id, key = chance.choice(keys)
            visit = VisitRecord(
                visit_id=f"{number:032x}",
                person_id=person_id,
                camera_id=chance.choice(cameras),
                started_at=now - DAY / 24 - LASTING * chance.random(),
                confidence=0.99,
                frames=3,
            )
            picture = b"a picture" * 300 if number % PICTURED == 0 else None
            insert_visit(connection, key, vault._keys.camera_tag(visit.camera_id), visit, picture)
    vault.close()


def subentries(people: int) -> list[ConfigSubentryData]:
    """Return the subentries of the people."""
    return [
        ConfigSubentryData(
            data={"person_id": person_id_of(number), "name": f"Person {number}"},
            subentry_type="person",
            title=f"Person {number}",
            unique_id=person_id_of(number),
        )
        for number in range(people)
    ]


def _consent(person_id: str, now: datetime) -> Consent:
    given_at = now - 100 * DAY
    return Consent(
        consent_id=f"consent of {person_id}",
        given_by="Somebody",
        on_behalf_of_child=False,
        method=ConsentMethod.ON_PAPER,
        given_at=given_at,
        valid_until=given_at + 365 * DAY,
        text_version="en/2",
        recorded_at=given_at,
        text="The text that was agreed to. " * 100,
    )
