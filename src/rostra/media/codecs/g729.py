"""G.729 Annex A at 8 kbit/s (RFC 3551 4.5.6), where the machine has a library that encodes it."""

import ctypes
import functools

from rostra.domain.media import MediaKind
from rostra.media.codecs.row import CodecRow, Parameters

LIBRARY = "libbcg729.so.0"
"""Debian's package libbcg729-0."""


@functools.cache
def there() -> bool:
    """Whether the machine has the library."""
    try:
        ctypes.CDLL(LIBRARY)
    except OSError:
        return False
    return True


def accept(offered: Parameters) -> dict[str, str]:
    """We send no frames of comfort noise, and say that none are wanted (RFC 4856 2.1.9)."""
    del offered
    return {"annexb": "no"}


ROW = CodecRow(
    name="G729",
    kind=MediaKind.AUDIO,
    clock_rate=8000,
    payload_type=18,
    offers=({"annexb": "no"},),
    accept=accept,
    there=there,
    library="Debian package libbcg729-0",
    encoder="rostrag729enc",
    payloader="rtpg729pay pt={payload_type} mtu={mtu} max-ptime=20000000 min-ptime=20000000",
    depayloader="rtpg729depay",
    decoder="avdec_g729",
    sample_rate=8000,
)
