"""G.711 A-law (RFC 3551 4.5.14)."""

from rostra.domain.media import MediaKind
from rostra.media.codecs.row import CodecRow

ROW = CodecRow(
    name="PCMA",
    kind=MediaKind.AUDIO,
    clock_rate=8000,
    payload_type=8,
    switches={"": "PCMA"},
    encoder="alawenc",
    payloader="rtppcmapay pt={payload_type} mtu={mtu} max-ptime=20000000 min-ptime=20000000",
    depayloader="rtppcmadepay",
    decoder="alawdec ! spanplc",
    sample_rate=8000,
    native=True,
)
