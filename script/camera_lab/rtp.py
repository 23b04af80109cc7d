"""Pictures in RTP packets, RFC 6184 for H.264 and RFC 7798 for H.265, and the SDP that tells of them."""

from base64 import b64encode
from collections.abc import Iterator

from .films import H264, Film, Unit, nal_kind, split_nals

CLOCK = 90_000
"""Ticks a second of the timestamps of video."""
PAYLOAD_TYPE = 96
MOST = 1400
"""Bytes of a payload at most, so that a packet fits into an Ethernet frame."""


def payloads(codec: str, unit: Unit) -> list[bytes]:
    """Return the payloads of one picture's packets; the last one's packet has the marker."""
    return [part for nal in split_nals(unit.data) for part in _of_nal(codec, nal)]


def _of_nal(codec: str, nal: bytes) -> Iterator[bytes]:
    if len(nal) <= MOST:
        yield nal
        return
    if codec == H264:
        head, kind, rest = bytes([nal[0] & 0xE0 | 28]), nal_kind(codec, nal), nal[1:]
    else:
        head, kind, rest = bytes([nal[0] & 0x81 | 49 << 1, nal[1]]), nal_kind(codec, nal), nal[2:]
    size = MOST - len(head) - 1
    for at in range(0, len(rest), size):
        begins, ends = 0x80 * (at == 0), 0x40 * (at + size >= len(rest))
        yield head + bytes([begins | ends | kind]) + rest[at : at + size]


def packet(payload: bytes, *, sequence: int, timestamp: int, source: int, marker: bool) -> bytes:
    """Return an RTP packet."""
    return (
        bytes([0x80, PAYLOAD_TYPE | 0x80 * marker])
        + (sequence & 0xFFFF).to_bytes(2)
        + (timestamp & 0xFFFFFFFF).to_bytes(4)
        + source.to_bytes(4)
        + payload
    )


def description(film: Film) -> str:
    """Return the SDP of a film's camera."""
    codec = film.format.codec
    sets = [b64encode(each).decode() for each in film.headers]
    if codec == H264:
        level = film.headers[0][1:4].hex().upper()
        about = f"packetization-mode=1;profile-level-id={level};sprop-parameter-sets={','.join(sets)}"
    else:
        about = ";".join(
            f"sprop-{name}={value}" for name, value in zip(("vps", "sps", "pps"), sets, strict=True)
        )
    lines = (
        "v=0",
        "o=- 1 1 IN IP4 127.0.0.1",
        "s=door",
        "c=IN IP4 0.0.0.0",
        "t=0 0",
        "a=control:*",
        f"m=video 0 RTP/AVP {PAYLOAD_TYPE}",
        f"a=rtpmap:{PAYLOAD_TYPE} {codec.upper()}/{CLOCK}",
        f"a=fmtp:{PAYLOAD_TYPE} {about}",
        "a=control:video",
    )
    return "".join(f"{line}\r\n" for line in lines)
