"""SIP on this node as the configuration has it now: switches, certificates, name servers, addresses, marks."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog

from rostra import tls
from rostra.configuration import sealing
from rostra.configuration.certificates import presenting
from rostra.configuration.certificates.pem import CertificateProblem
from rostra.configuration.certificates.presenting import Material
from rostra.configuration.queries import Lookup
from rostra.configuration.rows import AddressesRow, CertificateRow, GlobalRow
from rostra.domain.natting import NattedNode, Translation, networks
from rostra.environment import PortRange
from rostra.fabric.replication import ConfigurationReplica
from rostra.sip import trust
from rostra.sip.flow import Transport
from rostra.sip.locating import Wanted
from rostra.sip.resolving import DnsResolver
from rostra.sip.revocation import Revocation
from rostra.sip.settings import SipSettings
from rostra.waiting import in_time

logger = structlog.get_logger("rostra.node.signalling")

AGAIN = 10.0
"""Seconds until a key that cannot be opened is tried again: the platform's key comes by another way."""
_COLUMN = "configuration_tlscertificate.private_key"
_RESOURCES = frozenset(
    {
        "global", "worker_vm", "system_location", "configuration_systemlocation_dns_servers", "dns_server",
        "tls_certificate", "ca_certificate", "sip_proxy", "gateway_routing_rule",
    }
)  # fmt: skip
"""Resources, and the table of which name servers a location has."""

Authorities = tuple[tuple[str, bool], ...]


class Signalling:
    """Tells a SIP service what to go by, at first and after every change."""

    def __init__(
        self, key: int, lookup: Lookup, replica: ConfigurationReplica, certificate: Path, own: Path, *,
        addresses: tuple[str, str] = ("", ""),
    ) -> None:  # fmt: skip
        """`key` is the id of the node; `certificate` and its key `own` are presented while nothing is assigned.

        `addresses` are the node's own and the one that its media is announced at.
        """
        self._key = key
        self._addresses = addresses
        self._lookup = lookup
        self._files = certificate, own
        self._due = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._contexts: tuple[object, ssl.SSLContext, ssl.SSLContext] | None = None
        self._revocation: tuple[object, Revocation | None] = (None, None)
        self._resolver = DnsResolver()
        self._translation: tuple[list[AddressesRow], Translation] = ([], Translation())
        self._locked = False
        replica.on_change(self._changed)

    def settings(self) -> SipSettings:
        """Those of this moment. Objects that have not changed are the same as before."""
        settings = self._lookup.global_settings()
        rows = self._lookup.addresses()
        if rows != self._translation[0]:
            self._translation = rows, translation_of(rows, *self._addresses)
        servers = tuple(self._lookup.dns_servers(self._key))
        if servers != self._resolver.servers:
            self._resolver = DnsResolver(servers)
        verify = settings.sip_tls_cert_verify_mode == "ON"
        server, client = self._tls(verify=verify)
        mine = next((row for row in rows if row.id == self._key), None)
        return SipSettings(
            streams=settings.enable_sip,
            datagrams=settings.enable_sip_udp,
            server=server,
            client=client,
            verify=verify,
            revocation=self._revocation_of(settings) if verify else None,
            dscp=(mine.signalling_qos or 0) if mine else 0,
            source_ports=_ports(settings),
            resolver=self._resolver,
            proxies=tuple(
                Wanted(row.address, row.port, Transport(row.transport.upper()))
                for row in self._lookup.sip_proxies(self._key)
            ),
            translation=self._translation[1],
        )

    async def follow(self, apply: Callable[[SipSettings], Awaitable[None]]) -> None:
        """From now on hand over what changes."""
        self._task = asyncio.create_task(self._run(apply), name="signalling")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def _changed(self, resource: str, _key: int) -> None:
        if resource in _RESOURCES:
            self._due.set()

    async def _run(self, apply: Callable[[SipSettings], Awaitable[None]]) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await in_time(self._due.wait(), AGAIN if self._locked else None)
            self._due.clear()
            try:
                await apply(self.settings())
            except Exception:
                logger.exception("SIP cannot follow the configuration")

    def _tls(self, *, verify: bool) -> tuple[ssl.SSLContext, ssl.SSLContext]:
        """Contexts for connections that come in and for ours."""
        authorities = tuple(self._lookup.authorities())
        try:
            served = self._material(self._lookup.certificate(self._key), authorities)
            shown = self._material(self._lookup.certificate(self._key, client=True), authorities) or served
            self._locked = False
        except sealing.Locked as problem:
            if not self._locked:
                logger.error("The private key of the assigned TLS certificate cannot be opened", problem=str(problem))
            self._locked, served, shown = True, None, None
        state = verify, authorities, served, shown
        if self._contexts is None or self._contexts[0] != state:
            server = trust.serving(self._presented(served), verify=verify, authorities=authorities)
            client = trust.calling(verify=verify, authorities=authorities)
            self._show(client, shown)
            self._contexts = state, server, client
        return self._contexts[1], self._contexts[2]

    def _revocation_of(self, settings: GlobalRow) -> Revocation | None:
        """Who is asked whether certificates were revoked (SYS-232)."""
        state = settings.ocsp_state, settings.ocsp_responder_url, tuple(self._lookup.authorities())
        if state != self._revocation[0]:
            found = None
            if settings.ocsp_state != "OFF":
                override = settings.ocsp_state == "OVERRIDE"
                found = Revocation(override=override, responder=state[1], authorities=state[2])
            self._revocation = state, found
        return self._revocation[1]

    def _presented(self, material: Material | None) -> ssl.SSLContext:
        if material is not None:
            try:
                return presenting.context(material)
            except CertificateProblem as problem:
                logger.error("The assigned TLS certificate cannot be used; presenting our own", problem=str(problem))
        return tls.context_of(*self._files)

    def _show(self, context: ssl.SSLContext, material: Material | None) -> None:
        """Have connections of ours show a certificate to whoever asks for one."""
        if material is None:
            context.load_cert_chain(*self._files)
            return
        try:
            presenting.load(context, material)
        except CertificateProblem as problem:
            logger.error("The TLS client certificate cannot be used; showing our own", problem=str(problem))
            context.load_cert_chain(*self._files)

    @staticmethod
    def _material(row: CertificateRow | None, authorities: Authorities) -> Material | None:
        if row is None:
            return None
        return Material(row.certificate, sealing.unseal(_COLUMN, row.private_key), row.parameters, authorities)


def translation_of(rows: list[AddressesRow], own: str = "", announced: str = "") -> Translation:
    """How the nodes behind a static NAT are seen; and how this one is, whose media is `announced` elsewhere."""
    outside = [NattedNode(frozenset({own}), announced, ())] if own and announced and own != announced else []
    return Translation(
        outside
        + [
            NattedNode(
                addresses=frozenset(a for a in (row.address, row.secondary_address) if a),
                outside=row.static_nat_address,
                networks=networks([(row.address, row.netmask), (row.secondary_address, row.secondary_netmask)]),
            )
            for row in rows
            if row.static_nat_address
        ]
    )


def _ports(settings: GlobalRow) -> PortRange:
    return PortRange(settings.signalling_ports_start, settings.signalling_ports_end)
