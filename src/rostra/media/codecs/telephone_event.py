"""DTMF digits as named events (RFC 4733)."""

from rostra.domain.media import MediaKind
from rostra.media.codecs.row import CodecRow, Parameters


def accept(offered: Parameters) -> dict[str, str] | None:
    """RFC 4733 2.5.1.1: we take the sixteen DTMF events."""
    del offered
    return {"": "0-15"}


ROW = CodecRow(
    name="TELEPHONE-EVENT",
    kind=MediaKind.AUDIO,
    clock_rate=8000,
    payload_type=101,
    offers=({"": "0-15"},),
    accept=accept,
)
