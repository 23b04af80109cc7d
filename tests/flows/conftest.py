"""What tests of flows share."""

from collections.abc import Generator

import pytest

from ..common.engine_process import EngineProcess


@pytest.fixture
def elsewhere(real_engine: None, socket_enabled: None) -> Generator[EngineProcess]:
    """Return a real engine on a TCP port, with a token."""
    engine = EngineProcess(token="a secret for the tests").start()
    yield engine
    if engine.process is not None and engine.process.poll() is None:
        engine.stop()
