"""How often somebody may do something."""

from custom_components.familiar_faces.household.leave import MOST_KNOWN, Leave
from custom_components.familiar_faces.recognising.identify import AT_ONCE, ONE_MORE_EVERY


def test_many_at_once_and_then_one_after_the_other() -> None:
    leave = Leave(AT_ONCE, ONE_MORE_EVERY)
    assert [leave.wait("anna", 100.0) for _ in range(AT_ONCE)] == [0] * AT_ONCE
    assert leave.wait("anna", 100.0) == 30
    # Anyone who is told to wait is not put back by asking.
    assert leave.wait("anna", 115.5) == 15
    assert leave.wait("anna", 130.0) == 0
    assert leave.wait("anna", 130.0) == 30
    # Others, and an automation, do not wait for her.
    assert leave.wait("ben", 130.0) == 0
    assert leave.wait(None, 130.0) == 0
    # All of it is forgiven in the end.
    assert [leave.wait("anna", 10_000.0) for _ in range(AT_ONCE)] == [0] * AT_ONCE


def test_not_without_end() -> None:
    leave = Leave(1, 30.0)
    for number in range(3 * MOST_KNOWN):
        assert leave.wait(str(number), 0.0) == 0
    assert len(leave._until) == MOST_KNOWN
