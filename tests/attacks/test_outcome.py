"""What the last line and the exit code say."""

import json
from pathlib import Path
from typing import Any

from attacks import __main__ as command
from attacks.attack import Attack
from attacks.catalogue import ATTACKS, chosen
from attacks.grounds import Grounds
from attacks.outcome import Promise, Trial, exit_code, summary
from attacks.plan import ALONE, LANES, carry_out
import pytest

from demo.client import DemoFailed


def trial(name: str = "one", *held: bool, skipped: str = "") -> Trial:
    made = Trial(name, Promise.PAGES, skipped=skipped)
    for each in held:
        made.holds(each, f"{name}  did\nnot hold")
    return made


def test_the_last_line(capsys: pytest.CaptureFixture[str]) -> None:
    command.tell([trial("one", True, False), trial("two", True), trial("three", skipped="no root")], 1.23)
    assert json.loads(capsys.readouterr().out) == {
        "promises": {"pages": {"tries": 3, "failures": 1, "skipped": 1}},
        "failures": [{"attack": "one", "promise": "pages", "why": "one did not hold"}],
        "skipped": {"three": "no root"},
        "seconds": 1.2,
    }


@pytest.mark.parametrize(
    ("trials", "code"),
    [
        ([trial("one", True), trial("two", True)], 0),
        ([trial("one", True), trial("two", skipped="no root")], 0),
        ([trial("one", True, False)], 1),
        # What tried nothing has shown nothing.
        ([trial("one", True), trial("two")], 1),
        ([], 1),
    ],
)
def test_the_exit_code(trials: list[Trial], code: int) -> None:
    assert exit_code(trials) == code


def attack(run: Any, promise: Promise = Promise.PAGES) -> Attack:
    return Attack(run.__name__, promise, "docs/security.md", "", run)


async def holding(_grounds: Grounds, tried: Trial) -> None:
    tried.holds(True, "")


async def breaking_down(_grounds: Grounds, tried: Trial) -> None:
    tried.holds(True, "")
    raise ConnectionError("it is gone")


async def test_one_that_breaks_down_has_failed_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def build(_self: Grounds) -> None:
        """Build nothing."""

    monkeypatch.setattr(Grounds, "build", build)
    said: list[str] = []
    trials = await carry_out(
        Grounds(tmp_path, said.append), [attack(breaking_down), attack(holding, Promise.VAULT)], said.append
    )
    told = summary(trials, 0)
    assert told["promises"]["vault"] == {"tries": 1, "failures": 0, "skipped": 0}
    assert told["promises"]["pages"] == {"tries": 2, "failures": 1, "skipped": 0}
    assert "it is gone" in told["failures"][0]["why"]
    assert exit_code(trials) == 1
    assert any("FAILED" in each for each in said)


async def test_a_home_that_cannot_be_built_fails_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def build(_self: Grounds) -> None:
        raise DemoFailed("no engine")

    monkeypatch.setattr(Grounds, "build", build)
    trials = await carry_out(Grounds(tmp_path, print), [attack(holding)], lambda _text: None)
    assert exit_code(trials) == 1
    assert "no engine" in trials[0].failures[0]


def test_each_promise_is_tried_also_by_the_check() -> None:
    assert sorted((*ALONE, *(each for lane in LANES for each in lane))) == sorted(Promise)
    assert {each.promise for each in chosen([], check=True)} == set(Promise)
    names = [each.name for each in ATTACKS]
    assert len(names) == len(set(names))
    assert [each.name for each in chosen(["full-disk"])] == ["full-disk"]
    assert {each.promise for each in chosen(["vault"])} == {Promise.VAULT}
    assert chosen(["no such attack"]) == []
