"""What there is on a machine, and whether it is enough."""

from dataclasses import replace
from pathlib import Path

import pytest

from custom_components.familiar_faces.host import room as room_module
from custom_components.familiar_faces.host.environment import Environment
from custom_components.familiar_faces.host.machine import this_machine
from custom_components.familiar_faces.host.room import Room, room_in, too_little


@pytest.fixture
def system(tmp_path: Path) -> Path:
    """Return the files of a system with 2 GB of memory, half of it available."""
    (tmp_path / "meminfo").write_text(
        "MemTotal:  2000000 kB\nMemAvailable:   1000000 kB\nHugePages_Total: 0\n"
    )
    return tmp_path


def test_the_machine_has_what_is_available(system: Path) -> None:
    assert room_module._memory(system, system) == 1_000_000 * 1024


@pytest.mark.parametrize(
    ("limit", "available"),
    [
        ("max", 1_024_000_000),
        ("500000000", 300_000_000),
        ("100000000", 0),
        ("9000000000000", 1_024_000_000),
    ],
)
def test_a_container_has_what_its_limit_leaves(system: Path, limit: str, available: int) -> None:
    (system / "memory.max").write_text(limit)
    (system / "memory.current").write_text("400000000")
    (system / "memory.stat").write_text("anon 100\nactive_file 50000000\ninactive_file 150000000\n")
    assert room_module._memory(system, system) == available


def test_a_system_that_does_not_say_is_not_refused(tmp_path: Path) -> None:
    assert room_module._memory(tmp_path, tmp_path) is None
    assert too_little(Room(1000, None), 1000, 1000) is None


@pytest.mark.parametrize(
    ("room", "reason_key"),
    [(Room(999, 1000), "no_space"), (Room(1000, 999), "no_memory"), (Room(999, 999), "no_space")],
)
def test_too_little_is_told(room: Room, reason_key: str) -> None:
    failed = too_little(room, 1000, 1000)
    assert failed is not None
    assert failed.reason_key == reason_key


def test_a_folder_that_is_not_there_yet_has_the_room_of_its_disk(tmp_path: Path) -> None:
    assert room_in(tmp_path / "not" / "there").disk > 0


@pytest.mark.parametrize(
    ("processor", "needed", "reason_key"),
    [("x86_64", 1, None), ("x86_64", 10**18, "no_space"), ("riscv64", 1, "unsupported_platform")],
)
@pytest.mark.parametrize("libc", ["glibc", "musl"])
def test_a_survey_says_what_cannot_be_had(
    tmp_path: Path, processor: str, needed: int, reason_key: str | None, libc: str
) -> None:
    machine = replace(this_machine(), processor=processor, libc=libc)
    it = Environment(
        tmp_path / "cache", Path("/python"), (), machine=machine, needed_bytes=needed, needed_memory=1
    )
    survey = it.survey()
    assert (survey.failed.reason_key if survey.failed else None) == reason_key
    assert survey.free_disk
    assert not (tmp_path / "cache").exists()
