"""H.261 (payload RFC 4587)."""

from rostra.domain.media import MediaKind
from rostra.media.codecs.pictures import SQUARE, stated
from rostra.media.codecs.row import CodecRow, Parameters, Size

_KNOWN = ("cif", "qcif")
OURS = {"cif": "1", "qcif": "1"}


def sizes(parameters: Parameters) -> tuple[Size, ...]:
    return stated(parameters, _KNOWN)


def accept(offered: Parameters) -> dict[str, str]:
    """Sizes are one-sided: each side states what it takes."""
    del offered
    return dict(OURS)


ROW = CodecRow(
    name="H261",
    kind=MediaKind.VIDEO,
    clock_rate=90000,
    payload_type=31,
    offers=(OURS,),
    accept=accept,
    switches={"": "H261"},
    sizes=sizes,
    encoder="avenc_h261 bitrate={bitrate} gop-size=300",
    payloader="rtph261pay pt={payload_type} mtu={mtu}",
    depayloader="rtph261depay",
    decoder=f"avdec_h261 ! {SQUARE}",
    resyncs=False,
    feedback=("nack", "nack pli", "ccm fir"),
)
