"""ICE in offers and answers of RTP legs (RFC 8839): when it is taken, and what our side of it states. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from rostra.domain.ice import RTCP, IceSide, default_of, names
from rostra.domain.media import MediaDescription, MediaStream
from rostra.media.negotiation import Agreement


def offered(offer: MediaDescription, used: Sequence[int]) -> bool:
    """ICE is offered for every stream that is used.

    Where an address is stated that is no candidate, something on the way has changed it, and checks would fail
    (RFC 8839 4.2.5). Who tells candidates later (RFC 8840) states none.
    """
    return bool(used) and all(_offered(offer, offer.streams[index]) for index in used)


def _offered(offer: MediaDescription, stream: MediaStream) -> bool:
    side = stream.ice
    if side is None:
        return False
    later = stream.address in ("0.0.0.0", "::") or stream.port == 9  # noqa: S104 - compared, not bound to
    return later or names(side.candidates, stream.address or offer.address, stream.port)


def components(description: MediaDescription, used: Sequence[int]) -> tuple[int, ...]:
    """Of each stream: RTCP may have a port of its own."""
    return tuple(1 if description.streams[index].rtcp_mux else 2 for index in used)


def credentials(description: MediaDescription) -> tuple[str, ...]:
    """By which a restart is known: other ones than before."""
    return tuple(f"{one.ice.ufrag}:{one.ice.password}" for one in description.streams if one.ice and not one.refused)


def stated(
    description: MediaDescription,
    used: Sequence[int],
    sides: Sequence[IceSide],
    announce: Callable[[str], str] = lambda address: address,
) -> MediaDescription:
    """Our description with our sides; the addresses are those of the best candidates, for who does no checks.

    `announce` says how the far end reaches an address of ours.
    """
    streams = list(description.streams)
    for index, side in zip(used, sides, strict=False):
        seen = msgspec.structs.replace(side, candidates=tuple(_seen(one, announce) for one in side.candidates))
        streams[index] = _with_side(streams[index], seen, description.address)
    return msgspec.structs.replace(description, streams=tuple(streams))


def without(agreement: Agreement) -> Agreement:
    """ICE was not taken."""
    remote = agreement.remote
    streams = tuple(msgspec.structs.replace(one, ice=None) for one in remote.streams)
    return Agreement(agreement.local, msgspec.structs.replace(remote, streams=streams))


def _with_side(stream: MediaStream, side: IceSide, address: str) -> MediaStream:
    family = 6 if ":" in (stream.address or address) else 4
    media = default_of(side.candidates, near=stream.address or address, family=family)
    control = (
        None if stream.rtcp_mux else default_of(side.candidates, RTCP, near=media[0] if media else "", family=family)
    )
    made = msgspec.structs.replace(stream, ice=side)
    if media is not None:
        made = msgspec.structs.replace(made, address=media[0], port=media[1], rtcp_port=control[1] if control else 0)
    return made


def _seen(candidate: str, announce: Callable[[str], str]) -> str:
    words = candidate.split()
    if words[7:8] == ["host"]:
        words[4] = announce(words[4])
    return " ".join(words)
