"""Keys agreed by DTLS on the ports of an RTP leg: two transports, each the other's far end."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import pytest

from rostra.domain.media import CodecParameters, DtlsSide, MediaKind, MediaStream
from rostra.environment import PortRange
from rostra.media import certificate
from rostra.media.engine import ports, stage
from rostra.media.engine.dtls import matches
from rostra.media.engine.rtp_transport import RtpTransport
from rostra.media.engine.rtp_wires import wire

from .test_webrtc_legs import until

PCMU = CodecParameters(name="PCMU", payload_type=0, clock_rate=8000)
ONE, TWO, STRANGER = certificate.make(), certificate.make(), certificate.make()


def test_a_certificate_is_known_by_any_of_its_fingerprints() -> None:
    assert matches(ONE.pem[: ONE.pem.index("-----BEGIN PRIVATE")], ONE.fingerprint)
    assert not matches(ONE.pem[: ONE.pem.index("-----BEGIN PRIVATE")], TWO.fingerprint)
    assert not matches("", ONE.fingerprint)
    assert not matches(ONE.pem, "md5 00:11")


@contextlib.asynccontextmanager
async def pair(
    *, mux: bool, named: certificate.Certificate = TWO
) -> AsyncIterator[tuple[list[RtpTransport], list[str]]]:
    """What each was told of failures is kept."""
    stage.load()
    failures: list[str] = []
    pairs = [ports.reserve(PortRange(42000, 42999)) for _ in range(2)]

    def side(number: int, own: certificate.Certificate, shown: str) -> MediaStream:
        setup = ("passive", "active")[number]
        dtls = DtlsSide(fingerprint=shown, setup=setup, certificate=own.pem)
        return MediaStream(
            kind=MediaKind.AUDIO, address="127.0.0.1", port=pairs[number].port, codecs=(PCMU,), rtcp_mux=mux,
            profile="UDP/TLS/RTP/SAVPF", dtls=dtls,
        )  # fmt: skip

    sides = [side(0, ONE, ONE.fingerprint), side(1, TWO, named.fingerprint)]
    made: list[RtpTransport] = []
    for number in range(2):
        agreed = wire(0, sides[number], sides[1 - number])
        assert agreed is not None
        made.append(RtpTransport(f"leg{number}", (agreed,), [pairs[number]], failures.append, lambda _: None))
    made[1].send_to(0, "127.0.0.1", pairs[0].port, pairs[0].port + (not mux))  # the first learns from packets
    for one in made:
        one.gate(0, drop=False)
        one.play()
    try:
        yield made, failures
    finally:
        for one in made:
            await one.close()
        for one in pairs:
            one.close()


@pytest.mark.parametrize("mux", [True, False], ids=["one-port", "two-ports"])
async def test_media_goes_both_ways_once_keys_are_agreed(mux: bool) -> None:
    async with pair(mux=mux) as (made, failures):

        async def arrived() -> bool:
            return all(one.received(0) for one in made)

        await until(arrived)
        assert not failures


async def test_who_has_another_certificate_than_was_named_is_not_heard() -> None:
    async with pair(mux=True, named=STRANGER) as (made, failures):

        async def told() -> bool:
            return bool(failures)

        await until(told)
        assert "certificate" in failures[0]
        assert not made[0].received(0)
