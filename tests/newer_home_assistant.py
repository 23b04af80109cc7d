"""The published helpers for tests, made for one release of Home Assistant, on a newer one: `pytest -p` loads this.

What they reach for that has only moved is put where they look for it. A test that fails with this is no test of ours
that can be trusted there: the parts of the suite that script/test runs on a newer release are those that pass.
"""

import importlib

FIRST = (
    # It has httpx2 stand in for httpx, which must not be imported before.
    "homeassistant",
    # These change Home Assistant, and have to do so before more of it is imported.
    "pytest_homeassistant_custom_component.patch_json",
    "pytest_homeassistant_custom_component.patch_recorder",
    "pytest_homeassistant_custom_component.patch_time",
)
"""What is imported before anything else, in this order."""

MOVED = {
    # 2026.11
    "homeassistant.components.logger._clear_logger_overwrites": "homeassistant.components.logger.helpers",
}
"""Where what they look for is now, by where they look for it."""

for module in FIRST:
    importlib.import_module(module)
for name, place in MOVED.items():
    looked_for_in, _, what = name.rpartition(".")
    vars(importlib.import_module(looked_for_in)).setdefault(what, vars(importlib.import_module(place))[what])
