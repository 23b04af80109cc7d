"""What the engine counts of its own work, for monitoring: `GET /metrics`, as Prometheus reads it.

Only the work is counted, never what was seen: how many faces a picture has would say in a monitoring system, which
keeps it for months, when somebody came.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
import time

from aiohttp import hdrs, web
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    generate_latest,
)

from . import PROTOCOL, VERSION
from .sessions import Card
from .work_queue import BusyError

METRICS = "/metrics"
KEPT_SECONDS = 1.0
"""How long the same figures are answered: asking more often makes no more work."""
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds in seconds, from a small frame without a face to a photo that takes all of its time."""


class Kind(StrEnum):
    """How a picture came."""

    CAMERA = "camera"
    UPLOAD = "upload"
    STREAM = "stream"


class Outcome(StrEnum):
    """What became of it."""

    ANSWERED = "answered"
    REFUSED = "refused"
    """It is no picture, or too large, or came too slowly."""
    BUSY = "busy"
    FAILED = "failed"
    LEFT = "left"
    """Anyone who asked hung up first."""


@dataclass(slots=True)
class Asked:
    """One picture that is asked about."""

    kind: Kind
    outcome: Outcome = Outcome.ANSWERED
    work: float | None = None
    """Seconds of work, without waiting; None where there was none."""

    def answer(self, status: int) -> None:
        """Take note of the status of an answer over HTTP."""
        if status == 503:
            self.outcome = Outcome.BUSY
        elif status >= 400:
            self.outcome = Outcome.FAILED if status >= 500 else Outcome.REFUSED


class Metrics:
    """The figures of one engine."""

    def __init__(self, model: str, workers: int, card: Card) -> None:
        """Begin to count."""
        # One of our own: nothing else that a library counts is told.
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        Info("familiar_faces_engine", "The engine that answers.", registry=registry).info(
            {"version": VERSION, "protocol": str(PROTOCOL), "model": model, "provider": card.asked}
        )
        Gauge(
            "familiar_faces_fell_back",
            "1 while a graphics card was asked for and the processor computes instead.",
            registry=registry,
        ).set_function(lambda: card.used is not card.asked)
        Gauge("familiar_faces_workers", "Pictures looked at together.", registry=registry).set(workers)
        self._pictures = Counter(
            "familiar_faces_pictures", "Pictures asked about.", ("kind", "outcome"), registry=registry
        )
        self._work = Histogram(
            "familiar_faces_work_seconds",
            "Time that a picture takes, without waiting.",
            ("kind",),
            buckets=_BUCKETS,
            registry=registry,
        )
        self._answers = Histogram(
            "familiar_faces_answer_seconds",
            "Time from a question to its answer, with waiting.",
            ("kind",),
            buckets=_BUCKETS,
            registry=registry,
        )
        self._inside = Gauge(
            "familiar_faces_inside", "Pictures waiting or looked at.", ("queue",), registry=registry
        )
        self._streams = Gauge("familiar_faces_streams", "Streams being decoded.", registry=registry)
        self._refused = Counter(
            "familiar_faces_refused", "Requests without the right token.", registry=registry
        )
        # Those that did not happen yet are 0, and not missing: a rate needs a beginning.
        for kind in Kind:
            self._work.labels(kind)
            self._answers.labels(kind)
            for outcome in Outcome:
                self._pictures.labels(kind, outcome)
        self._kept: tuple[float, bytes] | None = None

    def watch(self, looks: Callable[[], int], uploads: Callable[[], int], streams: Callable[[], int]) -> None:
        """Have these say how many there are whenever the figures are asked for."""
        self._inside.labels("looks").set_function(looks)
        self._inside.labels("uploads").set_function(uploads)
        self._streams.set_function(streams)

    def refused(self) -> None:
        """Count a request without the right token."""
        self._refused.inc()

    @contextmanager
    def picture(self, kind: Kind) -> Iterator[Asked]:
        """Count a picture, and how it went."""
        asked = Asked(kind)
        begun = time.perf_counter()
        try:
            yield asked
        except BusyError:
            asked.outcome = Outcome.BUSY
            raise
        except (asyncio.CancelledError, ConnectionError):
            asked.outcome = Outcome.LEFT
            raise
        except BaseException:
            asked.outcome = Outcome.FAILED
            raise
        finally:
            self._pictures.labels(asked.kind, asked.outcome).inc()
            if asked.outcome is Outcome.ANSWERED:
                self._answers.labels(asked.kind).observe(time.perf_counter() - begun)
            if asked.work is not None:
                self._work.labels(asked.kind).observe(asked.work)

    async def serve(self, _: web.Request) -> web.Response:
        """Answer with the figures."""
        now = time.monotonic()
        if self._kept is None or now - self._kept[0] > KEPT_SECONDS:
            self._kept = (now, generate_latest(self._registry))
        return web.Response(body=self._kept[1], headers={hdrs.CONTENT_TYPE: CONTENT_TYPE_LATEST})
