"""What was agreed of the streams of an RTP leg, as its pipeline needs it."""

from __future__ import annotations

import dataclasses

from rostra.domain.media import CodecParameters, Content, CryptoAttribute, MediaKind, MediaStream
from rostra.media import codecs
from rostra.media.codecs.row import CodecRow
from rostra.media.engine import lines
from rostra.media.engine.dtls import Handshake, handshake
from rostra.media.engine.rate_control import AGREED
from rostra.media.engine.sections import BadDescription


@dataclasses.dataclass(frozen=True, slots=True)
class Wire:
    """One agreed stream as the pipeline needs it; equal wires need no rebuilding."""

    index: int
    kind: MediaKind
    receive: tuple[CodecParameters, ...]
    """What the far end may send us, with our payload types."""
    send: CodecParameters
    events: CodecParameters | None
    """Telephone events as the far end wants them."""
    feedback: bool
    """RTCP feedback was agreed, with its profile (AVPF) or without: it need not wait for the next regular report."""
    asks: bool
    """Key frames can be asked for by RTCP."""
    nacks: bool
    """Lost packets are asked for again, and sent again."""
    rates: bool
    """Both sides take requests for bit rates (RFC 5104 TMMBR)."""
    mux: bool
    key_out: CryptoAttribute | None
    key_in: CryptoAttribute | None
    dtls: Handshake | None = None
    slides: bool = False
    ice: bool = False

    @property
    def row(self) -> CodecRow:
        return codecs.BY_NAME[self.send.name]

    @property
    def plain(self) -> bool:
        """Sound that needs no pipeline."""
        other = self.kind is not MediaKind.AUDIO or self.ice or self.dtls is not None
        return not other and lines.possible(self.receive, self.send)


def wire(index: int, local: MediaStream, remote: MediaStream) -> Wire | None:
    """The wire of an agreed stream; None when it carries nothing of ours. Raises BadDescription."""
    known = [codec for codec in remote.codecs if _runs(codec)]
    if local.refused or remote.refused or not known:
        return None
    if bool(local.crypto) != bool(remote.crypto) or bool(local.dtls) != bool(remote.dtls):
        raise BadDescription("only one side encrypts")
    events = [codec for codec in remote.codecs if codec.name == codecs.EVENTS.name]
    # RFC 4733 wants one clock for voice and events; beside Opus most far ends know those of 8 kHz only, and take them
    fitting = [codec for codec in events if codec.clock_rate == known[0].clock_rate]
    return Wire(
        index=index,
        kind=local.kind,
        receive=local.codecs,
        send=known[0],
        events=next(iter(fitting or events), None),
        feedback=local.profile.endswith("F") or any(codec.feedback for codec in local.codecs),
        asks=any(one in codec.feedback for codec in local.codecs for one in ("nack pli", "ccm fir")),
        nacks="nack" in known[0].feedback,
        rates=AGREED in known[0].feedback,
        mux=local.rtcp_mux and remote.rtcp_mux,
        key_out=next(iter(local.crypto), None),
        key_in=next(iter(remote.crypto), None),
        dtls=handshake(local.dtls, remote.dtls) if local.dtls and remote.dtls else None,
        slides=local.content is Content.SLIDES,
        ice=local.ice is not None and remote.ice is not None,
    )


def described(codec: CodecParameters) -> tuple[str, ...]:
    """What has to be known of it to unpack what comes."""
    row = codecs.BY_NAME.get(codec.name)
    return row.described if row else ()


def _runs(codec: CodecParameters) -> bool:
    row = codecs.BY_NAME.get(codec.name)
    return row is not None and (bool(row.encoder) or row is codecs.CAMERAS)
