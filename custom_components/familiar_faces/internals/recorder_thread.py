"""Work in the recorder's own thread, in which its database may be changed."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, override

from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import DATA_INSTANCE

if TYPE_CHECKING:
    from homeassistant.components.recorder.core import Recorder
    from homeassistant.components.recorder.tasks import RecorderTask


def check(hass: HomeAssistant) -> bool:
    """Return whether this Home Assistant's recorder still takes work as is expected here; yes where none runs."""
    if (instance := hass.data.get(DATA_INSTANCE)) is None:
        return True
    try:
        from homeassistant.components.recorder.tasks import RecorderTask
    except ImportError:
        return False
    return hasattr(RecorderTask, "run") and hasattr(instance, "queue_task")


async def async_in_recorder[T](hass: HomeAssistant, work: Callable[[Recorder], T]) -> T | None:
    """Have the recorder's thread do something, once all that it was told before is written; return what came of it.

    None without a recorder that runs, and when it failed.
    """
    instance = hass.data.get(DATA_INSTANCE)
    if instance is None or not instance.is_alive():
        return None
    done: asyncio.Future[T | None] = hass.loop.create_future()

    def settle(result: T | None) -> None:
        if not done.done():
            done.set_result(result)

    instance.queue_task(_make_task(work, lambda result: hass.loop.call_soon_threadsafe(settle, result)))
    return await done


def _make_task[T](work: Callable[[Recorder], T], finished: Callable[[T | None], object]) -> RecorderTask:
    """Return the recorder's task; the recorder is imported only where there is one."""
    from homeassistant.components.recorder.tasks import RecorderTask

    class Task(RecorderTask):
        """Work after all that is queued before it is committed."""

        @override
        def run(self, instance: Recorder) -> None:
            result: T | None = None
            try:
                # An error is the recorder's: it logs it, and mends a damaged database by itself.
                result = work(instance)
            finally:
                finished(result)

    return Task()
