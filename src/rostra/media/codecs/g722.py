"""G.722 at 64 kbit/s (RFC 3551 4.5.2: the RTP clock is 8000 Hz for historic reasons)."""

from rostra.domain.media import MediaKind
from rostra.media.codecs.row import CodecRow

ROW = CodecRow(
    name="G722",
    kind=MediaKind.AUDIO,
    clock_rate=8000,
    payload_type=9,
    switches={"": "G722"},
    encoder="avenc_g722",
    payloader="rtpg722pay pt={payload_type} mtu={mtu} max-ptime=20000000 min-ptime=20000000",
    depayloader="rtpg722depay",
    decoder="avdec_g722 ! spanplc",
    sample_rate=16000,
    native=True,
)
