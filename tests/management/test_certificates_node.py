"""From the configuration on the Management Node to what a Conferencing Node presents."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from rostra import tls
from rostra.configuration import journal, sealing
from rostra.configuration.models import CaCertificate, TlsCertificate, WorkerVM
from rostra.configuration.queries import Lookup
from rostra.configuration.replica import Replica
from rostra.node import certificate
from rostra.node.certificate import NodeCertificate
from tests.certificates import Made, made
from tests.management.filling import fill

from .conftest import Api

ROOT = made("Root", authority=True)
MIDDLE = made("Middle", authority=True, by=ROOT)
OWN = made("own.test")
SERVER = made("server.example.test", by=MIDDLE)


class Site:
    """A node's local database, filled from the Management Node's; stands in for the fabric."""

    def __init__(self, path: Path) -> None:
        self._listeners: list[Callable[[str, int], None]] = []
        self.replica = Replica(path)
        fill(self.replica)

    def on_change(self, callback: Callable[[str, int], None]) -> None:
        self._listeners.append(callback)

    async def follow(self) -> None:
        """What `ConfigurationReplica` does when changes arrive."""
        changes = await asyncio.to_thread(journal.after, self.replica.position)
        for resource, key in self.replica.apply(changes):
            for listener in self._listeners:
                listener(resource, key)


def presented(live: ssl.SSLContext, trust: Made | None = None) -> x509.Certificate:
    """The certificate of a handshake in memory; with `trust`, verified."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_REQUIRED if trust else ssl.CERT_NONE
    if trust:
        client.load_verify_locations(cadata=trust.pem)
    ours, theirs = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [client.wrap_bio(ours, theirs), live.wrap_bio(theirs, ours, server_side=True)]
    for end in ends * 3:
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            continue
    found = ends[0].getpeercert(binary_form=True)
    assert found is not None
    return x509.load_der_x509_certificate(found)


@pytest.fixture
def site(api: Api, tmp_path: Path) -> Any:
    found = Site(tmp_path / "node.db")
    yield found
    found.replica.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.01)


@pytest.mark.spec("SYS-004", "SYS-221", "SYS-235", "NODE-073", "NODE-074")
async def test_a_node_follows_its_configuration(site: Site, tmp_path: Path) -> None:
    own = tls.server_context(OWN.pem, OWN.key_pem)
    live = tls.LiveContext(own)
    lookup = Lookup(tmp_path / "node.db")
    said: list[str] = []
    node = NodeCertificate(1, lookup, site, live, own, on_name=said.append)  # type: ignore[arg-type] - stands in
    await node.start()
    try:
        assert presented(live) == OWN.certificate
        assert said == [""]
        await asyncio.to_thread(_assign)
        await site.follow()
        await until(lambda: presented(live) == SERVER.certificate)
        assert presented(live, ROOT) == SERVER.certificate
        assert said[-1] == "server.example.test"
        await asyncio.to_thread(lambda: TlsCertificate.objects.get().delete())
        await site.follow()
        await until(lambda: presented(live) == OWN.certificate)
    finally:
        await node.stop()
        lookup.close()


def _assign() -> None:
    for one in (ROOT, MIDDLE):
        CaCertificate(certificate=one.pem).save()
    row = TlsCertificate(certificate=SERVER.pem, private_key=SERVER.key_pem)
    row.save()
    WorkerVM.objects.filter(pk=1).update(tls_certificate=row, alternative_fqdn="server.example.test")


async def test_it_waits_for_the_platforms_key(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key comes by another way than the configuration, maybe later."""
    monkeypatch.setattr(certificate, "AGAIN", 0.02)
    await asyncio.to_thread(_assign)
    await site.follow()
    own = tls.server_context(OWN.pem, OWN.key_pem)
    live = tls.LiveContext(own)
    lookup = Lookup(tmp_path / "node.db")
    key = sealing.platform_key()
    sealing.unlock(None)
    node = NodeCertificate(1, lookup, site, live, own, on_name=lambda _: None)  # type: ignore[arg-type] - stands in
    try:
        await node.start()
        assert presented(live) == OWN.certificate
        sealing.unlock(key)
        await until(lambda: presented(live) == SERVER.certificate)
    finally:
        sealing.unlock(key)
        await node.stop()
        lookup.close()
