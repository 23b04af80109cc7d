"""Starts the engine on Ray Serve, breaks it, and measures it: see script/ray. Runs in Ray's environment."""

import argparse
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
import http.client
from io import BytesIO
import json
import os
from pathlib import Path
import random
import signal
import sys
import tempfile
import threading
import time
from typing import Any, Self

from familiar_faces_engine.pipeline import Pipeline, Wish
from familiar_faces_engine.protocol import faces_from_json
import familiar_faces_ray
import numpy as np
from PIL import Image
from ray import serve

TOKEN = "a token of the check, long enough"
ASKING = 8
"""Pictures that are asked about at once: more than two replicas have inside."""
SECONDS = 8.0
HALF = 0.5
"""Processors that a replica may use where each is limited."""
MOST_SAVED = 0.05
"""Seconds that a limited replica may have saved up, as when it waited for a picture."""
TICKS = os.sysconf("SC_CLK_TCK")
REPLICA = b"ray::ServeReplica:familiar_faces:"


class Failed(Exception):
    """It is not as it has to be."""


def main() -> int:
    """Check and return the exit code of the process."""
    parser = argparse.ArgumentParser(prog="script/ray --check")
    parser.add_argument("--weights", required=True)
    parser.add_argument("--portrait", type=Path, required=True)
    parser.add_argument("--throughput", action="store_true", help="only compare two replicas with one")
    asked = parser.parse_args()
    # Ray writes there as well.
    printed = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    with tempfile.TemporaryDirectory(prefix="ff-") as folder:
        check = Check(Path(folder), asked.weights, asked.portrait)
        try:
            figures = check.throughput() if asked.throughput else check.everything()
        except Failed as err:
            say(f"FAILED: {err}")
            return 1
    print(json.dumps(figures), file=printed, flush=True)
    return 0


@dataclass
class Load:
    """What came of asking for a while, and what it took."""

    answered: int = 0
    seconds: float = 0.0
    cpu: dict[str, float] = field(default_factory=dict)
    """Seconds of a processor, by who took them."""
    least: float = 1.0
    """The part of the pictures that the replica was given which was given the fewest."""

    def __iadd__(self, other: Load) -> Self:
        """Take another one in."""
        self.answered += other.answered
        self.seconds += other.seconds
        for name, seconds in other.cpu.items():
            self.cpu[name] = self.cpu.get(name, 0.0) + seconds
        self.least = min(self.least, other.least)
        return self

    @property
    def rate(self) -> float:
        """Return the pictures a second."""
        return self.answered / self.seconds

    def cpu_ms(self) -> dict[str, float]:
        """Return the milliseconds of a processor for a picture."""
        return {name: 1000 * seconds / self.answered for name, seconds in self.cpu.items()}

    def cores(self) -> dict[str, float]:
        """Return how many processors each took."""
        return {name: seconds / self.seconds for name, seconds in self.cpu.items()}

    def __str__(self) -> str:
        """Say it in a line."""
        took = ", ".join(f"{name} {ms:.1f}" for name, ms in self.cpu_ms().items())
        cores = sum(seconds for name, seconds in self.cores().items() if name != "others")
        return f"{self.rate:.1f} pictures a second; ms of a processor each: {took}; {cores:.2f} processors in all"


class Check:
    """One way of asking all that matters."""

    def __init__(self, folder: Path, weights: str, portrait: Path) -> None:
        """Ask about the portrait in a frame of 1080p."""
        self.token_file = folder / "token"
        self.token_file.write_text(TOKEN)
        self.weights = weights
        with Image.open(portrait) as opened:
            self.portrait = opened.convert("RGB")
        self.frames = [self._frame(seed) for seed in range(8)]
        self.port = random.randrange(20000, 32000)

    def everything(self) -> dict[str, Any]:
        """Return the figures; raise Failed."""
        figures: dict[str, Any] = {}
        with self.running(least=1, most=2, patience=600.0):
            self._is_the_same()
            self._refuses()
            figures["grown_s"] = self._grows()
            self._batches(figures)
            figures["replica_kill"] = self._kill("eyes", 2)
            figures["front_kill"] = self._kill("front", 1)
        return figures | self.throughput()

    def throughput(self) -> dict[str, Any]:
        """Return how many pictures a second two replicas see, over what one does, and what explains it.

        On few processors the front, Ray and this client take what a second replica would have. So it is measured once
        more with half a processor for each replica: then there is something left, and it shows whether anything else
        holds them up.
        """
        free = {count: Load() for count in (1, 2)}
        halved = {count: Load() for count in (1, 2)}
        memory: dict[str, float] = {}
        # There and back, so that a machine that becomes slower or faster favours none of them.
        for count in (1, 2, 2, 1):
            with self.running(least=count, most=count):
                self._ask_for(2.0)
                free[count] += (now := self._load())
                say(f"{count} replicas: {now}")
                with limited(pids("eyes"), HALF):
                    self._ask_for(2.0)
                    halved[count] += (now := self._load())
                say(f"{count} replicas with half a processor each: {now}")
                memory |= {f"ray_{name}": self._memory(name) for name in ("eyes", "front")}
                memory["ray_itself"] = rays_own()
        return {
            "ray_2_vs_1": free[2].rate / free[1].rate,
            "ray_2_vs_1_half_cores": halved[2].rate / halved[1].rate,
            "pictures_per_second": {
                "ray_1": free[1].rate,
                "ray_2": free[2].rate,
                "ray_1_half_cores": halved[1].rate,
                "ray_2_half_cores": halved[2].rate,
            },
            "ray_cpu_ms_a_picture": {f"ray_{count}": load.cpu_ms() for count, load in free.items()},
            "ray_cores": {f"ray_{count}": load.cores() for count, load in free.items()},
            "ray_least_share": free[2].least,
            "memory_mb": memory,
        }

    def _load(self) -> Load:
        """Ask for a while; return what came of it, and what it took."""
        before, used, busy, begun = self._told(), processor_seconds(), machine_seconds(), time.monotonic()
        answered = self._ask_for(SECONDS)
        took = time.monotonic() - begun
        cpu = {name: seconds - used[name] for name, seconds in processor_seconds().items()}
        # What else the machine did: much of it spoils the figures.
        cpu["others"] = max(0.0, machine_seconds() - busy - sum(cpu.values()))
        given = [one["pictures"] - before[pid]["pictures"] for pid, one in self._told().items()]
        return Load(answered, took, cpu, min(given) / sum(given))

    def _told(self) -> dict[int, dict[str, int]]:
        """Return what each replica says that it did until now."""
        eyes = serve.get_deployment_handle("eyes", familiar_faces_ray.NAME)
        told: dict[int, dict[str, int]] = {}
        end = time.monotonic() + 30
        while set(told) != set(pids("eyes")):
            expect(time.monotonic() < end, "a replica does not say what it did")
            one = eyes.who.remote().result(timeout_s=30)
            told[one["pid"]] = one
        return told

    @contextmanager
    def running(self, **settings: Any) -> Iterator[None]:
        """Run it on this machine."""
        self.port += 1
        begun = time.monotonic()
        familiar_faces_ray.start(
            {
                "token_file": str(self.token_file),
                "weights": self.weights,
                "host": "127.0.0.1",
                "port": self.port,
                "cores": 0.5,
                **settings,
            }
        )
        say(f"ready after {time.monotonic() - begun:.1f} s")
        try:
            yield
        finally:
            familiar_faces_ray.end()

    def ask(self, frame: bytes, token: str = TOKEN, path: str = "/v1/faces") -> tuple[int, bytes]:
        """Return the status and the body of an answer; 0 when there is none."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=40)
        try:
            connection.request("POST", path, frame, {"Authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        except OSError, http.client.HTTPException:
            return 0, b""
        finally:
            connection.close()

    def _is_the_same(self) -> None:
        """See that a replica sees what the pipeline alone sees, no matter who is embedded beside it."""
        with ThreadPoolExecutor(ASKING) as pool:
            answers = list(pool.map(self.ask, self.frames))
        pipeline = Pipeline(Path(self.weights))
        for frame, (status, body) in zip(self.frames, answers, strict=True):
            expect(status == 200, f"it answers {status}: {body[:200]!r}")
            here, there = pipeline.see(frame, Wish()), faces_from_json(json.loads(body))
            expect(len(here.faces) == len(there.faces) == 2, f"{len(there.faces)} of 2 faces are found")
            for one, other in zip(here.faces, there.faces, strict=True):
                expect(np.allclose(one.box, other.box, atol=0.2), "a face is elsewhere")
                expect(float(one.embedding @ other.embedding) > 0.9999, "an embedding differs")
        say("it sees what the pipeline sees")

    def _refuses(self) -> None:
        expect(self.ask(self.frames[0], "wrong")[0] == 401, "it answers without the token")
        status, body = self.ask(b"no picture")
        expect(status == 400 and b"not a JPEG" in body, f"it says of no picture: {body[:200]!r}")
        expect(b"Traceback" not in body, "it tells where in its code that happened")
        status, _ = self.ask(self.frames[0], path="/v1/faces?upload=1")
        expect(status == 200, f"it answers {status} to an upload")
        say("it refuses what it has to")

    def _grows(self) -> float:
        """Return how long one replica is asked too much until there are two."""
        expect(len(pids("eyes")) == 1, "it does not begin with one replica")
        begun = time.monotonic()
        with self._asking() as lost:
            wait_for(lambda: len(pids("eyes")) == 2, 120, "no replica is added under load")
        took = time.monotonic() - begun
        expect(not lost, f"{len(lost)} pictures were lost while it grew: {lost[:3]}")
        say(f"another replica after {took:.1f} s of load")
        return took

    def _batches(self, figures: dict[str, Any]) -> None:
        with self._asking():
            time.sleep(2)
        each = self._told()
        faces, batches = (sum(one[what] for one in each.values()) for what in ("faces", "batches"))
        figures["faces_a_batch"] = faces / batches
        expect(faces > 1.5 * batches, f"{faces} faces took {batches} runs of the recogniser")
        say(f"{faces} faces in {batches} runs")

    def _kill(self, name: str, count: int) -> dict[str, float]:
        """End one with -9 under load; return what was lost, and how long until as many are there again."""
        wait_for(lambda: len(pids(name)) == count, 60, f"there are not {count} of {name}")
        with self._asking(patient=name == "front") as lost:
            time.sleep(1)
            victim = pids(name)[0]
            begun = time.monotonic()
            os.kill(victim, signal.SIGKILL)
            wait_for(
                lambda: victim not in pids(name) and len(pids(name)) == count,
                120,
                f"no other {name} is started",
            )
            wait_for(lambda: self.ask(self.frames[0])[0] == 200, 60, "it does not answer again")
            took = time.monotonic() - begun
        expect(not lost, f"with a {name} {len(lost)} pictures were lost: {lost[:3]}")
        say(f"{name} killed: nothing lost, {count} there again after {took:.1f} s")
        return {"lost": len(lost), "recovery_s": took}

    @contextmanager
    def _asking(self, frames: Sequence[bytes] | None = None, *, patient: bool = False) -> Iterator[list[int]]:
        """Ask without end; yield the statuses of what was not answered. `patient`: nobody listens for a while."""
        over = threading.Event()
        lost: list[int] = []

        def ask(number: int) -> None:
            while not over.is_set():
                status, _ = self.ask(self.frames[number])
                if status != 200 and not (patient and status == 0):
                    lost.append(status)

        with ThreadPoolExecutor(ASKING) as pool:
            for number in range(ASKING):
                pool.submit(ask, number)
            try:
                yield lost
            finally:
                over.set()

    def _ask_for(self, seconds: float) -> int:
        """Return how many pictures were answered in some seconds."""
        end = time.monotonic() + seconds

        def ask(number: int) -> int:
            answered = 0
            while time.monotonic() < end:
                answered += self.ask(self.frames[number])[0] == 200
            return answered

        with ThreadPoolExecutor(ASKING) as pool:
            return sum(pool.map(ask, range(ASKING)))

    def _memory(self, name: str) -> float:
        """Return the most memory that one of them had, in MB."""
        peaks = []
        for pid in pids(name):
            lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
            peaks.append(next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")))
        return max(peaks)

    def _frame(self, seed: int) -> bytes:
        frame = Image.new("RGB", (1920, 1080), (90 + seed, 100, 110))
        frame.paste(self.portrait, (200 + 7 * seed, 300))
        frame.paste(self.portrait, (1100 + 5 * seed, 250))
        frame.save(data := BytesIO(), "JPEG", quality=90)
        return data.getvalue()


def pids(name: str) -> list[int]:
    """Return the processes of a deployment that are there."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes().startswith(REPLICA + name.encode()):
                found.append(int(path.parent.name))
        except OSError:
            continue
    return sorted(found)


def stats() -> dict[int, tuple[int, float]]:
    """Return the parent of each process, and how many seconds of a processor it has taken."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            said = path.read_text("ascii", "replace").rpartition(") ")[2].split()
        except OSError:
            continue
        found[int(path.parent.name)] = int(said[1]), (int(said[11]) + int(said[12])) / TICKS
    return found


def descendants(each: dict[int, tuple[int, float]]) -> set[int]:
    """Return this process and all that it started, also those whose parent did."""
    inside = {os.getpid()}
    while more := {pid for pid, (parent, _) in each.items() if parent in inside} - inside:
        inside |= more
    return inside


def processor_seconds() -> dict[str, float]:
    """Return the seconds of a processor that each part has taken until now."""
    each = stats()
    names = dict.fromkeys(descendants(each), "ray_itself") | {os.getpid(): "client"}
    names |= dict.fromkeys(pids("eyes"), "replicas") | dict.fromkeys(pids("front"), "front")
    taken = dict.fromkeys(("replicas", "front", "ray_itself", "client"), 0.0)
    for pid, name in names.items():
        taken[name] += each.get(pid, (0, 0.0))[1]
    return taken


def machine_seconds() -> float:
    """Return the seconds that all processors of the machine were busy until now."""
    said = [int(number) for number in Path("/proc/stat").read_text("ascii").split("\n", 1)[0].split()[1:9]]
    return (sum(said) - said[3] - said[4]) / TICKS


@contextmanager
def limited(victims: Sequence[int], share: float) -> Iterator[None]:
    """Let each process compute for a share of one processor: whenever it had more, it is stopped for a moment."""
    over = threading.Event()
    begun, before = time.monotonic(), {pid: stats()[pid][1] for pid in victims}

    def watch() -> None:
        stopped: set[int] = set()
        while not over.wait(0.005):
            allowed = share * (time.monotonic() - begun)
            for pid in victims:
                said = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(") ")[2].split()
                taken = (int(said[11]) + int(said[12])) / TICKS - before[pid]
                # What it did not use a moment ago, it may not use later.
                before[pid] += min(0.0, taken - allowed + MOST_SAVED)
                if taken > allowed and pid not in stopped:
                    os.kill(pid, signal.SIGSTOP)
                    stopped.add(pid)
                elif taken <= allowed and pid in stopped:
                    os.kill(pid, signal.SIGCONT)
                    stopped.remove(pid)

    watching = threading.Thread(target=watch, name="limit", daemon=True)
    watching.start()
    try:
        yield
    finally:
        over.set()
        watching.join()
        for pid in victims:
            os.kill(pid, signal.SIGCONT)


def rays_own() -> float:
    """Return the memory of Ray's own processes, in MB; what several share is counted once."""
    total = 0.0
    for pid in descendants(stats()) - {os.getpid(), *pids("eyes"), *pids("front")}:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()
        except OSError:
            continue
        total += next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)
    return total


def wait_for(true: Callable[[], bool], seconds: float, otherwise: str) -> None:
    """Wait until something is true; raise Failed."""
    end = time.monotonic() + seconds
    while not true():
        expect(time.monotonic() < end, otherwise)
        time.sleep(0.1)


def expect(true: bool, otherwise: str) -> None:
    """Raise Failed with a sentence unless something is true."""
    if not true:
        raise Failed(otherwise)


def say(what: str) -> None:
    """Say how far it is."""
    sys.stderr.write(f"[ray] {what}\n")


if __name__ == "__main__":
    sys.exit(main())
