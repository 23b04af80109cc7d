"""Promises about the source itself, and about what the engine loads."""

import ast
from collections.abc import Iterator
from pathlib import Path
import re

import pytest

from ..common.engine_process import engine_weights, run_in_engine
from ..common.pictures import enrolment_photos

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "custom_components" / "familiar_faces"
INTEGRATION = sorted(FOLDER.rglob("*.py"))
TOOLS = [path for name in ("demo", "script") for path in sorted((ROOT / name).rglob("*.py"))]
SOURCES = [*INTEGRATION, *TOOLS]

MODELS = {("face_detector", "yunet"), ("facial_recognition", "SFace")}
"""All of deepface's that is ever built."""
SHIPPED = {"build_model"}
"""What is called of deepface."""
MEASURED = SHIPPED | {"represent"}
"""What the tools call, which measure deepface beside us."""

CATEGORIES = {"gender", "emotion", "race", "ethnicity", "demography", "nationality"}
ABOUT_AGE = re.compile(
    r"(^|_)(apparent|estimated|guessed|dominant|person|face)_age(_|$)|^age(_group|_range)?$"
)
ATTRIBUTE_ANALYSIS = re.compile(
    r"facial_attribute|models\.demography|^(DeepFace\.)?analy[sz]e$|^(Age|Gender|Emotion|Race)$"
)


def problems(source: Path, called: set[str]) -> set[str]:
    """Return what in a source file puts people into categories, or uses deepface for more than it may be."""
    tree = ast.parse(source.read_text(encoding="utf-8"))
    found = {f"the name {name}" for name in identifiers(tree) if is_category(name)}
    found |= {f"the text {text!r}" for text in texts(tree) if is_category(text)}
    found |= set(uses_of_deepface(tree, called))
    return found


def identifiers(tree: ast.AST) -> Iterator[str]:
    """Return every name, attribute, argument, keyword, function, class and imported module."""
    for node in ast.walk(tree):
        match node:
            case (
                ast.Name(id=name)
                | ast.Attribute(attr=name)
                | ast.arg(arg=name)
                | ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
                | ast.ClassDef(name=name)
                | ast.keyword(arg=str(name))
                | ast.MatchAs(name=str(name))
            ):
                yield name
            case ast.alias(name=name, asname=other):
                yield from name.split(".")
                if other:
                    yield other
            case ast.ImportFrom(module=str(name)):
                yield from name.split(".")


def texts(tree: ast.AST) -> Iterator[str]:
    """Return every string that is not a sentence, and so may be a key or a model's name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " not in node.value.strip():
            yield node.value


def is_category(text: str) -> bool:
    """Return whether a name is one of a category of people, or of what would guess it."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text).lower()
    return bool(
        CATEGORIES & set(re.split(r"[^a-z]+", words))
        or ABOUT_AGE.search(words)
        or ATTRIBUTE_ANALYSIS.search(text)
    )


def uses_of_deepface(tree: ast.AST, called: set[str]) -> Iterator[str]:
    """Return every use of deepface other than the calls that are allowed, on it and nothing else of it."""
    right = set()
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names) if any(each.name.split(".")[0] == "deepface" for each in names):
                yield "import deepface"
            case ast.ImportFrom(module=str(module), names=names) if module.split(".")[0] == "deepface":
                for each in names:
                    if (module, each.name, each.asname) != ("deepface", "DeepFace", None):
                        yield f"from {module} import {each.name}"
            case ast.Call(func=ast.Attribute(value=ast.Name(id="DeepFace") as name, attr=attr)):
                if attr not in called:
                    yield f"DeepFace.{attr}"
                elif attr == "build_model" and (wrong := not_allowed(node)):
                    yield wrong
                right.add(name)
            case ast.Constant(value=str(text)) if re.match(r"deepface(\.\w|$)", text):
                yield f"the module {text!r}"
    # Neither handed on nor given another name, by which any of it could be called unseen.
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == "DeepFace" and node not in right:
            yield "DeepFace itself"


def not_allowed(call: ast.Call) -> str | None:
    """Return what a call of `build_model` asks for that it may not; None when it may."""
    asked = {each.arg: ast.unparse(each.value).strip("'\"") for each in call.keywords if each.arg}
    if call.args or (asked.get("task"), asked.get("model_name")) not in MODELS:
        return ast.unparse(call)
    return None


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nobody_is_put_into_categories(source: Path) -> None:
    """No code names age, gender, emotion or race, and none has more of deepface than its two models."""
    assert problems(source, SHIPPED if source in INTEGRATION else MEASURED) == set()


@pytest.mark.parametrize(
    "line",
    [
        "DeepFace.analyze(image, actions=['age'])",
        "DeepFace.analyze(image)",
        "DeepFace.build_model('Gender', task='facial_attribute')",
        "DeepFace.build_model(task='facial_attribute', model_name=which)",
        "DeepFace.build_model(task='facial_recognition', model_name=which)",
        "getattr(DeepFace, 'ana' + 'lyze')(image)",
        "analyse = DeepFace",
        "DeepFace.represent(image)",
        "from deepface.models.demography.onnx.Race import RaceClient",
        "from deepface.modules import modeling",
        "from deepface import DeepFace as d",
        "import deepface.DeepFace",
        "importlib.import_module('deepface.modules.modeling')",
        "__import__('deepface')",
        "person.apparent_age = 40",
        "def guess_gender(face): ...",
        "class EmotionSensor: ...",
        "face['dominantRace']",
        "ATTR = 'age_group'",
    ],
)
def test_each_way_there_is_noticed(line: str, tmp_path: Path) -> None:
    """The test above fails for whatever would lead to deepface's attribute models, or to our own."""
    source = tmp_path / "a.py"
    source.write_text(f"import importlib\nfrom deepface import DeepFace\n{line}\n")
    assert problems(source, SHIPPED)


def test_what_is_no_category_is_let_through(tmp_path: Path) -> None:
    """The engine's own two calls pass, and so do words that only look like it."""
    source = tmp_path / "a.py"
    source.write_text(
        "from deepface import DeepFace\n"
        "DeepFace.build_model(task='face_detector', model_name='yunet')\n"
        "DeepFace.build_model(task='facial_recognition', model_name='SFace')\n"
        "HEADERS = {'Cache-Control': 'max-age=0'}\n"
        "image = storage.page(trace, message='Nobody is told by age or race here')\n"
    )
    assert problems(source, SHIPPED) == set()


ALL_THAT_IT_LOADS = """
opened = []
def note(event, arguments):
    if event == "open" and str(arguments[0]).endswith((".onnx", ".h5", ".pth", ".tflite")):
        opened.append(Path(str(arguments[0])).name)
sys.addaudithook(note)
from engine.pipeline import Pipeline, Wish
from engine.protocol import faces_to_json
pipeline = Pipeline(Path(sys.argv[1]))
seen = faces_to_json(pipeline.see(Path(sys.argv[2]).read_bytes(), Wish(40, 20, True, True, True)))
from deepface.modules import modeling
print(json.dumps({
    "answer": sorted(seen),
    "faces": [sorted(face) for face in seen["faces"]],
    "quality": [sorted(face["quality"]) for face in seen["faces"]],
    "built": {task: sorted(models) for task, models in modeling.cached_models.items() if models},
    "modules": sorted(name for name in sys.modules if name.startswith("deepface.models.")),
    "opened": sorted(set(opened)),
}))
"""


def test_the_engine_loads_two_models_and_says_nothing_else(tmp_path: Path) -> None:
    """After everything was asked of it about a face, no attribute model was built, opened or imported."""
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(enrolment_photos()[0])
    told = run_in_engine(ALL_THAT_IT_LOADS, engine_weights(), photo)
    assert {(task, name) for task, names in told["built"].items() for name in names} == MODELS
    assert set(told["opened"]) == {"face_detection_yunet_2023mar.onnx", "face_recognition_sface_2021dec.onnx"}
    # `import deepface` brings the first two of `demography`, which hold no model.
    about = [name.removeprefix("deepface.models.") for name in told["modules"]]
    assert {name for name in about if "demography" in name or "spoofing" in name} <= {
        "demography",
        "demography.DemographyUtils",
    }
    assert told["answer"] == ["faces", "in_shadow", "judges", "model", "ms", "size", "turned"]
    (face,) = told["faces"]
    assert face == ["box", "crop", "embedding", "landmarks", "length", "portrait", "quality", "score"]
    assert told["quality"] == [["brightness", "reason", "sharpness", "size", "usable", "yaw"]]


def test_only_the_engine_names_deepface() -> None:
    """Nothing native and none of deepface is imported outside the engine."""
    for source in INTEGRATION:
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
