"""What pictures that are made to take much can take: of memory, of time, and of those who ring."""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
import statistics
import threading
import time

from PIL import Image
import pytest

from tests.common import hostile, pictures
from tests.common.engine_process import EngineProcess, running_engine
from tests.common.phone_photos import phone_photo

MOST_MB = 450
"""What docs/engine-limits.md says that the engine and everything it starts use."""
PHOTO = "upload=1&portraits=1&mirrored=1&search_turned=1"
"""How a photo that somebody sends in is looked at."""
FRAMES = ("the one that stopped it", "png, 16 bits", "webp, lossless")
"""What is shown by a camera besides."""
TRIES = 7


@pytest.fixture(scope="module")
def own(prepared: None) -> Generator[EngineProcess]:
    """Return an engine whose memory is measured."""
    with running_engine() as process:
        yield process


def _decoders(pid: int) -> list[int]:
    """Return the processes that decode pictures for an engine."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):
            found += [int(child) for child in (task / "children").read_text("ascii").split()]
    # Between its start and its program a child still is the engine, with the engine's memory, counted twice.
    return [child for child in found if b"\0apart\0" in _command(child)]


def _command(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def _held_mb(pid: int, *names: str) -> float:
    """Return what a process holds of some kinds of memory, as /proc names them."""
    with suppress(OSError):
        lines = (line.split() for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines())
        return sum(int(line[1]) for line in lines if line[0].rstrip(":") in names) / 1024
    return 0.0


def _engine_mb(pid: int) -> float:
    return _held_mb(pid, "VmRSS")


def _decoder_mb(pid: int) -> float:
    """Return what a decoder adds: the files that it has mapped are the engine's as well."""
    return _held_mb(pid, "RssAnon", "RssShmem")


class _Memory:
    """The most that an engine and its decoders held together."""

    def __init__(self, pid: int) -> None:
        self.most = 0.0
        self.what: tuple[float, ...] = ()
        self._pid = pid

    @contextmanager
    def watched(self) -> Generator[None]:
        """Look again and again."""
        over = threading.Event()

        def watch() -> None:
            while not over.wait(0.01):
                held = [_engine_mb(self._pid), *map(_decoder_mb, _decoders(self._pid))]
                if sum(held) > self.most:
                    self.most, self.what = sum(held), tuple(round(each) for each in held)

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def _status(engine: EngineProcess, image: bytes, query: str = "") -> int:
    """Return how an engine answers, with patience: a photo comes behind all else that a machine does."""
    return engine.request("POST", f"/v1/faces?{query}", image, timeout=240).status


def _frame() -> bytes:
    scene = Image.new("RGB", (1280, 720), "grey")
    scene.paste(pictures.astronaut(), (500, 300))
    return pictures.jpeg(scene)


def _large_frame() -> bytes:
    scene = Image.new("RGB", (3840, 2160), "grey")
    scene.paste(pictures.astronaut().resize((100, 100)), (900, 700))
    return pictures.jpeg(scene)


def test_no_picture_takes_more_memory_than_is_said(own: EngineProcess) -> None:
    assert own.process is not None
    memory = _Memory(own.process.pid)
    sent = dict(hostile.pictures())
    sent["avif"] = phone_photo(Image.new("RGB", (4000, 3000), "grey"), "avif")
    frame = _large_frame()
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            own.post(frame)
            time.sleep(0.1)

    with memory.watched(), ThreadPoolExecutor(1) as camera:
        looking = camera.submit(look)
        try:
            # As one is sent in, and as a camera may show it.
            answers = {f"{name}, photo": _status(own, each, PHOTO) for name, each in sent.items()}
            answers |= {f"{name}, frame": _status(own, sent[name]) for name in FRAMES}
        finally:
            over.set()
        looking.result()
    assert set(answers.values()) <= {200, 400, 413}, answers
    assert answers["the one that stopped it, photo"] == 413
    assert answers["png, 16 bits, photo"] == answers["jpeg, plain, photo"] == answers["avif, photo"] == 200
    assert memory.most < MOST_MB, memory.what


def test_a_ring_is_named_at_once_while_photos_are_looked_at(own: EngineProcess) -> None:
    frame = _frame()
    heavy = hostile.flat_png(3800, 3800, depth=16, colour=6, interlaced=True)

    def look() -> float:
        begun = time.perf_counter()
        assert own.faces(frame).faces
        return time.perf_counter() - begun

    alone = statistics.median(look() for _ in range(TRIES))
    with ThreadPoolExecutor(6) as visitors:
        sent = [visitors.submit(_status, own, heavy, PHOTO) for _ in range(6)]
        time.sleep(0.3)
        meanwhile: list[float] = []
        while not all(each.done() for each in sent) and len(meanwhile) < 40:
            meanwhile.append(look())
            time.sleep(0.02)
        assert len(meanwhile) > TRIES
        assert {each.result() for each in sent} <= {200, 503}
    # A step of a photo, and a decoder beside it on another core, or behind it on the same.
    assert statistics.median(meanwhile) < 2 * alone + 0.1, (alone, meanwhile)
    assert max(meanwhile) < 10 * alone + 0.5, (alone, meanwhile)


def test_photos_fill_their_own_waiting_room_and_not_that_of_the_cameras(own: EngineProcess) -> None:
    heavy = hostile.flat_png(3300, 3300)
    with ThreadPoolExecutor(12) as visitors:
        sent = [visitors.submit(_status, own, heavy, PHOTO) for _ in range(12)]
        time.sleep(0.5)
        assert own.post(_frame()).status == 200
        statuses = [each.result() for each in sent]
    assert statuses.count(503) >= 4
    assert 200 in statuses
