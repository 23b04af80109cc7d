"""The bench gives the figures it promises. How fast anything is, is for the bench itself to say."""

import json
import os
from pathlib import Path
import subprocess
import sys
from typing import Any

import pytest

from ..common.in_chromium import CHROMIUM

SCRIPT = Path(__file__).parents[2] / "script"
KINDS = {f"{size}_{faces}" for size in ("720p", "1080p", "4K") for faces in (0, 1, 4)}


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it with hardly any rounds."""
    environment = os.environ | {"FAMILIAR_FACES_VENV": str(Path(sys.prefix))}
    return subprocess.run(
        [SCRIPT / "bench", "--quick", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def figures(*measures: str) -> dict[str, Any]:
    """Return the one JSON object that it prints."""
    done = bench("--json", *measures)
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    return dict(json.loads(line))


@pytest.mark.usefixtures("engine_place")
def test_the_engine_is_measured_beside_the_models_for_every_kind_of_frame() -> None:
    found = figures("engine_vs_models", "identify_ms")
    for name in ("engine_vs_models", "engine_vs_own_models", "engine_ms", "models_ms"):
        assert set(found[name]) == KINDS
        assert all(value > 0 for value in found[name].values())
    assert found["engine_peak_mb"] > 50
    assert list(found["identify_ms"]) == ["100", "1000", "10000"]
    assert all(value > 0 for value in found["identify_ms"].values())


@pytest.mark.usefixtures("engine_place")
def test_a_ring_in_home_assistant_is_measured_from_the_trigger_to_the_event() -> None:
    found = figures("home")
    assert found["ring_to_event_ms"] >= found["ring_to_name_ms"] > found["ha_overhead_ms"] > 0
    assert found["ha_overhead_ms_p95"] >= found["ha_overhead_ms"]


@pytest.mark.usefixtures("engine_place")
def test_alerts_are_measured_at_the_phone_beside_the_name_in_home_assistant() -> None:
    found = figures("alerts")["alerts"]
    assert 0 < found["ring_to_first_ms"] <= found["ring_to_first_ms_p95"]
    assert 0 < found["frame_to_name_ms"] <= found["frame_to_name_ms_p95"]
    # A name takes two frames, and the last one of them is measured.
    assert found["frame_to_name_ms"] < found["ring_to_name_ms"]
    assert found["twenty_alerts"]["loop_ms"] > 0
    assert found["one_alert"]["loop_ms"] > 0


@pytest.mark.usefixtures("engine_place")
def test_what_many_people_and_visits_cost_is_measured_with_its_growth() -> None:
    found = figures("scale")["scale"]
    small, large, growth = found.values()
    assert list(found) == ["5_people_50_visits", "10_people_100_visits", "growth"]
    assert set(small) == set(large) > {"start_ms", "last_visits_ms", "purge_ms", "forget_ms", "ring_hold_ms"}
    assert all(value >= 0 for value in large.values())
    assert set(growth) == {name for name in large if not name.endswith("_hold_ms")}
    assert growth["start_ms"] == pytest.approx(large["start_ms"] / small["start_ms"], rel=0.01)


@pytest.mark.usefixtures("engine_place")
def test_places_of_the_engine_are_compared_with_real_engines() -> None:
    found = figures("--engines", "http_overhead_ms", "workers_2_vs_1", "replica_kill")
    assert set(found["http_overhead_ms"]) == {"unix", "tcp"}
    assert found["workers_2_vs_1"] > 0
    assert min(found["memory_mb"].values()) > 50
    # One of two engines was ended under load.
    assert found["replica_kill"]["lost"] == 0
    assert found["replica_kill"]["recovery_s"] > 0


@pytest.mark.usefixtures("engine_place")
def test_the_panel_is_measured_with_few_visits_beside_many() -> None:
    found = figures("panel")["panel"]
    names = {"open", "older", "live"} | ({"paint"} if CHROMIUM else set())
    assert set(found) == {f"{name}_{what}" for name in names for what in ("ms", "growth")} | {"open_kb"}
    for name in names:
        few, many = found[f"{name}_ms"].values()
        assert min(few, many) > 0
        assert found[f"{name}_growth"] > 0
    # A page is a page, however many there are.
    few, many = found["open_kb"].values()
    assert many == pytest.approx(few, rel=0.1)


@pytest.mark.usefixtures("engine_place")
def test_the_table_says_which_goals_are_met() -> None:
    done = bench("faces_per_second")
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    name, value, sign, goal, verdict = line.split()
    assert (name, sign, goal) == ("faces_per_second", ">=", "55")
    assert verdict == ("met" if float(value) >= 55 else "MISSED")


def test_an_unknown_measure_is_refused_with_those_there_are(engine_place: object) -> None:
    done = bench("--json", "engine_vs_moddels")
    assert done.returncode == 2
    assert not done.stdout
    assert "unknown measure engine_vs_moddels" in done.stderr
    assert "engine_vs_models" in done.stderr.replace("engine_vs_moddels", "")
