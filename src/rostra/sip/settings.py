"""What the configuration says about SIP on a node; followed while it runs."""

from __future__ import annotations

import dataclasses
import ssl

from rostra.domain.natting import Translation
from rostra.environment import PortRange
from rostra.sip import trust
from rostra.sip.flow import Transport
from rostra.sip.locating import Resolver, Wanted
from rostra.sip.resolving import DnsResolver
from rostra.sip.revocation import Revocation


@dataclasses.dataclass(frozen=True, slots=True)
class SipSettings:
    """Compared by value: what is equal to what is in use changes nothing."""

    streams: bool = True
    """TCP and TLS (SYS-098)."""
    datagrams: bool = True
    """Calls that come by UDP (SYS-100); those we place are not asked about."""
    server: ssl.SSLContext | None = None
    """For TLS connections that come in; None: none do."""
    client: ssl.SSLContext = dataclasses.field(default_factory=lambda: trust.calling(verify=False))
    verify: bool = False
    """Peers over TLS have to be whom their certificate names (SYS-225, SYS-228)."""
    revocation: Revocation | None = None
    """Asked about every peer over TLS."""
    dscp: int = 0
    source_ports: PortRange | None = None
    resolver: Resolver = dataclasses.field(default_factory=DnsResolver)
    proxies: tuple[Wanted, ...] = ()
    """Systems that calls of ours go through; they are asked whether they are there."""
    translation: Translation = dataclasses.field(default_factory=Translation)

    @property
    def incoming(self) -> frozenset[Transport]:
        """Transports on which calls are taken."""
        found = {Transport.TCP} if self.streams else set[Transport]()
        if self.streams and self.server is not None:
            found.add(Transport.TLS)
        if self.datagrams:
            found.add(Transport.UDP)
        return frozenset(found)

    @property
    def outgoing(self) -> frozenset[Transport]:
        """Transports by which calls are placed."""
        return self.incoming | {Transport.UDP}
