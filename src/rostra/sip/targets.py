"""Whom a SIP call of ours is for: its Request-URI, and the host to look for."""

from __future__ import annotations

import dataclasses

from rostra.dialplan.outward import Hop
from rostra.sip.errors import RemoteError
from rostra.sip.flow import Flow, Transport, host_text
from rostra.sip.locating import Wanted, is_address
from rostra.sip.registrar import Way
from rostra.sip.uri import Uri, parse_uri


@dataclasses.dataclass(frozen=True, slots=True)
class Target:
    """Whom to call, and the host to reach for it."""

    uri: str
    wanted: Wanted
    flow: Flow | None = None
    """The way there, where it is known: that by which a device registered."""
    routes: tuple[str, ...] = ()
    behind_nat: bool = False


def target(destination: str, hop: Hop | None) -> Target:
    """Read a destination: a URI, `user@host`, or what only a proxy knows. Raises RemoteError.

    A proxy takes all calls; without one, the URI says who does, by `maddr` before its host (RFC 3263 4).
    """
    destination = destination.strip()
    scheme = destination.partition(":")[0].lower()
    uri = parse_uri(destination if scheme in ("sip", "sips") else f"sip:{_escaped(destination, hop)}")
    if hop is not None:
        return Target(str(uri), Wanted(hop.address, hop.port, Transport(hop.transport.upper())))
    return Target(str(uri), _wanted(uri))


def registered(way: Way) -> Target:
    """A device that is registered here. Raises RemoteError."""
    if way.flow is None:
        return Target(way.uri, _wanted(parse_uri(way.hop)), routes=way.routes)
    wanted = Wanted(*way.flow.remote, way.flow.transport)
    return Target(way.uri, wanted, flow=way.flow, routes=way.routes, behind_nat=way.natted)


def belongs(realm: str, host: str) -> bool:
    """Is the realm of a challenge that of the host which was called: its name, or one of the same domain?

    Whoever else names it wants to hear what only somebody who knows the password can say, to try passwords on it."""
    realm, host = realm.lower().rstrip("."), host.lower().rstrip(".")
    if is_address(host) or realm == host:
        return realm == host
    return "." in realm and "." in host and (host.endswith(f".{realm}") or realm.endswith(f".{host}"))


def _wanted(uri: Uri) -> Wanted:
    host = (uri.parameter("maddr") or uri.bare_host).strip("[]").lower()
    return Wanted(host, uri.port, _transport(uri), uri.scheme == "sips")


def _escaped(destination: str, hop: Hop | None) -> str:
    """A number or name without domain belongs to the proxy's."""
    if "@" in destination or hop is None:
        return destination
    return f"{destination}@{host_text(hop.address)}"


def _transport(uri: Uri) -> Transport | None:
    """What the URI names; for `sips` that is encrypted, whatever carries it (RFC 3261 26.2.2)."""
    named = uri.parameter("transport")
    if named is None:
        return None
    try:
        found = Transport(named.upper())
    except ValueError:
        raise RemoteError(f"unknown transport {named[:20]!r}") from None
    if uri.scheme != "sips":
        return found
    if found is Transport.UDP:
        raise RemoteError("sips cannot go over UDP")
    return Transport.TLS
