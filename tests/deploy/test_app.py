"""The app (add-on): what the Supervisor reads of it, by the rules of Home Assistant's developer documentation."""

import json
from pathlib import Path
import re
from typing import Any

from dockerfile import read
from PIL import Image
import pytest
import voluptuous as vol
import yaml

from custom_components.familiar_faces.engine import cli
from custom_components.familiar_faces.household.engine_app import read_announcement
from deploy.app import start

from ..common.source import FOLDER, ROOT

APP = ROOT / "deploy" / "app"
CONFIG: dict[str, Any] = yaml.safe_load((APP / "config.yaml").read_text("utf-8"))
MANIFEST = json.loads((FOLDER / "manifest.json").read_text("utf-8"))
STAGES = read((ROOT / "deploy" / "container" / "Dockerfile").read_text("utf-8"))
LANGUAGES = ("de", "en", "nl")

_URL = vol.Url()
_TYPE = r"(bool|email|url|password|port|(str|int|float)(\(-?\d*,-?\d*\))?|match\(.+\)|list\(.+\))\??"
SCHEMA = vol.Schema(
    {
        vol.Required("name"): str,
        vol.Required("version"): str,
        vol.Required("slug"): vol.Match(r"[-_.A-Za-z0-9]+\Z"),
        vol.Required("description"): str,
        vol.Required("arch"): [vol.In(["aarch64", "amd64"])],
        "url": _URL,
        "image": vol.Match(r"([a-zA-Z\-.:\d]+/)*[\-\w]+/[\-\w]+\Z"),
        "homeassistant": vol.Match(r"\d{4}\.\d+\.\d+\Z"),
        "startup": vol.In(["initialize", "system", "services", "application", "once"]),
        "boot": vol.In(["auto", "manual", "manual_only"]),
        "init": bool,
        "watchdog": vol.Match(r"(https?|tcp)://\[HOST\]:(\[PORT:\d+\]|\d+).*\Z"),
        "discovery": [str],
        "ports": {vol.Match(r"\d+/(tcp|udp)\Z"): vol.Any(None, vol.All(int, vol.Range(1, 65535)))},
        "tmpfs": bool,
        "stage": vol.In(["stable", "experimental", "deprecated"]),
        "backup_exclude": [str],
        "options": {str: vol.Any(None, str, int, float, bool)},
        "schema": {str: vol.Match(_TYPE + r"\Z")},
    }
)
"""The documented keys (developers.home-assistant.io, Apps, Configuration) that this app may use. What is not here,
such as host_network, privileged or a map of folders, it has no reason for."""


def test_config() -> None:
    """The configuration is as documented, and asks for nothing that the app has no reason for."""
    SCHEMA(CONFIG)
    assert set(CONFIG["arch"]) == {"aarch64", "amd64"}
    assert CONFIG["discovery"] == [start.SERVICE] == [MANIFEST["domain"]]
    assert CONFIG["ports"] == {f"{start.PORT}/tcp": None}
    assert CONFIG["watchdog"] == f"http://[HOST]:[PORT:{start.PORT}]/v1/alive"


def test_the_store_finds_one_app() -> None:
    """The Supervisor reads every file that is named so in the repository as the configuration of an app."""
    found = [
        path.relative_to(ROOT)
        for path in ROOT.glob("**/config.*")
        if path.suffix in (".json", ".yaml", ".yml")
        and not any(
            part.startswith(".") or part in ("rootfs", "node_modules")
            for part in path.relative_to(ROOT).parts
        )
    ]
    assert found == [Path("deploy/app/config.yaml")]
    repository = yaml.safe_load((ROOT / "repository.yaml").read_text("utf-8"))
    vol.Schema({vol.Required("name"): str, "url": _URL, "maintainer": str})(repository)


def test_versions() -> None:
    """The app has the integration's version, and needs the oldest Home Assistant that the integration supports."""
    assert CONFIG["version"] == MANIFEST["version"]
    assert CONFIG["homeassistant"] == json.loads((ROOT / "hacs.json").read_text("utf-8"))["homeassistant"]


def test_options() -> None:
    """Each option has a default that its schema takes, is told to the engine, and is one that the engine knows."""
    assert CONFIG["options"].keys() == CONFIG["schema"].keys() == start.OPTIONS.keys()
    words = start.arguments_of(CONFIG["options"])
    command = ["serve", "--host", "0.0.0.0", "--port", str(start.PORT), "--token-file", "/data/token", *words]
    asked = cli._parser().parse_args(command)
    for name, default in CONFIG["options"].items():
        assert getattr(asked, name) == default
    for name, flag in start.OPTIONS.items():
        least, most = map(int, re.findall(r"\d+", CONFIG["schema"][name]))
        for value in (least, most):
            assert getattr(cli._parser().parse_args([*command, flag, str(value)]), name) == value
        for value in (least - 1, most + 1):
            with pytest.raises(SystemExit):
                cli._parser().parse_args([*command, flag, str(value)])


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations(language: str) -> None:
    """Every option and port has a name in each language, and none is kept for one that is gone."""
    texts = yaml.safe_load((APP / "translations" / f"{language}.yaml").read_text("utf-8"))
    assert set(texts) == {"configuration", "network"}
    assert texts["configuration"].keys() == CONFIG["schema"].keys()
    for option in texts["configuration"].values():
        assert set(option) == {"name", "description"}
    assert texts["network"].keys() == CONFIG["ports"].keys()


def test_languages() -> None:
    """It speaks the languages of the integration."""
    assert {path.stem for path in (APP / "translations").iterdir()} == set(LANGUAGES)
    assert {path.stem for path in (FOLDER / "translations").glob("*.json")} == set(LANGUAGES)


def test_pictures() -> None:
    """The icon and the logo have the size that the documentation recommends."""
    assert Image.open(APP / "icon.png").size == (128, 128)
    assert Image.open(APP / "logo.png").size == (250, 100)


def test_apparmor() -> None:
    """The profile has the app's name, lets it write to its own folder and to memory, and to nothing else."""
    text = (APP / "apparmor.txt").read_text("utf-8")
    assert f"profile {CONFIG['slug']} flags=(attach_disconnected,mediate_deleted) {{" in text
    assert text.count("{\n") == text.count("\n}") == 1
    rules = [line.strip() for line in text.splitlines() if line.strip().startswith(("/", "@", "owner"))]
    written = {rule.split()[-2] for rule in rules if "w" in rule.split()[-1]}
    assert written == {"/data/**", "/tmp/**", "/memfd:*", "/dev/shm/**", "@{PROC}/@{pid}/oom_score_adj"}
    assert not re.search(r"^\s*(file|mount|capability),", text, re.MULTILINE)
    # What the image starts may be started.
    for program in (STAGES["app"].entrypoint[0], start.ENGINE):
        assert program.startswith("/opt/engine/bin/")
    assert "/opt/engine/bin/python* ix," in text


def test_labels() -> None:
    """The image has the labels that the Supervisor asks for."""
    labels = STAGES["app"].labels
    assert labels.keys() >= {"io.hass.type", "io.hass.version", "io.hass.arch"}
    assert labels["io.hass.type"] == "app"


def test_announcement_is_understood() -> None:
    """What the app says of itself is what the integration reads."""
    said = {"host": "0a1b2c3d-familiar-faces", "port": start.PORT, "token": "x" * 43}
    data = read_announcement(said, "0a1b2c3d_familiar_faces")
    assert data is not None
    assert data["url"] == f"http://0a1b2c3d-familiar-faces:{start.PORT}"
