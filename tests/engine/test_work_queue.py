"""The waiting room."""

import asyncio
from collections.abc import Generator
import threading

import pytest

from custom_components.familiar_faces.engine.work_queue import BusyError, WorkQueue


@pytest.fixture
def queue() -> Generator[WorkQueue]:
    """Return a waiting room, and wait for its thread afterwards."""
    room = WorkQueue()
    yield room
    room.close()
    # The engine does not wait for it; the next test must not find it.
    room._thread.shutdown(wait=True)


async def test_one_piece_of_work_at_a_time(queue: WorkQueue) -> None:
    running, most = 0, 0

    def work() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        threading.Event().wait(0.01)
        running -= 1

    await asyncio.gather(*(queue.run(work) for _ in range(10)))
    assert most == 1


async def test_a_full_room_sends_away() -> None:
    queue = WorkQueue(places=2)
    with queue.place(1), queue.place(1), pytest.raises(BusyError), queue.place(1):
        pass
    with queue.place(1):
        pass


async def test_the_room_has_a_size_in_bytes_but_one_image_always_fits() -> None:
    queue = WorkQueue(room=100)
    with queue.place(1000), pytest.raises(BusyError), queue.place(1):
        pass
    with queue.place(60), queue.place(40), pytest.raises(BusyError), queue.place(1):
        pass


async def test_who_leaves_while_waiting_is_never_served(queue: WorkQueue) -> None:
    go = threading.Event()
    done: list[int] = []

    def work(number: int) -> None:
        go.wait(60)
        done.append(number)

    first = asyncio.create_task(queue.run(lambda: work(1)))
    leaving = asyncio.create_task(queue.run(lambda: work(2)))
    third = asyncio.create_task(queue.run(lambda: work(3)))
    await asyncio.sleep(0.05)
    leaving.cancel()
    go.set()
    await asyncio.gather(first, third)
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert done == [1, 3]


async def test_who_leaves_in_the_middle_lets_the_next_wait_for_the_end(queue: WorkQueue) -> None:
    begun, go = threading.Event(), threading.Event()
    order: list[str] = []

    def slow() -> None:
        begun.set()
        go.wait(60)
        order.append("slow")

    leaving = asyncio.create_task(queue.run(slow))
    assert await asyncio.to_thread(begun.wait, 60)
    leaving.cancel()
    following = asyncio.create_task(queue.run(lambda: order.append("next")))
    await asyncio.sleep(0.05)
    assert queue.running_for > 0
    assert not following.done()
    go.set()
    await following
    assert order == ["slow", "next"]
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert queue.running_for == 0


async def test_an_error_reaches_who_asked_and_nobody_else(queue: WorkQueue) -> None:
    with pytest.raises(ZeroDivisionError):
        await queue.run(lambda: 1 / 0)
    assert await queue.run(lambda: 5) == 5


async def test_as_many_at_a_time_as_there_are_workers() -> None:
    queue = WorkQueue(workers=3)
    running, most = 0, 0
    lock = threading.Lock()
    together = threading.Barrier(3, timeout=60)

    def work() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        # Nobody goes on before three are there.
        together.wait()
        with lock:
            running -= 1

    await asyncio.gather(*(queue.run(work) for _ in range(9)))
    assert most == 3
    queue._thread.shutdown(wait=True)


async def test_the_newest_takes_the_place_of_whoever_waited_longest() -> None:
    queue = WorkQueue(places=3, newest_wins=True)
    go = threading.Event()
    done: list[int] = []

    async def ask(number: int, *, urgent: bool = False) -> None:
        def work() -> None:
            go.wait(60)
            done.append(number)

        with queue.place(1):
            await queue.run(work, urgent=urgent)

    async def come(number: int, *, urgent: bool = False) -> asyncio.Task[None]:
        task = asyncio.create_task(ask(number, urgent=urgent))
        await asyncio.sleep(0.02)
        return task

    working, urgent, oldest = await come(1), await come(2, urgent=True), await come(3)
    newer = await come(4)
    newest = await come(5)
    go.set()
    ends = await asyncio.gather(working, urgent, oldest, newer, newest, return_exceptions=True)
    assert [type(end) for end in ends] == [type(None), type(None), BusyError, BusyError, type(None)]
    assert done == [1, 2, 5]
    # Everybody has left.
    assert queue.inside == 0
    await queue.run(lambda: done.append(6))
    assert done[-1] == 6
    queue._thread.shutdown(wait=True)


async def test_what_is_worked_on_gives_no_place_up() -> None:
    queue = WorkQueue(places=1, newest_wins=True)
    go = threading.Event()

    async def ask() -> None:
        with queue.place(1):
            await queue.run(lambda: go.wait(60))

    first = asyncio.create_task(ask())
    await asyncio.sleep(0.02)
    with pytest.raises(BusyError):
        await ask()
    go.set()
    await first
    queue._thread.shutdown(wait=True)
