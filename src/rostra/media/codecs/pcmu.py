"""G.711 µ-law (RFC 3551 4.5.14)."""

from rostra.domain.media import MediaKind
from rostra.media.codecs.row import CodecRow

ROW = CodecRow(
    name="PCMU",
    kind=MediaKind.AUDIO,
    clock_rate=8000,
    payload_type=0,
    switches={"": "PCMU"},
    encoder="mulawenc",
    payloader="rtppcmupay pt={payload_type} mtu={mtu} max-ptime=20000000 min-ptime=20000000",
    depayloader="rtppcmudepay",
    decoder="mulawdec ! spanplc",
    sample_rate=8000,
    native=True,
)
