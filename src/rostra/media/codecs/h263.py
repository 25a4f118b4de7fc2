"""H.263 (payload RFC 2190, type 34) and H.263+ (payload RFC 4629, `H263-1998` and `H263-2000`)."""

from functools import partial

import msgspec

from rostra.domain.media import MediaKind
from rostra.media.codecs.pictures import SQUARE, answer, stated
from rostra.media.codecs.row import CodecRow

_KNOWN = ("cif4", "cif", "qcif", "sqcif")
_NO_ANNEXES = ",".join(f"annex-{letter}=(boolean)false" for letter in "fijt")


ROW = CodecRow(
    name="H263",
    kind=MediaKind.VIDEO,
    clock_rate=90000,
    payload_type=34,
    offers=(answer(_KNOWN, {}),),
    accept=partial(answer, _KNOWN),
    switches={"": "H263"},
    sizes=partial(stated, _KNOWN),
    encoder="avenc_h263 bitrate={bitrate} gop-size=300 ps={mtu}",
    payloader="rtph263pay pt={payload_type} mtu={mtu}",
    depayloader="rtph263depay",
    decoder=f"avdec_h263 ! {SQUARE}",
    feedback=("nack", "nack pli", "ccm fir", "ccm tmmbr"),
)

PLUS = msgspec.structs.replace(
    ROW,
    name="H263-1998",
    payload_type=105,
    switches={"": "H263-1998"},
    encoder=f"{ROW.encoder} ! capssetter caps=video/x-h263,{_NO_ANNEXES}",
    payloader="rtph263ppay pt={payload_type} mtu={mtu}",
    depayloader="rtph263pdepay",
)
"""What we send is plain H.263, which every H.263+ decoder takes."""

PLUS_2000 = msgspec.structs.replace(PLUS, name="H263-2000", payload_type=106, offers=())
"""The same under its later name; not offered by us."""
