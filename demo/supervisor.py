"""A stand-in for Home Assistant's Supervisor: as much of it as an app needs that announces itself.

The app, Home Assistant's own client of the Supervisor and its own page for discoveries are the real ones.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
import json
from pathlib import Path
import secrets
from typing import Any
import uuid

from aiohttp import hdrs, web
import yaml

from .client import DemoFailed, Json
from .home import SOURCE

CONFIG = SOURCE.parent.parent / "deploy" / "app" / "config.yaml"
ADDRESS = "127.8.1.27"
"""Where it listens, on the port that apps know it at: of this machine alone, and nobody else's."""
REPOSITORY = "0a1b2c3d"
SUPERVISED = "supervised"
"""The integration that stands in Home Assistant where that of the Supervisor does."""
# That of the Supervisor itself asks for much more at its start than an app needs.
_INTEGRATION = """\
from homeassistant.components.hassio.const import DATA_COMPONENT
from homeassistant.components.hassio.discovery import async_setup_discovery_view
from homeassistant.components.hassio.handler import HassIO
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.start import async_at_started

async def async_setup(hass, config):
    hass.data[DATA_COMPONENT] = HassIO(hass.loop, async_get_clientsession(hass), {address!r})
    async_setup_discovery_view(hass)

    async def started(hass):
        hass.config.components.add("hassio")

    async_at_started(hass, started)
    return True
"""


class Supervisor:
    """What it knows of the app, and what the app told it."""

    def __init__(self) -> None:
        """Know an app that has said nothing."""
        self.address = ADDRESS
        self.token = secrets.token_urlsafe(32)
        """What the app shows to it."""
        self.app: Json = yaml.safe_load(CONFIG.read_text("utf-8"))
        self.slug = f"{REPOSITORY}_{self.app['slug']}"
        self.told: list[Json] = []

    def application(self) -> web.Application:
        """Return what answers."""
        app = web.Application()
        app.router.add_post("/discovery", self._announce)
        app.router.add_get("/discovery", self._list)
        app.router.add_get("/discovery/{uuid}", self._show)
        app.router.add_get(f"/addons/{self.slug}/info", self._info)
        return app

    async def _announce(self, request: web.Request) -> web.Response:
        if request.headers.get(hdrs.AUTHORIZATION) != f"Bearer {self.token}":
            return web.json_response({"result": "error", "message": "unauthorized"}, status=401)
        said = await request.json()
        if said.get("service") not in self.app["discovery"]:
            # As the Supervisor: only what the app's configuration names.
            return web.json_response({"result": "error", "message": "not its service"}, status=400)
        message = {"addon": self.slug, "uuid": uuid.uuid4().hex, **said}
        self.told[:] = [message]
        return _ok({"uuid": message["uuid"]})

    async def _list(self, _: web.Request) -> web.Response:
        return _ok({"discovery": self.told, "services": {}})

    async def _show(self, request: web.Request) -> web.Response:
        for message in self.told:
            if message["uuid"] == request.match_info["uuid"]:
                return _ok(message)
        return web.json_response({"result": "error", "message": "unknown"}, status=404)

    async def _info(self, _: web.Request) -> web.Response:
        no = dict.fromkeys(
            (
                *(
                    "advanced",
                    "build",
                    "detached",
                    "update_available",
                    "auth_api",
                    "docker_api",
                    "full_access",
                ),
                *(
                    "homeassistant_api",
                    "host_network",
                    "host_pid",
                    "ingress",
                    "signed",
                    "hassio_api",
                    "host_ipc",
                ),
                *("host_uts", "host_dbus", "changelog", "stdin", "gpio", "usb", "uart", "kernel_modules"),
                *("devicetree", "udev", "video", "audio", "auto_update", "system_managed"),
            ),
            False,
        )
        unknown = dict.fromkeys(
            (
                *(
                    "long_description",
                    "schema",
                    "network_description",
                    "webui",
                    "ingress_entry",
                    "ingress_url",
                ),
                *(
                    "ingress_port",
                    "ingress_panel",
                    "audio_input",
                    "audio_output",
                    "system_managed_config_entry",
                ),
            ),
            None,
        )
        none: dict[str, list[str]] = {
            name: [] for name in ("dns", "machine", "privileged", "services", "devices")
        }
        yes = dict.fromkeys(("available", "icon", "logo", "documentation", "protected", "watchdog"), True)
        app = self.app
        return _ok(
            no
            | unknown
            | none
            | yes
            | {
                key: app[key]
                for key in ("name", "description", "url", "arch", "discovery", "options", "startup")
            }
            | {
                "slug": self.slug,
                "repository": REPOSITORY,
                "homeassistant": app["homeassistant"],
                "version": app["version"],
                "version_latest": app["version"],
                "stage": "stable",
                "state": "started",
                "apparmor": "profile",
                "rating": 6,
                "hassio_role": "default",
                "hostname": self.slug.replace("_", "-"),
                "boot": app["boot"],
                "boot_config": app["boot"],
                "network": app["ports"],
                "translations": {},
                "ip_address": ADDRESS,
            }
        )


def _ok(data: dict[str, Any]) -> web.Response:
    return web.json_response({"result": "ok", "data": data})


@asynccontextmanager
async def supervising() -> AsyncGenerator[Supervisor]:
    """Run it for as long as it is used."""
    supervisor = Supervisor()
    runner = web.AppRunner(supervisor.application(), access_log=None)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, ADDRESS, 80).start()
        except OSError as err:
            raise DemoFailed(
                f"Nothing can listen where apps look for the Supervisor: {err.strerror}."
            ) from err
        yield supervisor
    finally:
        await runner.cleanup()


def install(path: Path) -> None:
    """Put the integration into a configuration folder that asks Home Assistant for it."""
    folder = path / "custom_components" / SUPERVISED
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(_INTEGRATION.format(address=ADDRESS))
    manifest = {
        "domain": SUPERVISED,
        "name": "A stand-in for the Supervisor",
        "version": "0.0.0",
        "codeowners": [],
        "dependencies": ["http"],
        "documentation": "https://developers.home-assistant.io/docs/apps/communication",
        "iot_class": "local_push",
        "requirements": [],
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
