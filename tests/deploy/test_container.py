"""The Dockerfile and the compose file; `script/image` carries them out."""

import re
from typing import Any

from dockerfile import DockerfileError, read
import pytest
import yaml

from custom_components.familiar_faces.engine import cli

from ..common.source import ROOT

TEXT = (ROOT / "deploy" / "container" / "Dockerfile").read_text("utf-8")
STAGES = read(TEXT)
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "container" / "compose.yaml").read_text("utf-8"))
BASE = r"debian:(bookworm|trixie)-slim"


def test_every_package_is_pinned_by_hash() -> None:
    """What is installed into the image comes from the locked files, and the rest from the checkout."""
    installs = [
        step.words[0]
        for stage in STAGES.values()
        for step in stage.steps
        if step.kind == "RUN" and "pip " in step.words[0]
    ]
    assert any("--require-hashes" in each for each in installs)
    for each in installs:
        assert (
            "--require-hashes" in each
            or "pip uninstall" in each
            or each.endswith("--no-deps /build/deploy/pip")
        )


def test_what_is_copied_is_there() -> None:
    """Every file that is copied is in the checkout, and reaches the build."""
    ignored = (ROOT / "deploy" / "container" / "Dockerfile.dockerignore").read_text("utf-8").split("\n")
    let_in = [line[1:] for line in ignored if line.startswith("!")]
    for stage in STAGES.values():
        for step in stage.steps:
            if step.kind == "COPY" and not step.source:
                for path in step.words[:-1]:
                    assert (ROOT / path).exists(), path
                    assert any(path == each or path.startswith(f"{each}/") for each in let_in), path


def test_base() -> None:
    """All stages begin with one release of Debian."""
    bases = {stage.base for stage in STAGES.values() if stage.base not in STAGES}
    assert len(bases) == 1
    assert re.fullmatch(BASE, bases.pop())


def test_engine_is_nobody() -> None:
    """The container starts as a user without rights, knows how it is, and asks for a token."""
    engine = STAGES["engine"]
    assert engine.user == "8127:8127"
    assert engine.health[-1].count("/v1/alive") == 1
    asked = cli._parser().parse_args(engine.command)
    assert str(asked.token_file) == "/run/secrets/engine_token"
    assert str(asked.port) == engine.ports[0]
    assert list(STAGES)[-1] == "engine", "what is built when nobody says what"


def test_compose() -> None:
    """The container may do nothing that it has no reason for."""
    (service,) = COMPOSE["services"].values()
    assert service["read_only"]
    assert service["user"] == STAGES["engine"].user
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["secrets"] == list(COMPOSE["secrets"]) == ["engine_token"]
    assert service["memswap_limit"] == service["mem_limit"]
    assert {"pids_limit", "cpus", "tmpfs", "init"} <= service.keys()
    assert not {"privileged", "network_mode", "volumes", "cap_add", "devices"} & service.keys()
    build = service["build"]
    folder = ROOT / "deploy" / "container" / build["context"]
    assert (folder / build["dockerfile"]).samefile(ROOT / "deploy" / "container" / "Dockerfile")
    assert build["target"] in STAGES


@pytest.mark.parametrize(
    "text",
    [
        "FROM a\nRUN true",
        "FROM a AS b\nADD http://c /",
        "RUN true",
        "FROM a AS b\nUSER ${WHO}",
        "FROM a AS b\nCMD serve",
        "FROM a AS b\nFROM a AS b",
    ],
)
def test_reader_takes_nothing_that_it_does_not_carry_out(text: str) -> None:
    """An instruction that would be passed over in silence makes the check worthless."""
    with pytest.raises(DockerfileError):
        read(text)


def test_reader() -> None:
    """Stages inherit what Docker has them inherit."""
    stages = read(
        'ARG B=debian:x\nFROM ${B} AS one\n# no step\nENV A=1 \\\n  C="d e"\nUSER 1:2\nCMD ["a"]\nFROM one AS two\nRUN b ${A}'
    )
    assert stages["one"].base == "debian:x"
    assert stages["two"].env == {"A": "1", "C": "d e"}
    assert stages["two"].user == "1:2"
    assert stages["two"].steps[0].words == ("b ${A}",)


def test_compose_sets_the_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is set there is read by the engine, and checked as on the command line."""
    (service,) = COMPOSE["services"].values()
    ((name, value),) = service["environment"].items()
    command = ["serve", "--port", "0"]
    for said, workers in ((value, 0), ("3", 3), ("", 0)):
        monkeypatch.setenv(name, said)
        assert cli._parser().parse_args(command).workers == workers
    monkeypatch.setenv(name, "many")
    with pytest.raises(SystemExit):
        cli._parser().parse_args(command)


NVIDIA: dict[str, Any] = yaml.safe_load(
    (ROOT / "deploy" / "container" / "compose.nvidia.yaml").read_text("utf-8")
)


def test_compose_with_a_card() -> None:
    """It gives the container a card and room for its libraries, and takes back nothing that keeps it in."""
    ((name, service),) = NVIDIA["services"].items()
    assert NVIDIA.keys() == {"services"}
    assert name in COMPOSE["services"]
    assert service.keys() == {
        "image",
        "build",
        "environment",
        "deploy",
        "mem_limit",
        "memswap_limit",
        "pids_limit",
    }
    assert service["memswap_limit"] == service["mem_limit"]
    (device,) = service["deploy"]["resources"]["reservations"]["devices"]
    assert device["driver"] == "nvidia"
    assert {"gpu", "compute"} <= set(device["capabilities"])
    assert service["image"] != COMPOSE["services"][name]["image"], "one would be taken for the other"


def test_compose_with_a_card_sets_the_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is set there is read by the engine; without it the processor computes."""
    (service,) = NVIDIA["services"].values()
    ((name, value),) = service["environment"].items()
    for command in (["serve", "--port", "0"], ["faces", "photo.jpg"]):
        monkeypatch.delenv(name, raising=False)
        assert cli._parser().parse_args(command).provider == "cpu"
        monkeypatch.setenv(name, value)
        assert cli._parser().parse_args(command).provider == value == "cuda"
        monkeypatch.setenv(name, "")
        assert cli._parser().parse_args(command).provider == "cpu"
    monkeypatch.setenv(name, "the best")
    with pytest.raises(SystemExit):
        cli._parser().parse_args(command)


def test_image_with_a_card() -> None:
    """The same steps are carried out with other packages, which reach the build."""
    (service,) = NVIDIA["services"].values()
    arguments = service["build"]["args"]
    stages = read(TEXT, arguments)
    different = [
        (step, other)
        for name, stage in STAGES.items()
        for step, other in zip(stage.steps, stages[name].steps, strict=True)
        if step != other
    ]
    ((step, other),) = different
    assert step.words[1:] == other.words[1:]
    (path,) = arguments.values()
    assert other.words[0] == path
    ignored = (ROOT / "deploy" / "container" / "Dockerfile.dockerignore").read_text("utf-8").split("\n")
    assert f"!{path}" in ignored


def test_packages_with_a_card_are_the_engine_s_own() -> None:
    """They are pinned by hash, and but for one onnxruntime and NVIDIA's libraries they are those without a card."""
    text = (ROOT / "deploy" / "container" / "requirements-nvidia.txt").read_text("utf-8")
    assert "://" not in text
    blocks = re.split(r"\n(?=\S)", text.strip())
    assert all("--hash=sha256:" in block for block in blocks)
    pin = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)
    engine = dict(
        pin.findall((ROOT / "custom_components/familiar_faces/engine/requirements.txt").read_text("utf-8"))
    )
    card = dict(pin.findall(text))
    assert card.pop("onnxruntime-gpu") == engine.pop("onnxruntime")
    assert {name: card.pop(name, None) for name in engine} == engine
    assert card
    assert all(name.startswith("nvidia-") for name in card)
