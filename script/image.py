"""Carries out a Dockerfile in plain folders, and asks what comes of it: see script/image.

Runs as root, in a mount namespace of its own.
"""

import argparse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
import hashlib
from http.server import BaseHTTPRequestHandler, HTTPServer
import json
import os
from pathlib import Path
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
from typing import Any

from by_the_page import follow_the_page
from chroots import PATH, Failed, copy, debian, expect, in_root, itself_mounted, mounted, remove, run, say
from dockerfile import Stage, Step, read
from probing import PORT, READY_SECONDS, ROOT, ask, ask_all, children, end, environ, ready, uids, writes
import yaml

DOCKERFILE = ROOT / "deploy" / "container" / "Dockerfile"
NVIDIA = DOCKERFILE.with_name("compose.nvidia.yaml")


def main() -> int:
    """Build and ask, and return the process's exit code."""
    parser = argparse.ArgumentParser(prog="script/image")
    parser.add_argument("targets", nargs="*", metavar="engine|app|debian|nvidia")
    parser.add_argument("--python", type=Path)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--run", metavar="ADDRESS")
    parser.add_argument("--mirror", required=True)
    parser.add_argument("--cache", type=Path, required=True)
    asked = parser.parse_args()
    # Anyone who ends it finds nothing left over.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    stages = read(DOCKERFILE.read_text("utf-8"))
    builder = Builder(stages, asked.cache, asked.mirror)
    try:
        if asked.keep or asked.run is not None:
            root = kept(builder, "app", asked.cache)
            return 0 if asked.run is None else run_app(stages["app"], root, asked.run)
        for target in asked.targets or ("engine", "app", "debian"):
            if target == "debian":
                follow_the_page(builder.folder, debian("bookworm", asked.cache, asked.mirror), asked.python)
            elif target == "nvidia":
                check_nvidia(asked.cache, asked.mirror)
            else:
                check = {"engine": check_engine, "app": check_app}[target]
                check(stages[target], builder.build(target))
            say(f"{target}: fine")
    except Failed as err:
        say(f"FAILED: {err}")
        return 1
    finally:
        remove(builder.folder)
    return 0


def kept(builder: Builder, target: str, cache: Path) -> Path:
    """Return the root of a stage that is kept until something that goes into it changes; raise Failed."""
    digest = hashlib.sha256(DOCKERFILE.read_bytes())
    for stage in builder.stages.values():
        for step in stage.steps:
            for source in step.words[:-1] if step.kind == "COPY" and not step.source else ():
                for path in sorted([ROOT / source, *(ROOT / source).rglob("*")]):
                    if path.is_file() and "__pycache__" not in path.parts:
                        digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    root = cache / f"{target}-{digest.hexdigest()[:16]}"
    if not root.is_dir():
        for old in cache.glob(f"{target}-*"):
            remove(old)
        builder.build(target).rename(root)
    return root


def run_app(stage: Stage, root: Path, supervisor: str) -> int:
    """Run the app as the Supervisor at an address does, with the token from the environment; return its exit code."""
    # It announces itself by the name of its machine; this one's may lead nowhere.
    socket.sethostname("localhost")
    hosts = root / "etc" / "hosts"
    hosts.write_text(f"127.0.0.1 localhost\n{supervisor} supervisor\n")
    env = {"SUPERVISOR_TOKEN": os.environ["SUPERVISOR_TOKEN"]}
    files = {"data/options.json": b"{}"}
    with container(stage, root, capabilities=True, files=files, owner=0, env=env, writable="data") as process:
        try:
            return process.wait()
        finally:
            if process.poll() is None:
                end(process)


class Builder:
    """Makes the folders that the stages describe."""

    def __init__(self, stages: Mapping[str, Stage], cache: Path, mirror: str, kind: str = "") -> None:
        """Build in a folder of the cache."""
        self.stages = stages
        self._cache = cache
        self._mirror = mirror
        self._done: dict[str, Path] = {}
        self.folder = cache / f"build-{os.getpid()}{kind}"
        self.folder.mkdir(parents=True)

    def build(self, name: str) -> Path:
        """Return the root of a stage, made with all that it needs; raise Failed."""
        if name in self._done:
            return self._done[name]
        stage = self.stages[name]
        base = self.build(stage.base) if stage.base in self.stages else self._image(stage.base)
        root = self.folder / name
        copy(base, root)
        for step in stage.steps:
            say(f"{name}: {step.kind} {' '.join(step.words)[:100]}")
            if step.kind == "RUN":
                in_root(root, ["/bin/sh", "-c", step.words[0]], stage.env)
            else:
                self._copy(step, root)
        self._done[name] = root
        return root

    def _copy(self, step: Step, root: Path) -> None:
        source = self.build(step.source) if step.source else ROOT
        *froms, to = step.words
        for each in froms:
            path = source / each.lstrip("/")
            target = root / to.lstrip("/")
            # As Docker: a folder's content goes into the target, a file into it when it ends with a slash.
            if path.is_dir():
                # Docker leaves out what the build's own .dockerignore names.
                ignored = shutil.ignore_patterns() if step.source else shutil.ignore_patterns("__pycache__")
                shutil.copytree(path, target, symlinks=True, dirs_exist_ok=True, ignore=ignored)
            else:
                target = target / path.name if to.endswith("/") else target
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, target)

    def _image(self, image: str) -> Path:
        """Return the root of a Debian image, made of Debian's own packages and kept."""
        name, _, tag = image.partition(":")
        release = tag.removesuffix("-slim")
        if name != "debian" or not release.isalpha():
            raise Failed(f"the base image {image} is no release of Debian")
        return debian(release, self._cache, self._mirror)


@contextmanager
def container(
    stage: Stage,
    root: Path,
    *,
    capabilities: bool,
    files: Mapping[str, bytes],
    owner: int,
    env: Mapping[str, str] | None = None,
    writable: str = "",
) -> Iterator[subprocess.Popen[bytes]]:
    """Start what an image starts, as its user, on a root that cannot be written to.

    `files` lie in memory, for their owner alone; `writable` is one of their folders that can be written to.
    """
    with itself_mounted(root), mounted(root, {}):
        run(["mount", "-t", "tmpfs", "-o", "size=64m,mode=1777", "tmpfs", str(root / "tmp")])
        run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", str(root / "run")])
        if writable:
            (root / writable).mkdir(exist_ok=True)
            run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", str(root / writable)])
        for inner, content in files.items():
            path = root / inner
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod(0o600)
            os.chown(path, owner, owner)
        run(["mount", "-o", "remount,bind,ro", str(root)])
        command = ["chroot", str(root), *stage.entrypoint, *stage.command]
        if not capabilities:
            user, group = stage.user.split(":")
            command = ["chroot", str(root), "/usr/bin/setpriv", f"--reuid={user}", f"--regid={group}"]
            command += ["--clear-groups", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]
            command += [*stage.entrypoint, *stage.command]
        process = subprocess.Popen(command, env={"PATH": PATH, **stage.env, **(env or {})}, cwd="/")
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            for inner in ("tmp", "run", writable):
                if inner:
                    subprocess.run(["umount", "--lazy", str(root / inner)], check=False)


def check_engine(stage: Stage, root: Path) -> None:
    """Ask the container as compose.yaml starts it; raise Failed."""
    token = secrets.token_urlsafe(32)
    files = {"run/secrets/engine_token": f"{token}\n".encode()}
    with container(
        stage, root, capabilities=False, files=files, owner=int(stage.user.split(":")[0])
    ) as process:
        ask_all(process, token)
        wrote = [path for path in ("/opt/x", "/etc/x") if writes(process.pid, path)]
        expect(not wrote, f"it can write to {wrote}")
        # What Docker asks, in the very words of the Dockerfile.
        run(["chroot", str(root), *stage.health], {"PATH": PATH})
        end(process)
    with container(stage, root, capabilities=False, files={}, owner=0) as process:
        expect(process.wait(READY_SECONDS) == 2, "without its token it has to say so, and end")


def check_nvidia(cache: Path, mirror: str) -> None:
    """Ask the container that compose.nvidia.yaml makes, on a machine without a card; raise Failed."""
    (service,) = yaml.safe_load(NVIDIA.read_text("utf-8"))["services"].values()
    stages = read(DOCKERFILE.read_text("utf-8"), service["build"]["args"])
    builder = Builder(stages, cache, mirror, "-nvidia")
    try:
        stage, root = stages["engine"], builder.build("engine")
        token = secrets.token_urlsafe(32)
        files = {"run/secrets/engine_token": f"{token}\n".encode()}
        owner = int(stage.user.split(":")[0])
        with container(
            stage, root, capabilities=False, files=files, owner=owner, env=service["environment"]
        ) as process:
            ask_all(process, token)
            provider = json.loads(ask("/v1/health", token)[1])["provider"]
            say(f"nvidia: {provider}")
            expect(provider["asked"] == "cuda", "it was not told what to compute with")
            expect(
                provider["used"] == "cpu" and "driver" in provider["why"], "it does not say what is missing"
            )
            end(process)
    finally:
        remove(builder.folder)


def check_app(stage: Stage, root: Path) -> None:
    """Ask the app as the Supervisor starts it, with a Supervisor to announce itself to; raise Failed."""
    told: list[tuple[str | None, Any]] = []
    heard = threading.Event()

    class Supervisor(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the name is http.server's
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            told.append((self.headers["Authorization"], body))
            self.send_response(200 if self.path == "/discovery" else 404)
            self.end_headers()
            self.wfile.write(b'{"result": "ok", "data": {"uuid": "1"}}')
            heard.set()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 80), Supervisor)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    hosts = root / "etc" / "hosts"
    hosts.write_text("127.0.0.1 localhost supervisor\n")
    files = {"data/options.json": json.dumps({"queue": 4}).encode()}
    env = {"SUPERVISOR_TOKEN": "the Supervisor's"}
    try:
        tokens = []
        # The first starts with nothing, the second with what the first has left.
        for _ in range(2):
            heard.clear()
            with container(
                stage, root, capabilities=True, files=files, owner=0, env=env, writable="data"
            ) as process:
                ready(process)
                expect(heard.wait(20), "it did not announce itself")
                authorization, body = told[-1]
                expect(
                    authorization == "Bearer the Supervisor's", "it announced itself without the right token"
                )
                expect(body["service"] == "familiar_faces", "it announced another service")
                expect(body["config"]["port"] == PORT, "it announced another port")
                tokens.append(body["config"]["token"])
                ask_all(process, tokens[-1])
                for pid in (process.pid, *children(process.pid)):
                    expect(uids(pid) == {8127}, "it is not the user that it has to be")
                    expect(
                        b"SUPERVISOR_TOKEN" not in environ(pid) or pid == process.pid,
                        "the engine is told too much",
                    )
                kept = root / "data" / "token"
                expect(kept.stat().st_mode & 0o777 == 0o600, "others may read the token")
                files = {**files, "data/token": kept.read_bytes()}
                left = {path.name for path in (root / "data").iterdir()}
                expect(left == {"options.json", "token"}, f"in the backup would be {left}")
                end(process)
        expect(tokens[0] == tokens[1], "the token changed with a restart")
    finally:
        server.shutdown()
        server.server_close()


if __name__ == "__main__":
    sys.exit(main())
