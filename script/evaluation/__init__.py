"""Measures how well people are recognised, with the shipped engine and the shipped decisions.

Runs in the engine's environment, which has no Home Assistant. The integration's package needs one to be
imported, its pure rooms (`engine`, `people`, `visits` but for the watcher) do not: so the package's name is
made known here with nothing in it but where its rooms lie.
"""

from importlib.util import find_spec
from pathlib import Path
import sys
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]


def _name_package(name: str, folder: Path) -> None:
    package = ModuleType(name)
    package.__path__ = [str(folder)]
    sys.modules[name] = package


if find_spec("homeassistant") is None:
    _name_package("custom_components", ROOT / "custom_components")
    _name_package("custom_components.familiar_faces", ROOT / "custom_components" / "familiar_faces")
