"""The engine on Ray, as far as it can be read; `script/ray --check` runs it."""

import ast
import re

import yaml

from ..common.source import ROOT

FOLDER = ROOT / "deploy" / "ray"
PROGRAM = FOLDER / "familiar_faces_ray.py"
PAGE = (ROOT / "docs" / "engine-ray.md").read_text("utf-8")
ENGINE = ROOT / "custom_components" / "familiar_faces" / "engine" / "requirements.txt"
PIN = re.compile(r"^([a-z0-9-]+)==([^\s;]+)", re.MULTILINE)


def test_every_package_is_pinned_by_hash() -> None:
    text = (FOLDER / "requirements.txt").read_text("utf-8")
    blocks = [each for each in re.split(r"\n(?=\S)", text.strip()) if not each.startswith("#")]
    assert len(blocks) == len(PIN.findall(text)) > 50
    assert all("--hash=sha256:" in each for each in blocks)
    assert "://" not in text


def test_the_engine_has_the_packages_that_it_has_alone() -> None:
    """Otherwise a face would be another one there."""
    there = dict(PIN.findall((FOLDER / "requirements.txt").read_text("utf-8")))
    alone = dict(PIN.findall(ENGINE.read_text("utf-8")))
    assert {name: there.get(name) for name in alone} == alone
    assert "ray" in there


def test_the_program_runs_on_python_3_13() -> None:
    ast.parse(PROGRAM.read_text("utf-8"), feature_version=(3, 13))


def test_neither_a_report_of_its_use_nor_a_picture_leaves_it() -> None:
    """It is set before Ray is imported, which reads it then."""
    lines = PROGRAM.read_text("utf-8").splitlines()
    imported = next(number for number, line in enumerate(lines) if line.startswith("import ray"))
    for setting in ("RAY_USAGE_STATS_ENABLED", "RAY_automatic_object_spilling_enabled", "RAY_AUTH_MODE"):
        (number,) = [number for number, line in enumerate(lines) if f'os.environ["{setting}"]' in line]
        assert number < imported
        assert f"{setting}=" in PAGE, "what starts on other machines has it from their shell"


def test_every_option_is_on_the_page() -> None:
    options = re.findall(r'add_argument\(\s*"(--[a-z-]+)"', PROGRAM.read_text("utf-8"))
    assert "--token-file" in options
    assert [each for each in options if f"`{each}`" not in PAGE] == []


def test_what_kubernetes_is_given_has_settings_that_there_are() -> None:
    service = yaml.safe_load((FOLDER / "kuberay.yaml").read_text("utf-8"))
    (application,) = yaml.safe_load(service["spec"]["serveConfigV2"])["applications"]
    module, _, name = application["import_path"].partition(":")
    assert (FOLDER / f"{module}.py").samefile(PROGRAM)
    tree = ast.parse(PROGRAM.read_text("utf-8"))
    assert name in {each.name for each in tree.body if isinstance(each, ast.FunctionDef)}
    (settings,) = [each for each in tree.body if isinstance(each, ast.ClassDef) and each.name == "Settings"]
    fields = {
        each.target.id
        for each in settings.body
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
    }
    assert set(application["args"]) <= fields
