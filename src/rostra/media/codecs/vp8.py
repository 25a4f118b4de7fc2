"""VP8 (payload RFC 7741)."""

from rostra.domain.media import MediaKind
from rostra.media.codecs.row import CodecRow

ROW = CodecRow(
    name="VP8",
    kind=MediaKind.VIDEO,
    clock_rate=90000,
    payload_type=98,
    offers=({"max-fs": "3600", "max-fr": "30"},),
    switches={"": "VP8"},
    encoder="vp8enc deadline=1 cpu-used=-10 threads=1 lag-in-frames=0 keyframe-max-dist=300 end-usage=cbr "
    "buffer-size=600 buffer-initial-size=400 buffer-optimal-size=500 error-resilient=default "
    "token-partitions=0 static-threshold=100 target-bitrate={bitrate}",
    adjusted="target-bitrate={bitrate}",
    payloader="rtpvp8pay pt={payload_type} mtu={mtu} picture-id-mode=15-bit",
    depayloader="rtpvp8depay request-keyframe=true wait-for-keyframe=true",
    decoder="vp8dec",
    feedback=("nack", "nack pli", "ccm fir", "ccm tmmbr", "goog-remb", "transport-cc"),
)
