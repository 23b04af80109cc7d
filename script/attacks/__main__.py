"""Attack a home in every standing way: script/attack [--check] [--only NAME] [--json]."""

import argparse
import asyncio
from collections.abc import Sequence
import json
import os
from pathlib import Path
import shutil
import sys
from time import monotonic

from demo import home
from demo.until_told import until_told

from .attack import Attack
from .catalogue import ATTACKS, chosen
from .grounds import Grounds
from .outcome import Trial, exit_code, summary
from .plan import carry_out

BEGAN = monotonic()


def main() -> int:
    """Run it; return the process's exit code."""
    parser = argparse.ArgumentParser(prog="script/attack", description=__doc__)
    parser.add_argument(
        "--json", action="store_true", help="print nothing but the last line, one JSON object"
    )
    parser.add_argument("--check", action="store_true", help="only what is quick: in under five minutes")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="NAME",
        help="only this attack, or those of this promise",
    )
    parser.add_argument("--list", action="store_true", help="list the attacks, and stop")
    parser.add_argument("--seed", type=int, default=0, help="another one kills at other moments (default: 0)")
    parser.add_argument(
        "--keep-log", type=Path, metavar="DIR", help="copy Home Assistant's logs into a folder"
    )
    parser.add_argument(
        "--integration", type=Path, metavar="DIR", default=home.SOURCE, help="another checkout's integration"
    )
    asked = parser.parse_args()
    if asked.list:
        for each in ATTACKS:
            print(f"{each.promise:8} {each.name:28} {'--check ' if each.check else '        '} {each.about}")
        return 0
    attacks = chosen(asked.only, check=asked.check)
    if not attacks:
        parser.error("there is no such attack: --list has them")
    try:
        return asyncio.run(until_told(_run(asked, attacks)))
    except asyncio.CancelledError:
        print("[attack] Stopped.", file=sys.stderr)
        return 130


async def _run(asked: argparse.Namespace, attacks: Sequence[Attack]) -> int:
    def say(text: str) -> None:
        if not asked.json:
            print(f"[{monotonic() - BEGAN:6.1f} s] {text}", flush=True)

    cache = Path(os.environ.get("FF_CACHE") or Path.home() / ".cache" / "familiar-faces-dev")
    integration: Path = asked.integration
    if (inner := integration / "custom_components" / home.DOMAIN).is_dir():
        integration = inner
    with home.folder(cache / "homes", None) as folder:
        grounds = Grounds(folder, say, integration, check=asked.check, seed=asked.seed)
        try:
            trials = await carry_out(grounds, attacks, say)
        finally:
            await grounds.close()
            if asked.keep_log is not None:
                await asyncio.to_thread(_keep_logs, folder, asked.keep_log)
    tell(trials, monotonic() - BEGAN)
    return exit_code(trials)


def tell(trials: Sequence[Trial], seconds: float) -> None:
    """Print the last line."""
    print(json.dumps(summary(trials, seconds)), flush=True)


def _keep_logs(folder: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for log in folder.rglob(home.CONSOLE):
        shutil.copy(log, target / f"{'-'.join(log.relative_to(folder).parts[:-1])}.log")


if __name__ == "__main__":
    sys.exit(main())
