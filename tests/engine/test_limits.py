"""What a process of the engine's may take, and that nothing of it lies on the disk when it crashes."""

import os
from pathlib import Path
import signal

import pytest

from custom_components.familiar_faces.engine import limits
from tests.common.engine_process import EngineProcess, run_in_engine

PATTERN = Path("/proc/sys/kernel/core_pattern")

GROW = """
import numpy as np
from engine.limits import limit_growth
before = bytearray(32 << 20)
told = limit_growth(64 << 20)
small = bytearray(16 << 20)
def refused(make):
    try:
        make()
    except MemoryError:
        return True
    return False
print(json.dumps([told, refused(lambda: bytearray(80 << 20)), refused(lambda: np.zeros(80 << 20, np.uint8)),
                  refused(lambda: bytearray(8 << 20))]))
"""

CRASH = """
import resource
from engine.limits import leave_no_core
os.chdir(sys.argv[1])
resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
if sys.argv[2] == "ours":
    leave_no_core()
    # As a system that hands cores to a program: it heeds no limit.
    import ctypes
    assert ctypes.CDLL(None).prctl(3, 0, 0, 0, 0) == 0
    assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)
os.abort()
"""


def test_more_than_may_be_taken_is_refused_and_less_is_not(prepared: None) -> None:
    assert run_in_engine(GROW) == [True, True, True, False]


def _core_after(folder: Path, whose: str) -> bool:
    """Crash a process in a folder and return whether it left a core, also by what the system says of its end."""
    folder.mkdir()
    with pytest.raises(AssertionError):
        run_in_engine(CRASH, folder, whose)
    return any(folder.iterdir())


def test_a_crash_leaves_no_core(prepared: None, tmp_path: Path) -> None:
    assert not _core_after(tmp_path / "ours", "ours")
    # Where the system writes none at all, or to another place, the test of the process below is what tells.
    if PATTERN.read_text("ascii").strip() == "core" and os.getuid() == 0:
        assert _core_after(tmp_path / "others", "others")


def test_the_engine_and_its_decoders_leave_no_core(prepared: None) -> None:
    engine = EngineProcess().start()
    assert engine.process is not None
    limits = Path(f"/proc/{engine.process.pid}/limits").read_text("ascii").splitlines()
    (core,) = (line.split() for line in limits if line.startswith("Max core file size"))
    (data,) = (line.split() for line in limits if line.startswith("Max data size"))
    engine.process.send_signal(signal.SIGSEGV)
    _, status = os.waitpid(engine.process.pid, 0)
    engine.process.returncode = -signal.SIGSEGV
    engine.kill()
    assert core[4:6] == ["0", "0"]
    assert data[3] != "unlimited"
    assert os.WTERMSIG(status) == signal.SIGSEGV
    assert not os.WCOREDUMP(status)


def test_a_decoder_leaves_none_either(prepared: None) -> None:
    code = """
from engine import apart
import ctypes, resource
apart.confine()
print(json.dumps([resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)]))
"""
    assert run_in_engine(code) == [[0, 0], 0]


@pytest.mark.parametrize(
    ("cores", "memory", "workers"),
    [
        (1, None, 1),
        (2, None, 1),
        (4, None, 3),
        (64, None, 4),
        (4, 512 << 20, 1),
        (4, 600 << 20, 2),
        (4, 100 << 20, 1),
        (4, 8 << 30, 3),
    ],
)
def test_workers_are_as_many_as_processors_and_memory_allow(
    cores: int, memory: int | None, workers: int
) -> None:
    assert limits.workers_for(cores, memory) == workers


def test_what_a_container_allows_counts(tmp_path: Path) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 9000000 kB\nMemAvailable: 8000000 kB\n")
    assert limits.own_memory(tmp_path, meminfo) == 8_000_000 * 1024
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert limits.own_memory(tmp_path, meminfo) == 8_000_000 * 1024
    cores = limits.own_cores(tmp_path)
    (tmp_path / "memory.max").write_text("536870912\n")
    (tmp_path / "cpu.max").write_text("100000 100000\n")
    assert limits.own_memory(tmp_path, meminfo) == 512 << 20
    assert limits.own_cores(tmp_path) == 1 <= cores
    assert limits.own_memory(tmp_path / "none", tmp_path / "none") is None
