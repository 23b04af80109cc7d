"""What this machine is, as far as it matters to the engine's packages."""

from dataclasses import dataclass
import os
import platform
import struct
import sys
import sysconfig

SUPPORTED = ("x86_64", "aarch64")
"""The processors that OpenCV and onnxruntime have wheels for."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A system, its processor and its C library."""

    system: str
    """As in `platform.system()`."""
    processor: str
    """As in `platform.machine()`, or `32-bit` where the interpreter is."""
    libc: str
    """`glibc`, `musl` or `unknown`."""
    abi: str
    """What compiled modules of the interpreter are named by."""

    def unsupported(self) -> tuple[str, str] | None:
        """Return why the engine cannot run here, as a reason key and a sentence; None when it can."""
        if self.system != "Linux":
            return "unsupported_platform", f"The engine needs Linux, and this is {self.system}"
        if self.processor not in SUPPORTED:
            return (
                "unsupported_platform",
                f"The engine needs one of {', '.join(SUPPORTED)}, and this is {self.processor}",
            )
        return None

    @property
    def needs_libc(self) -> bool:
        """Return whether the engine has to bring its own C library."""
        return self.libc != "glibc"


def this_machine() -> Machine:
    """Return the machine that this interpreter runs on."""
    return Machine(
        system=platform.system(),
        # A 64-bit kernel under a 32-bit system reports itself, not the system.
        processor=platform.machine() if struct.calcsize("P") == 8 else "32-bit",
        libc=_libc(),
        abi=str(sysconfig.get_config_var("SOABI") or sys.implementation.cache_tag),
    )


def _libc() -> str:
    """Return which C library this interpreter is linked with."""
    try:
        # musl does not know this name, so that its Python has none.
        if (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc"):
            return "glibc"
    except OSError, ValueError:
        pass
    build = f"{sysconfig.get_config_var('SOABI')} {sysconfig.get_config_var('HOST_GNU_TYPE')}"
    return "musl" if "musl" in build else "unknown"
