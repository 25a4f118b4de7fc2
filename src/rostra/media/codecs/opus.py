"""Opus (RFC 6716, payload RFC 7587)."""

from rostra.domain.media import MediaKind
from rostra.media.codecs.row import CodecRow, Parameters


def accept(offered: Parameters) -> dict[str, str] | None:
    """RFC 7587 7: parameters are one-sided; we always state that in-band FEC is welcome."""
    del offered
    return {"minptime": "10", "useinbandfec": "1"}


ROW = CodecRow(
    name="OPUS",
    kind=MediaKind.AUDIO,
    clock_rate=48000,
    channels=2,
    payload_type=111,
    offers=({"minptime": "10", "useinbandfec": "1"},),
    accept=accept,
    switches={"": "opus"},
    encoder="opusenc bitrate=40000 audio-type=voice inband-fec=true packet-loss-percentage=5 frame-size=20",
    payloader="rtpopuspay pt={payload_type} mtu={mtu}",
    depayloader="rtpopusdepay",
    decoder="opusdec plc=true use-inband-fec=true",
    native=True,
)
