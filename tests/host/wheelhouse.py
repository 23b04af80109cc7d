"""A small engine made of two small packages in a folder of wheels, so that the real uv builds it in a second."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
import hashlib
import os
from pathlib import Path
import sys
from typing import Any
import zipfile

from custom_components.familiar_faces.engine.protocol import REQUEST
from custom_components.familiar_faces.host.environment import Environment
from custom_components.familiar_faces.host.serving import ENGINE

PYTHON = Path(sys.executable)
UV = (sys.executable, "-m", "uv")
MODEL = bytes(range(256)) * 400

# The real engine's way to say why it does not start, around a server of the standard library.
MAIN = """
import hashlib, importlib.util, json, os, sys, threading, traceback
from pathlib import Path

spec = importlib.util.spec_from_file_location("last_words", {last_words!r})
last_words = importlib.util.module_from_spec(spec)
spec.loader.exec_module(last_words)


def given(name):
    return Path(sys.argv[sys.argv.index(name) + 1])


def weights():
    import weightbox

    kept = given("--weights") / "model.bin"
    kept.parent.mkdir(parents=True, exist_ok=True)
    for path in (kept, Path(weightbox.__file__).with_name("model.bin")):
        if path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == {sha256!r}:
            kept.write_bytes(path.read_bytes())
            return
    last_words.say_why("weights", "", "model.bin is damaged")
    raise SystemExit("engine: model.bin is damaged")


def serve():
    import http.server
    import socketserver

    import shapes.corners

    assert shapes.corners.count() == 4
    weights()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps({{"version": "1", "protocol": 1, "model": {{"name": "small"}}}}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.send_header({request!r}, self.headers[{request!r}])
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    def end_with_parent():
        sys.stdin.read()
        os._exit(0)

    threading.Thread(target=end_with_parent, daemon=True).start()
    with socketserver.UnixStreamServer(os.fspath(given("--socket")), Handler) as server:
        server.serve_forever()


try:
    {{"serve": serve, "fetch-weights": weights}}[sys.argv[1]]()
except Exception as err:
    traceback.print_exc()
    last_words.say_why("import", last_words.module_of(err), repr(err))
    raise SystemExit(1) from err
"""


@dataclass
class SmallEngine:
    """Wheels, requirements and an engine's folder, all below `root`, and where its environment is made."""

    root: Path
    hashes: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make it all."""
        for folder in (self.wheels, self.engine):
            folder.mkdir(parents=True)
        self.hashes["shapes"] = self.wheel("shapes", "1.0", self.shapes())
        self.hashes["weightbox"] = self.wheel(
            "weightbox", "1.0", {"weightbox/__init__.py": b"", "weightbox/model.bin": MODEL}
        )
        (self.engine / "__main__.py").write_text(
            MAIN.format(
                last_words=os.fspath(ENGINE / "last_words.py"),
                sha256=hashlib.sha256(MODEL).hexdigest(),
                request=REQUEST,
            )
        )
        self.lock()

    @property
    def wheels(self) -> Path:
        return self.root / "wheels"

    @property
    def engine(self) -> Path:
        return self.root / "engine"

    @property
    def cache(self) -> Path:
        return self.root / "cache"

    @property
    def requirements(self) -> Path:
        return self.root / "requirements.txt"

    @staticmethod
    def shapes(sides: int = 4) -> dict[str, bytes]:
        """Return the files of a package that imports a module of its own."""
        return {
            "shapes/__init__.py": b"SIDES = %d\n" % sides,
            "shapes/corners.py": b"from . import SIDES\n\n\ndef count():\n    return SIDES\n",
            "shapes/unused.txt": b"a text that nobody reads\n" * 20,
        }

    def wheel(self, name: str, version: str, files: Mapping[str, bytes]) -> str:
        """Put a wheel into the folder; return its SHA-256."""
        info = f"{name}-{version}.dist-info"
        held = {
            **files,
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
            f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        record = [
            f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip('=')},{len(data)}"
            for path, data in held.items()
        ]
        held[f"{info}/RECORD"] = "\n".join((*record, f"{info}/RECORD,,\n")).encode()
        path = self.wheels / f"{name}-{version}-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as archive:
            for inner, data in held.items():
                archive.writestr(inner, data)
        return hashlib.sha256(path.read_bytes()).hexdigest()

    def lock(self, **other: str) -> None:
        """Write the requirements, with other hashes where they are given."""
        hashes = self.hashes | other
        lines = [f"{name}==1.0 --hash=sha256:{digest}" for name, digest in hashes.items()]
        self.requirements.write_text(f"--no-index\n--find-links {self.wheels}\n" + "\n".join(lines) + "\n")

    def environment(self, **kwargs: Any) -> Environment:
        """Return its environment, as a new start of Home Assistant would have it."""
        options: dict[str, Any] = {"requirements": [self.requirements], "needed_bytes": 1_000_000} | kwargs
        return Environment(self.cache, PYTHON, UV, **options)
