"""The shape of a codec's row."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from rostra.domain.media import MediaKind

Parameters = Mapping[str, str]


def accept_any(offered: Parameters) -> dict[str, str] | None:
    """Agree to any format parameters and state none of our own."""
    del offered
    return {}


class CodecRow(msgspec.Struct, frozen=True, kw_only=True):
    """One codec.

    The launch strings are fragments in `gst-launch` syntax without caps; `{bitrate}` (bit/s), `{payload_type}`
    and `{mtu}` are filled in by the engine.
    """

    name: str
    """Encoding name in upper case, as in the IANA registry."""
    kind: MediaKind
    clock_rate: int
    """RTP clock, Hz (RFC 3551: G.722 states 8000 for its 16 kHz audio)."""
    channels: int = 1
    payload_type: int
    """Static number, or the dynamic one we prefer in our own offers."""
    offers: tuple[dict[str, str], ...] = ({},)
    """Format parameters of each payload type we put in our own offers."""
    accept: Callable[[Parameters], dict[str, str] | None] = accept_any
    """Offered parameters to those of our answer; None: we cannot take this form."""
    encoder: str = ""
    payloader: str = ""
    depayloader: str = ""
    decoder: str = ""
    sample_rate: int = 48000
    """PCM rate the audio encoder wants, Hz."""
    feedback: tuple[str, ...] = ()
    """RTCP feedback we support for it."""
