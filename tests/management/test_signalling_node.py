"""From the configuration on the Management Node to how a Conferencing Node speaks SIP."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from rostra.configuration.models import (
    BreakInAllowListAddress,
    CaCertificate,
    DnsServer,
    GlobalSettings,
    SipProxy,
    SystemLocation,
    TlsCertificate,
    WorkerVM,
)
from rostra.configuration.queries import Lookup
from rostra.configuration.rows import AddressesRow
from rostra.environment import PortRange
from rostra.node.signalling import Signalling, translation_of
from rostra.sip.flow import Transport
from rostra.sip.locating import Wanted
from rostra.sip.settings import SipSettings
from tests.certificates import made

from .test_certificates_node import MIDDLE, OWN, ROOT, SERVER, Site, presented, site

__all__ = ["site"]


@pytest.mark.spec("PLAT-178")
def test_where_media_is_announced_elsewhere_signalling_is_too() -> None:
    """As in a container whose ports are forwarded; a static NAT address that is configured comes first."""
    for nat, seen in ((None, "198.51.100.5"), ("203.0.113.5", "203.0.113.5")):
        rows = [AddressesRow(1, "172.30.0.11", "255.255.0.0", None, None, None, nat, None)]
        assert translation_of(rows, "172.30.0.11", "198.51.100.5").seen_from("172.30.0.11", "192.0.2.1") == seen
    assert translation_of([], "10.0.0.1", "10.0.0.1").seen_from("10.0.0.1", "192.0.2.1") == "10.0.0.1"


@pytest.mark.spec("SYS-098", "SYS-099", "SYS-100", "SYS-115", "SYS-142", "SYS-143", "SYS-221", "SYS-225", "PLAT-177")
async def test_a_node_follows_its_configuration(site: Site, tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    certificate.write_text(OWN.pem)
    key.write_text(OWN.key_pem)
    lookup = Lookup(tmp_path / "node.db")
    signalling = Signalling(1, lookup, site, certificate, key)  # type: ignore[arg-type]
    first = signalling.settings()
    assert signalling.settings() == first, "nothing has changed"
    assert (first.streams, first.datagrams, first.verify, first.dscp) == (True, True, False, 0)
    assert first.source_ports == PortRange(33000, 39999)
    assert first.server is not None
    assert presented(first.server) == OWN.certificate
    assert first.translation.seen_from("127.0.0.1", "198.51.100.1") == "127.0.0.1"

    heard: asyncio.Queue[SipSettings] = asyncio.Queue()
    await signalling.follow(heard.put)

    async def after() -> SipSettings:
        await site.follow()
        async with asyncio.timeout(5):
            found = await heard.get()
            while not heard.empty():
                found = heard.get_nowait()
        return found

    await asyncio.to_thread(_change)
    second = await after()
    assert (second.streams, second.datagrams, second.verify, second.dscp) == (False, False, True, 24)
    assert second.source_ports == PortRange(35000, 35999)
    assert second.resolver.servers[-1] == "192.0.2.53"  # type: ignore[attr-defined]
    assert second.translation.seen_from("10.1.0.5", "198.51.100.1") == "203.0.113.5"
    assert second.server is not None
    assert second.server.verify_mode is ssl.CERT_REQUIRED
    assert second.client.check_hostname is False

    assert (first.revocation is None, second.revocation is None) == (True, False)
    assert lookup.media_dscp(1) == 46
    assert lookup.resistance(1) == ("OFF", "GLOBAL")
    assert lookup.allow_list() == [("10.1.0.0", 16, False, True)]
    assert second.proxies == (Wanted("proxy.test", 5070, Transport.TCP),)
    await asyncio.to_thread(_assign)
    third = await after()
    assert third.server is not None
    await asyncio.to_thread(GlobalSettings.objects.update, sip_tls_cert_verify_mode="OFF")
    fourth = await after()
    assert fourth.server is not None
    assert fourth.revocation is None
    assert presented(fourth.server, ROOT) == SERVER.certificate
    await asyncio.to_thread(lambda: SystemLocation.objects.get(name="Default").dns_servers.clear())
    assert (await after()).resolver.servers == ()  # type: ignore[attr-defined]
    await signalling.stop()
    lookup.close()


def _change() -> None:
    settings = GlobalSettings.objects.get()
    settings.enable_sip = settings.enable_sip_udp = False
    settings.sip_tls_cert_verify_mode, settings.ocsp_state = "ON", "ON"
    settings.signalling_ports_start, settings.signalling_ports_end = 35000, 35999
    settings.save()
    location = SystemLocation.objects.get(name="Default")
    location.signalling_qos, location.media_qos = 24, 46
    location.bdpm_scan_quarantine_enabled = "OFF"
    BreakInAllowListAddress.objects.create(name="Ours", address="10.1.0.0", prefix=16, ignore_incorrect_pins=True)
    for name in ("proxy", "unused"):
        SipProxy.objects.create(name=name, address=f"{name}.test", port=5070, transport="tcp")
    location.sip_proxy = SipProxy.objects.get(name="proxy")
    location.save()
    location.dns_servers.add(DnsServer.objects.create(address="192.0.2.53"))
    node = WorkerVM.objects.get(pk=1)
    node.address, node.netmask, node.static_nat_address = "10.1.0.5", "255.255.0.0", "203.0.113.5"
    node.save()


def _assign() -> None:
    for one in (ROOT, MIDDLE, made("Unrelated", authority=True)):
        CaCertificate.objects.create(certificate=one.pem)
    row = TlsCertificate.objects.create(certificate=SERVER.pem, private_key=SERVER.key_pem)
    WorkerVM.objects.filter(pk=1).update(tls_certificate=row)
