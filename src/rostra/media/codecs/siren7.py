"""Siren7 at 16 kbit/s, the form of G.722.1 that free software has an encoder of."""

from rostra.domain.media import MediaKind
from rostra.media.codecs.row import CodecRow, Parameters

RATE = {"bitrate": "16000"}


def accept(offered: Parameters) -> dict[str, str] | None:
    """Other rates have no encoder here."""
    return dict(RATE) if offered.get("bitrate", "16000") == "16000" else None


ROW = CodecRow(
    name="SIREN",
    kind=MediaKind.AUDIO,
    clock_rate=16000,
    payload_type=104,
    offers=(RATE,),
    accept=accept,
    switches={"": "SIREN7_16"},
    encoder="sirenenc",
    payloader="rtpsirenpay pt={payload_type} mtu={mtu} max-ptime=20000000 min-ptime=20000000",
    depayloader="rtpsirendepay",
    decoder="sirendec",
    sample_rate=16000,
)
