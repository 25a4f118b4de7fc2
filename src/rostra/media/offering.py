"""Our own offers (RFC 3264), and what the answers to them come to. Pure, as `negotiation` is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from rostra.domain.media import (
    CodecParameters,
    Content,
    CryptoAttribute,
    DtlsSide,
    MediaDescription,
    MediaKind,
    MediaStream,
)
from rostra.media.codecs import BY_NAME, EVENTS, CodecRow
from rostra.media.encryption import OFFERED, Encryption, usable_key
from rostra.media.negotiation import (
    EVERYTHING,
    FEEDBACK,
    SLIDES_LABEL,
    Agreement,
    KeySource,
    Limits,
    NegotiationError,
    NoCommonCodec,
    Ports,
    described,
    effective_direction,
    refusal,
    same_codec,
    shaped,
)


def make_offer(
    kinds: Sequence[MediaKind],
    ports: Ports,
    keys: KeySource | None,
    *,
    limits: Limits = EVERYTHING,
    previous: MediaDescription | None = None,
    floor: MediaStream | None = None,
) -> MediaDescription:
    """Our own offer: everything we can do, for streams of `kinds` on `ports`.

    A second video stream is for slides; `floor` is our section of its floor control, where there was none before.

    With `keys`, crypto lines are offered: in the secure profile where that was agreed before or the service asks for
    it, else as best effort within RTP/AVP. `previous` (our last description) keeps number and order of its sections
    (8): streams of `kinds` keep their places, refused places stay refused.
    """
    places = list(zip(kinds, ports.ports, strict=True))
    streams: list[MediaStream] = []
    for old in previous.streams if previous is not None else ():
        if old.control is not None and not old.refused:
            streams.append(old)
            continue
        place = next((p for p in places if p[0] is old.kind and not old.refused), None)
        if place is None:
            streams.append(refusal(old))
            continue
        places.remove(place)
        secure = keys if keys is not None or not old.crypto else None
        if old.dtls is not None:
            secure = None
        again = _offered_stream(place[0], ports.address, place[1], secure, limits, old.profile, old.content)
        if old.dtls is not None:  # the association stays as it is (RFC 8842 5.5)
            dtls = msgspec.structs.replace(old.dtls, setup="actpass")
            again = msgspec.structs.replace(again, profile=old.profile, dtls=dtls)
        streams.append(msgspec.structs.replace(again, label=old.label, rtcp_mux=old.rtcp_mux))
    seen = {stream.kind for stream in streams if not stream.refused}
    for kind, port in places:
        slides = kind is MediaKind.VIDEO and kind in seen
        if slides and floor is not None:
            streams.append(floor)
        content = Content.SLIDES if slides else Content.MAIN
        made = _offered_stream(kind, ports.address, port, keys, limits, _profile(limits), content)
        seen.add(kind)
        streams.append(msgspec.structs.replace(made, label=SLIDES_LABEL if slides else ""))
    return described(tuple(streams), ports.address, previous, limits.bandwidth)


def _profile(limits: Limits) -> str:
    return "RTP/SAVP" if limits.encryption is Encryption.ON else "RTP/AVP"


def keeping_keys(offer: MediaDescription, previous: MediaDescription) -> MediaDescription:
    """An offer with the keys that media runs by, as answers have them."""
    streams = list(offer.streams)
    for index, old in enumerate(previous.streams):
        if len(old.crypto) == 1 and streams[index].crypto:
            streams[index] = msgspec.structs.replace(streams[index], crypto=old.crypto)
    return msgspec.structs.replace(offer, streams=tuple(streams))


def agree(local_offer: MediaDescription, remote_answer: MediaDescription) -> Agreement:
    """What our offer and the far end's answer come to (7). Raises NoCommonCodec, NegotiationError."""
    local: list[MediaStream] = []
    remote: list[MediaStream] = []
    for index, ours in enumerate(local_offer.streams):
        theirs = remote_answer.streams[index] if index < len(remote_answer.streams) else None
        if theirs is not None and ours.control is not None and not (theirs.refused or ours.refused):
            local.append(ours)
            remote.append(theirs)
            continue
        pair = None if theirs is None or theirs.refused or ours.refused else _agree_stream(ours, theirs)
        local.append(pair[0] if pair else refusal(ours))
        remote.append(pair[1] if pair else refusal(theirs or ours))
    if all(stream.refused for stream in local):
        raise NoCommonCodec("the answer takes none of the offered streams")
    return Agreement(
        local=msgspec.structs.replace(local_offer, streams=tuple(local)),
        remote=msgspec.structs.replace(remote_answer, streams=tuple(remote)),
    )


def _offered_stream(
    kind: MediaKind,
    address: str,
    port: int,
    keys: KeySource | None,
    limits: Limits,
    profile: str,
    content: Content,
) -> MediaStream:
    if limits.encryption is Encryption.OFF:
        keys = None
    secure = "SAVP" in profile
    if secure and keys is None:
        profile = profile.replace("SAVP", "AVP")
    return MediaStream(
        kind=kind,
        address=address,
        port=port,
        profile=profile,
        content=content,
        codecs=tuple(_offered_codecs(kind, limits.rows, content)),
        crypto=tuple(CryptoAttribute(tag=n, suite=s, key_salt=keys(s)) for n, s in enumerate(OFFERED, 1))
        if keys
        else (),
        bandwidth=limits.bandwidth if kind is MediaKind.VIDEO else None,
        ptime=20 if kind is MediaKind.AUDIO else None,
    )


def _offered_codecs(kind: MediaKind, rows: Sequence[CodecRow], content: Content) -> Iterator[CodecParameters]:
    """Slides are too fine for the old sizes of pictures; where those are offered, they are taken."""
    used = {row.payload_type for row in rows}
    for row in rows:
        if row.kind is not kind or (content is Content.SLIDES and row.sizes({})):
            continue
        for number, parameters in enumerate(row.offers):
            payload_type = row.payload_type
            if number:
                payload_type = next(n for n in range(96, 128) if n not in used)
                used.add(payload_type)
            yield CodecParameters(
                name=row.name,
                payload_type=payload_type,
                clock_rate=row.clock_rate,
                channels=row.channels,
                parameters=dict(parameters),
                feedback=tuple(f for f in row.feedback if f in FEEDBACK),
            )


def _agree_stream(ours: MediaStream, theirs: MediaStream) -> tuple[MediaStream, MediaStream] | None:
    pairs: list[tuple[CodecParameters, CodecParameters]] = []
    for codec in theirs.codecs:
        mine = _offered_as(ours, codec)
        if mine is None or any(mine is old for old, _ in pairs):
            continue
        feedback = tuple(f for f in codec.feedback if f in mine.feedback)
        pairs.append(
            (
                msgspec.structs.replace(mine, feedback=feedback),
                msgspec.structs.replace(codec, feedback=feedback),
            )
        )
    if not any(mine.name != EVENTS.name for mine, _ in pairs):
        return None
    crypto = _answered_crypto(ours, theirs)
    dtls = _agreed_dtls(ours, theirs)
    if crypto is None and dtls is None and ("SAVP" in ours.profile or "SAVP" in theirs.profile):
        raise NegotiationError("the answer lacks a usable a=crypto line")
    direction = effective_direction(theirs).limited_to(ours.direction.reversed())
    first = next(codec for mine, codec in pairs if mine.name != EVENTS.name)
    mux = ours.rtcp_mux and theirs.rtcp_mux
    local = msgspec.structs.replace(
        ours,
        rtcp_mux=mux,
        dtls=dtls,
        direction=direction.reversed(),
        codecs=tuple(mine for mine, _ in pairs),
        crypto=(crypto[0],) if crypto else (),
    )
    remote = msgspec.structs.replace(
        theirs,
        direction=direction,
        rtcp_mux=mux,
        ice=theirs.ice if ours.ice is not None else None,
        ratio=shaped(theirs, first),
        codecs=tuple(codec for _, codec in pairs),
        crypto=(crypto[1],) if crypto else (),
    )
    return local, remote


def _agreed_dtls(ours: MediaStream, theirs: MediaStream) -> DtlsSide | None:
    if ours.dtls is None or theirs.dtls is None:
        return None
    return msgspec.structs.replace(ours.dtls, setup="passive" if theirs.dtls.setup == "active" else "active")


def _offered_as(ours: MediaStream, answered: CodecParameters) -> CodecParameters | None:
    """Our offered form of an answered codec: the same number if it is that codec, else the first form that fits."""
    same = [mine for mine in ours.codecs if same_codec(mine, answered)]
    by_number = [mine for mine in same if mine.payload_type == answered.payload_type]
    return next(iter(by_number or [mine for mine in same if _same_form(mine, answered)]), None)


def _same_form(mine: CodecParameters, answered: CodecParameters) -> bool:
    """The form is the same both ways (RFC 6184 8.2.2)."""
    row = BY_NAME[mine.name]
    return row.form(mine.parameters) == row.form(answered.parameters)


def _answered_crypto(ours: MediaStream, theirs: MediaStream) -> tuple[CryptoAttribute, CryptoAttribute] | None:
    for line in theirs.crypto:
        mine = next(
            (offered for offered in ours.crypto if (offered.tag, offered.suite) == (line.tag, line.suite)), None
        )
        if mine is not None and usable_key(line):
            return mine, line
    return None
