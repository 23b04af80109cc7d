"""How engines are measured: with a picture that is written here, and shows nobody."""

from io import BytesIO

import aiohttp
import numpy as np
from PIL import Image
import pytest

from custom_components.familiar_faces.host.client import EngineClient
from custom_components.familiar_faces.host.engine_errors import EngineUnavailable
from custom_components.familiar_faces.host.measuring import SIZE, measure, sample
from tests.common.engine_process import EngineProcess


def test_the_picture_is_a_whole_jpeg() -> None:
    image = Image.open(BytesIO(sample()))
    image.load()
    assert (image.format, image.size, image.mode) == ("JPEG", SIZE, "L")
    grey = np.asarray(image, float)
    # It has the waves that were written, without a block that went wrong: each is near its neighbours.
    assert 20 < grey.std() < 60
    assert np.abs(np.diff(grey[::8, ::8], axis=1)).max() < 12


async def test_an_engine_takes_some_time_and_sees_nobody(socket_enabled: None) -> None:
    engine = EngineProcess(token="a token of the tests, long enough").start()
    try:
        async with aiohttp.ClientSession() as session:
            client = EngineClient(session, engine.url, engine.token, wary=True)
            assert await measure(client, sample()) > 0
            assert (await client.faces(sample())).faces == ()
            engine.kill()
            with pytest.raises(EngineUnavailable):
                await measure(client, sample())
    finally:
        engine.kill()
