"""Promises about the source itself."""

import ast
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "custom_components" / "familiar_faces"
SOURCES = sorted(FOLDER.rglob("*.py"))

CATEGORIES = {"age", "gender", "emotion", "race", "ethnicity"}
ATTRIBUTE_ANALYSIS = {"analyze", "demography", "facial_attribute", "Age", "Gender", "Emotion", "Race"}


def names_and_strings(source: Path) -> set[str]:
    """Return every name, attribute, keyword and short string of a source file."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name):
                found.update(name.split("."))
            case ast.keyword(arg=str(name)):
                found.add(name)
            case ast.Constant(value=str(text)) if len(text) < 40:
                found.add(text)
    return found


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(FOLDER)))
def test_nobody_is_put_into_categories(source: Path) -> None:
    """No code reaches for deepface's attribute models, nor for what they would say."""
    assert not names_and_strings(source) & (CATEGORIES | ATTRIBUTE_ANALYSIS)


def test_the_test_above_can_fail(tmp_path: Path) -> None:
    """It does notice the calls that it is about."""
    source = tmp_path / "a.py"
    source.write_text("from deepface import DeepFace\nDeepFace.analyze(image, actions=['age'])\n")
    assert names_and_strings(source) & ATTRIBUTE_ANALYSIS
    source.write_text("DeepFace.build_model('Gender', task='facial_attribute')\n")
    assert names_and_strings(source) & ATTRIBUTE_ANALYSIS


def test_only_the_engine_names_deepface() -> None:
    """Nothing native and none of deepface is imported outside the engine."""
    for source in SOURCES:
        if source.parent.name != "engine":
            imported = {
                name.split(".")[0]
                for node in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
                for name in (
                    [alias.name for alias in node.names]
                    if isinstance(node, ast.Import)
                    else [node.module or ""]
                    if isinstance(node, ast.ImportFrom) and not node.level
                    else []
                )
            }
            assert not imported & {"deepface", "cv2", "onnx", "onnxruntime"}, source
