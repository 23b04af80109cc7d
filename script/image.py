"""Carries out a Dockerfile in plain folders, and asks what comes of it: see script/image.

Runs as root, in a mount namespace of its own.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
import io
import json
import os
from pathlib import Path
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
from typing import Any
import urllib.error
import urllib.request

from dockerfile import Stage, Step, read
from PIL import Image
import skimage

ROOT = Path(__file__).resolve().parent.parent
DOCKERFILE = ROOT / "deploy" / "container" / "Dockerfile"
PORT = 8127
URL = f"http://127.0.0.1:{PORT}"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
READY_SECONDS = 60
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Failed(Exception):
    """An instruction failed, or what came of all of them is not as it has to be."""


def main() -> int:
    """Build and ask, and return the process's exit code."""
    parser = argparse.ArgumentParser(prog="script/image")
    parser.add_argument("targets", nargs="*", metavar="engine|app")
    parser.add_argument("--mirror", required=True)
    parser.add_argument("--cache", type=Path, required=True)
    asked = parser.parse_args()
    # Whoever ends it finds nothing left over.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    stages = read(DOCKERFILE.read_text("utf-8"))
    builder = Builder(stages, asked.cache, asked.mirror)
    try:
        for target in asked.targets or ("engine", "app"):
            check = {"engine": check_engine, "app": check_app}[target]
            check(stages[target], builder.build(target))
            say(f"{target}: fine")
    except Failed as err:
        say(f"FAILED: {err}")
        return 1
    finally:
        builder.remove()
    return 0


class Builder:
    """Makes the folders that the stages describe."""

    def __init__(self, stages: Mapping[str, Stage], cache: Path, mirror: str) -> None:
        """Build in a folder of the cache."""
        self._stages = stages
        self._cache = cache
        self._mirror = mirror
        self._done: dict[str, Path] = {}
        self.folder = cache / f"build-{os.getpid()}"
        self.folder.mkdir(parents=True)

    def remove(self) -> None:
        """Remove what was built, unless something is mounted in it still."""
        if str(self.folder) not in Path("/proc/self/mounts").read_text("utf-8"):
            shutil.rmtree(self.folder, ignore_errors=True)

    def build(self, name: str) -> Path:
        """Return the root of a stage, made with all that it needs; raise Failed."""
        if name in self._done:
            return self._done[name]
        stage = self._stages[name]
        base = self.build(stage.base) if stage.base in self._stages else self._image(stage.base)
        root = self.folder / name
        run(["cp", "-a", "--reflink=auto", str(base), str(root)])
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
        root = self._cache / release
        if not root.is_dir():
            say(f"unpacking Debian {release} (once)")
            new = self.folder / "new"
            run(["debootstrap", "--variant=minbase", release, str(new), self._mirror])
            new.rename(root)
        return root


def in_root(root: Path, command: Sequence[str], env: Mapping[str, str]) -> None:
    """Run a command as root in a root, with this machine's network; raise Failed."""
    lent = {Path("/etc/resolv.conf"): "etc/resolv.conf", CERTIFICATES: "run/certificates"}
    with mounted(root, lent):
        # The certificates that this machine trusts, as a proxy before it may need them.
        ours = {
            "PATH": PATH,
            "DEBIAN_FRONTEND": "noninteractive",
            "HOME": "/root",
            "PIP_CERT": "/run/certificates",
        }
        run(["chroot", str(root), *command], {**ours, "SSL_CERT_FILE": "/run/certificates", **env})
    (root / "run" / "certificates").unlink(missing_ok=True)


@contextmanager
def mounted(root: Path, lent: Mapping[Path, str]) -> Iterator[None]:
    """Mount what every container has, and lend files of this machine, for as long as the block runs."""
    mounts: list[list[str]] = [["-t", "proc", "proc", "proc"]]
    for path, inner in lent.items():
        (root / inner).touch()
        mounts.append(["--bind", str(path.resolve()), inner])
    try:
        for *how, inner in mounts:
            run(["mount", *how, str(root / inner)])
        yield
    finally:
        for *_, inner in reversed(mounts):
            subprocess.run(["umount", "--lazy", str(root / inner)], check=False, capture_output=True)


@contextmanager
def itself_mounted(root: Path) -> Iterator[None]:
    """Mount a root on itself, so that it can be made one that cannot be written to."""
    run(["mount", "--bind", str(root), str(root)])
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(root)], check=False)


def run(command: Sequence[str], env: Mapping[str, str] | None = None) -> None:
    """Run a command; raise Failed with the end of what it said."""
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        said = done.stdout.decode("utf-8", "replace")[-3000:]
        raise Failed(f"{' '.join(command)[:200]} ended with {done.returncode}:\n{said}")


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


def ask_all(process: subprocess.Popen[bytes], token: str) -> None:
    """Ask an engine everything that a client and a watchdog ask; raise Failed."""
    ready(process)
    expect(ask("/v1/health")[0] == 401, "it answers without a token")
    status, health = ask("/v1/health", token)
    expect(status == 200, f"it is not well: {health!r}")
    manifest = json.loads(
        (ROOT / "custom_components" / "familiar_faces" / "manifest.json").read_text("utf-8")
    )
    expect(json.loads(health)["version"] == manifest["version"], "it is another version than the integration")
    # A public-domain portrait of 512 by 512 pixels.
    portrait = Image.open(Path(skimage.__file__).parent / "data" / "astronaut.png").convert("RGB")
    picture = io.BytesIO()
    portrait.save(picture, "JPEG")
    begun = time.monotonic()
    status, faces = ask("/v1/faces", token, picture.getvalue())
    expect(
        status == 200 and len(json.loads(faces)["faces"]) == 1, f"it does not find the face: {faces[:200]!r}"
    )
    # Whatever is not small and quick is decoded by a process of its own.
    portrait.resize((2048, 2048)).save(picture := io.BytesIO(), "PNG")
    status, faces = ask("/v1/faces?upload=1", token, picture.getvalue())
    expect(status == 200, f"it decodes nothing apart: {faces[:200]!r}")
    say(f"two pictures in {time.monotonic() - begun:.2f} s, {memory_mb(process.pid):.0f} MB")


def ready(process: subprocess.Popen[bytes]) -> None:
    """Wait until it answers a watchdog; raise Failed."""
    begun = time.monotonic()
    while ask("/v1/alive")[0] != 204:
        expect(process.poll() is None, f"it ended with {process.returncode}")
        expect(time.monotonic() - begun < READY_SECONDS, "it is not ready in time")
        time.sleep(0.1)


def ask(path: str, token: str | None = None, body: bytes | None = None) -> tuple[int, bytes]:
    """Return the status and the body of an answer; 0 when there is none."""
    request = urllib.request.Request(URL + path, body, {"Authorization": f"Bearer {token}"} if token else {})
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as err:
        return err.code, err.read()
    except OSError as err:
        return 0, repr(err).encode()


def end(process: subprocess.Popen[bytes]) -> None:
    """End it as Docker does; raise Failed."""
    process.send_signal(signal.SIGTERM)
    try:
        code = process.wait(15)
    except subprocess.TimeoutExpired:
        raise Failed("it does not end when it is told to") from None
    expect(code == 0, f"it ended with {code}")


def children(pid: int) -> list[int]:
    """Return the processes that a process started."""
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]


def uids(pid: int) -> set[int]:
    """Return the users that a process is, or may become."""
    lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    return {int(each) for line in lines if line.startswith("Uid:") for each in line.split()[1:]}


def environ(pid: int) -> bytes:
    """Return the environment that a process began with."""
    return Path(f"/proc/{pid}/environ").read_bytes()


def writes(pid: int, path: str) -> bool:
    """Return whether the root of a process can be written to, even by root."""
    try:
        with open(f"/proc/{pid}/root{path}", "wb"):  # noqa: PTH123
            return True
    except OSError:
        return False


def memory_mb(pid: int) -> float:
    """Return the resident memory of a process and of those that it started, in MB."""
    total = 0.0
    for each in (pid, *children(pid)):
        status = Path(f"/proc/{each}/status").read_text("ascii").splitlines()
        total += next((int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS")), 0.0)
    return total


def expect(true: bool, otherwise: str) -> None:
    """Raise Failed with a sentence unless something is true."""
    if not true:
        raise Failed(otherwise)


def say(what: str) -> None:
    """Say how far it is."""
    sys.stderr.write(f"[image] {what}\n")


if __name__ == "__main__":
    sys.exit(main())
