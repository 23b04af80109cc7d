"""The kinds of cameras that people own, and what is to be true of each."""

from dataclasses import dataclass

from .door import Fault
from .films import H264, H265, MJPEG, Format

WARM, COLD, PRELOADED = "warm", "cold", "preloaded"
STILL = Format(MJPEG, 1280, 720, fps=5)
STILL_FAULTS = (Fault.ERROR, Fault.FROZEN, Fault.REFUSES, Fault.UNREACHABLE)
STREAM_FAULTS = (Fault.UNREACHABLE, Fault.IDLES, Fault.FREEZES, Fault.REFUSES, Fault.ERROR)


@dataclass(frozen=True, slots=True)
class Kind:
    """A camera, and how Home Assistant and Familiar Faces are told to use it."""

    name: str
    platform: str
    """Home Assistant's integration."""
    form: Format = STILL
    state: str = ""
    """Of an RTSP camera: warm (Familiar Faces keeps it open), cold, or preloaded (Home Assistant does)."""
    transport: str = "tcp"
    single: bool = False
    """Whether the camera takes one connection alone."""
    faults: tuple[Fault, ...] = STILL_FAULTS
    check: Fault | None = None
    """The fault that it has with --check; without one it is left out there."""

    @property
    def rtsp(self) -> bool:
        """Return whether it has a stream."""
        return self.form.codec != MJPEG

    @property
    def goal_ms(self) -> float:
        """Return how long a name may take, as the median."""
        if not self.rtsp:
            return SLOWEST_STILL_MS[self.name]
        if self.state == WARM and not self.single:
            return 1200 if self.form.width >= 3840 else 600
        return 1000 * self.form.every / 2 + 1000


SLOWEST_STILL_MS = {"generic_still": 900, "mjpeg": 500, "local_file": 2300, "push": 2700}
"""As it was before streams were read (600, 320, 1500 and 1800 on two busy cores), and half as much again."""


def _stream(name: str, form: Format, state: str, **more: object) -> Kind:
    return Kind(name, "generic", form, state, faults=STREAM_FAULTS, **more)  # type: ignore[arg-type]


def _full_hd(codec: str, every: int) -> Format:
    return Format(codec, 1920, 1080, every)


_CHECKED = {
    ("h264", 2, WARM): Fault.FREEZES,
    ("h264", 2, COLD): Fault.IDLES,
    ("h264", 4, PRELOADED): Fault.UNREACHABLE,
}
KINDS: tuple[Kind, ...] = (
    Kind("generic_still", "generic", check=Fault.ERROR),
    Kind("mjpeg", "mjpeg"),
    Kind("local_file", "local_file", check=Fault.FROZEN),
    Kind("push", "push", check=Fault.UNREACHABLE),
    *(
        _stream(
            f"h264_1080_gop{every}_{state}",
            _full_hd(H264, every),
            state,
            check=_CHECKED.get((H264, every, state)),
        )
        for state in (WARM, COLD, PRELOADED)
        for every in (1, 2, 4)
    ),
    _stream("h265_1080_gop2_warm", _full_hd(H265, 2), WARM),
    _stream("h265_1080_gop4_cold", _full_hd(H265, 4), COLD),
    _stream("h264_4k_gop2_warm", Format(H264, 3840, 2160, 2), WARM),
    _stream("h264_720_gop2_udp_warm", Format(H264, 1280, 720, 2), WARM, transport="udp"),
    _stream("h264_portrait_gop2_warm", Format(H264, 1080, 1920, 2), WARM),
    _stream("h264_half_gop2_cold", Format(H264, 960, 1920, 2), COLD),
    _stream("h264_fisheye_gop2_warm", Format(H264, 1920, 1920, 2, fisheye=True), WARM),
    _stream("h264_1080_gop2_single", _full_hd(H264, 2), PRELOADED, single=True, check=Fault.ERROR),
    Kind("ffmpeg", "ffmpeg", _full_hd(H264, 2), COLD, faults=STREAM_FAULTS),
)
