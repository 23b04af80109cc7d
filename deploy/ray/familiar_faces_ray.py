"""The engine on many machines: its pipeline as replicas of Ray Serve, behind the engine's own protocol.

`Front` is the engine's own server. Where that has a pipeline, it has `Eyes`: replicas of the same pipeline, each in a
process of its own, on whichever machine of the cluster has a processor free. Ray starts more of them while pictures
wait, ends them when few come, and starts another when one dies. Clients notice nothing but the speed.

Ray runs whatever it is sent by those who reach its ports: see docs/engine-ray.md before you open one.
"""

import os

# Read when Ray is imported. It would report its use to its publisher, and pictures may wait in memory and nowhere else.
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.environ["RAY_automatic_object_spilling_enabled"] = "0"  # noqa: SIM112 - its name
# Who reaches Ray's own ports has to know Ray's own token, or could run anything here.
os.environ["RAY_AUTH_MODE"] = "token"
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import argparse
import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields
import json
import logging
from pathlib import Path
import resource
import signal
import ssl
import sys
import threading
from typing import Any

from aiohttp import web
from familiar_faces_engine import pixels
from familiar_faces_engine.pinned import PINNED, Variant
from familiar_faces_engine.pipeline import Pipeline, Wish
from familiar_faces_engine.protocol import Faces
from familiar_faces_engine.recogniser import Recogniser
from familiar_faces_engine.server import make_app
from familiar_faces_engine.sessions import Card, Provider, quiet_session
from familiar_faces_engine.weights import prepare
from familiar_faces_engine.work_queue import BusyError
import numpy as np
from numpy.typing import NDArray
import ray
from ray import serve
from ray.exceptions import RayError, RayTaskError
from ray.serve.handle import DeploymentHandle

_LOGGER = logging.getLogger(__name__)

NAME = "familiar_faces"
BESIDE = 2
"""Pictures that a replica is given beside those that it has processors for: while one waits for its embeddings the next
is searched for faces, and one lies ready, so that it never idles."""
BATCH = 4
"""Faces in one run of the network at most. Of six together each takes a fifth longer than of four."""
BATCH_SECONDS = 0.002
"""How long a face waits for others to be embedded with: an embedding takes seven times as long."""
ANSWER_SECONDS = 30.0
HEALTH_SECONDS = 2.0
"""How often Ray looks whether a replica lives."""
STORE_BYTES = 256 * 1024 * 1024
"""Memory that pictures on their way share."""


@dataclass(frozen=True)
class Settings:
    """What an owner may choose."""

    token_file: str
    weights: str
    host: str = "0.0.0.0"
    port: int = 8127
    least: int = 1
    """Replicas that always run."""
    most: int = 4
    """Replicas that run at most."""
    cores: float = 1.0
    """Processors of each replica: Ray counts them, and so many of its threads compute at a time."""
    waiting: float = 2.0
    """Pictures in work or waiting for each replica, above which another one is started."""
    patience: float = 300.0
    """Seconds of little work before a replica ends."""
    certificate: str = ""
    key: str = ""

    def __post_init__(self) -> None:
        """Raise ValueError with a sentence when it makes no sense."""
        if not 1 <= self.least <= self.most:
            raise ValueError("least must be 1 or more, and most not less than least")
        if not Path(self.token_file).is_file():
            raise ValueError(f"{self.token_file} is no file: it has to hold the token that clients know")


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a picture is not looked at: an exception of the engine's, without the traceback that Ray adds."""

    kind: str
    said: str


def at_once(cores: float) -> int:
    """Return how many threads of a replica compute at a time: as many as Ray counts processors, and one at least."""
    return max(1, int(cores))


class BatchedRecogniser(Recogniser):  # type: ignore[misc] # the engine is installed in Ray's environment alone
    """Embeds faces together with those of other pictures that are looked at at the same moment."""

    def __init__(self, client: Any, together: Callable[[Sequence[Any]], list[NDArray[np.float32]]]) -> None:
        """Have `together` give the outputs, from any thread."""
        super().__init__(client)
        self._together = together

    def outputs(self, crops: Sequence[Any]) -> list[NDArray[np.float32]]:
        """Return what the network gives for each crop."""
        return self._together(crops) if crops else []


class Network:
    """The recogniser's graph, for any number of faces at once."""

    def __init__(self, weights: Path, variant: Variant) -> None:
        """Load the checked file, with as many faces as come."""
        import onnx

        path = prepare(weights, variant)[PINNED[variant].recogniser.loaded_as]
        model = onnx.load_model_from_string(path.read_bytes())
        for value in (*model.graph.input, *model.graph.output):
            value.type.tensor_type.shape.dim[0].dim_param = "faces"
        del model.graph.value_info[:]
        self._session = quiet_session(model.SerializeToString(), ["CPUExecutionProvider"])
        self._name = self._session.get_inputs()[0].name

    def __call__(self, crops: Sequence[Any]) -> list[NDArray[np.float32]]:
        """Return what it gives for each 112x112 crop."""
        blob = np.stack(crops)[..., ::-1].transpose(0, 3, 1, 2)
        return list(self._session.run(None, {self._name: np.ascontiguousarray(blob, dtype=np.float32)})[0])


@serve.deployment(
    name="eyes",
    health_check_period_s=HEALTH_SECONDS,
    graceful_shutdown_timeout_s=10,
)
class Eyes:
    """One replica: both models, in a process of its own."""

    def __init__(self, settings: dict[str, Any]) -> None:
        """Load the models and run them once."""
        # Not as `limits.leave_no_core` does it as well: Ray has to be able to look at its processes.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        weights = Path(settings["weights"])
        self._loop: asyncio.AbstractEventLoop | None = None
        self._network = Network(weights, Variant.INT8BQ)
        self._pipeline = Pipeline(
            weights,
            # Where Ray counts one processor, another replica has the next: one that took more would slow it.
            workers=at_once(settings["cores"]),
            recogniser=lambda client: BatchedRecogniser(client, self._together),
        )
        self._threads = ThreadPoolExecutor(at_once(settings["cores"]) + BESIDE, thread_name_prefix="looks")
        self._network([np.zeros((112, 112, 3), np.uint8)])
        # Made here, since it depends on the settings: one run at a time would hold up a replica of several processors.
        self._embed = serve.batch(
            self._embed_together,
            max_batch_size=BATCH,
            batch_wait_timeout_s=BATCH_SECONDS,
            max_concurrent_batches=at_once(settings["cores"]),
        )
        self.pictures = 0
        self.batches = 0
        self.faces = 0

    async def see(self, data: bytes, wish: Wish, heavy: bool) -> Faces | Refused:
        """Return the faces in a picture."""
        return await self._run(lambda: self._pipeline.see(data, wish, heavy=heavy))

    async def see_heavy(self, data: bytes, wish: Wish) -> Faces | Refused:
        """Return the faces in a picture that takes long to decode."""
        return await self._run(lambda: self._pipeline.see_heavy(data, wish))

    async def see_pixels(self, image: Any, wish: Wish) -> Faces | Refused:
        """Return the faces in a picture that is decoded."""
        return await self._run(lambda: self._pipeline.see_pixels(image, wish))

    async def who(self) -> dict[str, int]:
        """Return which process this is, its pictures, and how many faces were embedded in how many runs."""
        return {
            "pid": os.getpid(),
            "pictures": self.pictures,
            "batches": self.batches,
            "faces": self.faces,
        }

    async def _run(self, work: Callable[[], Faces]) -> Faces | Refused:
        self._loop = asyncio.get_running_loop()
        self.pictures += 1
        try:
            return await self._loop.run_in_executor(self._threads, work)
        except (pixels.NotAnImageError, pixels.TooLargeError, pixels.HeavyError) as err:
            return Refused(type(err).__name__, str(err))

    def _together(self, crops: Sequence[Any]) -> list[NDArray[np.float32]]:
        """Have crops embedded with those of other pictures; called in the threads of looks."""
        assert self._loop is not None
        asked = [asyncio.run_coroutine_threadsafe(self._embed(crop), self._loop) for crop in crops]
        with self._pipeline.way.aside():
            return [each.result(ANSWER_SECONDS) for each in asked]

    async def _embed_together(self, crops: list[Any]) -> list[NDArray[np.float32]]:
        self.batches += 1
        self.faces += len(crops)
        return await asyncio.to_thread(self._compute, crops)

    def _compute(self, crops: Sequence[Any]) -> list[NDArray[np.float32]]:
        with self._pipeline.way.look():
            return self._network(crops)


class Replicas:
    """Stands where the engine's server has its pipeline, and has replicas do the work."""

    variant = Variant.INT8BQ
    judges = True
    """Whether a face can be judged; each answer says what its replica can."""

    def __init__(self, eyes: DeploymentHandle) -> None:
        """Ask these."""
        self._eyes = eyes
        self.card = Card(Provider.CPU)

    def see(self, data: bytes, wish: Wish, *, heavy: bool = True) -> Faces:
        """Return the faces in a picture, as the pipeline does; raise BusyError when no replica answers in time."""
        return self._ask("see", bytes(data), wish, heavy)

    def see_heavy(self, data: bytes, wish: Wish) -> Faces:
        """Return the faces in a picture that takes long to decode."""
        return self._ask("see_heavy", bytes(data), wish)

    def see_pixels(self, image: Any, wish: Wish) -> Faces:
        """Return the faces in a picture that is decoded."""
        return self._ask("see_pixels", image, wish)

    def _ask(self, how: str, *what: Any) -> Faces:
        for last in (False, True):
            try:
                answer = getattr(self._eyes, how).remote(*what).result(timeout_s=ANSWER_SECONDS)
            except TimeoutError as err:
                raise BusyError from err
            except RayTaskError:
                # The engine's own mistake: another replica would make it as well.
                raise
            except RayError as err:
                # The replica is gone, and another can see the same picture.
                _LOGGER.warning("A replica is gone: %s", type(err).__name__)
                if last:
                    raise BusyError from err
            else:
                if isinstance(answer, Refused):
                    raise getattr(pixels, answer.kind)(answer.said)
                return answer
        raise AssertionError("it is asked twice")


@serve.deployment(
    name="front",
    max_ongoing_requests=10,
    ray_actor_options={"num_cpus": 0},
    health_check_period_s=HEALTH_SECONDS,
)
class Front:
    """The engine's server, on a port of its own: Ray's has neither the proofs nor the streams."""

    def __init__(self, eyes: DeploymentHandle, settings: dict[str, Any]) -> None:
        """Listen; raise OSError when the address is taken."""
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        self._settings = Settings(**settings)
        self._token = Path(self._settings.token_file).read_text("utf-8").strip()
        if not self._token:
            raise ValueError(f"{self._settings.token_file} is empty")
        self._eyes = eyes
        self._failure: BaseException | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="front", daemon=True)
        self._thread.start()
        self._ready.wait(60)
        self.check_health()

    def check_health(self) -> None:
        """Raise when it no longer listens, so that Ray starts another."""
        if self._failure is not None:
            raise self._failure
        if not self._thread.is_alive():
            raise RuntimeError("it no longer listens")

    async def who(self) -> dict[str, int]:
        """Return which process this is."""
        return {"pid": os.getpid()}

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as err:
            self._failure = err
            self._ready.set()
            raise

    async def _serve(self) -> None:
        settings = self._settings
        tls = None
        if settings.certificate:
            tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            tls.load_cert_chain(settings.certificate, settings.key or None)
        # The first question makes the handle's router. Several at once would make several, of which Ray counts one: it
        # would take the replicas for idle.
        await asyncio.to_thread(lambda: self._eyes.who.remote().result(timeout_s=ANSWER_SECONDS))
        workers = settings.most * (at_once(settings.cores) + BESIDE)
        app = make_app(Replicas(self._eyes), self._token, places=max(32, 2 * workers), workers=workers)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=5)
        await runner.setup()
        await web.TCPSite(runner, settings.host, settings.port, ssl_context=tls).start()
        self._ready.set()
        await asyncio.Event().wait()


def app(arguments: dict[str, Any], *, at: str = "") -> serve.Application:
    """Return the application for `serve run`, `serve deploy` and KubeRay; `arguments` are those of Settings.

    `at`: the address of the machine that the front runs on; any when it is empty.
    """
    kinds: dict[str, Any] = {field.name: field.type for field in fields(Settings)}
    if unknown := set(arguments) - set(kinds):
        raise ValueError(f"{', '.join(sorted(unknown))}: there is no such setting")
    settings = Settings(**{name: kinds[name](value) for name, value in arguments.items()})
    eyes = Eyes.options(  # type: ignore[attr-defined]
        max_ongoing_requests=at_once(settings.cores) + BESIDE,
        ray_actor_options={"num_cpus": settings.cores},
        autoscaling_config={
            "min_replicas": settings.least,
            "initial_replicas": settings.least,
            "max_replicas": settings.most,
            "target_ongoing_requests": settings.waiting,
            "upscale_delay_s": 2.0,
            "downscale_delay_s": settings.patience,
            "metrics_interval_s": 0.5,
            "look_back_period_s": 2.0,
        },
    ).bind(asdict(settings))
    where = {"num_cpus": 0, "resources": {f"node:{at}": 0.001} if at else {}}
    return Front.options(ray_actor_options=where).bind(eyes, asdict(settings))  # type: ignore[attr-defined]


def start(settings: dict[str, Any], *, joined: bool = False) -> None:
    """Run it on this machine alone, or on the cluster that this machine belongs to; raise ValueError."""
    app(settings)
    if joined:
        ray.init("auto", log_to_driver=False)
    else:
        ray.init(include_dashboard=False, object_store_memory=STORE_BYTES, log_to_driver=False)
    serve.start(proxy_location="Disabled")
    # Home Assistant knows the address of this machine.
    serve.run(app(settings, at=ray.util.get_node_ip_address()), name=NAME, route_prefix=None)


def end(*, joined: bool = False) -> None:
    """End it, and Ray with it where it was started for it."""
    serve.delete(NAME)
    if not joined:
        serve.shutdown()
    ray.shutdown()


def main() -> int:
    """Run it until it is told to end."""
    parser = argparse.ArgumentParser(description="The engine on Ray Serve: docs/engine-ray.md")
    parser.add_argument("--token-file", required=True, help="file with the token that clients must know")
    parser.add_argument("--weights", required=True, help="folder for the checked weights, on each machine")
    parser.add_argument("--host", default="0.0.0.0", help="address to listen on")
    parser.add_argument("--port", type=int, default=8127)
    parser.add_argument("--least", type=int, default=1, help="replicas that always run")
    parser.add_argument("--most", type=int, default=4, help="replicas that run at most")
    parser.add_argument("--cores", type=float, default=1.0, help="processors of each replica")
    parser.add_argument(
        "--waiting", type=float, default=2.0, help="pictures a replica, above which one is added"
    )
    parser.add_argument("--patience", type=float, default=300.0, help="seconds before one that idles ends")
    parser.add_argument("--certificate", default="", help="PEM file, to answer HTTPS with")
    parser.add_argument("--key", default="", help="PEM file with its key, when that is another file")
    parser.add_argument(
        "--cluster", action="store_true", help="join the cluster of `ray start` on this machine"
    )
    asked = vars(parser.parse_args())
    joined = asked.pop("cluster")
    over = threading.Event()
    try:
        start(asked, joined=joined)
    except ValueError as err:
        parser.error(str(err))
    # Ray has set its own by now, which would leave the replicas running in a cluster.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    sys.stdout.write(f"{json.dumps({'ready': f'{asked["host"]}:{asked["port"]}'})}\n")
    sys.stdout.flush()
    over.wait()
    end(joined=joined)
    return 0


if __name__ == "__main__":
    # By its name: replicas on other machines import it, and this file is `__main__` here alone.
    from familiar_faces_ray import main as named

    sys.exit(named())
