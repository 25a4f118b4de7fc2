"""Speex at 16 kHz (RFC 5574): taken where it is offered."""

from rostra.domain.media import MediaKind
from rostra.media.codecs.row import CodecRow

ROW = CodecRow(
    name="SPEEX",
    kind=MediaKind.AUDIO,
    clock_rate=16000,
    payload_type=114,
    offers=(),
    switches={"": "speex"},
    encoder="speexenc quality=8",
    payloader="rtpspeexpay pt={payload_type} mtu={mtu} max-ptime=20000000 min-ptime=20000000",
    depayloader="rtpspeexdepay",
    decoder="speexdec",
    sample_rate=16000,
)
