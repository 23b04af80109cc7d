"""Corrections by the owner: a visit's name was right, or wrong. One transaction each."""

from dataclasses import replace
from datetime import datetime
import sqlite3

from ..people.guards import after_wrong_match
from . import counts, people_rows, visit_rows
from .audit import AuditLog
from .database import Database
from .erasure import Eraser
from .errors import AlreadyRecorded, UnknownPerson, UnknownTemplate
from .keys import Keys
from .records import Corrected, Counted, Detail, EnrolmentState, VisitRecord


class Corrector:
    """Corrects in one store. Each transaction writes its own audit entry."""

    def __init__(self, database: Database, keys: Keys, audit: AuditLog, eraser: Eraser) -> None:
        """Work on an open store."""
        self._database = database
        self._keys = keys
        self._audit = audit
        self._eraser = eraser

    def confirm(self, visit_id: str, now: datetime) -> VisitRecord:
        """Note that a visit was whose it was said to be; a second time changes nothing."""
        with self._database.write() as connection:
            visit = visit_rows.read_visit(connection, self._keys, visit_id)
            if visit.confirmed:
                return visit
            key = people_rows.person_key(connection, self._keys, visit.person_id)
            visit = replace(visit, confirmed=True)
            visit_rows.update_visit(connection, key, visit)
            self._count(connection, visit, Counted.CONFIRMED)
            self._audit.append(connection, "visit_confirmed", visit.person_id, {}, now)
        return visit

    def correct(self, visit_id: str, now: datetime, person_id: str | None) -> Corrected:
        """Take a visit from the person it was not of, and give it to `person_id` when that is known.

        With the visit goes its picture. The template that caused the match is set aside and gets a guard; see
        `people.corrections`. Of the individual's face nothing is noted.
        """
        with self._database.write() as connection:
            visit = visit_rows.read_visit(connection, self._keys, visit_id)
            if person_id == visit.person_id:
                raise AlreadyRecorded("a visit of this very person")
            picture = None if person_id is None else visit_rows.read_picture(connection, self._keys, visit_id)
            corrected = self._change_template(connection, visit)
            visit_rows.delete_visit(connection, visit)
            if person_id is not None:
                # The owner says who it was: no machine's doubt is left.
                moved = replace(
                    visit,
                    person_id=person_id,
                    confidence=1.0,
                    template_id=None,
                    similarity=None,
                    confirmed=True,
                )
                self._move(connection, moved, picture, now)
                corrected = replace(corrected, moved=moved)
            self._count(connection, visit, Counted.CORRECTED)
            self._eraser.drop_copies()
            details: dict[str, Detail] = {
                "template_id": corrected.template_id,
                "set_aside": corrected.set_aside,
                "guard": corrected.guard,
                "moved": corrected.moved is not None,
            }
            self._audit.append(connection, "visit_corrected", visit.person_id, details, now)
        self._database.checkpoint()
        return corrected

    def name(self, visit: VisitRecord, picture: bytes | None, now: datetime) -> None:
        """Keep a visit that had no name for the person that the owner names."""
        with self._database.write() as connection:
            if connection.execute("SELECT 1 FROM visit WHERE visit_id = ?", (visit.visit_id,)).fetchone():
                raise AlreadyRecorded("a visit with this id")
            self._move(connection, visit, picture, now)
            self._count(connection, visit, Counted.MISSED)
            self._audit.append(connection, "visit_named", visit.person_id, {}, now)

    def use_reference(self, person_id: str, template_id: str, *, usable: bool, now: datetime) -> None:
        """Set a reference photo aside or compare with it again; its guard stays, as it did look alike."""
        with self._database.write() as connection:
            key = (
                people_rows.consented_key(connection, self._keys, person_id, now)
                if usable
                else people_rows.person_key(connection, self._keys, person_id)
            )
            templates = people_rows.read_templates(connection, key, person_id)
            template = next((each for each in templates if each.template_id == template_id), None)
            if template is None:
                raise UnknownTemplate
            if template.usable == usable:
                return
            people_rows.update_template(connection, key, person_id, replace(template, usable=usable))
            kind = "reference_used_again" if usable else "reference_set_aside"
            self._audit.append(connection, kind, person_id, {"template_id": template_id}, now)

    def _count(self, connection: sqlite3.Connection, visit: VisitRecord, kind: Counted) -> None:
        """Count an answer in the week of the visit."""
        counts.add(connection, self._keys, visit.camera_id, visit.started_at, {str(kind): 1})

    def _change_template(self, connection: sqlite3.Connection, visit: VisitRecord) -> Corrected:
        """Set the template aside that caused the match, or guard what looks like it, or both."""
        key = people_rows.person_key(connection, self._keys, visit.person_id)
        templates = people_rows.read_templates(connection, key, visit.person_id)
        change = after_wrong_match(templates, visit.template_id, visit.similarity)
        if change is None:
            return Corrected(visit.visit_id, visit.camera_id, visit.person_id, None)
        people_rows.update_template(connection, key, visit.person_id, change.template)
        return Corrected(
            visit.visit_id,
            visit.camera_id,
            visit.person_id,
            None,
            change.template.template_id,
            set_aside=change.set_aside,
            guard=change.template.guard,
        )

    def _move(
        self, connection: sqlite3.Connection, visit: VisitRecord, picture: bytes | None, now: datetime
    ) -> None:
        if people_rows.person_state(connection, visit.person_id) is not EnrolmentState.ENROLLED:
            raise UnknownPerson
        visit_rows.keep_visit(connection, self._keys, visit, picture, now)
