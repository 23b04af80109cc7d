"""Starts the evaluation: `python -I script/evaluation/__main__.py`, see script/eval."""

import os
from pathlib import Path
import sys

# What is wrong with a clip is said in one sentence, not by FFmpeg too.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from evaluation.cli import main

if __name__ == "__main__":
    sys.exit(main())
