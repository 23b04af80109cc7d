"""Killed at any moment, the vault has all that it answered for, nothing half-written, and an unbroken log."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
import hashlib
import json
import os
from pathlib import Path
import random
import signal
import subprocess
import time
from typing import Any

import numpy as np
import pytest

from custom_components.familiar_faces.vault.records import EnrolmentState
from custom_components.familiar_faces.vault.retention import Retention
from custom_components.familiar_faces.vault.store import Vault
from tests.vault.makers import (
    DAY,
    MARIA,
    NOW,
    a_consent,
    a_photo,
    add_reference,
    an_embedding,
    bytes_of,
    digest,
)
from tests.vault.processes import start

ROUNDS = 200
"""Kills. One in five while the very first files of a new vault are being made."""
STEPS = 9
"""How many steps are answered in a round, on average."""
CALLS = 2000
"""How many calls two or three steps make; opening a vault makes fewer."""
REVIEW_SECONDS = 2 * 86400
"""How long the purges of the other process keep the review inbox."""


@dataclass
class Kept:
    """What a vault is expected to hold, or does."""

    states: dict[str, str] = field(default_factory=dict)
    photos: dict[str, dict[str, tuple[bool, bool]]] = field(default_factory=dict)
    """By person and digest: whether it is compared with, whether it guards."""
    consents: dict[str, set[str]] = field(default_factory=dict)
    visits: dict[str, tuple[str, int, str | None, str | None]] = field(default_factory=dict)
    """Person, age in seconds, digest of the picture, digest of the photo that named it."""
    forgotten: set[str] = field(default_factory=set)
    unfinished: set[str] = field(default_factory=set)
    """Those with something left to do outside of the vault."""
    invitations: Counter[str | None] = field(default_factory=Counter)
    """How many are open, by who they are for."""
    links: set[str] = field(default_factory=set)
    """Who has a link of their own."""
    review: dict[str, tuple[int, str]] = field(default_factory=dict)
    """By visit: age in seconds, digest of the picture."""

    def copy(self) -> Kept:
        """Return another one like this."""
        return Kept(
            dict(self.states),
            {person: dict(photos) for person, photos in self.photos.items()},
            {person: set(consents) for person, consents in self.consents.items()},
            dict(self.visits),
            set(self.forgotten),
            set(self.unfinished),
            Counter(self.invitations),
            set(self.links),
            dict(self.review),
        )

    def after(self, task: dict[str, Any]) -> Kept:
        """Return what is kept after a task was done in full."""
        kept, person = self.copy(), task["person"]
        match task["do"]:
            case "begin":
                kept.states[person] = "enrolling"
                kept.photos[person] = {}
                kept.consents[person] = {f"consent-{person}"}
            case "finish":
                kept.states[person] = "enrolled"
            case "reference":
                kept.photos[person][digest(a_photo(task["number"]))] = (True, False)
            case "consent":
                kept.consents[person].add(f"consent-{task['number']}")
            case "visit":
                picture = None if task["picture"] is None else digest(a_photo(task["picture"]))
                kept.visits[task["visit"]] = (person, task["age"], picture, task["cause"])
            case "correct":
                _, age, picture, cause = kept.visits.pop(task["visit"])
                photos = kept.photos[person]
                if cause is not None:
                    others = [usable for each, (usable, _) in photos.items() if each != cause]
                    photos[cause] = (photos[cause][0] and not any(others), True)
                if task["really"] is not None:
                    kept.visits[task["visit"]] = (task["really"], age, picture, None)
            case "narrow":
                kept.consents[person].add(f"consent-{task['number']}")
                kept.visits = {key: visit for key, visit in kept.visits.items() if visit[0] != person}
            case "invite":
                kept.invitations[task["for"]] = 1 if task["for"] else kept.invitations[None] + 1
            case "accept":
                if task["for"] is None:
                    kept.states[person] = "enrolling"
                    kept.photos[person] = {}
                    kept.consents[person] = set()
                kept.invitations[task["for"]] -= 1
                kept.consents[person].add(f"consent-{task['number']}")
                kept.links.add(person)
            case "link":
                kept.links.add(person)
            case "review":
                kept.review[task["visit"]] = (task["age"], digest(a_photo(task["picture"])))
            case "discard":
                del kept.review[task["visit"]]
            case "done":
                kept.unfinished.remove(person)
            case "forget":
                if kept.states[person] == "enrolled":
                    kept.unfinished.add(person)
                kept.links.discard(person)
                del kept.invitations[person]
                for part in (kept.states, kept.photos, kept.consents):
                    del part[person]
                kept.visits = {key: visit for key, visit in kept.visits.items() if visit[0] != person}
                kept.forgotten.add(person)
            case "purge":
                kept.visits = {
                    key: (who, age, None if age >= 7 * 86400 else picture, cause)
                    for key, (who, age, picture, cause) in kept.visits.items()
                    if age < 30 * 86400
                }
                kept.review = {key: item for key, item in kept.review.items() if item[0] < REVIEW_SECONDS}
        # None of a person is as good as no entry.
        kept.invitations = +kept.invitations
        return kept


def look(vault: Vault, ever: set[str]) -> Kept:
    """Read all of a vault, checking that every part of everything is there."""
    kept = Kept(forgotten={person for person in ever if vault.was_forgotten(person)})
    causes: dict[str | None, str] = {}
    for person in vault.people(include_enrolling=True):
        state = vault.state(person.person_id)
        assert state is not None
        assert person.name == f"Name {person.person_id}"
        kept.states[person.person_id] = state.value
        kept.consents[person.person_id] = {consent.consent_id for consent in person.consents}
        kept.photos[person.person_id] = {
            template.photo_digest: (template.usable, template.guard is not None)
            for template in person.templates
        }
        for template in person.templates:
            causes[template.template_id] = template.photo_digest
            photo = vault.reference_photo(template.template_id)
            assert hashlib.sha256(photo).hexdigest() == template.photo_digest
    assert vault.damaged == []
    for visit in vault.visits(limit=1_000_000):
        picture = vault.visit_picture(visit.visit_id)
        age = (NOW - visit.started_at) // timedelta(seconds=1)
        kept.visits[visit.visit_id] = (
            visit.person_id,
            age,
            None if picture is None else digest(picture),
            causes.get(visit.template_id),
        )
    kept.unfinished = {each.person_id for each in vault.unfinished()}
    assert all(each.name == f"Name {each.person_id}" for each in vault.unfinished())
    kept.invitations = Counter(each.person_id for each in vault.links.invitations(NOW))
    with vault._database.read() as connection:
        kept.links = {row[0] for row in connection.execute("SELECT person_id FROM link")}
    for item in vault.review.items(1_000_000):
        age = (NOW - item.at) // timedelta(seconds=1)
        kept.review[item.visit_id] = (age, digest(vault.review.picture(item.visit_id)))
    stored = vault.stored()
    assert stored.review == len(kept.review)
    assert stored.invitations == kept.invitations.total()
    assert stored.people == len(kept.states)
    assert stored.photos == stored.templates == sum(map(len, kept.photos.values()))
    assert stored.consents == sum(map(len, kept.consents.values()))
    assert stored.visits == len(kept.visits)
    assert stored.pictures == sum(visit[2] is not None for visit in kept.visits.values())
    return kept


def is_a_part(found: Kept, before: Kept, after: Kept) -> bool:
    """Return whether a purge that was cut off explains what was found."""
    if (found.states, found.photos, found.consents) != (before.states, before.photos, before.consents):
        return False
    if not after.review.items() <= found.review.items() <= before.review.items():
        return False
    if (found.invitations, found.links, found.unfinished) != (
        before.invitations,
        before.links,
        before.unfinished,
    ):
        return False
    return found.visits.keys() <= before.visits.keys() and all(
        found.visits.get(key)
        in (visit, after.visits.get(key), (*visit[:2], None, visit[3]) if visit[1] >= 604800 else visit)
        for key, visit in before.visits.items()
    )


@pytest.fixture
def nursery(folder: Path) -> Iterator[subprocess.Popen[str]]:
    process = start("nursery", folder)
    yield process
    process.communicate()


def run_and_kill(
    nursery: subprocess.Popen[str], log: Path, seed: int, *, steps: int, calls: int | None, delay: float = 0
) -> list[list[Any]]:
    """Let a writer work until it has done so much, have it killed then, and return the lines it wrote in full.

    `calls`: it kills itself at this call after so many steps; None: it is killed from outside, `delay` seconds later.
    """
    assert nursery.stdin is not None
    assert nursery.stdout is not None
    job = {"log": str(log), "seed": seed, "death": {"steps": steps, "calls": calls}}
    nursery.stdin.write(json.dumps(job) + "\n")
    nursery.stdin.flush()
    said = [nursery.stdout.readline().strip()]
    if calls is None:
        said.append(nursery.stdout.readline().strip())
        said.remove("ready")
        time.sleep(delay)
        os.kill(int(said[0]), signal.SIGKILL)
    assert int(nursery.stdout.readline()) == -signal.SIGKILL
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def calls_to_open(nursery: subprocess.Popen[str], folder: Path, log: Path) -> int:
    """Return how many calls a writer makes until it has opened a new vault."""
    Vault.open(folder).close()
    Vault.destroy(folder)
    lines = run_and_kill(nursery, log, 0, steps=0, calls=CALLS)
    assert lines[0][0] == "open"
    return CALLS - int(lines[0][1])


def test_nothing_answered_is_lost_and_nothing_is_half_written(
    nursery: subprocess.Popen[str], folder: Path, tmp_path: Path
) -> None:
    dice = random.Random(20260301)
    kept = Kept()
    ever: set[str] = set()
    done: dict[str, int] = {}
    cut: dict[str, int] = {}
    opening = calls_to_open(nursery, folder, tmp_path / "log")
    for number in range(ROUNDS):
        early = number % 5 == 0
        if early:
            Vault.destroy(folder)
            kept, ever = Kept(), set()
        steps = 0 if early else dice.randrange(1, 2 * STEPS)
        calls, delay = dice.randrange(opening if early else CALLS), dice.uniform(0, 0.02)
        lines = run_and_kill(
            nursery,
            tmp_path / f"log-{number}",
            number,
            steps=steps,
            # Between two calls first. Then also within one, at a moment that only chance can choose.
            calls=calls if number < ROUNDS // 2 else None,
            delay=delay,
        )
        assert sum(line[0] == "did" for line in lines) >= steps
        assert not early or number >= ROUNDS // 2 or lines == [], "killed while the first files were made"
        tried: dict[str, Any] | None = None
        for line in lines:
            if line[0] == "try":
                tried = line[1]
                ever.add(tried["person"])
            elif line[0] == "did":
                assert tried is not None
                kept = kept.after(tried)
                done[tried["do"]] = done.get(tried["do"], 0) + 1
                tried = None

        vault = Vault.open(folder)
        found = look(vault, ever)
        verdict = vault.verify_audit()
        vault.close()
        assert verdict.ok, verdict
        if found != kept:
            assert tried is not None, f"round {number}: an answered write is not there"
            cut[tried["do"]] = cut.get(tried["do"], 0) + 1
            after = kept.after(tried)
            assert found == after or (tried["do"] == "purge" and is_a_part(found, kept, after)), tried
        kept = found

    # The kills came while every kind of write was going on.
    assert done.keys() == {
        "begin",
        "finish",
        "reference",
        "consent",
        "narrow",
        "invite",
        "accept",
        "link",
        "visit",
        "correct",
        "review",
        "discard",
        "forget",
        "done",
        "purge",
    }
    assert cut

    vault = Vault.open(folder)
    vault.purge(NOW, Retention())
    names = [f"Name {person}".encode() for person in kept.states]
    names += [f"Name {person}".encode() for person in kept.unfinished]
    assert all(receipt.verified for receipt in vault.forget_all(NOW))
    for each in vault.unfinished():
        assert vault.finish_forgetting(each.person_id, {"states": 3}, NOW).finished_at == NOW
    vault.close()
    everything = bytes_of(folder)
    assert not any(name in everything for name in names)


def test_an_enrolment_cut_off_is_erased_at_the_next_start(folder: Path, vault: Vault) -> None:

    vault.begin_enrolment(MARIA, "Maria Gantenbein", None, a_consent(), NOW)
    add_reference(vault, MARIA, 1)
    vault.close()
    again = Vault.open(folder)
    assert again.state(MARIA) is EnrolmentState.ENROLLING
    assert again.abandon_enrolments(now=NOW + DAY) == [MARIA]
    again.close()
    everything = bytes_of(folder)
    assert a_photo(1)[4:40] not in everything
    assert np.asarray(an_embedding(1), "<f4").tobytes()[:32] not in everything
