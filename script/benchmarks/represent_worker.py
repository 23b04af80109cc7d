"""Runs `DeepFace.represent` on the JPEG files named on standard input, one a line, and answers in JSON lines."""

import json
from pathlib import Path
import sys
import time

import cv2
from deepface import DeepFace
import numpy as np


def main() -> None:
    """Answer until standard input ends."""
    for line in sys.stdin:
        data = Path(line.strip()).read_bytes()
        begun = time.perf_counter()
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        # Otherwise it raises where it finds nobody; so it embeds the whole frame instead, without confidence.
        faces = DeepFace.represent(
            image, model_name="SFace", detector_backend="yunet", enforce_detection=False
        )
        seconds = time.perf_counter() - begun
        areas = [face["facial_area"] for face in faces if face["face_confidence"] > 0]
        boxes = [[area[key] for key in "xywh"] for area in areas]
        print(json.dumps({"seconds": seconds, "boxes": boxes}), flush=True)


if __name__ == "__main__":
    main()
