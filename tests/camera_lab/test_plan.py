"""What is done with the lab's cameras."""

from camera_lab.films import MJPEG
from camera_lab.kinds import KINDS
from camera_lab.plan import chosen
import pytest


def test_what_is_checked_is_quickly_made() -> None:
    checked = chosen([], check=True)
    assert {each.form.height for each in checked} == {720}
    # A still, a snapshot, a stream of each state, and a camera that takes one connection alone.
    assert {each.form.codec for each in checked} == {MJPEG, "h264"}
    assert {each.state for each in checked} == {"", "cold", "warm", "preloaded"}
    assert [each.single for each in checked].count(True) == 1
    names = [each.name for each in checked]
    assert len(set(names)) == len(names)
    assert all(each.goal_ms for each in checked)


@pytest.mark.parametrize("name", [each.name for each in KINDS])
def test_a_kind_is_found_by_its_name(name: str) -> None:
    assert name in [each.name for each in chosen([name], check=False)]


def test_thirty_two_ring_at_once() -> None:
    assert len(chosen([], check=False)) >= 32
