"""Follows docs/engine.md word by word on a bare Debian 12: see script/image."""

from collections.abc import Iterator
import configparser
from pathlib import Path
import re
import shlex
import subprocess

from chroots import LENT, PATH, copy, expect, mounted, network, run, say
from probing import ROOT, ask_all, end, uids

PAGE = ROOT / "docs" / "engine.md"
UNIT = "etc/systemd/system/familiar-faces-engine.service"
REPOSITORY = "https://github.com/familiar-faces/familiar-faces"
SYSTEMCTL = """#!/bin/sh
echo "$@" >> /systemctl
"""
"""Stands in for systemd, which a chroot has none of. What it would start is started below."""


def follow_the_page(folder: Path, base: Path, python: Path | None) -> None:
    """Do on a Debian what the page says, ask the engine, update it as the page says, and ask again; raise Failed.

    `python`: an installation of Python 3.13 to lend, where uv cannot download its own.
    """
    root = folder / "debian"
    copy(base, root)
    lent = {**network()}
    (root / "etc" / "environment").write_text(f"SSL_CERT_FILE=/{LENT}\nPIP_CERT=/{LENT}\n")
    if python is not None:
        (root / "opt" / "python").mkdir()
        lent[python] = "opt/python"
        (root / "etc" / "profile.d" / "python.sh").write_text("PATH=$PATH:/opt/python/bin\n")
        (root / "etc" / "ld.so.conf.d" / "python.conf").write_text("/opt/python/lib\n")
    # What is committed stands in for what is published.
    published = root / "srv" / "published"
    run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(published)])
    run(["git", "-C", str(ROOT), "push", "--quiet", str(published), "HEAD:refs/heads/main"])
    (root / "etc" / "gitconfig").write_text(
        f'[url "file:///srv/published"]\n\tinsteadOf = {REPOSITORY}\n[safe]\n\tdirectory = *\n'
    )
    systemctl = root / "usr" / "local" / "bin" / "systemctl"
    systemctl.write_text(SYSTEMCTL)
    systemctl.chmod(0o755)
    steps = list(blocks(PAGE.read_text("utf-8")))
    install = next(each for each in steps if "--require-hashes" in each)
    update = next(each for each in steps if "source pull" in each)
    become = steps[0].splitlines()[-1]
    with mounted(root, lent):
        if python is not None:
            run(["chroot", str(root), "/sbin/ldconfig"], {"PATH": PATH})
        say("debian: what the page says")
        follow(root, [each for each in steps if each is not update])
        told = (root / "systemctl").read_text()
        expect("enable --now familiar-faces-engine" in told, "the service is not switched on")
        token = (root / "var/lib/familiar-faces/token").read_text().strip()
        ask_service(root, token)
        say("debian: what the page says of updating")
        follow(root, [become, update, install, "exit"])
        ask_service(root, token)


def blocks(text: str) -> Iterator[str]:
    """Yield the commands of the page, in its order."""
    for match in re.finditer(r"^```bash\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield match[1].strip()


def follow(root: Path, steps: list[str]) -> None:
    """Type the commands in, as somebody does who begins as root; raise Failed at the first that fails."""
    # The shell of the user that one becomes reads on where root's shell stopped, as on a terminal.
    typed = "\n".join(steps)
    typed = re.sub(r"^(su .*)$", r"\1\nset -ex", typed, flags=re.MULTILINE)
    # What Debian does when somebody leaves wants a terminal.
    typed = re.sub(r"^exit$", "set +ex\nexit", typed, flags=re.MULTILINE)
    script = root / "typed"
    script.write_text(f"set -ex\n{typed}\n")
    env = {"PATH": PATH, "HOME": "/root", "DEBIAN_FRONTEND": "noninteractive"}
    run(["sh", "-c", f"cat {shlex.quote(str(script))} | chroot {shlex.quote(str(root))} /bin/bash"], env)


def ask_service(root: Path, token: str) -> None:
    """Start what the unit starts, as its user and on files that it cannot write to, and ask it; raise Failed."""
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(root / UNIT)
    service = unit["Service"]
    lines = [line.split(":") for line in (root / "etc/passwd").read_text().splitlines()]
    uid = next(line[2] for line in lines if line[0] == service["User"])
    command = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--bounding-set=-all"]
    command += ["--inh-caps=-all", "--no-new-privs", *shlex.split(service["ExecStart"])]
    process = subprocess.Popen(["chroot", str(root), *command], env={"PATH": PATH}, cwd="/")
    try:
        ask_all(process, token)
        expect(uids(process.pid) == {int(uid)}, "the service is another user")
        end(process)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
