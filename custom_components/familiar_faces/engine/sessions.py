"""Where the models are computed: on the processor, or on a graphics card, with the processor behind it."""

import contextlib
import ctypes
from enum import StrEnum
import logging
from pathlib import Path
import sys
import threading
from typing import Any

# The command line reads this before it has set what numpy reads when it is imported; so nothing but Python is here.

_LOGGER = logging.getLogger(__name__)

THREADS = 1
"""Threads for one detection or one embedding. On two cores a second thread saved nothing beside a busy
Home Assistant (SFace with PRelu 31 ms with one, 36 ms with two), and one face must not slow a house.

Other ways to compute on a processor were tried, on one core, with the folded graphs: OpenVINO as the provider takes
1.03 (SFace) and 1.18 (YuNet, 960x544) of the time, is 440 MB larger and has no wheel for Python 3.14; SFace in int8, static
and calibrated on 100 faces, takes 1.1 of the time where the processor has no instructions for it, and its embeddings have
a cosine of 0.96 with the others (5 % below 0.93)."""
_ON_CARD = "CUDAExecutionProvider"
_DRIVER = "libcuda.so.1"
"""A part of the driver, which no package brings: a container is given the machine's own."""
_CARD_OPTIONS = {
    # Its shorter numbers would move embeddings away from those that templates were made with.
    "use_tf32": "0",
    # The other way tries every algorithm whenever a picture of another size comes.
    "cudnn_conv_algo_search": "HEURISTIC",
    "arena_extend_strategy": "kSameAsRequested",
}
_ALIKE = 0.01
"""How far an answer of the card may be from the processor's, as a share of the processor's largest number."""
_SIDE = 320
"""Width and height of the picture that both are tried with, where the model takes any."""


class Provider(StrEnum):
    """What computes."""

    CPU = "cpu"
    CUDA = "cuda"


class Card:
    """Whether a graphics card is used, for all models together: one that fails with a model is used for none."""

    def __init__(self, asked: Provider) -> None:
        """Begin with what the owner asks for."""
        self.asked = asked
        self.why_not = ""
        """Why the card that was asked for is not used; empty while it is."""
        self._lock = threading.Lock()

    @property
    def used(self) -> Provider:
        """Return what computes now."""
        return Provider.CPU if self.why_not else self.asked

    def give_up(self, why: object) -> None:
        """Have the processor compute from now on, and say so once."""
        with self._lock:
            if self.why_not:
                return
            self.why_not = " ".join(str(why).split()) or type(why).__name__
        _LOGGER.warning("The graphics card is not used, and the processor computes instead: %s", self.why_not)

    def to_json(self) -> dict[str, str]:
        """Return what the engine answers about it."""
        return {"asked": self.asked, "used": self.used} | ({"why": self.why_not} if self.why_not else {})


class Session:
    """What is used of an `onnxruntime.InferenceSession`; it goes on with the processor when the card fails."""

    def __init__(self, path: Path, card: Card) -> None:
        """Load a checked file."""
        self._card = card
        self._processor = quiet_session(path, ["CPUExecutionProvider"])
        self._on_card = _card_session(path, card)
        if self._on_card is not None:
            # Some fail with the first picture, such as a card that is too old for the library.
            self._try()

    def get_inputs(self) -> Any:
        """Return what the graph takes."""
        return self._processor.get_inputs()

    def run(self, outputs: Any, feeds: Any) -> Any:
        """Return what the graph gives."""
        if self._on_card is None or self._card.used is Provider.CPU:
            return self._processor.run(outputs, feeds)
        try:
            return self._on_card.run(outputs, feeds)
        except Exception as err:  # noqa: BLE001 - onnxruntime's errors have no class in common
            # What the processor refuses as well is no fault of the card.
            answer = self._processor.run(outputs, feeds)
            self._card.give_up(err)
            return answer

    def _try(self) -> None:
        """Give the card up when it does not say of a picture what the processor says."""
        import numpy as np

        (taken,) = self.get_inputs()
        shape = [
            side if isinstance(side, int) else (1 if at == 0 else _SIDE)
            for at, side in enumerate(taken.shape)
        ]
        noise = np.random.default_rng(1).integers(0, 256, shape).astype(np.float32)
        if not alike(self.run(None, {taken.name: noise}), self._processor.run(None, {taken.name: noise})):
            self._card.give_up("it computes something else than the processor")


def alike(ones: Any, others: Any) -> bool:
    """Return whether two answers are the same but for rounding; `others` are those that count."""
    import numpy as np

    return all(
        bool(np.abs(one - other).max() <= _ALIKE * np.abs(other).max())
        for one, other in zip(ones, others, strict=True)
    )


def _card_session(path: Path, card: Card) -> Any:
    """Return a session on the card; None when there is none, which `card` then knows."""
    import onnxruntime

    if card.used is Provider.CPU:
        return None
    if _ON_CARD not in onnxruntime.get_available_providers():
        card.give_up("the installed onnxruntime is the one for processors (onnxruntime-gpu has CUDA)")
        return None
    try:
        # Before NVIDIA's libraries, which take 250 MB of memory also where they find no card.
        ctypes.CDLL(_DRIVER)
    except OSError as err:
        card.give_up(f"the driver cannot be loaded: {err}")
        return None
    # It says in plain lines what it cannot load, and standard output is for those who started the engine.
    with contextlib.redirect_stdout(sys.stderr):
        try:
            onnxruntime.preload_dlls()
            session = quiet_session(path, [(_ON_CARD, _CARD_OPTIONS), "CPUExecutionProvider"])
        except Exception as err:  # noqa: BLE001 - as above, and those of what it loads
            card.give_up(err)
            return None
    # Without a card or a library it only logs that, and makes one for the processor.
    if _ON_CARD not in session.get_providers():
        card.give_up("onnxruntime cannot use CUDA here, and has said above why")
        return None
    return session


def quiet_session(model: Path | bytes, providers: list[Any]) -> Any:
    """Return a session for a file, or for what one holds: one thread, which sleeps while there is nothing to do."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = THREADS
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(
        str(model) if isinstance(model, Path) else model, options, providers=providers, enable_fallback=0
    )
