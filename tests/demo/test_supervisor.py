"""The demo's stand-in for the Supervisor, asked as the app does, and by Home Assistant's own client."""

from collections.abc import AsyncGenerator

from aiohasupervisor import SupervisorClient, SupervisorNotFoundError
import aiohttp
from aiohttp.test_utils import TestServer
import pytest

from custom_components.familiar_faces.household.engine_app import read_announcement
from demo.supervisor import Supervisor

pytestmark = pytest.mark.usefixtures("socket_enabled")

SAID = {
    "service": "familiar_faces",
    "config": {"host": "localhost", "port": 8127, "token": "a token of the app's"},
}


@pytest.fixture
async def standing() -> AsyncGenerator[tuple[Supervisor, str]]:
    """Run it, and return it with its address."""
    supervisor = Supervisor()
    server = TestServer(supervisor.application())
    await server.start_server()
    yield supervisor, str(server.make_url("")).rstrip("/")
    await server.close()


async def test_home_assistant_understands_what_the_app_announced(
    standing: tuple[Supervisor, str],
) -> None:
    """From one end to the other: an announcement becomes the data of an entry."""
    supervisor, url = standing
    async with aiohttp.ClientSession() as session:
        headers = {"Authorization": f"Bearer {supervisor.token}"}
        async with session.post(f"{url}/discovery", json=SAID, headers=headers) as answer:
            assert answer.status == 200
        client = SupervisorClient(url, "", session=session)
        (found,) = await client.discovery.list()
        assert (found.service, found.config) == (SAID["service"], SAID["config"])
        assert await client.discovery.get(found.uuid) == found
        about = await client.addons.addon_info(found.addon)
        assert (about.name, about.slug) == ("Familiar Faces engine", found.addon)
        data = read_announcement(found.config, found.addon)
        assert data is not None
        assert data["url"] == "http://localhost:8127"
        with pytest.raises(SupervisorNotFoundError):
            await client.addons.addon_info("another_app")


@pytest.mark.parametrize(
    ("token", "said"),
    [("another", SAID), (None, SAID), ("its own", SAID | {"service": "mqtt"})],
)
async def test_what_the_supervisor_would_refuse(
    standing: tuple[Supervisor, str], token: str | None, said: dict[str, object]
) -> None:
    """An app that forgot its token, or announces what its configuration does not name, is not heard."""
    supervisor, url = standing
    shown = supervisor.token if token == "its own" else token
    headers = {} if shown is None else {"Authorization": f"Bearer {shown}"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/discovery", json=said, headers=headers) as answer,
    ):
        assert answer.status in (400, 401)
    assert supervisor.told == []
