"""Try the cameras that people own in a real Home Assistant: script/cameras [--check] [--kind NAME] [--json]."""

import argparse
import asyncio
from collections.abc import Sequence
import json
import os
from pathlib import Path
import shutil
import sys
from time import monotonic

import aiohttp

from demo import home
from demo.client import DemoFailed
from demo.pictures import PictureMissing
from demo.until_told import until_told

from .faces import cast
from .kinds import KINDS, Kind
from .lab import Lab
from .outcome import Figures, figures, missed_goals
from .plan import Plan, chosen, is_spare, smaller

BEGAN = monotonic()


def main() -> int:
    """Run it; return the process's exit code."""
    parser = argparse.ArgumentParser(prog="script/cameras", description=__doc__)
    parser.add_argument(
        "--json", action="store_true", help="print nothing but the last line, one JSON object"
    )
    parser.add_argument(
        "--check", action="store_true", help="a few kinds with a fault each, in under six minutes"
    )
    parser.add_argument(
        "--kind", action="append", default=[], metavar="NAME", help="only kinds whose names have this"
    )
    parser.add_argument(
        "--together",
        action="store_true",
        help="only ring at all doors at the same moment, and measure what is idle",
    )
    parser.add_argument("--list", action="store_true", help="list the kinds, and stop")
    parser.add_argument(
        "--keep-log", type=Path, metavar="DIR", help="copy Home Assistant's log into a folder"
    )
    parser.add_argument(
        "--integration", type=Path, metavar="DIR", default=home.SOURCE, help="another checkout's integration"
    )
    asked = parser.parse_args()
    if asked.list:
        for kind in KINDS:
            print(f"{kind.name:30} {'in --check, ' if kind.check else ''}name within {kind.goal_ms:.0f} ms")
        return 0
    kinds = chosen(asked.kind, check=asked.check)
    if asked.check:
        kinds = [smaller(each) for each in kinds if each.check is not None]
    if asked.together and (asked.check or asked.kind):
        parser.error("--together rings at all of them")
    if not kinds:
        parser.error("there is no such kind of camera: --list has them")
    code = 1
    try:
        return asyncio.run(until_told(_run(asked, kinds)))
    except* asyncio.CancelledError:
        print("[cameras] Stopped.", file=sys.stderr)
        code = 130
    except* DemoFailed as err:
        print(f"[cameras] {_said(err)}", file=sys.stderr)
    except* PictureMissing as err:
        print(f"[cameras] A picture is missing: {_said(err)}.", file=sys.stderr)
    except* (aiohttp.ClientError, TimeoutError, ConnectionError) as err:
        print(f"[cameras] Home Assistant stopped answering: {_said(err)}.", file=sys.stderr)
    return code


def _said(err: BaseException) -> str:
    while isinstance(err, BaseExceptionGroup):
        err = err.exceptions[0]
    return str(err) or repr(err)


async def _run(asked: argparse.Namespace, kinds: Sequence[Kind]) -> int:
    def say(text: str) -> None:
        if not asked.json:
            print(f"[{monotonic() - BEGAN:6.1f} s] {text}", flush=True)

    cache = Path(os.environ.get("FF_CACHE") or Path.home() / ".cache" / "familiar-faces-dev")
    integration = asked.integration
    if (inner := integration / "custom_components" / home.DOMAIN).is_dir():
        integration = inner
    films = cache / "films"
    labelled = os.environ.get("FAMILIAR_FACES_TEST_FACES")
    people = await cast(films, Path(labelled) if labelled else None)
    with home.folder(cache / "homes", None) as folder:
        lab = Lab(folder, films, people, say, few=asked.check)
        plan = Plan(lab, check=asked.check, together=asked.together)
        try:
            await lab.build_doors(kinds)
            await lab.start(home.free_port(0), integration)
            await plan.add_cameras()
            await plan.go()
        finally:
            await lab.close()
            if asked.keep_log is not None and (folder / home.CONSOLE).exists():
                asked.keep_log.mkdir(parents=True, exist_ok=True)
                shutil.copy(folder / home.CONSOLE, asked.keep_log)
    tried = [] if asked.together else [each for each in kinds if not is_spare(each)]
    told: dict[str, Figures] = {
        each.kind.name: figures([record for record in each.records if record not in plan.together])
        for each in lab.stations
        if each.kind in tried
    }
    if plan.together:
        told["together"] = figures(plan.together)
    missed = missed_goals(tried, told, plan.cpu, few=asked.check)
    for each in missed:
        say(f"MISSED: {each}.")
    summary = {
        "kinds": told,
        "wrong": sum(each["wrong"] or 0 for each in told.values()),
        "stale": sum(each["stale"] or 0 for each in told.values()),
        "cpu": plan.cpu,
        "missed_goals": missed,
    }
    print(json.dumps(summary), flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
