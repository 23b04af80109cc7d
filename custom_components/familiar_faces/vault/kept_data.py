"""All stored data of one person, as the parts of a zip file.

Pictures are read one at a time, so that an export needs little memory whatever it weighs, and nothing of it is
ever written to the disk unencrypted.
"""

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
import json
from typing import Any
import zipfile

from ..people.person import Consent, Person, Template
from .errors import UnknownPerson, UnknownTemplate, UnknownVisit, VaultDamaged
from .records import AuditEntry, VisitRecord
from .store import Vault

FORMAT = 1
"""Version of what `data.json` looks like."""
PAGE = "index.html"
DATA = "data.json"
_EVERYTHING = 1_000_000
_OTHERS = {"user"}
"""What the audit log says of somebody else: which user looked."""
_MADE = (1980, 1, 1, 0, 0, 0)
"""The time on every part, so that the same data makes the same file."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of somebody, but for the pictures."""

    person: Person
    visits: tuple[VisitRecord, ...]
    """Oldest first."""
    audit: tuple[AuditEntry, ...] | None
    """Oldest first; None when the log is damaged and cannot be read."""
    read_at: datetime


def read(vault: Vault, person_id: str, now: datetime) -> Kept:
    """Return what is kept of somebody; raise UnknownPerson or VaultDamaged."""
    person = vault.person(person_id)
    try:
        audit = vault.audit_entries(person_id, _EVERYTHING)[::-1]
    except VaultDamaged:
        audit = None
    visits = tuple(vault.visits(person_id, limit=_EVERYTHING)[::-1])
    return Kept(person, visits, audit, now)


def parts(
    vault: Vault,
    kept: Kept,
    cameras: Mapping[str, str],
    page: Callable[[dict[str, Any]], str],
) -> Iterator[tuple[str, bytes]]:
    """Yield the names and contents of the files: the pictures, then the data, and the page made of it.

    `cameras` are their names by their ids. A picture that is damaged, or was erased meanwhile, is left out.
    Raise UnknownPerson when somebody is forgotten meanwhile.
    """
    photos: dict[str, str] = {}
    for number, template in enumerate(kept.person.templates, start=1):
        if (photo := _photo(vault, template.template_id)) is not None:
            photos[template.template_id] = f"photos/{number:03}.jpg"
            yield photos[template.template_id], photo
    pictures: dict[str, str] = {}
    for number, visit in enumerate(kept.visits, start=1):
        if (picture := _picture(vault, visit.visit_id)) is not None:
            at = visit.started_at.astimezone(UTC)
            pictures[visit.visit_id] = f"visits/{number:05}_{at:%Y-%m-%dT%H-%M-%SZ}.jpg"
            yield pictures[visit.visit_id], picture
    if vault.state(kept.person.person_id) is None:
        raise UnknownPerson
    data = describe(kept, cameras, photos, pictures)
    yield DATA, json.dumps(data, ensure_ascii=False, indent=2).encode()
    yield PAGE, page(data).encode()


def describe(
    kept: Kept, cameras: Mapping[str, str], photos: Mapping[str, str], pictures: Mapping[str, str]
) -> dict[str, Any]:
    """Return what is kept as plain data; `photos` and `pictures` are the names of files by their ids."""
    person = kept.person
    return {
        "format": FORMAT,
        "made_at": _time(kept.read_at),
        "person": {
            "person_id": person.person_id,
            "name": person.own_name,
            "former_names": list(person.own_former_names),
            "linked_entity": person.linked_entity,
        },
        "consents": [_consent(each, cameras) for each in person.consents],
        "templates": [_template(each, cameras, photos) for each in person.templates],
        "visits": [_visit(each, cameras, pictures) for each in kept.visits],
        "audit": None if kept.audit is None else [_entry(each) for each in kept.audit],
    }


def zipped(files: Iterator[tuple[str, bytes]]) -> Iterator[bytes]:
    """Yield a zip file piece by piece, each about as large as one of the files in it."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w") as archive:
        for name, content in files:
            info = zipfile.ZipInfo(name, _MADE)
            info.external_attr = 0o600 << 16
            # A JPEG is compressed already.
            info.compress_type = zipfile.ZIP_STORED if name.endswith(".jpg") else zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
            yield sink.take()
    yield sink.take()


class _Sink:
    """What a zip file is written to: a file that only goes forward."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, piece: bytes) -> int:
        self._pieces.append(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        """Do nothing: what was written is taken with `take`."""

    def close(self) -> None:
        """Do nothing: there is no file."""

    def take(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


def _photo(vault: Vault, template_id: str) -> bytes | None:
    try:
        return vault.reference_photo(template_id)
    except UnknownTemplate, VaultDamaged:
        return None


def _picture(vault: Vault, visit_id: str) -> bytes | None:
    try:
        return vault.visit_picture(visit_id)
    except UnknownVisit, VaultDamaged:
        return None


def _consent(consent: Consent, cameras: Mapping[str, str]) -> dict[str, Any]:
    chosen = consent.choices.cameras
    return {
        "consent_id": consent.consent_id,
        "given_by": consent.given_by,
        "on_behalf_of_child": consent.on_behalf_of_child,
        "method": consent.method.value,
        "given_at": _time(consent.given_at),
        "valid_until": _time(consent.valid_until),
        "recorded_at": _time(consent.recorded_at),
        "withdrawn_at": None if consent.withdrawn_at is None else _time(consent.withdrawn_at),
        "cameras": None if chosen is None else sorted(cameras.get(each, each) for each in chosen),
        "keeping": consent.choices.keeping.value,
        "pictures": consent.choices.pictures,
        "uploads": consent.choices.uploads,
        "visits_kept_for_days": _days(consent.keeps_visits_for),
        "pictures_kept_for_days": _days(consent.keeps_pictures_for),
        "text_version": consent.text_version,
        "text": consent.text,
    }


def _days(period: timedelta | None) -> float | None:
    """Return a period in days; None for as long as is set."""
    return None if period is None else period / timedelta(days=1)


def _template(template: Template, cameras: Mapping[str, str], photos: Mapping[str, str]) -> dict[str, Any]:
    return {
        "template_id": template.template_id,
        "added_at": _time(template.added_at),
        "photo": photos.get(template.template_id),
        "photo_sha256": template.photo_digest,
        "model": template.model,
        "dimensions": int(template.embedding.size),
        "embedding": base64.b64encode(template.embedding.astype("<f4").tobytes()).decode(),
        "usable": template.usable,
        "guard": template.guard,
        "camera": None if template.camera_id is None else cameras.get(template.camera_id, template.camera_id),
    }


def _visit(visit: VisitRecord, cameras: Mapping[str, str], pictures: Mapping[str, str]) -> dict[str, Any]:
    return {
        "visit_id": visit.visit_id,
        "started_at": _time(visit.started_at),
        "last_seen_at": _time(visit.until),
        "camera": cameras.get(visit.camera_id, visit.camera_id),
        "confidence": visit.confidence,
        "similarity": visit.similarity,
        "frames": visit.frames,
        "template_id": visit.template_id,
        "confirmed": visit.confirmed,
        "picture": pictures.get(visit.visit_id),
    }


def _entry(entry: AuditEntry) -> dict[str, Any]:
    details = {name: value for name, value in entry.details.items() if name not in _OTHERS}
    return {"number": entry.number, "at": _time(entry.at), "kind": entry.kind, "details": details}


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()
