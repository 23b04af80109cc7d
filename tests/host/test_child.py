"""Children are started clean, read with limits, and ended with all their own."""

import asyncio
import os
from pathlib import Path
import signal
import sys

import pytest

from custom_components.familiar_faces.host import child as child_module
from custom_components.familiar_faces.host.child import MAX_LINE, NICE, TAIL, Child, clean_environment, run
from tests.common.processes import alive, eventually

PYTHON = sys.executable


def test_children_get_no_secret_and_nothing_that_changes_python(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "LD_PRELOAD", "SUPERVISOR_TOKEN", "UV_SYSTEM_PYTHON",
        "UV_PYTHON", "UV_PROJECT_ENVIRONMENT", "UV_NO_VERIFY_HASHES",
    ):  # fmt: skip
        monkeypatch.setenv(name, "bad")
    for name in (
        "https_proxy", "HTTPS_PROXY", "SSL_CERT_FILE", "UV_INDEX_URL", "UV_NO_CACHE", "UV_CACHE_DIR",
        "PIP_INDEX_URL",
    ):  # fmt: skip
        monkeypatch.setenv(name, "net")
    monkeypatch.setenv("HOME", "/home/of/somebody")

    offline = clean_environment(network=False)
    assert offline["HOME"] == "/home/of/somebody"
    assert not {"bad", "net"} & set(offline.values())
    online = clean_environment(network=True)
    assert "bad" not in online.values()
    assert [name for name in os.environ if os.environ[name] == "net" and name not in online] == []


async def test_a_child_that_ends_gives_its_code_and_last_lines(tmp_path: Path) -> None:
    script = "import sys\nfor n in range(100): print('line', n)\nsys.stderr.write('an end')\nsys.exit(3)"
    code, tail = await run([PYTHON, "-uc", script], env={}, cwd=tmp_path, timeout=60)
    assert code == 3
    assert tail == [f"line {n}" for n in range(101 - TAIL, 100)] + ["an end"]


async def test_what_a_child_says_is_cut_and_made_printable(tmp_path: Path) -> None:
    script = (
        "import sys; out = sys.stdout.buffer\n"
        "out.write(b'x' * 5_000_000 + b'\\n')\n"
        "out.write(b'\\x1b[31mred\\x00 \\xff\\xfe end\\n\\n  \\n')"
    )
    _, tail = await run([PYTHON, "-c", script], env={}, cwd=tmp_path, timeout=60)
    assert tail == ["x" * MAX_LINE, "[31mred  �� end"]


async def test_children_stand_back(tmp_path: Path) -> None:
    own = os.getpriority(os.PRIO_PROCESS, 0)
    script = "import os, time; time.sleep(0.2); print(os.getpriority(os.PRIO_PROCESS, 0))"
    _, tail = await run([PYTHON, "-c", script], env={}, cwd=tmp_path, timeout=60)
    assert int(tail[0]) == max(own, NICE)


async def test_what_is_not_there_cannot_be_started(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nothing-of-that-name"):
        await run(["/nothing-of-that-name"], env={}, cwd=tmp_path, timeout=60)


FAMILY = (
    "import subprocess, sys, time\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
    "print(child.pid, flush=True)\n"
    "time.sleep(60)"
)


@pytest.mark.parametrize("how", ["cancelled", "timeout"])
async def test_the_whole_family_ends(tmp_path: Path, how: str) -> None:
    lines: list[str] = []
    timeout = 60.0 if how == "cancelled" else 3.0
    task = asyncio.create_task(
        run([PYTHON, "-c", FAMILY], env={}, cwd=tmp_path, timeout=timeout, on_line=lines.append)
    )
    await eventually(lambda: bool(lines))
    grandchild = int(lines[0])
    assert alive(grandchild)
    if how == "cancelled":
        task.cancel()
    with pytest.raises(asyncio.CancelledError if how == "cancelled" else TimeoutError):
        await task
    await eventually(lambda: not alive(grandchild))


async def test_a_child_that_does_not_want_to_end_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_module, "STOP_GRACE", 0.3)
    script = (
        "import signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('deaf', flush=True)\n"
        "time.sleep(60)"
    )
    said = asyncio.Event()
    child = await Child.spawn([PYTHON, "-c", script], env={}, cwd=tmp_path, on_line=lambda _: said.set())
    await said.wait()
    await child.stop()
    assert child.returncode == -signal.SIGKILL
    assert child.describe_end() == "ended by SIGKILL"
    assert not alive(child.pid)


async def test_a_child_that_ends_by_itself_when_asked_is_not_killed(tmp_path: Path) -> None:
    child = await Child.spawn(["/bin/sleep", "60"], env={}, cwd=tmp_path)
    await child.stop()
    assert child.returncode == -signal.SIGTERM


async def test_a_child_who_holds_the_output_open_does_not_hold_us(tmp_path: Path) -> None:
    script = "import subprocess, sys\nchild = subprocess.Popen(['/bin/sleep', '120'])\nprint(child.pid, flush=True)"
    async with asyncio.timeout(60):
        code, tail = await run([PYTHON, "-c", script], env={}, cwd=tmp_path, timeout=60)
    assert code == 0
    os.kill(int(tail[0]), signal.SIGKILL)
