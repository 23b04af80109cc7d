"""The measures of script/bench. Runs in the engine's environment.

A measure is a function that takes a `Bench` and returns its figures by name; add it to MEASURES.
"""

import argparse
from collections.abc import Callable
from functools import partial
import json
import os
from pathlib import Path
import sys

# As the engine sets it, so that both sides have the same threads and say as little.
os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parent))

from benchmarks import goals, models, places, represent
from benchmarks.context import Bench
from benchmarks.figures import Figures

MEASURES: dict[str, Callable[[Bench], Figures]] = {
    "engine_vs_models": models.engine_vs_models,
    "represent_vs_engine": represent.represent_vs_engine,
    "faces_per_second": models.faces_per_second,
    "engine_ready": models.engine_ready,
    "identify_ms": partial(Bench.home, measure="identify"),
    "home": partial(Bench.home, measure="ring"),
    "alerts": partial(Bench.home, measure="alerts"),
    "loop": partial(Bench.home, measure="loop"),
    "cameras": partial(Bench.home, measure="cameras"),
    "memory": partial(Bench.home, measure="memory"),
    "scale": partial(Bench.home, measure="scale"),
    "panel": partial(Bench.home, measure="panel"),
}


def main() -> None:
    """Run the measures asked for."""
    parser = argparse.ArgumentParser(prog="bench", description="Measure what the project promises.")
    parser.add_argument(
        "measures", nargs="*", metavar="measure", help=f"of {', '.join(MEASURES)} (default: all)"
    )
    parser.add_argument(
        "--engines",
        action="store_true",
        help=f"compare the places where the engine runs instead; measures: {', '.join(places.MEASURES)}",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="hardly any rounds: does it work at all?")
    for hidden in ("weights", "portrait", "group", "home-python"):
        parser.add_argument(f"--{hidden}", type=Path, required=True, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    measures = places.MEASURES if asked.engines else MEASURES
    if unknown := set(asked.measures) - set(measures):
        parser.error(f"unknown measure {', '.join(sorted(unknown))}: there are {', '.join(measures)}")
    bench = Bench(asked.weights, asked.portrait, asked.group, asked.home_python, quick=asked.quick)
    figures: Figures = {}
    for name in asked.measures or measures:
        for figure, value in measures[name](bench).items():
            before = figures.get(figure)
            if isinstance(before, dict) and isinstance(value, dict):
                # Several measures say what their engines weigh.
                value = {**before, **value}
            figures[figure] = value
    figures = {name: goals.rounded(value) for name, value in figures.items()}
    print(json.dumps(figures) if asked.json else goals.table(figures))


if __name__ == "__main__":
    main()
