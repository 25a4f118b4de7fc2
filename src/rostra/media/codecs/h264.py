"""H.264: baseline forms, main and high profile (payload RFC 6184, packetization modes 0 and 1)."""

from typing import Final

import msgspec

from rostra.domain.media import MediaKind
from rostra.media.codecs.row import CodecRow, Parameters

DEFAULT_PROFILE_LEVEL_ID = "42e01f"
"""Constrained baseline level 3.1: 720p30."""
ASYMMETRY = "level-asymmetry-allowed"
BEST_LEVEL: Final = 0x28
"""4.0: 1080p30, the most that is taken of anybody."""
_UNSTATED = "42000a"
"""What is meant where no profile is stated (RFC 6184 8.1)."""
_PROFILES = {0x42: "B", 0x4D: "B", 0x64: "H"}
"""`profile_idc` to form: baseline, main and high. What we send in the first two is constrained baseline, which
decoders of both take; of main, which counts as the same codec otherwise, the answer keeps the number."""


_READ = {
    0x42: ("constrained-baseline", "baseline"),
    0x4D: ("constrained-baseline", "baseline", "main"),
    0x64: ("constrained-baseline", "baseline", "main", "high", "constrained-high", "progressive-high"),
}
"""`profile_idc` to the profiles that its decoders take: what baseline has and constrained baseline has not is made by
no encoder for calls."""


def profile_of(offered: Parameters) -> tuple[int, int, int] | None:
    """`profile_idc`, constraint flags and `level_idc`; None: they cannot be read."""
    text = offered.get("profile-level-id", _UNSTATED)
    try:
        value = bytes.fromhex(text)
    except ValueError:
        return None
    return (value[0], value[1], value[2]) if len(value) == 3 and len(text) == 6 else None


def form(offered: Parameters) -> str:
    """Profile and packetization mode, such as `B1`; empty: none that we take."""
    found, mode = profile_of(offered), offered.get("packetization-mode", "0")
    name = _PROFILES.get(found[0]) if found else None
    return f"{name}{mode}" if name and mode in ("0", "1") else ""


def accept_baseline(offered: Parameters) -> dict[str, str] | None:
    """For browsers (API-087): only baseline forms, answered with what was offered."""
    profile_level_id = offered.get("profile-level-id", _UNSTATED).lower()
    mode = offered.get("packetization-mode", "0")
    if not profile_level_id.startswith("42") or len(profile_level_id) != 6 or mode not in ("0", "1"):
        return None
    return {"profile-level-id": offered.get("profile-level-id", DEFAULT_PROFILE_LEVEL_ID), "packetization-mode": mode}


def accept(offered: Parameters) -> dict[str, str] | None:
    """RFC 6184 8.2.2: profile and packetization mode must be those offered; the level is lowered to what we take.

    Only where the offer allows the two directions to differ is our own level stated, which may then be higher. What
    raises the offered level (`max-fs` and the like) describes the far end, so it is not repeated.
    """
    found = profile_of(offered)
    if found is None or not form(offered):
        return None
    number, flags, level = found
    if "profile-level-id" not in offered:  # by the letter that is 176x144; who leaves it out means anything but that
        number, flags, level = bytes.fromhex(DEFAULT_PROFILE_LEVEL_ID)
    if offered.get(ASYMMETRY) == "1":
        level = max(level, int(DEFAULT_PROFILE_LEVEL_ID[4:], 16))
    answered = {
        "profile-level-id": f"{number:02x}{flags:02x}{min(level, BEST_LEVEL):02x}",
        "packetization-mode": offered.get("packetization-mode", "0"),
    }
    return answered | ({ASYMMETRY: "1"} if offered.get(ASYMMETRY) == "1" else {})


def rank(offered: Parameters) -> int:
    """Mode 1 (fragments) before mode 0 (API-087); 42e0 (constrained by its own word) before plain 4200."""
    constrained = offered.get("profile-level-id", "").lower().startswith("42e0")
    return 2 * (offered.get("packetization-mode", "0") == "1") + constrained


def passes(taken: Parameters) -> bool:
    """In mode 0 no packet may be part of a slice, so slices must have been encoded to fit."""
    return taken.get("packetization-mode", "0") == "1"


def decodes(taken: Parameters, profile: str) -> bool:
    """Constrained baseline by all; more only where its profile was agreed (RFC 6184 8.1, the table of sub-profiles)."""
    found = profile_of(taken)
    return found is not None and profile in _READ.get(found[0], ())


_ENCODER: Final = (
    "x264enc speed-preset=ultrafast subme=1 tune=zerolatency bitrate={kilobits} vbv-buf-capacity=400 "
    "key-int-max=300 bframes=0 sliced-threads=false threads=1 byte-stream=true aud=false "
)
_BETTER: Final = "no-deblock=0:aq-mode=1"
"""What the fastest preset leaves out and is worth its time, as is motion of quarters of a pixel (decision 0041)."""


ROW = CodecRow(
    name="H264",
    kind=MediaKind.VIDEO,
    clock_rate=90000,
    payload_type=97,
    offers=tuple(
        {"profile-level-id": profile_level_id, "packetization-mode": mode, ASYMMETRY: "1"}
        for profile_level_id in ("64001f", DEFAULT_PROFILE_LEVEL_ID)
        for mode in ("1", "0")
    ),
    accept=accept,
    rank=rank,
    form=form,
    switches={"B0": "H264_B_0", "B1": "H264_B_1", "H0": "H264_H_0", "H1": "H264_H_1"},
    passes=passes,
    decodes=decodes,
    encoder=_ENCODER + "option-string=" + _BETTER,
    adjusted="bitrate={kilobits}",
    encoded="video/x-h264,profile=constrained-baseline,stream-format=byte-stream,alignment=au",
    payloader="rtph264pay pt={payload_type} mtu={mtu} config-interval=-1 aggregate-mode=none",
    depayloader="rtph264depay request-keyframe=true wait-for-keyframe=true",
    decoder="h264parse ! avdec_h264 max-threads=1",
    plain_keys=True,
    feedback=("nack", "nack pli", "ccm fir", "ccm tmmbr", "goog-remb", "transport-cc"),
)

HIGH = msgspec.structs.replace(
    ROW,
    variant="high",
    encoder=_ENCODER + "cabac=true dct8x8=true option-string=no-deblock=0",
    encoded="video/x-h264,profile=high,stream-format=byte-stream,alignment=au",
)
"""What is sent where high profile was agreed."""


def _in_slices(row: CodecRow) -> CodecRow:
    return msgspec.structs.replace(
        row, variant=f"{row.variant} slices".strip(), encoder=row.encoder + ":slice-max-size={mtu}"
    )


SLICED, HIGH_SLICED = _in_slices(ROW), _in_slices(HIGH)
"""What is sent where each packet must be whole slices (packetization mode 0). They cost bits, and a packet each."""


def made_for(taken: Parameters) -> CodecRow:
    """Whose encoder serves a receiver of this form."""
    high, sliced = form(taken).startswith("H"), not passes(taken)
    return (HIGH_SLICED if sliced else HIGH) if high else SLICED if sliced else ROW


def _with_care(row: CodecRow) -> CodecRow:
    encoder = row.encoder.replace("ultrafast subme=1", "veryfast").replace("capacity=400", "capacity=1500")
    return msgspec.structs.replace(row, variant=f"{row.variant} careful".strip(), encoder=f"{encoder}:psy=0")


CAREFUL = {row.made: _with_care(row) for row in (ROW, HIGH, SLICED, HIGH_SLICED)}
"""For few pictures a second, of text: each may take longer to make, and a new one longer to send, as it stands
(decision 0046). By what is made without care."""


STREAMED = msgspec.structs.replace(
    ROW,
    name="H264 (RTMP)",  # encoders are shared by name: servers and players want more key frames than calls do
    encoder="x264enc speed-preset=superfast tune=zerolatency bitrate={kilobits} vbv-buf-capacity=1000 "
    "key-int-max=60 bframes=0 sliced-threads=false threads=1 byte-stream=true aud=false",
    encoded="video/x-h264,profile=main,stream-format=byte-stream,alignment=au",
)
"""For servers that streams and recordings go to."""
