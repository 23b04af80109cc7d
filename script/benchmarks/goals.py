"""The goals beside the figures, and the table that shows both."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
import operator

from .figures import Figure, Figures

AT_MOST, AT_LEAST = "<=", ">="
GOALS: dict[str, tuple[str, float]] = {
    "engine_vs_models.*": (AT_MOST, 1.15),
    "represent_vs_engine.4K_*": (AT_LEAST, 1.5),
    "ha_overhead_ms_p95": (AT_MOST, 15),
    "alerts.ring_to_first_ms_p95": (AT_MOST, 300),
    "alerts.frame_to_name_ms_p95": (AT_MOST, 300),
    "loop_hold_ms_max": (AT_MOST, 10),
    "identify_ms.10000": (AT_MOST, 1),
    "ha_growth_mb": (AT_MOST, 1),
    "engine_growth_mb": (AT_MOST, 1),
    "engine_cores": (AT_MOST, 1),
    "engine_nice": (AT_LEAST, 1),
    "faces_per_second": (AT_LEAST, 55),
    "http_overhead_ms.unix": (AT_MOST, 3),
    "http_overhead_ms.tcp": (AT_MOST, 5),
    "musl_vs_glibc.pictures": (AT_LEAST, 0.97),
    "musl_vs_glibc.ready_s": (AT_MOST, 5),
    "workers_2_vs_1": (AT_LEAST, 1.7),
    "ray_2_vs_1": (AT_LEAST, 1.7),
    "replica_kill.lost": (AT_MOST, 0),
    "memory_mb.glibc": (AT_MOST, 450),
    "memory_mb.musl": (AT_MOST, 450),
    "memory_mb.workers_1": (AT_MOST, 450),
    "scale.1000_people_100000_visits.last_visits*_ms": (AT_MOST, 20),
    "scale.*_hold_ms": (AT_MOST, 50),
    "panel.open_ms.*": (AT_MOST, 400),
    "panel.live_ms.*": (AT_MOST, 150),
    "panel.paint_ms.*": (AT_MOST, 500),
    "panel.*_growth": (AT_MOST, 1.2),
}
"""By figure, `*` standing for the rest of its name. A growth of 1 MB is what an allocator breathes."""
_MEETS = {AT_MOST: operator.le, AT_LEAST: operator.ge}


def table(figures: Figures) -> str:
    """Return the figures, one a line, with the goal beside each that has one and whether it is met."""
    lines = []
    for name, value in _flat(figures):
        if (goal := _goal(name, figures)) is None:
            lines.append(f"{name:32} {value:10.3f}")
        else:
            sign, limit = goal
            verdict = "met" if _MEETS[sign](value, limit) else "MISSED"
            lines.append(f"{name:32} {value:10.3f}  {sign} {limit:<6g} {verdict}")
    return "\n".join(lines)


def rounded(figure: Figure) -> Figure:
    """Return a figure, or an object of them, as short as it means something."""
    if isinstance(figure, dict):
        return {name: rounded(value) for name, value in figure.items()}
    return round(figure, 3)


def _goal(name: str, figures: Figures) -> tuple[str, float] | None:
    group, _, rest = name.partition(".")
    if group == "faces_found" and rest.endswith(".ours"):
        kinds = figures[group]
        assert isinstance(kinds, dict)
        there = dict(_flat(kinds))[f"{rest.removesuffix('.ours')}.there"]
        return AT_LEAST, there
    return next((goal for pattern, goal in GOALS.items() if fnmatchcase(name, pattern)), None)


def _flat(figures: Figures, before: str = "") -> Iterator[tuple[str, float]]:
    for name, value in figures.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield before + name, value
