"""The detector, run by onnxruntime, beside OpenCV's own."""

from pathlib import Path

from tests.common import pictures
from tests.common.engine_process import engine_weights, run_in_engine

BESIDE = """
import cv2
import numpy as np
from engine.models import load
from engine.weights import PINNED, Variant, weights_folder

home = Path(sys.argv[1])
ours = load(home).detector
name = PINNED[Variant.INT8BQ].detector.loaded_as
folder = weights_folder(home, Variant.INT8BQ) / ".deepface" / "weights"
theirs = cv2.FaceDetectorYN.create(str(folder / name), "", (0, 0))
picture = cv2.imread(sys.argv[2])
result = []
for size in ((1280, 886), (640, 443), (320, 320), (301, 207), (33, 31), (1, 1)):
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    found = []
    for detector in (ours, theirs):
        detector.setScoreThreshold(0.3)
        detector.setNMSThreshold(0.3)
        detector.setInputSize(size)
        rows = detector.detect(small)[1]
        found.append(np.empty((0, 15)) if rows is None else rows[np.lexsort((rows[:, 1], rows[:, 0]))])
    same = len(found[0]) == len(found[1])
    result.append([len(found[1]), same and float(np.abs(found[0] - found[1]).max(initial=0))])
print(json.dumps(result))
"""
DEEPFACE = """
import cv2
from engine.models import load

home = Path(sys.argv[1])
load(home)
from deepface import DeepFace
client = DeepFace.build_model(task="face_detector", model_name="yunet")
picture = cv2.imread(sys.argv[2])
ours = client.detect_faces(picture)
client.model = client.build_model()
theirs = client.detect_faces(picture)

def places(found):
    return sorted([face.x, face.y, face.w, face.h] for face in found)

print(json.dumps([places(ours), places(theirs)]))
"""


def _group(folder: Path) -> Path:
    path = folder / "group.jpg"
    path.write_bytes(pictures.jpeg(pictures.group(), 95))
    return path


def test_it_finds_what_opencv_finds_in_pictures_of_any_size(prepared: None, tmp_path: Path) -> None:
    found = run_in_engine(BESIDE, engine_weights(), _group(tmp_path))
    assert found[0][0] == 6
    assert sum(count for count, _ in found) > 12
    for count, difference in found:
        assert difference is not False, count
        assert difference < 1e-2


def test_deepface_itself_goes_on_with_it(prepared: None, tmp_path: Path) -> None:
    ours, theirs = run_in_engine(DEEPFACE, engine_weights(), _group(tmp_path))
    assert len(ours) > 2
    assert ours == theirs
