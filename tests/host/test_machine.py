"""Which machines the engine can run on."""

from dataclasses import replace
import os
import platform
import struct
import sysconfig

import pytest

from custom_components.familiar_faces.host.machine import Machine, this_machine

GOOD = Machine("Linux", "x86_64", "glibc", "cpython-314-x86_64-linux-gnu")


@pytest.mark.parametrize("processor", ["x86_64", "aarch64"])
@pytest.mark.parametrize(("libc", "own"), [("glibc", False), ("musl", True), ("unknown", True)])
def test_linux_is_supported_and_brings_the_gnu_library_where_there_is_none(
    processor: str, libc: str, own: bool
) -> None:
    machine = replace(GOOD, processor=processor, libc=libc)
    assert machine.unsupported() is None
    assert machine.needs_libc is own


@pytest.mark.parametrize(
    ("change", "reason_key"),
    [
        ({"system": "Darwin", "libc": "unknown"}, "unsupported_platform"),
        ({"system": "Windows"}, "unsupported_platform"),
        ({"processor": "armv7l"}, "unsupported_platform"),
        ({"processor": "32-bit"}, "unsupported_platform"),
        ({"processor": "riscv64", "libc": "musl"}, "unsupported_platform"),
    ],
)
def test_other_machines_are_named(change: dict[str, str], reason_key: str) -> None:
    unsupported = replace(GOOD, **change).unsupported()
    assert unsupported is not None
    assert unsupported[0] == reason_key
    assert unsupported[1]


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="asks this machine's own GNU library")
def test_this_machine_is_told_to_have_the_gnu_library() -> None:
    here = this_machine()
    assert (here.system, here.libc) == ("Linux", "glibc")
    assert here.processor == platform.machine()


def test_musl_is_told_by_what_its_python_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    def confstr(name: str) -> str:
        # What CPython says where the C library has no such name.
        raise ValueError("unrecognized configuration name")

    monkeypatch.setattr(os, "confstr", confstr)
    variables = {"SOABI": "cpython-314-x86_64-linux-musl", "HOST_GNU_TYPE": "x86_64-pc-linux-musl"}
    monkeypatch.setattr(sysconfig, "get_config_var", variables.get)
    here = this_machine()
    assert here.libc == "musl"
    assert here.needs_libc
    assert replace(here, system="Linux", processor="x86_64").unsupported() is None


def test_a_32_bit_system_under_a_64_bit_kernel_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(struct, "calcsize", lambda _: 4)
    assert this_machine().processor == "32-bit"
