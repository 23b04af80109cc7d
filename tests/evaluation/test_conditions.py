"""What a camera does to a picture."""

import json
import subprocess

import pytest

from tests.common import pictures
from tests.common.engine_process import engine_python
from tests.evaluation.conftest import ROOT

MEASURED = """
import json, sys
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
from evaluation.conditions import Condition
from custom_components.familiar_faces.engine.pixels import decode
data = sys.stdin.buffer.read()
image = decode(data)
def measure(condition, name="a"):
    sent = condition.apply(image, 95.0, name)
    seen = decode(sent)
    spread = float(abs(seen[..., 0].astype(int) - seen[..., 2]).max())
    edges = float(abs(seen[1:].astype(int) - seen[:-1]).mean())
    return [*seen.shape[:2], float(seen.mean()), spread, edges, len(sent), hash(sent)]
print(json.dumps({
    "plain": measure(Condition()),
    "small": measure(Condition(face_width=38)),
    "large": measure(Condition(face_width=190)),
    "blur": measure(Condition(blur=1.5)),
    "dark": measure(Condition(dark=True)),
    "again": measure(Condition(dark=True)),
    "other": measure(Condition(dark=True), "b"),
    "dark grey": measure(Condition(dark=True, grey=True)),
    "jpeg": measure(Condition(jpeg=30)),
    "words": [str(Condition()), str(Condition(30, 1.5, True, True, 70))],
    "as is": [Condition().as_is, Condition(grey=True).as_is],
}))
"""


def test_conditions() -> None:
    done = subprocess.run(
        [engine_python(), "-I", "-c", MEASURED, ROOT / "script"],
        input=pictures.jpeg(pictures.astronaut(), 95),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    plain = found["plain"]
    assert plain[:2] == [270, 270]
    assert found["small"][:2] == [108, 108]
    assert found["large"][:2] == [540, 540]
    assert found["blur"][4] < 0.6 * plain[4]
    assert found["dark"][2] == pytest.approx(plain[2] / 4, abs=2)
    assert found["dark"][-1] == found["again"][-1] != found["other"][-1]
    assert found["dark"][3] > 0 == found["dark grey"][3]
    assert found["jpeg"][5] < 0.5 * plain[5]
    assert found["words"] == ["as is", "30 px, blur 1.5, dark, grey, JPEG 70"]
    assert found["as is"] == [True, False]
