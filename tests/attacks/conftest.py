"""Attacks talk to servers of this machine."""

import pytest


@pytest.fixture(autouse=True)
def sockets(socket_enabled: None) -> None:
    """Let them connect."""
