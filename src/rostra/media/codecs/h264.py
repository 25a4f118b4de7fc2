"""H.264 constrained baseline (payload RFC 6184, packetization modes 0 and 1)."""

import msgspec

from rostra.domain.media import MediaKind
from rostra.media.codecs.row import CodecRow, Parameters

DEFAULT_PROFILE_LEVEL_ID = "42e01f"
"""Constrained baseline level 3.1: 720p30."""


def accept(offered: Parameters) -> dict[str, str] | None:
    """RFC 6184 8.2.2: profile and packetization mode must be those offered; only baseline forms, modes 0 and 1."""
    profile_level_id = offered.get("profile-level-id", "42000a").lower()
    mode = offered.get("packetization-mode", "0")
    if not profile_level_id.startswith("42") or len(profile_level_id) != 6 or mode not in ("0", "1"):
        return None
    return {"profile-level-id": offered.get("profile-level-id", DEFAULT_PROFILE_LEVEL_ID), "packetization-mode": mode}


def rank(offered: Parameters) -> int:
    """Mode 1 (fragments) before mode 0 (API-087); 42e0 (constrained by its own word) before plain 4200."""
    constrained = offered.get("profile-level-id", "").lower().startswith("42e0")
    return 2 * (offered.get("packetization-mode", "0") == "1") + constrained


def passes(taken: Parameters) -> bool:
    """In mode 0 no packet may be part of a slice, so slices must have been encoded to fit."""
    return taken.get("packetization-mode", "0") == "1"


ROW = CodecRow(
    name="H264",
    kind=MediaKind.VIDEO,
    clock_rate=90000,
    payload_type=97,
    offers=(
        {"profile-level-id": DEFAULT_PROFILE_LEVEL_ID, "packetization-mode": "1"},
        {"profile-level-id": DEFAULT_PROFILE_LEVEL_ID, "packetization-mode": "0"},
    ),
    accept=accept,
    rank=rank,
    passes=passes,
    encoder="x264enc speed-preset=ultrafast tune=zerolatency bitrate={kilobits} vbv-buf-capacity=250 "
    "key-int-max=300 bframes=0 sliced-threads=false threads=1 "
    "byte-stream=true aud=false option-string=slice-max-size={mtu}",
    encoded="video/x-h264,profile=constrained-baseline,stream-format=byte-stream,alignment=au",
    payloader="rtph264pay pt={payload_type} mtu={mtu} config-interval=-1 aggregate-mode=none",
    depayloader="rtph264depay request-keyframe=true wait-for-keyframe=true",
    decoder="h264parse ! avdec_h264 max-threads=1",
    feedback=("nack", "nack pli", "ccm fir", "goog-remb", "transport-cc"),
)

STREAMED = msgspec.structs.replace(
    ROW,
    name="H264 (RTMP)",  # encoders are shared by name: servers and players want more key frames than calls do
    encoder="x264enc speed-preset=superfast tune=zerolatency bitrate={kilobits} vbv-buf-capacity=1000 "
    "key-int-max=60 bframes=0 sliced-threads=false threads=1 byte-stream=true aud=false",
    encoded="video/x-h264,profile=main,stream-format=byte-stream,alignment=au",
)
"""For servers that streams and recordings go to."""
