"""Answers to offers (RFC 3264) over neutral descriptions: what is agreed, without sockets, clocks or chance.

Our own offers are in `offering`.

Every function is pure: ports, addresses and keys come in as arguments. Section numbers are those of RFC 3264
unless another RFC is named.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence

import msgspec

from rostra.domain.media import (
    CodecParameters,
    Content,
    CryptoAttribute,
    Direction,
    DtlsSide,
    MediaDescription,
    MediaKind,
    MediaStream,
)
from rostra.media.codecs import BY_NAME, CAMERAS, EVENTS, OFF_BY_DEFAULT, CodecRow, chosen
from rostra.media.encryption import SUITES, Encryption, usable_key

PROFILES = ("RTP/AVP", "RTP/AVPF", "RTP/SAVP", "RTP/SAVPF", "UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF")
FEEDBACK = frozenset({"nack", "nack pli", "ccm fir", "ccm tmmbr"})
"""What plain RTP legs use; transport-cc and REMB need header extensions that only WebRTC legs agree."""

SLIDES_LABEL = "3"
"""Of our stream of slides, which its floor is for."""

Identity = Callable[[], tuple[str, str]]
"""Our certificate with its key (PEM), and its fingerprint, where keys are agreed by DTLS."""
KeySource = Callable[[str], str]
"""From the name of a suite to fresh base64 key and salt."""


class NegotiationError(Exception):
    """The far end's description cannot be agreed with; the text is for the log."""


class NoCommonCodec(NegotiationError):
    """Nothing offered (or answered) can be run (SIP 488)."""


@dataclasses.dataclass(frozen=True, slots=True)
class Agreement:
    """Both sides of what was agreed, stream for stream, as `media.messages.ConnectRtp` wants it."""

    local: MediaDescription
    remote: MediaDescription


@dataclasses.dataclass(frozen=True, slots=True)
class Ports:
    """Where we receive: one RTP port for each stream in use, in the order of the streams."""

    address: str
    ports: tuple[int, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """What the service and the client allow."""

    kinds: frozenset[MediaKind] = frozenset({MediaKind.AUDIO, MediaKind.VIDEO})
    bandwidth: int | None = None
    """Most bit/s of video we want to receive."""
    slides: bool = True
    """There may be a second video stream for slides."""
    disabled: frozenset[str] = frozenset(OFF_BY_DEFAULT)
    """Switches of the codecs that are not negotiated (SYS-117)."""
    encryption: Encryption = Encryption.BEST_EFFORT

    def has(self, kind: MediaKind) -> bool:
        """May there be streams of this kind? What moves cameras goes with pictures."""
        if kind is MediaKind.APPLICATION:
            return MediaKind.VIDEO in self.kinds and CAMERAS.name not in self.disabled
        return kind in self.kinds

    @property
    def rows(self) -> tuple[CodecRow, ...]:
        return chosen(self.disabled)


EVERYTHING = Limits()


def usable_streams(offer: MediaDescription, limits: Limits = EVERYTHING) -> tuple[int, ...]:
    """Indices of the offered streams we can take: the first usable audio, main video, slides and camera section.

    Slides and cameras go with main video only. Raises NoCommonCodec when there is none.
    """
    found: dict[tuple[MediaKind, Content], int] = {}
    for index, stream in enumerate(offer.streams):
        use = stream.kind, stream.content
        if limits.has(stream.kind) and use not in found and _usable(stream, limits):
            found[use] = index
    if not limits.slides or (MediaKind.VIDEO, Content.MAIN) not in found:
        found.pop((MediaKind.VIDEO, Content.SLIDES), None)
    found.pop((MediaKind.AUDIO, Content.SLIDES), None)
    if (MediaKind.VIDEO, Content.MAIN) not in found:
        found.pop((MediaKind.APPLICATION, Content.MAIN), None)
    if not found:
        raise NoCommonCodec("no offered stream has a codec, profile and encryption we support")
    return tuple(sorted(found.values()))


def kinds_of(description: MediaDescription, indices: Sequence[int]) -> tuple[MediaKind, ...]:
    """Kinds to reserve ports for."""
    return tuple(description.streams[index].kind for index in indices)


def answer(
    offer: MediaDescription,
    ports: Ports,
    keys: KeySource,
    *,
    identity: Identity | None = None,
    limits: Limits = EVERYTHING,
    previous: MediaDescription | None = None,
    floor: tuple[int, MediaStream] | None = None,
) -> Agreement:
    """Answer an offer. `floor` is our side of its section for floor control, with the index.

    `ports` has one port for each of `usable_streams`, in that order.

    `previous` is our last description in this session: its id stays and its version is raised, and keys stay
    where the far end's did not ask for new ones (8). Raises NoCommonCodec, or NegotiationError on too few ports.
    """
    usable = usable_streams(offer, limits)
    if len(ports.ports) < len(usable):
        raise NegotiationError("fewer ports than streams")
    at = dict(zip(usable, ports.ports, strict=False))
    local: list[MediaStream] = []
    remote: list[MediaStream] = []
    for index, theirs in enumerate(offer.streams):
        if floor is not None and index == floor[0]:
            local.append(floor[1])
            remote.append(theirs)
            continue
        if index not in at:
            local.append(refusal(theirs))
            remote.append(refusal(theirs))
            continue
        ours, agreed = _answer_stream(theirs, ports.address, at[index], keys, limits)
        old = previous.streams[index].dtls if previous is not None and index < len(previous.streams) else None
        ours = msgspec.structs.replace(ours, dtls=_dtls_side(theirs, identity, old))
        local.append(_keeping_key(ours, previous, index))
        remote.append(agreed)
    return Agreement(
        local=described(tuple(local), ports.address, previous, limits.bandwidth),
        remote=msgspec.structs.replace(offer, streams=tuple(remote)),
    )


def refusal(stream: MediaStream) -> MediaStream:
    """The section refused: port 0, so that order and number survive (6)."""
    return MediaStream(
        kind=stream.kind,
        content=stream.content,
        direction=Direction.INACTIVE,
        port=0,
        profile=stream.profile,
        codecs=stream.codecs[:1],
        formats=stream.formats,
        mid=stream.mid,
    )


def on_hold(remote: MediaDescription) -> bool:
    """The far end wants nothing from us on any stream (8.4)."""
    used = [stream for stream in remote.streams if not stream.refused and stream.kind is not MediaKind.APPLICATION]
    return bool(used) and not any(effective_direction(stream).receives for stream in used)


def effective_direction(stream: MediaStream) -> Direction:
    """The far end's direction; no address, or no bandwidth, also says "send me nothing" (8.4, RFC 3264 5.1)."""
    if stream.address in ("0.0.0.0", "::") or stream.bandwidth == 0:  # noqa: S104 - compared, not bound to
        return Direction.of(stream.direction.sends, False)
    return stream.direction


def described(
    streams: tuple[MediaStream, ...], address: str, previous: MediaDescription | None, bandwidth: int | None = None
) -> MediaDescription:
    """Our next description in a session: the id of `previous`, with the version raised (8)."""
    made = MediaDescription(streams=streams, address=address, bandwidth=bandwidth)
    if previous is None:
        return made
    return msgspec.structs.replace(made, session_id=previous.session_id, version=previous.version + 1)


def _usable(stream: MediaStream, limits: Limits) -> bool:
    if stream.refused or stream.profile not in PROFILES:
        return False
    secured = _offered_suite(stream) is not None
    if "TLS" in stream.profile:
        secured = stream.dtls is not None and stream.dtls.setup in ("active", "passive", "actpass")
    if "SAVP" in stream.profile and (not secured or limits.encryption is Encryption.OFF):
        return False
    if limits.encryption is Encryption.ON and not secured:
        return False
    return any(codec.name != EVENTS.name for codec, _ in _common(stream, limits.rows))


def _common(stream: MediaStream, rows: Sequence[CodecRow]) -> Iterator[tuple[CodecParameters, CodecParameters]]:
    """Their codec and our side of it, in their order (6.1)."""
    for theirs in stream.codecs:
        row = next((row for row in rows if same_codec(row, theirs) and row.kind is stream.kind), None)
        parameters = row.accept(theirs.parameters) if row is not None else None
        if row is None or parameters is None:
            continue
        feedback = tuple(f for f in theirs.feedback if f in FEEDBACK and f in row.feedback)
        agreed = msgspec.structs.replace(theirs, feedback=feedback)
        yield agreed, msgspec.structs.replace(agreed, parameters=parameters)


def same_codec(row: CodecRow | CodecParameters, codec: CodecParameters) -> bool:
    """Is it the same encoding, whatever its parameters?"""
    return (row.name, row.clock_rate, row.channels) == (codec.name, codec.clock_rate, codec.channels)


def _answer_stream(
    theirs: MediaStream,
    address: str,
    port: int,
    keys: KeySource,
    limits: Limits,
) -> tuple[MediaStream, MediaStream]:
    """One codec is agreed, so the far end never switches under way; telephone events go beside it."""
    common = list(_common(theirs, limits.rows))
    agreed = [_best([pair for pair in common if pair[0].name != EVENTS.name])]
    agreed += [pair for pair in common if pair[0].name == EVENTS.name][:1]
    unkeyed = limits.encryption is Encryption.OFF or "TLS" in theirs.profile
    offered = None if unkeyed else _offered_suite(theirs)
    crypto = (CryptoAttribute(tag=offered.tag, suite=offered.suite, key_salt=keys(offered.suite)),) if offered else ()
    direction = effective_direction(theirs)
    local = MediaStream(
        kind=theirs.kind,
        content=theirs.content,
        label=SLIDES_LABEL if theirs.content is Content.SLIDES else "",
        direction=direction.reversed(),
        address=address,
        port=port,
        profile=theirs.profile,
        codecs=tuple(ours for _, ours in agreed),
        crypto=crypto,
        bandwidth=limits.bandwidth if theirs.kind is MediaKind.VIDEO else None,
        ptime=20 if theirs.kind is MediaKind.AUDIO else None,
        mid=theirs.mid,
        rtcp_mux=theirs.rtcp_mux,
    )
    remote = msgspec.structs.replace(
        theirs,
        direction=direction,
        codecs=tuple(codec for codec, _ in agreed),
        crypto=(offered,) if offered else (),
        ratio=shaped(theirs, agreed[0][0]),
    )
    return local, remote


def _best(pairs: list[tuple[CodecParameters, CodecParameters]]) -> tuple[CodecParameters, CodecParameters]:
    """Their first codec, in the best of its forms; those of few sizes only if there is nothing else."""
    first = next((pair for pair in pairs if not few_sizes(pair[0])), pairs[0])
    forms = [pair for pair in pairs if pair[0].name == first[0].name]
    return max(forms, key=lambda pair: BY_NAME[pair[0].name].rank(pair[0].parameters))


def few_sizes(codec: CodecParameters) -> bool:
    """It knows only the old sizes of pictures, which are 4:3."""
    return bool(BY_NAME[codec.name].sizes(codec.parameters))


def shaped(stream: MediaStream, codec: CodecParameters) -> float:
    """The shape of pictures that a far end is best sent."""
    return 4 / 3 if few_sizes(codec) else stream.ratio


def _offered_suite(stream: MediaStream) -> CryptoAttribute | None:
    """The best of the offered crypto lines; also within RTP/AVP, where it is offered as best effort."""
    known = [line for line in stream.crypto if line.suite in SUITES and usable_key(line)]
    return min(known, key=lambda line: SUITES.index(line.suite), default=None)


def _dtls_side(theirs: MediaStream, identity: Identity | None, old: DtlsSide | None) -> DtlsSide | None:
    """Ours: as before, else who may begin does, as its first packet also tells where it really is (RFC 5763 5)."""
    if theirs.dtls is None:
        return None
    if identity is None:
        raise NegotiationError("there is no certificate for DTLS")
    certificate, fingerprint = identity()
    setup = "active" if theirs.dtls.setup == "passive" else "passive"
    if old is not None and theirs.dtls.setup == "actpass":
        setup = old.setup
    return DtlsSide(fingerprint=fingerprint, setup=setup, certificate=certificate)


def _keeping_key(ours: MediaStream, previous: MediaDescription | None, index: int) -> MediaStream:
    """An unchanged suite keeps our key, so that the running stream needs no new one (RFC 4568 7.1.4).

    Also where media moves: some systems take no other key within a call. Sources (SSRC) are other ones then, as chance
    has it, so nothing is encrypted with the same twice.
    """
    if previous is None or index >= len(previous.streams) or not ours.crypto:
        return ours
    old = previous.streams[index]
    if len(old.crypto) == 1 and old.crypto[0].suite == ours.crypto[0].suite:
        kept = msgspec.structs.replace(ours.crypto[0], key_salt=old.crypto[0].key_salt)
        return msgspec.structs.replace(ours, crypto=(kept,))
    return ours
