"""A mirror of Debian's on this machine, which fails as it is told to."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
import hashlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import os
from pathlib import Path
import re
import threading
from urllib.parse import unquote

import pytest

from custom_components.familiar_faces.host.machine import Machine, this_machine
from custom_components.familiar_faces.host.pins import Pin, pins_for

MUSL = Machine("Linux", this_machine().processor, "musl", "cpython-314-linux-musl")
"""This machine, as Home Assistant's own images would have it."""


class Mirror:
    """What the mirror has by path, and what it was asked for."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.files: dict[str, bytes] = {}
        self.asked: list[tuple[str, str]] = []
        """The path and the range of each request."""
        self.cuts: list[int] = []
        """After how many bytes the next answers end."""
        self.ranges = True
        """Whether it sends the rest of a file alone."""

    def put(self, pin: Pin, data: bytes) -> None:
        """Have a package, whatever is pinned of it."""
        self.files[f"/{pin.archive}/{pin.path}"] = data


@contextmanager
def mirror(files: Mapping[str, bytes] | None = None) -> Generator[Mirror]:
    """Run a mirror."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        made = Mirror(f"http://127.0.0.1:{server.server_port}")
        made.files |= files or {}
        server.mirror = made  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()


def debian_packages() -> dict[str, bytes]:
    """Return Debian's own packages by their paths at a mirror; skip where script/setup could not fetch them."""
    folder = os.environ.get("FAMILIAR_FACES_DEBIAN_PACKAGES")
    if not folder:
        pytest.skip("FAMILIAR_FACES_DEBIAN_PACKAGES names no folder with Debian's packages")
    files = {}
    for pin in pins_for(MUSL.processor):
        path = Path(folder) / f"{pin.name}.deb"
        if not path.exists():
            pytest.skip(f"{path} is missing: script/setup runtime fetches it")
        data = path.read_bytes()
        assert hashlib.sha256(data).hexdigest() == pin.sha256
        files[f"/{pin.archive}/{pin.path}"] = data
    return files


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        told: Mirror = self.server.mirror  # type: ignore[attr-defined]
        wanted = self.headers.get("Range", "")
        path = unquote(self.path)
        told.asked.append((path, wanted))
        data = told.files.get(path)
        if data is None:
            self.send_error(404)
            return
        begin = re.fullmatch(r"bytes=(\d+)-", wanted) if told.ranges else None
        at = int(begin[1]) if begin else 0
        self.send_response(206 if begin else 200)
        if begin:
            self.send_header("Content-Range", f"bytes {at}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(data) - at))
        self.end_headers()
        if told.cuts:
            self.wfile.write(data[at : at + told.cuts.pop(0)])
            self.close_connection = True
            return
        self.wfile.write(data[at:])

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""
