"""Runs a program and records what it, and everything that it starts, does with the network.

    python recorder.py RECORD PROGRAM ARGUMENT...

The kernel stops each process at the calls below and hands them over (seccomp's user notification, Linux 5.9
and later, no privilege needed), so it does not matter in which language something is written, how it was
started, or in which thread it runs. RECORD is given one JSON object a line, see `Event`.

What it cannot see: what is sent by `write` or `sendfile` on a socket (what the socket is connected to is
seen anyway), and the inside of what is encrypted. io_uring, by which calls can be avoided, is refused.
"""

import base64
from collections.abc import Iterator
from contextlib import suppress
import ctypes
from dataclasses import asdict, dataclass
import errno
from fcntl import ioctl
import json
import os
from pathlib import Path
import platform
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
from time import monotonic
from typing import TextIO

# Numbers from the kernel's headers: asm/unistd.h, linux/seccomp.h, linux/filter.h, linux/audit.h.
CALLS = {
    "x86_64": {"connect": 42, "sendto": 44, "sendmsg": 46, "bind": 49, "sendmmsg": 307},
    "aarch64": {"bind": 200, "connect": 203, "sendto": 206, "sendmsg": 211, "sendmmsg": 269},
}
ARCHITECTURES = {"x86_64": (0xC000003E, 317), "aarch64": (0xC00000B7, 277)}
"""How the kernel names each, and its number of `seccomp`."""
IO_URING_SETUP, PIDFD_GETFD = 425, 438
SET_MODE_FILTER, NEW_LISTENER = 1, 1 << 3
KILL_PROCESS, ERRNO, USER_NOTIFICATION, ALLOW = 0x80000000, 0x00050000, 0x7FC00000, 0x7FFF0000
RECEIVE, SEND = 0xC0502100, 0xC0182101
CONTINUE = 1
NO_NEW_PRIVILEGES = 38
LOAD_WORD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
NOTIFICATION = struct.Struct("=QIIiIQ6Q")
ANSWER = struct.Struct("=QqiI")
# msghdr: name, its length, parts, their number; an iovec: where and how long.
MESSAGE, PART = struct.Struct("@PI4xPN"), struct.Struct("@PN")
MESSAGE_BYTES, MULTIPLE_BYTES = 56, 64
MOST_PARTS = 1024
LEFT_SECONDS = 10
DNS = 53

_libc = ctypes.CDLL(None, use_errno=True)


class CannotRecordError(Exception):
    """This machine's kernel has not what is needed; the text says what."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that a process did."""

    at: float
    """Seconds since the program was started."""
    what: str
    """`connect`, `bind`, `send`; `said` for a line of the program's own output; `lost` when a call of a
    process that is still there could not be read."""
    process: int
    command: str
    """The command line of the process."""
    kind: str = ""
    """`stream`, `datagram` or another type of socket."""
    to: str = ""
    """`unix:PATH`, `HOST:PORT` or `family N`; for `send` the one that the socket is connected to."""
    socket: int = 0
    """Tells sockets apart."""
    data: str = ""
    """What was sent, in base64; for `said` the line."""


class Recorder:
    """Takes the calls from the kernel, writes each down, and lets it go on."""

    def __init__(self, record: TextIO) -> None:
        """Write to `record`."""
        self._record = record
        self._began = monotonic()
        self._lock = threading.Lock()
        self._names = {number: name for name, number in CALLS[platform.machine()].items()}
        self._connected: dict[int, str] = {}
        """What the sockets were connected to that were connected from here, by inode."""

    def run(self, command: list[str]) -> int:
        """Run a program to its end and return its exit code."""
        started: list[subprocess.Popen[bytes] | Exception] = []
        listeners: list[int] = []
        # A filter binds the thread that asked for it and what that starts: so this one remains free.
        thread = threading.Thread(target=self._start, args=(command, started, listeners))
        thread.start()
        thread.join()
        (program,) = started
        if isinstance(program, Exception):
            raise program
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda number, _frame: program.send_signal(number))
        reader = threading.Thread(target=self._read, args=(program,), daemon=True)
        reader.start()
        self._listen(listeners[0], program)
        code = program.wait()
        reader.join(LEFT_SECONDS)
        return code

    def _start(
        self, command: list[str], started: list[subprocess.Popen[bytes] | Exception], listeners: list[int]
    ) -> None:
        try:
            listeners.append(_filter())
            started.append(
                subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, close_fds=True)
            )
        except (CannotRecordError, OSError) as err:
            started.append(err)

    def _read(self, program: subprocess.Popen[bytes]) -> None:
        """Hand on what the program says, with the time at which it said it."""
        assert program.stdout is not None
        for line in program.stdout:
            text = line.decode(errors="replace").rstrip("\n")
            self._write(Event(self._now(), "said", program.pid, "", data=text))
            sys.stdout.write(f"{text}\n")
            sys.stdout.flush()

    def _listen(self, listener: int, program: subprocess.Popen[bytes]) -> None:
        """Answer the kernel until everything that was started has ended, or long after the program has."""
        poll = select.poll()
        poll.register(listener, select.POLLIN)
        ended: float | None = None
        while True:
            happened = poll.poll(500)
            if any(event & select.POLLIN for _, event in happened):
                self._answer(listener)
            elif happened:
                return
            if program.poll() is not None:
                ended = ended or monotonic()
                if monotonic() - ended > LEFT_SECONDS:
                    return

    def _answer(self, listener: int) -> None:
        buffer = bytearray(NOTIFICATION.size)
        try:
            ioctl(listener, RECEIVE, buffer)
        except OSError as err:
            # The process was ended meanwhile.
            if err.errno in (errno.ENOENT, errno.EINTR):
                return
            raise
        number, thread, _, call, _, _, *arguments = NOTIFICATION.unpack(buffer)
        try:
            self._note(thread, self._names[call], arguments)
        except (OSError, ValueError, struct.error) as err:
            # Of a process that has just been ended nothing can be read, and its call comes to nothing.
            if Path(f"/proc/{thread}").exists():
                self._write(Event(self._now(), "lost", thread, self._names[call], data=repr(err)))
        finally:
            with suppress(FileNotFoundError):
                ioctl(listener, SEND, bytearray(ANSWER.pack(number, 0, 0, CONTINUE)))

    def _note(self, thread: int, call: str, arguments: list[int]) -> None:
        process = _process_of(thread)
        inode, kind = _socket(process, arguments[0])
        with Path(f"/proc/{thread}/mem").open("rb", buffering=0) as memory:
            if call in ("connect", "bind"):
                address = _address(_at(memory, arguments[1], min(arguments[2], 128)))
                if call == "connect":
                    self._connected[inode] = address
                self._write(Event(self._now(), call, process, _command(process), kind, address, inode))
                return
            for named, data in _messages(memory, call, arguments):
                to = self._connected.get(inode) if named is None else named
                # Without either it answers somebody who came, or is a pair within the process.
                if to is not None:
                    text = base64.b64encode(data).decode()
                    self._write(Event(self._now(), "send", process, _command(process), kind, to, inode, text))

    def _now(self) -> float:
        return round(monotonic() - self._began, 3)

    def _write(self, event: Event) -> None:
        with self._lock:
            self._record.write(f"{json.dumps(asdict(event))}\n")
            self._record.flush()


def _filter() -> int:
    """Have this thread's calls, and those of all that it starts, handed over; return the descriptor to listen on."""
    machine = platform.machine()
    if machine not in CALLS:
        raise CannotRecordError(f"the calls of {machine} are not known here")
    architecture, seccomp = ARCHITECTURES[machine]
    numbers = list(CALLS[machine].values())
    code = [(LOAD_WORD, 0, 0, 4), (JUMP_IF_EQUAL, 1, 0, architecture), (RETURN, 0, 0, KILL_PROCESS)]
    code.append((LOAD_WORD, 0, 0, 0))
    for index, number in enumerate(numbers):
        code.append((JUMP_IF_EQUAL, len(numbers) - index + 2, 0, number))
    code += [(JUMP_IF_EQUAL, 0, 1, IO_URING_SETUP), (RETURN, 0, 0, ERRNO | errno.ENOSYS)]
    code += [(RETURN, 0, 0, ALLOW), (RETURN, 0, 0, USER_NOTIFICATION)]
    program = b"".join(struct.pack("=HBBI", *each) for each in code)
    memory = ctypes.create_string_buffer(program, len(program))
    whole = struct.pack("@HP", len(code), ctypes.addressof(memory))
    if _libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        raise CannotRecordError("prctl is refused here")
    listener: int = _libc.syscall(seccomp, SET_MODE_FILTER, NEW_LISTENER, whole)
    if listener < 0:
        why = os.strerror(ctypes.get_errno())
        raise CannotRecordError(f"the kernel hands no calls over: {why}")
    return listener


def _messages(memory: object, call: str, arguments: list[int]) -> Iterator[tuple[str | None, bytes]]:
    """Return the address that each message is for, None when the socket is connected, and what is in it."""
    if call == "sendto":
        to = _address(_at(memory, arguments[4], min(arguments[5], 128))) if arguments[4] else None
        yield to, _at(memory, arguments[1], arguments[2])
        return
    step, many = (MESSAGE_BYTES, 1) if call == "sendmsg" else (MULTIPLE_BYTES, arguments[2])
    for index in range(min(many, MOST_PARTS)):
        head = _at(memory, arguments[1] + index * step, MESSAGE.size)
        name, length, parts, count = MESSAGE.unpack(head)
        data = b""
        for part in range(min(count, MOST_PARTS)):
            data += _at(memory, *PART.unpack(_at(memory, parts + part * PART.size, PART.size)))
        yield _address(_at(memory, name, min(length, 128))) if name else None, data


def _at(memory: object, where: int, length: int) -> bytes:
    """Return bytes of another process's memory."""
    memory.seek(where)  # type: ignore[attr-defined]
    data: bytes = memory.read(length)  # type: ignore[attr-defined]
    return data


def _address(data: bytes) -> str:
    """Return a `sockaddr` in words."""
    family = int.from_bytes(data[:2], sys.byteorder)
    if family == socket.AF_UNIX:
        path = data[2:]
        abstract = path.startswith(b"\0")
        return "unix:" + ("@" if abstract else "") + os.fsdecode(path.strip(b"\0").split(b"\0")[0])
    if family == socket.AF_INET:
        return f"{socket.inet_ntop(family, data[4:8])}:{int.from_bytes(data[2:4])}"
    if family == socket.AF_INET6:
        return f"[{socket.inet_ntop(family, data[8:24])}]:{int.from_bytes(data[2:4])}"
    return "kernel" if family == socket.AF_NETLINK else f"family {family}"


def _process_of(thread: int) -> int:
    status = Path(f"/proc/{thread}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("Tgid"))


def _command(process: int) -> str:
    return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")


def _socket(process: int, number: int) -> tuple[int, str]:
    """Return the inode and the type of another process's socket."""
    handle = os.pidfd_open(process)
    try:
        descriptor: int = _libc.syscall(PIDFD_GETFD, handle, number, 0)
    finally:
        os.close(handle)
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), "the socket is closed")
    with socket.socket(fileno=descriptor) as copy:
        names = {socket.SOCK_STREAM: "stream", socket.SOCK_DGRAM: "datagram"}
        return os.fstat(descriptor).st_ino, names.get(copy.type, str(copy.type))


def main() -> int:
    """Run the program that the arguments name; 125 when nothing can be recorded here."""
    record, *command = sys.argv[1:]
    with Path(record).open("w", encoding="utf-8") as file:
        try:
            return Recorder(file).run(command)
        except CannotRecordError as err:
            sys.stderr.write(f"recorder: {err}\n")
            return 125


if __name__ == "__main__":
    sys.exit(main())
