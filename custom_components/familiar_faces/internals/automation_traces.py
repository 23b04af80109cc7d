"""The traces of automations and scripts: what Home Assistant remembers of each run, in memory and in a file."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from homeassistant.core import HomeAssistant, callback

from .stored_files import async_sync
from .unreachable import reach

if TYPE_CHECKING:
    from homeassistant.components.trace.models import BaseTrace

_TRACE = "trace"


def check(hass: HomeAssistant) -> bool:
    """Return whether this Home Assistant still keeps them as is expected here; yes where it keeps none."""
    if _TRACE not in hass.config.components:
        return True
    try:
        from homeassistant.components.trace.const import DATA_TRACE, DATA_TRACE_STORE
        from homeassistant.components.trace.util import async_restore_traces
    except ImportError:
        return False
    return (
        callable(async_restore_traces)
        and DATA_TRACE_STORE in hass.data
        and hasattr(hass.data[DATA_TRACE_STORE], "async_save")
        and all(
            hasattr(buckets, "runs") and hasattr(buckets, "not_triggered") and hasattr(buckets, "all_traces")
            for buckets in hass.data.get(DATA_TRACE, {}).values()
        )
    )


async def async_drop_where(hass: HomeAssistant, is_gone: Callable[[BaseTrace], bool]) -> int:
    """Drop traces, in memory and in the file; return how many it was. Raises Unreachable."""
    if _TRACE not in hass.config.components:
        return 0
    reach(hass, __name__, check)
    from homeassistant.components.trace.const import DATA_TRACE, DATA_TRACE_STORE
    from homeassistant.components.trace.util import async_restore_traces

    if not hass.is_stopping:
        # At a stop Home Assistant writes those in memory in the place of what was stored.
        await async_restore_traces(hass)
    count = 0
    for buckets in list(hass.data[DATA_TRACE].values()):
        for bucket in (buckets.runs, buckets.not_triggered):
            for run_id, trace in list(bucket.items()):
                if is_gone(trace):
                    bucket.pop(run_id, None)
                    count += 1
        # There may be very many of them.
        await asyncio.sleep(0)
    if count:
        await hass.data[DATA_TRACE_STORE].async_save(
            {key: list(buckets.all_traces()) for key, buckets in hass.data[DATA_TRACE].items()}
        )
        await async_sync(hass.data[DATA_TRACE_STORE])
    return count


@callback
def async_find_where(hass: HomeAssistant, is_it: Callable[[BaseTrace], bool]) -> list[BaseTrace]:
    """Return traces that are in memory."""
    if _TRACE not in hass.config.components:
        return []
    from homeassistant.components.trace.const import DATA_TRACE

    return [
        trace for buckets in hass.data[DATA_TRACE].values() for trace in buckets.all_traces() if is_it(trace)
    ]
