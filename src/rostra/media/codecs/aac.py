"""AAC-LC, 48 kHz mono: as MPEG-4 elementary stream (RFC 3640, `AAC-hbr`) and as LATM (RFC 6416).

Which form of AAC a stream has is said by its configuration, so it is part of what is agreed. AAC-LD, which room systems
call by the same names, has no encoder that is free and packaged.
"""

from __future__ import annotations

from typing import Final

from rostra.domain.media import MediaKind
from rostra.media.codecs.row import CodecRow, Parameters

_LOW_COMPLEXITY, _INDEX_OF_48000, _MONO = 2, 3, 1
GENERIC: Final = {
    "streamtype": "5",
    "profile-level-id": "2",
    "mode": "AAC-hbr",
    "config": "1188",
    "sizelength": "13",
    "indexlength": "3",
    "indexdeltalength": "3",
}
LATM: Final = {"profile-level-id": "2", "object": "2", "cpresent": "0", "config": "40002310"}


def accept_generic(offered: Parameters) -> dict[str, str] | None:
    """Only the mode with large sizes, and only a configuration that is ours in all that matters."""
    asked = {name: offered.get(name, "") for name in ("sizelength", "indexlength", "indexdeltalength")}
    if offered.get("mode", "").lower() != "aac-hbr" or any(GENERIC[name] != value for name, value in asked.items()):
        return None
    return dict(GENERIC) if _is_ours(_bits(offered.get("config", ""))) else None


def accept_latm(offered: Parameters) -> dict[str, str] | None:
    """The configuration must be in the description (`cpresent=0`): one program, one layer (RFC 6416 7.3)."""
    bits = _bits(offered.get("config", ""))
    if offered.get("cpresent", "1") != "0" or offered.get("object", "2") != "2" or bits[:15] != "010000000000000":
        return None
    return dict(LATM) if _is_ours(bits[15:]) else None


def _bits(text: str) -> str:
    """A hexadecimal number as digits of two; empty for what is none."""
    try:
        return "".join(f"{octet:08b}" for octet in bytes.fromhex(text[:64]))
    except ValueError:
        return ""


def _is_ours(bits: str) -> bool:
    """Frames of 1024 samples, without a core coder or extension, are the three noughts (ISO/IEC 14496-3 4.4.1)."""
    return bits[:16] == f"{_LOW_COMPLEXITY:05b}{_INDEX_OF_48000:04b}{_MONO:04b}000"


PLAIN = CodecRow(
    name="MPEG4-GENERIC",
    kind=MediaKind.AUDIO,
    clock_rate=48000,
    payload_type=112,
    offers=(),
    accept=accept_generic,
    described=tuple(GENERIC),
    encoder="voaacenc bitrate=64000",
    payloader="rtpmp4gpay pt={payload_type} mtu={mtu}",
    depayloader="rtpmp4gdepay",
    decoder="aacparse ! avdec_aac",
)
"""Taken where it is offered; what we offer stays short."""
IN_LATM = CodecRow(
    name="MP4A-LATM",
    kind=MediaKind.AUDIO,
    clock_rate=48000,
    payload_type=113,
    offers=(),
    accept=accept_latm,
    described=("cpresent", "config"),
    encoder="voaacenc bitrate=64000 ! aacparse",
    payloader="rtpmp4apay pt={payload_type} mtu={mtu}",
    depayloader="rtpmp4adepay",
    decoder="aacparse ! avdec_aac",
)
