"""The other process: holds a vault, writes to it until it is killed, or meets a disk that refuses.

Run as a script: `child.py ROOT TASK ...`. It loads the vault without the integration around it,
which shows that the vault needs no Home Assistant.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
import json
import os
from pathlib import Path
import random
import resource
import shutil
import signal
import subprocess
import sys
import types
from typing import Any

ROOT = Path(sys.argv[1])
sys.path.insert(0, str(ROOT))
for name in ("custom_components", "custom_components.familiar_faces"):
    package = types.ModuleType(name)
    package.__path__ = [str(ROOT.joinpath(*name.split(".")))]
    sys.modules[name] = package

from custom_components.familiar_faces.people.choices import Choices, Keeping  # noqa: E402
from custom_components.familiar_faces.vault import erasure  # noqa: E402
from custom_components.familiar_faces.vault.errors import VaultError, VaultUnwritable  # noqa: E402
from custom_components.familiar_faces.vault.retention import Retention  # noqa: E402
from custom_components.familiar_faces.vault.review_rows import ReviewItem  # noqa: E402
from custom_components.familiar_faces.vault.store import Vault  # noqa: E402
from tests.vault.makers import MARIA, MODEL, NOW, a_consent, a_photo, a_visit, an_embedding, digest  # noqa: E402

SMALL_BATCH = 3


def tell(answer: object) -> None:
    """Write a line for the test."""
    sys.stdout.write(f"{answer}\n")
    sys.stdout.flush()


def hold(folder: Path) -> None:
    """Keep a vault open until the input ends."""
    vault = Vault.open(folder)
    tell("open")
    sys.stdin.read()
    vault.close()


def modules(folder: Path) -> None:
    """Use a vault, then print which top-level modules were loaded."""
    vault = Vault.open(folder)
    vault.people()
    vault.close()
    tell(" ".join(sorted({name.partition(".")[0] for name in sys.modules})))


def refuse(folder: Path, limit: str) -> None:
    """Open a vault where no file may grow beyond `limit` bytes; print what that raises."""
    if limit != "none":
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), resource.RLIM_INFINITY))
    try:
        vault = Vault.open(folder)
    except VaultError as err:
        tell(json.dumps({"error": type(err).__name__, "text": str(err)}))
    else:
        tell(json.dumps({"error": None, "visits": len(vault.visits())}))
        vault.close()


def fill(folder: Path, room: str, person_id: str, relief: str) -> None:
    """Write visits until the disk refuses, look around, relieve the disk, go on; print what happened.

    `room`: bytes that a file may still grow, or `none` where the disk itself is small. `relief`: a
    command that makes space.
    """
    vault = Vault.open(folder)
    if room != "none":
        limit = (folder / "vault.db").stat().st_size + int(room)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    kept: list[str] = []
    report: dict[str, Any] = {"kept": kept}
    try:
        for number in range(1000):
            vault.add_visit(a_visit(f"visit-{number}", person_id), a_photo(number, 30_000), NOW)
            kept.append(f"visit-{number}")
    except VaultUnwritable as err:
        report["error"] = str(err)
    report["found_when_full"] = len(vault.visits(limit=2000))
    report["people_when_full"] = [person.person_id for person in vault.people()]
    if room != "none":
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    if relief:
        subprocess.run(relief, shell=True, check=True)
    vault.add_visit(a_visit("relieved", person_id), a_photo(5000, 30_000), NOW)
    vault.close()
    vault = Vault.open(folder)
    report["found"] = [visit.visit_id for visit in vault.visits(limit=2000)]
    report["pictures_right"] = all(
        vault.visit_picture(f"visit-{number}") == a_photo(number, 30_000) for number in range(len(kept))
    )
    report["audit"] = vault.verify_audit().ok
    vault.close()
    tell(json.dumps(report))


def leave(
    folder: Path, person_id: str, kill_at: str, relief: str, reserve: str = "kept", told_calls: int = -1
) -> None:
    """Fill the small disk that a vault lies on, forget somebody there, and print what came of it.

    `kill_at`: at which call of something that Python does not do itself the forgetting is killed; `never`: not.
    `relief`: a command that makes space afterwards; empty: none does. `reserve`: `gone` when somebody took it away.
    `told_calls`: a pipe to write to how many calls it took.
    """
    vault = Vault.open(folder)
    if reserve == "gone":
        (folder / "vault.reserve").unlink()
    fill_disk(folder)
    told: list[str | None] = []
    vault.on_trouble(lambda trouble: told.append(None if trouble is None else type(trouble).__name__))
    report: dict[str, Any] = {}
    try:
        vault.audit("looked", None, {"why": "x" * 9000}, NOW)
    except VaultUnwritable:
        report["full"] = True
    death = Death(0, None if kill_at == "never" else int(kill_at))
    if death.calls is not None:
        death.begin()
    try:
        report["verified"] = vault.forget(person_id, NOW, "withdrawn").verified
    except VaultError as err:
        report["error"] = type(err).__name__
    sys.setprofile(None)
    report["calls"] = None if death.calls is None else int(kill_at) - death.calls
    if told_calls >= 0 and report["calls"] is not None:
        os.write(told_calls, str(report["calls"]).encode())
    report |= {"told": told, "leaving": sorted(vault.leaving())}
    report["people"] = [person.person_id for person in vault.people()]
    if relief:
        subprocess.run(relief, shell=True, check=True)
        vault.purge(NOW, Retention())
        report["told after"] = told[len(report["told"]) :]
    report["reserve"] = (folder / "vault.reserve").exists()
    tell(json.dumps(report))


def killed(folder: Path, source: Path, points: str) -> None:
    """Do `leave` again and again with a copy of a vault, killed at as many moments, each followed by `returned`."""

    def forked(task: Callable[..., None], *arguments: object) -> None:
        if (pid := os.fork()) == 0:
            try:
                task(folder, *arguments)
            finally:
                os._exit(0)
        os.waitpid(pid, 0)

    reader, writer = os.pipe()
    calls = 1 << 30
    for number in range(int(points) + 1):
        shutil.rmtree(folder, ignore_errors=True)
        (folder.parent / "others").unlink(missing_ok=True)
        shutil.copytree(source, folder)
        forked(leave, MARIA, str(calls if number == 0 else calls * number // int(points)), "", "kept", writer)
        if number == 0:
            calls = int(os.read(reader, 100))
        forked(returned)


def fill_disk(folder: Path) -> None:
    """Leave not one free block on the disk that a vault lies on."""
    with (folder.parent / "others").open("ab", buffering=0) as others:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    others.write(bytes(size))
            except OSError:
                continue


def returned(folder: Path) -> None:
    """Open a vault as the next start does, and print who is there and who is leaving; then erase those."""
    try:
        vault = Vault.open(folder)
    except VaultUnwritable as err:
        tell(json.dumps({"error": type(err).__name__}))
        return
    report: dict[str, Any] = {
        "people": [person.person_id for person in vault.people()],
        "leaving": sorted(vault.leaving()),
    }
    try:
        report["erased"] = [vault.forget(each, NOW, "asked").person_id for each in sorted(vault.leaving())]
    except VaultError as err:
        report["error"] = type(err).__name__
    report["forgotten"] = vault.was_forgotten(MARIA)
    report["audit"] = vault.verify_audit().ok
    vault.close()
    tell(json.dumps(report))


def nursery(folder: Path) -> None:
    """Fork a writer for each line of input, so that each starts without loading anything."""
    erasure._BATCH = SMALL_BATCH
    for line in sys.stdin:
        job = json.loads(line)
        pid = os.fork()
        if pid == 0:
            try:
                write(folder, Path(job["log"]), job["seed"], Death(**job["death"]))
            finally:
                os._exit(1)
        tell(pid)
        _, status = os.waitpid(pid, 0)
        tell(os.waitstatus_to_exitcode(status))


@dataclass
class Death:
    """When a writer is killed, in what it has done, so that it is the same on a slow machine."""

    steps: int
    """How many steps are answered before."""
    calls: int | None
    """At which call of something that Python does not do itself, counted from there; None: the test kills it."""

    def begin(self) -> None:
        """Count from now on, or tell the test that it may kill."""
        if self.calls is None:
            tell("ready")
        else:
            sys.setprofile(self._count)

    def _count(self, frame: object, event: str, argument: object) -> None:
        if event == "c_call" and self.calls is not None:
            self.calls -= 1
            if self.calls < 0:
                os.kill(os.getpid(), signal.SIGKILL)


def write(folder: Path, log: Path, seed: int, death: Death) -> None:
    """Change a vault at random until death; log each step before it and after it was answered."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    dice = random.Random(seed)

    def say(*words: object) -> None:
        os.write(descriptor, f"{json.dumps(words)}\n".encode())

    if death.steps == 0:
        death.begin()
    vault = Vault.open(folder)
    vault.people()
    say("open", death.calls)
    step = answered = 0
    open_links: dict[str | None, str] = {}
    while True:
        step += 1
        people = {person.person_id: vault.state(person.person_id) for person in everyone(vault)}
        task: dict[str, Any] = {"do": choose(dice, len(people)), "person": f"{seed:06}-{step}"}
        if task["do"] not in ("begin", "purge", "review", "discard", "done", "invite", "accept"):
            task["person"] = dice.choice(sorted(people))
        keeping = {
            each.person_id
            for each in everyone(vault)
            if people[each.person_id] == "enrolled" and each.choices.keeps_visits
        }
        if task["do"] == "visit":
            enrolled = sorted(keeping)
            if not enrolled:
                continue
            task["person"] = dice.choice(enrolled)
            task["visit"] = f"visit-{seed}-{step}"
            task["age"] = dice.randrange(40 * 86400)
            task["picture"] = dice.choice([None, dice.randrange(1 << 30)])
            templates = vault.person(task["person"]).templates
            task["cause"] = dice.choice([None, *(each.photo_digest for each in templates)])
        if task["do"] == "correct":
            visits = vault.visits(limit=1000)
            if not visits:
                continue
            wrong = dice.choice(visits)
            task["visit"], task["person"] = wrong.visit_id, wrong.person_id
            task["really"] = dice.choice([None, *sorted(keeping - {wrong.person_id})])
        if task["do"] == "invite":
            task["for"] = dice.choice([None, *sorted(people)])
        if task["do"] == "accept":
            usable = [each for each in open_links if each is None or each in people]
            if not usable:
                continue
            task["for"] = dice.choice(usable)
            task["person"] = task["for"] or task["person"]
            task["token"] = open_links.pop(task["for"])
        if task["do"] == "review":
            task |= {"visit": f"review-{seed}-{step}", "age": dice.randrange(3 * 86400)}
            task["picture"] = dice.randrange(1 << 30)
        if task["do"] == "discard":
            items = vault.review.items()
            if not items:
                continue
            task["visit"] = dice.choice(items).visit_id
        if task["do"] == "done":
            unfinished = vault.unfinished()
            if not unfinished:
                continue
            task["person"] = dice.choice(unfinished).person_id
        if task["do"] in ("reference", "consent", "narrow", "accept"):
            task["number"] = dice.randrange(1 << 30)
        say("try", task)
        made = act(vault, task)
        if made is not None:
            open_links[task["for"]] = made
        say("did")
        answered += 1
        if answered == death.steps:
            death.begin()


def everyone(vault: Vault) -> list[Any]:
    """Return all people."""
    return vault.people(include_enrolling=True)


def choose(dice: random.Random, people: int) -> str:
    """Draw what to do next; few people make more of them likely, many make forgetting likely."""
    if people == 0:
        return "begin"
    weights = {
        "begin": 3 if people < 6 else 0,
        "finish": 3,
        "reference": 4,
        "consent": 1,
        "narrow": 1,
        "invite": 2,
        "accept": 2 if people < 6 else 0,
        "link": 1,
        "review": 2,
        "discard": 1,
        "done": 3,
        "visit": 8,
        "correct": 3,
        "forget": 1 if people < 4 else 4,
        "purge": 2,
    }
    return dice.choices(list(weights), list(weights.values()))[0]


def act(vault: Vault, task: dict[str, Any]) -> str | None:
    """Do one task; return the token when it made an invitation."""
    person = task["person"]
    match task["do"]:
        case "begin":
            consent = a_consent(f"consent-{person}", given_by=f"Guardian {person}")
            vault.begin_enrolment(person, f"Name {person}", None, consent, NOW)
        case "finish":
            vault.finish_enrolment(person, NOW)
        case "reference":
            photo = a_photo(task["number"])
            vault.add_reference(
                person,
                photo=photo,
                embedding=an_embedding(task["number"]),
                model=MODEL,
                photo_digest=digest(photo),
                now=NOW,
            )
        case "consent":
            vault.record_consent(person, a_consent(f"consent-{task['number']}"), NOW)
        case "visit":
            visit = a_visit(task["visit"], person, started_at=NOW - timedelta(seconds=task["age"]))
            for template in vault.person(person).templates:
                if template.photo_digest == task["cause"]:
                    visit = replace(visit, template_id=template.template_id, similarity=0.5)
            picture = None if task["picture"] is None else a_photo(task["picture"])
            vault.add_visit(visit, picture, NOW)
        case "correct":
            vault.correct_visit(task["visit"], NOW, task["really"])
        case "narrow":
            consent = a_consent(f"consent-{task['number']}")
            vault.record_consent(person, replace(consent, choices=Choices(keeping=Keeping.NOTHING)), NOW)
        case "invite":
            expires_at = NOW + timedelta(days=1)
            return vault.links.invite(person_id=task["for"], expires_at=expires_at, now=NOW)[1]
        case "accept":
            consent = a_consent(f"consent-{task['number']}")
            vault.links.accept(
                task["token"], person_id=person, name=f"Name {person}", consent=consent, now=NOW
            )
        case "link":
            vault.links.new_link(person, NOW)
        case "review":
            at = NOW - timedelta(seconds=task["age"])
            vault.review.add(ReviewItem(task["visit"], "garden", "stranger", at), a_photo(task["picture"]))
        case "discard":
            vault.review.discard(task["visit"], NOW)
        case "done":
            vault.note_entities(person, [f"sensor.name_{person}"])
            vault.finish_forgetting(person, {"states": 3}, NOW)
        case "forget":
            assert vault.forget(person, NOW).verified
        case "purge":
            vault.purge(NOW, Retention(review=timedelta(days=2)))
    return None


def main() -> None:
    """Do the task of the command line."""
    tasks: dict[str, Callable[..., None]] = {
        "hold": hold,
        "modules": modules,
        "refuse": refuse,
        "fill": fill,
        "nursery": nursery,
        "killed": killed,
        "leave": leave,
        "returned": returned,
    }
    tasks[sys.argv[2]](Path(sys.argv[3]), *sys.argv[4:])


main()
