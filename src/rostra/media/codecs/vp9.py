"""VP9 (payload RFC 9628)."""

from rostra.domain.media import MediaKind
from rostra.media.codecs.row import CodecRow, Parameters

PROFILE = "profile-id"


def accept(offered: Parameters) -> dict[str, str] | None:
    """8 bits and 4:2:0 only; the answer repeats the profile where it is named."""
    if offered.get(PROFILE, "0") != "0":
        return None
    return {PROFILE: "0"} if PROFILE in offered else {}


ROW = CodecRow(
    name="VP9",
    kind=MediaKind.VIDEO,
    clock_rate=90000,
    payload_type=100,
    offers=({PROFILE: "0", "max-fs": "3600", "max-fr": "30"},),
    accept=accept,
    switches={"": "VP9"},
    encoder="vp9enc deadline=1 cpu-used=8 threads=1 lag-in-frames=0 end-usage=cbr keyframe-max-dist=300 "
    "buffer-size=600 buffer-initial-size=400 buffer-optimal-size=500 error-resilient=default target-bitrate={bitrate}",
    adjusted="target-bitrate={bitrate}",
    payloader="rtpvp9pay pt={payload_type} mtu={mtu} picture-id-mode=15-bit",
    depayloader="rtpvp9depay request-keyframe=true wait-for-keyframe=true",
    decoder="vp9dec",
    feedback=("nack", "nack pli", "ccm fir", "ccm tmmbr", "goog-remb", "transport-cc"),
)
