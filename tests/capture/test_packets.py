"""What is kept of a stream, and the stream's time in our own clock."""

from collections.abc import Iterator
from itertools import count, pairwise

from hypothesis import given, strategies as st
import pytest

from custom_components.familiar_faces.capture.packets import (
    BEGIN,
    COVERED,
    MAX_RING,
    Outlet,
    PacketRing,
    Piece,
    Timeline,
)

FPS = 15


def pieces(seconds: float, key_every: float, *, size: int = 10_000, fps: int = FPS) -> list[Piece]:
    every = round(key_every * fps)
    return [
        Piece(number + 1, 100 + number / fps, BEGIN + number / fps, number % every == 0, bytes(size))
        for number in range(round(seconds * fps))
    ]


# The ring


@pytest.mark.parametrize("key_every", [0.2, 1, 2, 4, 10])
def test_what_is_kept_covers_the_last_seconds(key_every: float) -> None:
    ring = PacketRing()
    for piece in pieces(25, key_every):
        ring.add(piece)
        kept = ring.since(piece.arrived - 1.5)
        assert kept[0].key
        assert kept[-1] is piece
        assert kept[0].arrived <= max(100.0, piece.arrived - 1.5)
        # No more than is needed.
        assert kept[0].arrived > piece.arrived - 1.5 - key_every - 0.1
        assert [each.number for each in kept] == list(range(kept[0].number, piece.number + 1))
    assert ring.size == sum(len(each.data) for each in ring.since(0))
    assert ring.size <= (COVERED + 2 * key_every) * FPS * 10_000


def test_nothing_is_kept_that_cannot_be_decoded() -> None:
    ring = PacketRing()
    for piece in pieces(2, 1)[5:15]:
        ring.add(piece)
    assert ring.since(1000) == []
    assert ring.size == 0


@pytest.mark.parametrize("key_every", [1, 1000])
def test_what_is_kept_is_bounded_in_bytes(key_every: float) -> None:
    ring = PacketRing()
    for piece in pieces(30, key_every, size=400_000):
        ring.add(piece)
        assert ring.size <= MAX_RING
    # A group that is larger than what may be kept is of no use without its beginning.
    assert bool(ring.since(0)) == (key_every == 1)


def test_a_ring_that_is_cleared_begins_anew() -> None:
    ring = PacketRing()
    for piece in pieces(3, 1):
        ring.add(piece)
    ring.clear()
    assert ring.since(0) == []
    assert ring.size == 0
    ring.add(pieces(1, 1)[0])
    assert len(ring.since(0)) == 1


def test_of_a_moment_before_all_that_is_kept_all_is_given() -> None:
    ring = PacketRing()
    for piece in pieces(2, 1):
        ring.add(piece)
    assert len(ring.since(-5)) == 30
    assert len(ring.since(1e9)) == 15


# The outlet


def test_an_outlet_gives_each_piece_once() -> None:
    film = pieces(4, 2)
    outlet = Outlet(film[:20])
    # The reader's thread may have sent what is in the ring already.
    for piece in film[15:40]:
        outlet.add(piece)
    assert outlet
    assert outlet.take() == film[:40]
    assert not outlet
    outlet.add(film[40])
    assert outlet.take() == [film[40]]


def test_an_outlet_that_nobody_empties_goes_on_at_a_key_frame() -> None:
    film = pieces(19, 1)
    outlet = Outlet([], most=200_000)
    for piece in film:
        outlet.add(piece)
    taken = outlet.take()
    assert taken[0].key
    assert taken[-1] is film[-1]
    assert sum(len(piece.data) for piece in taken) <= 200_000
    assert outlet.lost == len(film) - len(taken)


def test_an_outlet_waits_for_a_key_frame_after_a_gap() -> None:
    film = pieces(3, 1)
    outlet = Outlet(film[:3])
    outlet.gap()
    for piece in film[5:20]:
        outlet.add(piece)
    assert outlet.take() == [*film[:3], *film[15:20]]


# The time


def feed(timeline: Timeline, times: Iterator[tuple[float | None, float | None, float]]) -> list[float]:
    return [timeline.place(*each)[0] for each in times]


def test_a_steady_stream_keeps_its_time() -> None:
    timeline = Timeline()
    placed = feed(timeline, ((5000 + n / FPS, 5000 + n / FPS, 100 + n / FPS) for n in range(100)))
    assert placed[0] == BEGIN
    assert placed == [pytest.approx(BEGIN + n / FPS) for n in range(100)]
    assert timeline.made(BEGIN + 2) == pytest.approx(102)
    assert timeline.time_of(102) == pytest.approx(BEGIN + 2)


def test_a_burst_of_older_frames_is_known_as_such() -> None:
    """Some servers begin with the group of pictures that they have: it was made before it arrived."""
    timeline = Timeline()
    for number in range(60):
        timeline.place(number / FPS, number / FPS, 100 + number * 0.001)
    assert timeline.made(BEGIN) == pytest.approx(100.06 - 4, abs=0.1)
    for number in range(60, 90):
        timeline.place(number / FPS, number / FPS, 100.06 + (number - 59) / FPS)
    assert timeline.made(BEGIN) == pytest.approx(100.06 - 4, abs=0.1)


def test_frames_that_were_held_up_are_as_old_as_they_are() -> None:
    timeline = Timeline()
    for number in range(30):
        timeline.place(number / FPS, number / FPS, 100 + number / FPS)
    # Two seconds later all of them come at once.
    for number in range(30, 60):
        timeline.place(number / FPS, number / FPS, 104.0)
    assert timeline.made(BEGIN + 45 / FPS) == pytest.approx(103)


@pytest.mark.parametrize("jump", [-4000.0, -30.0, -1.5, 30.0, 86_400.0])
def test_a_camera_whose_clock_is_set_is_followed(jump: float) -> None:
    timeline = Timeline()
    before = feed(timeline, ((n / FPS, n / FPS, 100 + n / FPS) for n in range(60)))
    after = feed(timeline, ((jump + n / FPS, jump + n / FPS, 100 + n / FPS) for n in range(60, 120)))
    placed = [*before, *after]
    assert all(one < other < one + 1 for one, other in pairwise(placed))
    assert timeline.made(placed[-1]) == pytest.approx(100 + 119 / FPS, abs=0.01)


def test_a_pause_of_the_camera_is_a_pause_of_the_stream() -> None:
    timeline = Timeline()
    feed(timeline, ((n / FPS, n / FPS, 100 + n / FPS) for n in range(30)))
    # Its clock begins again after it was started again.
    (placed,) = feed(timeline, iter([(0.0, 0.0, 160.0)]))
    assert placed == pytest.approx(BEGIN + 60, abs=0.1)
    assert timeline.made(placed) == pytest.approx(160)


def test_clocks_that_run_apart_are_followed() -> None:
    timeline = Timeline()
    # 500 millionths: two seconds an hour, ten times what cheap crystals do.
    for number in range(2 * 3600 * 5):
        at = 100 + number / 5
        placed, _ = timeline.place(number / 5 * 1.0005, None, at)
        assert timeline.made(placed) == pytest.approx(at, abs=0.1)


def test_without_times_the_arrival_counts() -> None:
    timeline = Timeline()
    placed = feed(timeline, ((None, None, 100 + n / FPS) for n in range(30)))
    assert placed == [pytest.approx(BEGIN + n / FPS) for n in range(30)]


def test_frames_that_overtake_each_other() -> None:
    timeline = Timeline()
    # B-frames: decoded in another order than shown.
    for number, show in enumerate([0, 3, 1, 2, 6, 4, 5]):
        decode, shown = timeline.place(number / FPS, (show + 1) / FPS, 100 + number / FPS)
        assert decode == pytest.approx(BEGIN + number / FPS)
        assert shown == pytest.approx(max(decode, BEGIN + (show + 1) / FPS))


@given(
    st.lists(
        st.tuples(
            st.none() | st.floats(-1e6, 1e6, allow_nan=False),
            st.none() | st.floats(-1e6, 1e6, allow_nan=False),
            st.floats(0, 100),
        ),
        max_size=40,
    )
)
def test_whatever_a_camera_says_time_goes_on(packets: list[tuple[float | None, float | None, float]]) -> None:
    timeline = Timeline()
    last, arrived = 0.0, 1000.0
    for number, (decode, show, gap) in zip(count(), packets, strict=False):
        arrived += gap
        placed, shown = timeline.place(decode, show, arrived)
        assert number == 0 or placed > last
        assert placed <= shown <= placed + 20
        assert timeline.made(placed) <= arrived + 1e-6
        last = placed
