"""What Home Assistant itself takes: an integration of the lab's own in the Home Assistant that is tried.

It is copied there as a file, and imports nothing of the lab.
"""

import asyncio
import ctypes
import gc
import os
from pathlib import Path
import time
from typing import Any

from homeassistant.core import HomeAssistant, ServiceCall, SupportsResponse
from homeassistant.helpers.typing import ConfigType

DOMAIN = "camera_lab_probe"
EVERY = 0.01
"""Seconds between two looks at the event loop."""


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Watch the event loop; the action `read` tells what was seen since it was last asked."""
    late: list[float] = []

    async def watch() -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(EVERY)
            late.append((time.perf_counter() - began - EVERY) * 1000)

    async def read(_call: ServiceCall) -> dict[str, Any]:
        seen, late[:] = sorted(late), []
        pages = int((await hass.async_add_executor_job(_statm)).split()[1])
        return {
            "cpu_seconds": time.process_time(),
            "at": time.monotonic(),
            "mb": pages * os.sysconf("SC_PAGE_SIZE") / 1e6,
            "loop_p99_ms": seen[int(len(seen) * 0.99)] if seen else 0.0,
        }

    hass.async_create_background_task(watch(), "camera lab probe")
    hass.services.async_register(DOMAIN, "read", read, supports_response=SupportsResponse.ONLY)
    return True


def _statm() -> str:
    # What was freed is not in use.
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return Path("/proc/self/statm").read_text()
