"""The vault's door: everything that is kept goes in and out here."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
import secrets
import sqlite3
from typing import Self

from ..people.person import Consent, Embedding, Person, Template
from . import counts, ended, people_rows, visit_rows
from .audit import AuditLog
from .bound import Binding
from .checks import about, check_text, checked_embedding
from .corrections import Corrector
from .database import Database
from .departing import Departing
from .erasure import Eraser
from .errors import (
    AlreadyRecorded,
    ConsentMissing,
    DuplicatePhoto,
    UnknownPerson,
    UnknownTemplate,
    VaultDamaged,
    VaultError,
    VaultUnwritable,
)
from .files import DATABASE, FolderLock, check_content, destroy_folder, prepare_folder, vault_size
from .head import read_head
from .keys import Keys
from .links import Links
from .provenance import Marks
from .records import (
    AuditEntry,
    AuditVerdict,
    Corrected,
    Counted,
    CountOf,
    Detail,
    EnrolmentState,
    Oldest,
    Purged,
    Receipt,
    SoughtVisits,
    StoredItems,
    Unfinished,
    VisitCursor,
    VisitPage,
    VisitRecord,
    took,
)
from .reserve import Reserve
from .retention import Retention, next_due
from .review_rows import Review
from .schema import open_store
from .times import from_stamp, to_stamp
from .visit_pages import count_of, read_last, read_page
from .witness import Witness, read_mark


class Vault:
    """The encrypted store of people, templates, photos, visits, consents and the audit log.

    Blocks on the disk. Any thread may call any method. A method that returned has its write on the
    disk; one that raised has written nothing. `now` is the current time, with a time zone.
    """

    def __init__(self, folder: Path, lock: FolderLock, database: Database, keys: Keys) -> None:
        """Use the parts that `open` made."""
        self._folder = folder
        self._lock = lock
        self._database = database
        self._keys = keys
        self._audit = AuditLog(keys)
        self._eraser = Eraser(folder, database, keys, self._audit)
        self.links = Links(database, keys, self._audit, self._eraser)
        self.review = Review(database, keys, self._audit, self._eraser)
        self.witness = Witness(database, keys, self._audit, self._eraser)
        self.counts = counts.Counts(database, keys, self._eraser)
        self._corrector = Corrector(database, keys, self._audit, self._eraser)
        self.marks = Marks(keys.marks)
        self._damaged: list[str] = []
        self._binding = Binding(keys)
        with database.read() as connection:
            self._binding.attach(connection)
        database.before_commit = self._binding.settle
        database.same_content = self._same_content
        self._departing = Departing(folder, keys, self._eraser)
        self.key_was_exposed = False
        """Whether other users of the machine could have read the key file before it was opened."""

    @classmethod
    def open(cls, folder: Path, *, expected: bool = False) -> Self:
        """Open the vault in a folder, making it when there is none.

        With `expected` none is made: there was one, and a new one would hide that it is gone. Raise VaultMissing
        then, or VaultInUse, VaultKeyMissing, VaultKeyWrong, VaultDamaged, VaultUnwritable, VaultTooNew or
        VaultMigrationFailed; whatever is there stays as it was.
        """
        exposed = prepare_folder(folder)
        lock = FolderLock(folder)
        try:
            if expected:
                check_content(folder / DATABASE)
            database = _open_database(folder)
            try:
                keys = open_store(folder, database, expected=expected)
            except BaseException:
                database.close()
                raise
        except BaseException:
            lock.release()
            raise
        vault = cls(folder, lock, database, keys)
        vault.key_was_exposed = exposed
        return vault

    @staticmethod
    def destroy(folder: Path) -> None:
        """Delete a closed vault with all that is in it, its key file first; a missing one is fine."""
        destroy_folder(folder)

    def close(self) -> None:
        """Close the vault; a second time does nothing."""
        self._database.close()
        self._lock.release()

    @property
    def trouble(self) -> VaultError | None:
        """Return why the vault cannot be written or used just now, None as long as that is not known."""
        return self._database.trouble

    def on_trouble(self, tell: Callable[[VaultError | None], object] | None) -> None:
        """Have `tell` be called, from any thread, when that changes; None ends that."""
        self._database.on_trouble = tell

    def hold_file(self, *, held: bool) -> None:
        """Let the file stand still while a backup copies it, or go on; writes are kept all the while.

        Somebody who is forgotten meanwhile has no verified receipt until it goes on.
        """
        self._database.hold_file(held=held)

    # People

    def begin_enrolment(
        self,
        person_id: str,
        name: str,
        linked_entity: str | None,
        consent: Consent,
        now: datetime | None = None,
    ) -> None:
        """Write someone new, with their consent, as being enrolled.

        `person_id` is a random id that never comes back; raise AlreadyRecorded when it was here.
        """
        check_text(person_id, "an id")
        check_text(name, "a name")
        now = now or datetime.now(UTC)
        with self._database.write() as connection:
            if people_rows.person_state(connection, person_id) or self.was_forgotten(person_id):
                raise AlreadyRecorded("a person with this id")
            key = people_rows.insert_person(
                connection, self._keys, person_id, name=name, linked_entity=linked_entity, now=now
            )
            people_rows.insert_consent(connection, key, person_id, consent)
            self._audit.append(connection, "consent_recorded", person_id, about(consent), now)

    def finish_enrolment(self, person_id: str, now: datetime | None = None) -> None:
        """Make someone who is being enrolled a person like the others; a second time does nothing."""
        with self._database.write() as connection:
            state = people_rows.person_state(connection, person_id)
            if state is None:
                raise UnknownPerson
            if state is EnrolmentState.ENROLLING:
                connection.execute(
                    "UPDATE person SET state = ? WHERE person_id = ?", (EnrolmentState.ENROLLED, person_id)
                )
                self._audit.append(connection, "enrolled", person_id, {}, now or datetime.now(UTC))

    def abandon_enrolments(
        self,
        older: datetime | None = None,
        now: datetime | None = None,
        *,
        linked_older: datetime | None = None,
    ) -> list[str]:
        """Erase people whose enrolment was not finished, begun at `older` or before when given.

        Return their ids. Called at the start: a dialog does not outlive the process it began in. Anyone who has a
        link of their own can go on, so they are erased only when they began at `linked_older` or before.
        """
        return self._eraser.abandon(older, now or datetime.now(UTC), linked_older)

    def state(self, person_id: str) -> EnrolmentState | None:
        """Return how far someone's enrolment is, None for nobody."""
        with self._database.read() as connection:
            return people_rows.person_state(connection, person_id)

    def update_person(
        self,
        person_id: str,
        name: str,
        linked_entity: str | None,
        now: datetime | None = None,
        *,
        called: str | None = None,
    ) -> None:
        """Write someone's new name and link; raise UnknownPerson.

        `called`: what they call themselves, when the name is that with a number behind it.
        """
        check_text(name, "a name")
        with self._database.write() as connection:
            people_rows.update_person(connection, self._keys, person_id, name, linked_entity, called=called)
            self._audit.append(connection, "person_changed", person_id, {}, now or datetime.now(UTC))

    def link_person(
        self, person_id: str, old: str, linked_entity: str | None, now: datetime | None = None
    ) -> None:
        """Write someone's new link if `old` is the one they have; raise UnknownPerson."""
        with self._database.write() as connection:
            person = people_rows.read_person(connection, self._keys, person_id)
            if person.linked_entity == old:
                people_rows.update_person(connection, self._keys, person_id, person.name, linked_entity)
                self._audit.append(connection, "person_changed", person_id, {}, now or datetime.now(UTC))

    def people(self, *, include_enrolling: bool = False) -> list[Person]:
        """Return everyone who is enrolled, in the order they came, without photos.

        Someone with a damaged row is left out and their id is in `damaged`; people who are `leaving` are left out.
        Raise VaultTampered when somebody was put in, put back or taken away by something else.
        """
        found: list[Person] = []
        damaged: list[str] = []
        leaving = self.leaving()
        with self._database.read() as connection:
            self._binding.check(connection, ("person_head", "meta"))
            rows = connection.execute("SELECT person_id, state FROM person ORDER BY created_at, rowid")
            for person_id, state in rows.fetchall():
                if person_id in leaving or (state != EnrolmentState.ENROLLED and not include_enrolling):
                    continue
                try:
                    found.append(people_rows.read_person(connection, self._keys, person_id))
                except VaultDamaged:
                    damaged.append(person_id)
        self._damaged = damaged
        return found

    @property
    def damaged(self) -> list[str]:
        """Return the ids of the people that the last `people` could not read."""
        return list(self._damaged)

    def person(self, person_id: str) -> Person:
        """Return someone, also while being enrolled; raise UnknownPerson or VaultDamaged."""
        with self._database.read() as connection:
            return people_rows.read_person(connection, self._keys, person_id)

    # Consents

    def record_consent(self, person_id: str, consent: Consent, now: datetime | None = None) -> None:
        """Write someone's new consent, which from now on is the one that counts.

        Visits and pictures that it does not allow to be kept are erased with it.
        """
        if person_id in self.leaving():
            raise UnknownPerson
        with self._database.write() as connection:
            key = people_rows.sound_key(connection, self._keys, person_id)
            if connection.execute(
                "SELECT 1 FROM consent WHERE consent_id = ?", (consent.consent_id,)
            ).fetchone():
                raise AlreadyRecorded("a consent with this id")
            people_rows.record_consent(connection, key, person_id, consent)
            self._eraser.drop_copies()
            self._audit.append(
                connection, "consent_recorded", person_id, about(consent), now or datetime.now(UTC)
            )
        self._database.checkpoint()

    def withdraw_consent(self, person_id: str, now: datetime) -> Person:
        """Withdraw someone's consents and return the person; a second time changes nothing."""
        with self._database.write() as connection:
            key = people_rows.person_key(connection, self._keys, person_id)
            if people_rows.withdraw_consents(connection, key, person_id, now):
                self._audit.append(connection, "consent_withdrawn", person_id, {}, now)
            return people_rows.read_person(connection, self._keys, person_id)

    def end_consents(self, person_id: str, now: datetime) -> None:
        """Write that those consents of somebody that have run out by `now` never count again.

        A second time changes nothing. Raise UnknownPerson.
        """
        with self._database.write() as connection:
            if people_rows.person_state(connection, person_id) is None:
                raise UnknownPerson
            if ended.end(connection, person_id, to_stamp(now)):
                self._audit.append(connection, "consent_expired", person_id, {}, now)

    # Reference photos

    def add_reference(
        self,
        person_id: str,
        *,
        photo: bytes,
        embedding: Embedding,
        model: str,
        photo_digest: str,
        now: datetime,
        camera_id: str | None = None,
    ) -> Template:
        """Keep a reference photo (JPEG) and the template it made.

        `embedding` is a unit-length vector. `camera_id`: the camera whose picture it is, if it is one's. Raise
        UnknownPerson, ConsentMissing when the newest consent does not allow recognition now, DuplicatePhoto when this
        person has the photo already.
        """
        if not photo:
            raise ValueError("a reference photo is not empty")
        vector = checked_embedding(embedding)
        self._refuse_leaving(person_id)
        with self._database.write() as connection:
            key = people_rows.consented_key(connection, self._keys, person_id, now)
            templates = people_rows.read_templates(connection, key, person_id)
            if any(template.photo_digest == photo_digest for template in templates):
                raise DuplicatePhoto
            template = Template(secrets.token_hex(16), vector, model, photo_digest, now, camera_id=camera_id)
            people_rows.insert_template(connection, key, person_id, template, photo)
            details = {"template_id": template.template_id, "model": model}
            self._audit.append(connection, "reference_added", person_id, details, now)
        return template

    def remake_reference(
        self, person_id: str, template_id: str, *, embedding: Embedding, model: str, now: datetime
    ) -> None:
        """Keep another template instead of one, made of the same photo by another model; all else of it stays.

        `embedding` is a unit-length vector. Raise UnknownPerson, UnknownTemplate, ConsentMissing when the newest
        consent does not allow recognition now.
        """
        vector = checked_embedding(embedding)
        self._refuse_leaving(person_id)
        with self._database.write() as connection:
            key = people_rows.consented_key(connection, self._keys, person_id, now)
            templates = people_rows.read_templates(connection, key, person_id)
            before = next((each for each in templates if each.template_id == template_id), None)
            if before is None:
                raise UnknownTemplate
            after = replace(before, embedding=vector, model=model)
            people_rows.update_template(connection, key, person_id, after)
            self._audit.append(
                connection, "reference_remade", person_id, {"template_id": template_id, "model": model}, now
            )

    def remove_reference(self, person_id: str, template_id: str, now: datetime | None = None) -> None:
        """Erase a reference photo and its template; raise UnknownPerson or UnknownTemplate."""
        with self._database.write() as connection:
            if people_rows.person_state(connection, person_id) is None:
                raise UnknownPerson
            people_rows.delete_template(connection, person_id, template_id)
            self._eraser.drop_copies()
            details = {"template_id": template_id}
            self._audit.append(connection, "reference_removed", person_id, details, now or datetime.now(UTC))
        self._database.checkpoint()

    def reference_photo(self, template_id: str) -> bytes:
        """Return the photo (JPEG) that made a template; raise UnknownTemplate or VaultDamaged."""
        with self._database.read() as connection:
            return people_rows.read_photo(connection, self._keys, template_id)

    # Visits

    def add_visit(
        self, visit: VisitRecord, picture: bytes | None, now: datetime, *, took_ms: float | None = None
    ) -> None:
        """Keep a visit of a familiar person, with its picture (JPEG) when there is one, and count it.

        `took_ms`: how long it took until the name was there.

        Without the picture when the person did not agree to pictures. Raise UnknownPerson also for someone
        still being enrolled, ConsentMissing when the newest consent does not allow recognition now at that
        camera, or no visits to be kept, AlreadyRecorded when there is a visit with this id.
        """
        if picture is not None and not picture:
            raise ValueError("a picture is not empty")
        self._refuse_leaving(visit.person_id)
        with self._database.write() as connection:
            if people_rows.person_state(connection, visit.person_id) is not EnrolmentState.ENROLLED:
                raise UnknownPerson
            if connection.execute("SELECT 1 FROM visit WHERE visit_id = ?", (visit.visit_id,)).fetchone():
                raise AlreadyRecorded("a visit with this id")
            visit_rows.keep_visit(connection, self._keys, visit, picture, now)
            kinds = [str(Counted.NAMED), *([] if took_ms is None else [took(took_ms)])]
            counts.add(connection, self._keys, visit.camera_id, visit.started_at, dict.fromkeys(kinds, 1))

    def continue_visit(
        self,
        visit_id: str,
        person_id: str,
        seen_at: datetime,
        similarity: float | None,
        template_id: str | None,
    ) -> None:
        """Write that someone was still there at `seen_at`, and how alike they were at most.

        A visit that is not kept, or was corrected meanwhile, stays as it is. Raise UnknownPerson, ConsentMissing
        when the newest consent does not allow recognition then, or no visits to be kept.
        """
        self._refuse_leaving(person_id)
        with self._database.write() as connection:
            _, choices = people_rows.consented(connection, self._keys, person_id, seen_at)
            if not choices.keeps_visits:
                raise ConsentMissing
            visit_rows.mark_seen(connection, person_id, seen_at)
            visit_rows.prolong_visit(
                connection,
                self._keys,
                visit_id,
                person_id=person_id,
                seen_at=seen_at,
                similarity=similarity,
                template_id=template_id,
            )

    def visits(
        self,
        person_id: str | None = None,
        camera_id: str | None = None,
        since: datetime | None = None,
        limit: int = 100,
        *,
        before: datetime | None = None,
    ) -> list[VisitRecord]:
        """Return at most `limit` visits, newest first; damaged ones are left out and logged.

        Those that began at `since` or later, and earlier than `before`.
        """
        sought = SoughtVisits(
            person_ids=None if person_id is None else frozenset({person_id}),
            camera_ids=None if camera_id is None else frozenset({camera_id}),
            since=since,
            before=before,
        )
        return list(self.visit_page(sought, limit=limit).visits)

    def visit_page(self, sought: SoughtVisits, *, limit: int, after: VisitCursor | None = None) -> VisitPage:
        """Return at most `limit` of the visits that are sought, newest first, from where a page ended.

        Damaged ones are left out and logged. Nobody else gets at the vault meanwhile, so pages are short.
        """
        with self._database.read() as connection:
            return read_page(connection, self._keys, sought, limit=limit, after=after)

    def last_visits(self, person_id: str, limit: int) -> list[VisitRecord]:
        """Return someone's last visits to each camera, at most `limit` of each; damaged ones are left out and logged."""
        with self._database.read() as connection:
            return read_last(connection, self._keys, person_id, limit)

    def visit(self, visit_id: str) -> VisitRecord:
        """Return a visit; raise UnknownVisit or VaultDamaged."""
        with self._database.read() as connection:
            return visit_rows.read_visit(connection, self._keys, visit_id)

    def visit_ids(self) -> frozenset[str]:
        """Return the ids of all visits that are kept."""
        with self._database.read() as connection:
            return frozenset(visit_id for (visit_id,) in connection.execute("SELECT visit_id FROM visit"))

    def visit_picture(self, visit_id: str) -> bytes | None:
        """Return the picture (JPEG) of a visit, None without one; raise UnknownVisit or VaultDamaged."""
        with self._database.read() as connection:
            return visit_rows.read_picture(connection, self._keys, visit_id)

    def count_of(self, person_id: str) -> CountOf:
        """Return how much is kept of somebody's visits; nothing of somebody unknown."""
        with self._database.read() as connection:
            return count_of(connection, person_id)

    def count_visits(self, since: datetime) -> int:
        """Return how many visits at or after a moment are kept."""
        with self._database.read() as connection:
            return int(
                connection.execute(
                    "SELECT count(*) FROM visit WHERE started_at >= ?", (to_stamp(since),)
                ).fetchone()[0]
            )

    # Corrections by the owner

    def confirm_visit(self, visit_id: str, now: datetime) -> VisitRecord:
        """Note that a visit was whose it was said to be; raise UnknownVisit."""
        return self._corrector.confirm(visit_id, now)

    def correct_visit(self, visit_id: str, now: datetime, person_id: str | None = None) -> Corrected:
        """Erase a visit that was not whose it was said to be, and do what keeps that from happening again.

        With `person_id` it is kept as that person's instead. Raise UnknownVisit, AlreadyRecorded when it is
        that person's, UnknownPerson also for someone still being enrolled, ConsentMissing when that
        person's newest consent does not allow recognition now.
        """
        return self._corrector.correct(visit_id, now, person_id)

    def name_visit(self, visit: VisitRecord, picture: bytes | None, now: datetime) -> None:
        """Keep a visit that had no name for the person that the owner names.

        Raise UnknownPerson also for someone still being enrolled, AlreadyRecorded when it has a name meanwhile,
        ConsentMissing when that person's newest consent does not allow that.
        """
        self._refuse_leaving(visit.person_id)
        self._corrector.name(visit, picture, now)

    def use_reference(self, person_id: str, template_id: str, *, usable: bool, now: datetime) -> None:
        """Compare with a reference photo, or set it aside; a second time changes nothing.

        Raise UnknownPerson, UnknownTemplate, ConsentMissing when it is to be used and may not be.
        """
        self._corrector.use_reference(person_id, template_id, usable=usable, now=now)

    # Erasing

    def forget(
        self, person_id: str, now: datetime, reason: str = "asked", also: Collection[str] = ()
    ) -> Receipt:
        """Erase someone for good: their key, all their rows, and look again.

        `also`: places of others to clear of their names outside of the vault; noted in the same transaction. For someone forgotten before, look again only. A disk without room is given the vault's reserve. Raise
        UnknownPerson for someone who never was here, ErasedLater when they are forgotten from now on but could not be
        erased yet, VaultUnwritable when not even that could be written.
        """
        return self._departing.forget(person_id, now, reason, also)

    def leaving(self) -> frozenset[str]:
        """Return the ids of those who are forgotten and could not be erased yet: they are recognised by nobody."""
        return self._departing.people

    def forget_all(self, now: datetime, reason: str = "removed") -> list[Receipt]:
        """Erase everyone, those being enrolled too."""
        with self._database.read() as connection:
            rows = connection.execute("SELECT person_id FROM person ORDER BY created_at").fetchall()
        return self._eraser.forget([person_id for (person_id,) in rows], now, reason)

    def _refuse_leaving(self, person_id: str) -> None:
        if person_id in self.leaving():
            raise ConsentMissing

    def was_forgotten(self, person_id: str) -> bool:
        """Return whether someone with this id was here and was forgotten."""
        with self._database.read() as connection:
            return self._eraser.forgotten_at(connection, person_id) is not None

    def receipt(self, person_id: str) -> Receipt | None:
        """Return the receipt of somebody who was forgotten, None of anybody else."""
        with self._database.read() as connection:
            return self._eraser.tombstones.read(connection, person_id)

    def unfinished(self) -> list[Unfinished]:
        """Return the people who are forgotten here, but may have left something outside of the vault."""
        return self._eraser.tombstones.unfinished()

    def receipts(self, limit: int) -> list[Receipt]:
        """Return the newest receipts, at most `limit`."""
        return self._eraser.tombstones.receipts(limit)

    def note_entities(self, person_id: str, entity_ids: Iterable[str]) -> None:
        """Add entities to look for to what has to be done of somebody who is being forgotten; raise UnknownPerson."""
        ids = tuple(entity_ids)
        self._departing.with_reserve(lambda: self._eraser.tombstones.note_entities(person_id, ids))

    def note_reached(self, person_id: str, reached: Mapping[str, Detail]) -> None:
        """Write on a receipt how far the erasing came outside of the vault, while it goes on; raise UnknownPerson."""
        self._departing.with_reserve(lambda: self._eraser.tombstones.note_reached(person_id, reached))

    def finish_forgetting(self, person_id: str, reached: Mapping[str, Detail], now: datetime) -> Receipt:
        """Write that all is done, and what came of it outside of the vault, without a name.

        Return the whole receipt; a second time changes nothing. Raise UnknownPerson.
        """
        return self._departing.with_reserve(lambda: self._eraser.tombstones.finish(person_id, reached, now))

    def purge(self, now: datetime, retention: Retention) -> Purged:
        """Erase what was kept long enough, and people whose time is over."""
        self._departing.take_room()
        return self._departing.with_reserve(lambda: self._eraser.purge(now, retention))

    def next_purge(self, now: datetime, retention: Retention) -> datetime | None:
        """Return when the next thing falls due, `now` when something is, None when nothing is kept."""
        with self._database.read() as connection:
            return next_due(connection, now, retention)

    def stored(self) -> StoredItems:
        """Return how much is kept."""
        with self._database.read() as connection:
            (items,) = connection.execute(
                "SELECT (SELECT count(*) FROM person), (SELECT count(*) FROM template), "
                "(SELECT count(*) FROM photo), (SELECT count(*) FROM visit), (SELECT count(*) FROM picture), "
                "(SELECT count(*) FROM consent), (SELECT count(*) FROM invitation), "
                "(SELECT count(*) FROM review), (SELECT count(*) FROM audit)"
            ).fetchall()
        people, templates, photos, visits, pictures, consents, invitations, review, audit_entries = items
        return StoredItems(
            people=people,
            templates=templates,
            photos=photos,
            visits=visits,
            pictures=pictures,
            consents=consents,
            invitations=invitations,
            review=review,
            audit_entries=audit_entries,
            bytes=vault_size(self._folder),
        )

    def oldest(self) -> Oldest:
        """Return since when things are kept."""

        def moment(stamp: int | None) -> datetime | None:
            return None if stamp is None else from_stamp(stamp)

        with self._database.read() as connection:
            visit, picture, review, audit_entry, links, weeks = connection.execute(
                "SELECT (SELECT min(started_at) FROM visit), (SELECT min(started_at) FROM picture), "
                "(SELECT min(at) FROM review), (SELECT min(at) FROM audit), (SELECT count(*) FROM link), "
                "(SELECT count(*) FROM counts)"
            ).fetchone()
        return Oldest(moment(visit), moment(picture), moment(review), moment(audit_entry), links, weeks)

    # Audit

    def audit(self, kind: str, person_id: str | None, details: Mapping[str, Detail], now: datetime) -> None:
        """Add an entry to the audit log. `details` must hold no name: the entry outlives the person."""
        with self._database.write() as connection:
            self._audit.append(connection, kind, person_id, details, now)

    def newest(self) -> datetime | None:
        """Return the time of the newest entry of the audit log, None when there is none."""
        with self._database.read() as connection:
            row = connection.execute("SELECT at FROM audit ORDER BY number DESC LIMIT 1").fetchone()
        return None if row is None else from_stamp(row[0])

    def audit_entries(
        self, person_id: str | None = None, limit: int = 100, before: int | None = None
    ) -> tuple[AuditEntry, ...]:
        """Return at most `limit` entries, newest first; raise VaultDamaged at a changed one.

        `before`: only those with a lower number.
        """
        with self._database.read() as connection:
            return self._audit.entries(connection, person_id, limit, before)

    def verify_audit(self, mark_file: Path | None = None) -> AuditVerdict:
        """Check the whole audit log for changed, dropped, added and moved entries, and all that is bound.

        `mark_file`: where the mark of this vault lies; None to compare with none.
        """
        with self._database.read() as connection:
            verdict = self._audit.verify(connection)
            rows_ok = self._rows_ok(connection)
            try:
                mark_ok = mark_file is None or self.witness.agrees(connection, read_mark(mark_file))
            except VaultDamaged:
                mark_ok = False
        ok = verdict.ok and rows_ok and mark_ok
        return replace(verdict, ok=ok, rows_ok=rows_ok, mark_ok=mark_ok)

    def _same_content(self, ours: sqlite3.Connection, fresh: sqlite3.Connection) -> bool:
        try:
            same = read_head(ours, self._keys.audit) == read_head(fresh, self._keys.audit)
        except VaultDamaged:
            return False
        return same and self._rows_ok(fresh)

    def _rows_ok(self, connection: sqlite3.Connection) -> bool:
        try:
            self._binding.check(connection)
            for (person_id,) in connection.execute("SELECT person_id FROM person").fetchall():
                self._binding.check_person(connection, person_id)
        except VaultDamaged:
            return False
        return True


def _open_database(folder: Path) -> Database:
    """Open the store. SQLite makes two files beside it: without room for them, a part of the reserve is given up."""
    try:
        return Database(folder / DATABASE)
    except VaultUnwritable:
        if not Reserve(folder).lend():
            raise
        return Database(folder / DATABASE)
