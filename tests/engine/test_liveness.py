"""Whether a face is a picture, with the real networks."""

from collections.abc import Callable
from pathlib import Path
import subprocess

import numpy as np
from PIL import Image
import pytest

from custom_components.familiar_faces.visits.judging import PICTURE
from tests.common import pictures
from tests.common.engine_process import (
    ENGINE,
    EngineProcess,
    engine_python,
    engine_weights,
    run_in_engine,
    running_engine,
)

SCRIPT = Path(__file__).parents[2] / "script" / "fasnet"


def _print(edge: tuple[int, int, int], width: int = 270) -> Image.Image:
    """Return a print, or a phone, that somebody holds up askew: a portrait with an edge around it."""
    border = width // 10
    sheet = Image.new("RGB", (width + 2 * border,) * 2, edge)
    sheet.paste(pictures.astronaut().resize((width, width)), (border, border))
    held = sheet.convert("RGBA").rotate(6, expand=True, resample=Image.Resampling.BICUBIC)
    scene = pictures.porch().crop((0, 0, 900, 700))
    scene.paste(held, (200, 150), held)
    return scene


def _real(engine: EngineProcess, picture: Image.Image) -> float | None:
    (face,) = engine.faces(pictures.jpeg(picture, 90), judge=1).faces
    return face.real


def test_people_are_no_pictures(engine: EngineProcess) -> None:
    shown = [pictures.astronaut(), *map(pictures.stranger, range(3))]
    for picture in shown:
        face = engine.faces(pictures.jpeg(picture, 90), judge=1).faces[0]
        assert face.real is not None
        assert face.real > 2 * PICTURE


@pytest.mark.parametrize("edge", [(240, 240, 240), (15, 15, 18)], ids=["paper", "phone"])
@pytest.mark.parametrize("width", [200, 270, 340])
def test_what_somebody_holds_up_is_one(engine: EngineProcess, edge: tuple[int, int, int], width: int) -> None:
    real = _real(engine, _print(edge, width))
    assert real is not None
    assert real < PICTURE / 2


def _grey(picture: Image.Image) -> Image.Image:
    return picture.convert("L").convert("RGB")


def _dark(picture: Image.Image) -> Image.Image:
    return Image.fromarray((np.asarray(picture) * 0.2).astype(np.uint8))


def _far(picture: Image.Image) -> Image.Image:
    return picture.resize((picture.width // 5, picture.height // 5), Image.Resampling.LANCZOS)


@pytest.mark.parametrize("change", [_grey, _dark, _far])
def test_where_it_errs_nothing_is_said(
    engine: EngineProcess, change: Callable[[Image.Image], Image.Image]
) -> None:
    """Of neither a person nor a picture: without colour, in poor light, and where the face is small."""
    for picture in (pictures.astronaut(), _print((240, 240, 240))):
        seen = engine.faces(pictures.jpeg(change(picture), 90), judge=1, min_face=12)
        assert seen.judges
        (face,) = seen.faces
        assert face.real is None


def test_it_is_said_only_when_asked_for(engine: EngineProcess) -> None:
    photo = pictures.jpeg(pictures.astronaut(), 95)
    plain, judged = engine.faces(photo), engine.faces(photo, judge=1)
    assert plain.judges
    assert plain.faces[0].real is None
    np.testing.assert_array_equal(plain.faces[0].embedding, judged.faces[0].embedding)
    answer = engine.request("POST", "/v1/faces?judge=2", photo)
    assert answer.status == 400
    assert "judge" in answer.json()["detail"]


def test_a_large_photo_is_judged_alike(engine: EngineProcess) -> None:
    """It is decoded at a part of its size."""
    portrait = pictures.astronaut()
    small, large = (_real(engine, portrait.resize((side, side))) for side in (512, 3000))
    assert small is not None
    assert large is not None
    assert min(small, large) > 2 * PICTURE


LOADS = """
from engine.pipeline import Pipeline, Wish
pipeline, photo = Pipeline(Path(sys.argv[1])), Path(sys.argv[2]).read_bytes()
loaded = []
for judge in (False, True):
    pipeline.see(photo, Wish(judge=judge))
    loaded.append(pipeline._liveness._sessions is not None)
print(json.dumps(loaded))
"""


def test_without_the_option_nothing_is_loaded(tmp_path: Path) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(pictures.jpeg(pictures.astronaut(), 95))
    assert run_in_engine(LOADS, engine_weights(), photo) == [False, True]


def test_it_takes_little_memory(prepared: None) -> None:
    """What docs/engine-limits.md says at most."""
    photo = pictures.jpeg(pictures.astronaut(), 95)
    with running_engine() as engine:
        for _ in range(5):
            engine.faces(photo)
        before = engine.memory_mb()
        for _ in range(20):
            engine.faces(photo, judge=1)
        assert engine.memory_mb() - before < MOST_MB


MOST_MB = 10

JUDGE = """
import shutil, sys
from engine import liveness
folder = Path(sys.argv[1])
shutil.copytree(liveness.FOLDER, folder)
wrong = folder / liveness.NETWORKS[1].name
wrong.write_bytes(wrong.read_bytes()[:-1] + b"x")
from engine.pipeline import Pipeline, Wish
pipeline = Pipeline(Path(sys.argv[2]))
pipeline._liveness = liveness.Liveness(folder)
said = []
import logging
handler = logging.Handler()
handler.emit = lambda record: said.append(record.getMessage())
logging.getLogger("engine.pipeline").addHandler(handler)
seen = [pipeline.see(Path(sys.argv[3]).read_bytes(), Wish(judge=True)) for _ in range(2)]
print(json.dumps({"real": [each.faces[0].real for each in seen], "said": said, "judges": pipeline.judges}))
"""


def test_a_damaged_network_is_refused_by_name(tmp_path: Path) -> None:
    """Names do not depend on it; once it is known, the engine says that it cannot judge."""
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(pictures.jpeg(pictures.astronaut(), 95))
    told = run_in_engine(JUDGE, tmp_path / "fasnet", engine_weights(), photo)
    assert (told["real"], told["judges"]) == ([None, None], False)
    (said,) = told["said"]
    assert "fasnet/minifasnet_v1se_4_0.onnx is damaged" in said


def test_what_they_were_made_from_is_said() -> None:
    notice = (ENGINE / "fasnet" / "NOTICE.txt").read_text("utf-8")
    told = run_in_engine(
        "from engine.liveness import NETWORKS\nprint(json.dumps([n.name for n in NETWORKS]))"
    )
    assert sorted(path.name for path in (ENGINE / "fasnet").iterdir()) == [
        "LICENSE.txt",
        "NOTICE.txt",
        *sorted(told),
    ]
    assert all(name in notice for name in told)
    assert "Apache License" in (ENGINE / "fasnet" / "LICENSE.txt").read_text("utf-8")


def _made(folder: Path) -> subprocess.CompletedProcess[str]:
    python = engine_python()
    return subprocess.run(
        [SCRIPT, "--check", str(folder)],
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "FAMILIAR_FACES_ENGINE_PYTHON": str(python)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_other_files_than_the_published_ones_make_none(tmp_path: Path) -> None:
    assert "No such file" in _made(tmp_path).stderr
    (tmp_path / "2.7_80x80_MiniFASNetV2.pth").write_bytes(b"something else")
    done = _made(tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("[fasnet] 2.7_80x80_MiniFASNetV2.pth has the SHA-256 ")


def test_a_published_file_cannot_run_anything(tmp_path: Path) -> None:
    """Such a file is a pickle, which can name any function there is."""
    code = (
        "import importlib.util, pickle\n"
        "spec = importlib.util.spec_from_file_location('fasnet', sys.argv[1])\n"
        "fasnet = sys.modules['fasnet'] = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(fasnet)\n"
        "class Evil:\n"
        "    def __reduce__(self):\n"
        "        return Path.touch, (Path(sys.argv[2]),)\n"
        "try:\n"
        "    fasnet.arrays(pickle.dumps(Evil(), 2))\n"
        "except fasnet.Refused as err:\n"
        "    print(json.dumps(str(err)))\n"
    )
    said = run_in_engine(code, SCRIPT.with_suffix(".py"), tmp_path / "was run")
    assert said.startswith("the file asks for ")
    assert not (tmp_path / "was run").exists()
