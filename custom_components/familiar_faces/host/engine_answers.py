"""How an engine's answers are read: what single requests and streams share."""

from collections.abc import Mapping
import json
import re
from typing import Any, NoReturn

from ..engine.protocol import Faces, Health, ProtocolError, faces_from_json, health_from_json
from ..engine.stream_protocol import SeenFrame, seen_from_json
from .engine_errors import (
    EngineBusy,
    EngineForged,
    EngineIncompatible,
    EngineMoved,
    EngineRefused,
    EngineUnavailable,
    ImageRejected,
)

PARSE_ELSEWHERE = 128 * 1024
"""Bytes above which an answer is parsed in a thread: this many take about a millisecond."""
RETRY_AFTER_MAX = 60.0
PROBLEM_MAX = 300
"""Characters of a problem's text that are kept."""
_REASONS = {400: "not_an_image", 413: "too_large", 415: "not_an_image"}


def health_of(data: Any) -> Health:
    """Return the health in parsed JSON; raise EngineIncompatible when it is something else."""
    try:
        return health_from_json(data)
    except (ProtocolError, ArithmeticError) as err:
        raise EngineIncompatible("Whatever answers there is not an engine") from err


def faces_of(body: bytes) -> Faces:
    """Return the faces in an answer; raise EngineIncompatible when it is something else."""
    try:
        return faces_from_json(parse(body))
    except (ProtocolError, ArithmeticError) as err:
        raise EngineIncompatible("The engine's answer cannot be understood") from err


def seen_of(data: Mapping[str, Any]) -> SeenFrame:
    """Return what was seen in a frame of a stream; raise EngineIncompatible when it is something else."""
    try:
        return seen_from_json(data)
    except (ProtocolError, ArithmeticError) as err:
        raise EngineIncompatible("The engine's answer cannot be understood") from err


def parse(body: bytes | str) -> Any:
    """Return an answer's JSON; raise EngineIncompatible when it is something else."""
    try:
        return json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as err:
        raise EngineIncompatible("The engine's answer is not JSON") from err


def raise_for(status: int, headers: Mapping[str, str], body: bytes) -> NoReturn:
    """Raise what a status other than 200 means."""
    if status in (401, 403):
        raise EngineRefused("The engine does not accept the token")
    if status in (429, 503) and (retry_after := _retry_after(headers)) is not None:
        raise EngineBusy(retry_after)
    if status >= 500 or status in (408, 429):
        _, detail = _problem(headers, body)
        raise EngineUnavailable(detail or f"The engine failed (HTTP {status})")
    if 300 <= status < 400:
        raise EngineMoved("Whatever answers there sends us elsewhere, which an engine never does")
    raise EngineIncompatible(f"Whatever answers there is not an engine (HTTP {status})")


def rejection(status: int, headers: Mapping[str, str], body: bytes) -> Exception:
    """Return what a refused image means."""
    name, detail = _problem(headers, body)
    if name == "changed":
        return EngineForged("The picture was changed on its way to the engine")
    if detail is not None:
        return ImageRejected(name or _REASONS[status], detail)
    if status == 413:
        # A proxy in between has its own, smaller limit.
        return ImageRejected("too_large", "The image is larger than what lies before the engine lets through")
    return EngineIncompatible(f"Whatever answers there is not an engine (HTTP {status})")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return Retry-After in seconds, within reason; an engine never gives a date."""
    text = headers.get("Retry-After", "")
    return min(float(text), RETRY_AFTER_MAX) if text.isascii() and text.isdigit() else None


def _problem(headers: Mapping[str, str], body: bytes) -> tuple[str | None, str | None]:
    """Return the name and the text of a problem+json (RFC 9457); None for what is missing."""
    if not headers.get("Content-Type", "").startswith("application/problem+json"):
        return None, None
    try:
        problem = parse(body)
    except EngineIncompatible:
        return None, None
    if not isinstance(problem, dict):
        return None, None
    # Its type is a URI reference whose last part names the problem; about:blank says no more than the status.
    uri = str(problem.get("type", "about:blank"))
    name = None if uri == "about:blank" else re.split(r"[/:#]", uri.rstrip("/"))[-1][:PROBLEM_MAX] or None
    detail = str(problem.get("detail") or problem.get("title") or "")
    return name, detail[:PROBLEM_MAX] or None
