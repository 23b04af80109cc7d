"""The engine: turns an image into faces. Knows no names and keeps nothing.

It runs in a process and an environment of its own (see `host`), so that nothing native is ever
loaded into Home Assistant. Home Assistant imports `engine.protocol` and `engine.stream_protocol`, and nothing else.
"""

import json
from pathlib import Path


def _version() -> str:
    """Return the integration's version, which stands in its manifest and nowhere else."""
    manifest = Path(__file__).parent.parent / "manifest.json"
    try:
        return str(json.loads(manifest.read_text(encoding="utf-8"))["version"])
    except OSError:
        # The engine's folder was copied alone.
        return "unknown"


PROTOCOL = 1
VERSION = _version()
