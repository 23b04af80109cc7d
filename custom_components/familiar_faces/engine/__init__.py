"""The engine: turns an image into faces. Knows no names and keeps nothing.

It runs in a process and an environment of its own (see `host`), so that nothing native is ever
loaded into Home Assistant. Home Assistant imports `engine.protocol`, `engine.stream_protocol` and
`engine.proof`, and nothing else.
"""


def _version() -> str:
    """Return the integration's version, which stands in its manifest and nowhere else.

    Nothing is imported for it: the folder above may hold modules named as those of the standard library.
    """
    here = __file__.replace("\\", "/").rpartition("/")[0]
    # Where pip installed it a copy of the manifest lies with it.
    installed = here.endswith("/familiar_faces_engine")
    folder = here if installed else here.rpartition("/")[0]
    try:
        with open(f"{folder}/manifest.json", encoding="utf-8") as file:  # noqa: PTH123
            manifest = file.read()
    except OSError:
        # The engine's folder was copied alone.
        return "unknown"
    return manifest.partition('"version":')[2].partition('"')[2].partition('"')[0] or "unknown"


PROTOCOL = 2
"""The newest protocol that is spoken here. From 2 on requests and answers have a proof, see `proof`."""
OLDEST = 1
"""The oldest that is spoken, too: engine and integration are updated one after the other."""
VERSION = _version()
