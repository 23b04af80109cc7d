"""The tables of docs/accuracy.md, from sets that are found by their names."""

from pathlib import Path

import pytest

from tests.evaluation.conftest import figures, run


@pytest.fixture
def sets(people: Path, tmp_path: Path) -> Path:
    """Return a folder with one of the sets."""
    (tmp_path / "identify").symlink_to(people)
    return tmp_path


def test_the_set_that_is_there_is_measured_in_all_conditions(sets: Path) -> None:
    found = figures("tables", sets, "--table", "pictures", "--table", "promises")

    rows = found["pictures"]
    assert [row["condition"] for row in rows][:3] == ["as is", "45 px", "45 px, grey"]
    assert len({row["condition"] for row in rows}) == len(rows) == 9
    for row in rows:
        assert row["set"] == "identify"
        # The wall that is a probe.
        assert row["not found"] >= 0.1666
        assert row["wrong"] == row["strangers named"] == 0
        assert sum(
            row[kind] for kind in ("right", "wrong", "unclear", "unusable", "stranger")
        ) == pytest.approx(1)
    assert [row["condition"] for row in found["promises"]] == ["relaxed", "balanced", "strict"]
    assert set(found) == {"pictures", "promises"}


def test_without_the_set_that_is_asked_for_it_says_so(sets: Path) -> None:
    done = run("tables", sets, "--set", "clips", "--table", "visits")

    assert done.returncode == 2
    assert done.stderr == f"eval tables: {sets} has none of the sets clips for these tables\n"
