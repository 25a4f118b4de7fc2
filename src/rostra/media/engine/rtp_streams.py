"""What changes about the streams of an RTP leg while it runs."""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Sequence

from rostra.domain.media import MediaStream
from rostra.media.engine.ports import PortPair
from rostra.media.engine.sections import BadDescription


@dataclasses.dataclass(slots=True)
class Stream:
    """Of one stream, without rebuilding anything."""

    sends: bool
    receives: bool
    address: str
    port: int
    rtcp_port: int
    picture: bool = False
    checked: bool = False
    """ICE finds the way, and asks for consent."""
    latched: bool = False
    allowed: bool = True
    """By consent."""


def reports_port(stream: Stream, address: str, port: int) -> int:
    """Where reports of a stream go whose media comes from elsewhere than was announced."""
    if stream.rtcp_port == stream.port:
        return port
    return stream.rtcp_port if address == stream.address else port + 1


def plain(address: str) -> str:
    """As sockets write it: one address of IPv6 has many spellings, and what it proves is told by comparing."""
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return address


def usable(address: str) -> bool:
    """A literal address of a host; 0.0.0.0 is the old way to say hold (RFC 3264 8.4).

    A call is with one far end: nobody has us send to whole networks.
    """
    try:
        given = ipaddress.ip_address(address)
    except ValueError:
        return False
    return not (given.is_unspecified or given.is_multicast)


def pair_index(pairs: Sequence[PortPair], stream: MediaStream, expected: int) -> int:
    """Which reserved pair a stream uses: the one of its port, where it is ours. Raises BadDescription."""
    for index, pair in enumerate(pairs if stream.ice is None else ()):
        if pair.port == stream.port:
            return index
    if expected < len(pairs):
        return expected
    raise BadDescription(f"no port was reserved for port {stream.port}")
