"""H.261 (payload RFC 4587)."""

from functools import partial

from rostra.domain.media import MediaKind
from rostra.media.codecs.pictures import SQUARE, answer, stated
from rostra.media.codecs.row import CodecRow

_KNOWN = ("cif", "qcif")


ROW = CodecRow(
    name="H261",
    kind=MediaKind.VIDEO,
    clock_rate=90000,
    payload_type=31,
    offers=(answer(_KNOWN, {}),),
    accept=partial(answer, _KNOWN),
    switches={"": "H261"},
    sizes=partial(stated, _KNOWN),
    encoder="avenc_h261 bitrate={bitrate} gop-size=300",
    payloader="rtph261pay pt={payload_type} mtu={mtu}",
    depayloader="rtph261depay",
    decoder=f"avdec_h261 ! {SQUARE}",
    resyncs=False,
    feedback=("nack", "nack pli", "ccm fir", "ccm tmmbr"),
)
