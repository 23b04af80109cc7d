"""Write down what a release of Home Assistant needs to be run here: script/lock asks it for a new one.

    home_assistant.py VERSION FOLDER

FOLDER holds that release unpacked, without what it depends on. Integrations ask for their packages in their own
manifests and not in Home Assistant's, and have them installed when they are set up: where that must not happen,
they are named here. Written are `requirements/RELEASE/demo.in` and `dev.in`.
"""

from collections.abc import Iterable
import json
from pathlib import Path
import sys

ROOT = Path(__file__).resolve().parent.parent
DEMO = ("assist_pipeline", "mobile_app")
"""Integrations that the demo sets up: the companion app's brings the voice assistant along."""
TESTS = ("assist_pipeline", "frontend", "mobile_app", "stream")
"""Those that the tests set up: nothing is installed while they run."""


def release(version: str) -> str:
    """Return the release that a version belongs to: 2026.11 of 2026.11.2."""
    return ".".join(version.split(".")[:2])


def needed(components: Path, domains: Iterable[str]) -> list[str]:
    """Return the packages of integrations, and of those that they depend on."""
    waiting, known, packages = list(domains), set(), set()
    while waiting:
        if (domain := waiting.pop()) in known:
            continue
        known.add(domain)
        manifest = json.loads((components / domain / "manifest.json").read_text())
        packages |= set(manifest.get("requirements", ()))
        waiting += manifest.get("dependencies", ())
    return sorted(packages, key=str.lower)


def write(version: str, unpacked: Path, root: Path = ROOT) -> Path:
    """Write both lists of a version, and return the folder that they are in."""
    folder = root / "requirements" / release(version)
    folder.mkdir(exist_ok=True)
    components = unpacked / "homeassistant" / "components"
    for name, domains in (("demo", DEMO), ("dev", TESTS)):
        lines = [
            f"# What Home Assistant {release(version)} needs here: written by script/lock --home-assistant.",
            f"homeassistant=={version}",
            *needed(components, domains),
        ]
        (folder / f"{name}.in").write_text("\n".join(lines) + "\n")
    return folder


if __name__ == "__main__":
    write(sys.argv[1], Path(sys.argv[2]))
