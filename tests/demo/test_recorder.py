"""The recorder sees what a program does with the network, however deep inside."""

import base64
from pathlib import Path
import sys

from tests.common.recording import events_in, recorded

CONNECTS = """\
import os, socket, threading
def all_of_it():
    try:
        socket.getaddrinfo("somebody.invalid", 443)
    except OSError:
        pass
    stream = socket.socket()
    stream.settimeout(1)
    try:
        stream.connect(("127.0.0.1", 9))
    except OSError:
        pass
    datagram = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    datagram.sendto(b"where", ("::1", 9))
    quiet = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    quiet.connect(("127.0.0.9", 9))
    quiet.sendmsg([b"in ", b"parts"])
    ours, theirs = socket.socketpair()
    ours.send(b"to myself")
thread = threading.Thread(target=all_of_it)
thread.start()
thread.join()
print("done")
raise SystemExit(3)
"""
STARTS = "import subprocess, sys; sys.exit(subprocess.call([sys.executable, '-I', '-c', sys.argv[1]]))"


def test_a_grandchild_in_isolated_mode(tmp_path: Path) -> None:
    """Nothing of ours runs inside the process, and each call of its thread is written down."""
    record = tmp_path / "record"
    done = recorded(record, sys.executable, "-c", STARTS, CONNECTS, timeout=60)
    assert (done.returncode, done.stdout) == (3, "done\n")
    events = events_in(record)
    assert {event["what"] for event in events} == {"connect", "send", "said"}
    seen = [(each["what"], each["kind"], each["to"], base64.b64decode(each["data"])) for each in events[:-1]]
    assert ("connect", "stream", "127.0.0.1:9", b"") in seen
    assert ("send", "datagram", "[::1]:9", b"where") in seen
    assert ("send", "datagram", "127.0.0.9:9", b"in parts") in seen
    assert any(b"somebody" in data for *_, data in seen)
    assert not any(b"to myself" in data for *_, data in seen)
    assert all("-I" in event["command"].split() for event in events[:-1])
