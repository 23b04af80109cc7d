"""Opens an older vault again and again, each time killed a little later, until it is migrated. A process of its own.

Prints how many statements one migration runs, and how often it was killed.
"""

import os
from pathlib import Path
import shutil
import signal
import sqlite3
import sys
from typing import Any

from custom_components.familiar_faces.vault import database
from custom_components.familiar_faces.vault.store import Vault

KILLS = 25
_connect = sqlite3.connect


def open_in_a_fork(folder: Path, kill_at: int | None) -> int:
    """Open a vault in a process that kills itself at a statement; return how many it ran, -1 when it was killed."""
    reader, writer = os.pipe()
    if (pid := os.fork()) == 0:
        ran = 0

        def count(_statement: str) -> None:
            nonlocal ran
            ran += 1
            if ran == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

        def connect(*args: Any, **options: Any) -> sqlite3.Connection:
            connection: sqlite3.Connection = _connect(*args, **options)
            connection.set_trace_callback(count)
            return connection

        database.sqlite3.connect = connect  # type: ignore[attr-defined]
        try:
            Vault.open(folder).close()
            os.write(writer, str(ran).encode())
        finally:
            os._exit(0)
    os.close(writer)
    told = os.read(reader, 100)
    os.close(reader)
    os.waitpid(pid, 0)
    return int(told) if told else -1


def main() -> None:
    """Migrate the vault in a folder."""
    folder = Path(sys.argv[1])
    rehearsal = folder.with_name("rehearsal")
    shutil.copytree(folder, rehearsal)
    statements = open_in_a_fork(rehearsal, None)
    killed = sum(
        open_in_a_fork(folder, kill_at) < 0
        for kill_at in range(1, statements + 1, max(1, statements // KILLS))
    )
    if open_in_a_fork(folder, None) < 0:
        raise SystemExit("the vault did not open after the kills")
    sys.stdout.write(f"{statements} {killed}\n")


if __name__ == "__main__":
    main()
