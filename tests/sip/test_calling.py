"""Calls of ours: engines in virtual time, digest answers, where calls go, and sipp as the called party."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from rostra.calls.switchboard import CallOrder, CallRequest, NotDialled
from rostra.dialplan.outward import Hop
from rostra.domain.service import ServiceDescription
from rostra.domain.vocabulary import CallProtocol
from rostra.sip import digest
from rostra.sip.errors import RemoteError
from rostra.sip.events import CallEnded, CallReceived
from rostra.sip.flow import Transport
from rostra.sip.locating import Wanted
from rostra.sip.targets import target
from tests.ports import free_port
from tests.sip.conftest import Running
from tests.sip.fakes import FakeSession
from tests.sip.network import Network, answering, describe, dial

TCP, TLS = Transport.TCP, Transport.TLS
SCENARIOS = Path(__file__).parent / "scenarios"


def ringing(network: Network) -> None:
    """Bob rings and does no more."""

    def ring(event: object) -> None:
        if isinstance(event, CallReceived):
            network.bob.engine.ring(event.call, network.now)

    network.bob.on_event = ring


def test_a_call_is_cancelled_while_it_rings() -> None:
    network = Network()
    ringing(network)
    call = dial(network)
    network.run(1.0)
    network.alice.engine.hang_up(call, network.now)
    network.run(100.0)
    assert network.sent("alice", "CANCEL")
    assert isinstance(network.alice.events[-1], CallEnded)
    assert network.alice.events[-1].status == 487
    for side in (network.alice, network.bob):
        state = side.engine.debug_state()
        assert (state["calls"], state["transactions"], state["timers"]) == ({}, 0, 0)


def test_nothing_is_cancelled_before_the_far_end_has_spoken() -> None:
    """RFC 3261 9.1."""
    network = Network()
    answering(network, network.bob)
    call = dial(network)
    network.alice.engine.hang_up(call, network.now)
    network.run(100.0)
    (sent,) = network.sent("alice", "CANCEL")[:1]
    assert sent >= network.sent("bob", "100 INVITE")[0]
    assert isinstance(network.alice.events[-1], CallEnded)


def test_a_far_end_that_never_ends_a_cancelled_call_is_given_up() -> None:
    network = Network()
    ringing(network)
    network.lose = lambda sender, message: sender == "alice" and describe(message) == "CANCEL"
    call = dial(network)
    network.run(1.0)
    network.alice.engine.hang_up(call, network.now)
    network.run(40.0)
    assert network.alice.events[-1] == CallEnded(call, "cancelled", 487)


@pytest.mark.spec("SYS-249")
def test_digest_answers() -> None:
    """The example of RFC 2617 3.5, and its sisters."""
    asked = (
        'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", '
        'opaque="5ccc069c403ebaf9f0171e9517f40e41"'
    )

    def known(realm: str) -> tuple[str, str] | None:
        return ("Mufasa", "Circle Of Life") if realm == "testrealm@host.com" else None

    made = digest.answer(asked, "GET", "/dir/index.html", known, "0a4f113b")
    assert made is not None
    assert 'response="6629fae49393a05397450978507c4ef1"' in made
    assert 'opaque="5ccc069c403ebaf9f0171e9517f40e41"' in made
    assert digest.answer(asked.replace("host.com", "HOST.com"), "GET", "/", known, "1") is None
    assert digest.answer('Basic realm="testrealm@host.com"', "GET", "/", known, "1") is None
    plain = digest.answer('Digest realm="testrealm@host.com", nonce="x"', "INVITE", "sip:a", known, "1")
    assert plain is not None
    assert "qop" not in plain
    better = 'Digest realm="testrealm@host.com", nonce="x", algorithm=SHA-256, qop="auth"'
    assert len((digest.answer(better, "INVITE", "sip:a", known, "1") or "").partition('response="')[2][:65]) == 65
    assert digest.answer(better.replace("SHA-256", "XYZ"), "INVITE", "sip:a", known, "1") is None


@pytest.mark.spec("SYS-149", "SYS-150", "CONF-112")
@pytest.mark.parametrize(
    ("destination", "hop", "uri", "wanted"),
    [
        ("alice@192.0.2.1", None, "sip:alice@192.0.2.1", Wanted("192.0.2.1")),
        (
            "sip:alice@Host.test:5080;transport=tcp", None, "sip:alice@Host.test:5080;transport=tcp",
            Wanted("host.test", 5080, TCP),
        ),
        ("sips:alice@host.test", None, "sips:alice@host.test", Wanted("host.test", secure=True)),
        (
            "sips:alice@host.test;transport=tcp", None, "sips:alice@host.test;transport=tcp",
            Wanted("host.test", None, TLS, secure=True),
        ),
        ("sip:a@host.test;maddr=192.0.2.9", None, "sip:a@host.test;maddr=192.0.2.9", Wanted("192.0.2.9")),
        ("alice@[2001:db8::1]:5070", None, "sip:alice@[2001:db8::1]:5070", Wanted("2001:db8::1", 5070)),
        ("alice@host.test", Hop(address="proxy.test"), "sip:alice@host.test", Wanted("proxy.test", None, TLS)),
        (
            "555", Hop(address="10.0.0.1", port=5090, transport="udp"), "sip:555@10.0.0.1",
            Wanted("10.0.0.1", 5090, Transport.UDP),
        ),
    ],
)  # fmt: skip
def test_where_calls_go(destination: str, hop: Hop | None, uri: str, wanted: Wanted) -> None:
    found = target(destination, hop)
    assert (found.uri, found.wanted) == (uri, wanted)


@pytest.mark.parametrize(
    "destination", ["sip:", "sip:alice@host;transport=sctp", "sips:a@host;transport=udp", "a b@host", "sip:<x>@host"]
)
def test_where_no_call_goes(destination: str) -> None:
    with pytest.raises(RemoteError):
        target(destination, None)


async def test_transports_we_do_not_use(running: Running) -> None:
    with pytest.raises(NotDialled):
        running.service.leg(CallOrder(destination="sip:a@host;transport=sctp"))


# ---- sipp is called

sipp_wanted = pytest.mark.skipif(shutil.which("sipp") is None, reason="sipp is not installed")


async def sipp(scenario: str, port: int, transport: str = "u1", **keys: object) -> asyncio.subprocess.Process:
    """sipp waiting for one call."""
    words = ["-sf", SCENARIOS / f"{scenario}.xml", "-t", transport, "-i", "127.0.0.1", "-p", port, "-m", 1]
    words += ["-timeout", 20, "-recv_timeout", 10000, "-nostdin", "-timeout_error"]
    for key, value in keys.items():
        words += ["-key", key, value]
    process = await asyncio.create_subprocess_exec(
        "sipp",
        *map(str, words),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    table = Path("/proc/net/udp" if transport == "u1" else "/proc/net/tcp")
    async with asyncio.timeout(10):
        while f":{port:04X}" not in table.read_text():  # noqa: ASYNC110, ASYNC240 - of another process
            await asyncio.sleep(0.02)
    return process


async def called(running: Running, port: int, transport: str = "udp", hop: Hop | None = None) -> FakeSession:
    """A call of ours that has begun."""
    order = CallOrder(
        destination=f"sip:called@127.0.0.1:{port};transport={transport}", source="meet.demo", source_name="The Meeting",
        credentials=lambda realm: ("us", "secret") if realm == "example.test" else None,
        headers=(("X-Desk", "7"),), hop=hop,
    )  # fmt: skip
    leg = running.service.leg(order)
    request = CallRequest(alias="meet.demo", protocol=CallProtocol.SIP)
    service = ServiceDescription(id=1, name="Demo", service_type="conference")
    session = FakeSession(leg, request, service)
    leg.begin(session)  # type: ignore[arg-type]
    return session


async def done(process: asyncio.subprocess.Process) -> None:
    _, complaint = await asyncio.wait_for(process.communicate(), 25)
    assert process.returncode == 0, complaint.decode(errors="replace")[-2000:]


@sipp_wanted
@pytest.mark.parametrize(("transport", "option"), [("udp", "u1"), ("tcp", "t1")])
@pytest.mark.parametrize("scenario", ["called_early", "called_challenging"])
async def test_a_call_is_answered(running: Running, scenario: str, transport: str, option: str) -> None:
    """Early media is ignored, and a challenge answered; headers asked for are in the request that answers it too."""
    port = free_port()
    process = await sipp(scenario, port, option)
    hop = Hop(address="127.0.0.1", port=port, transport=transport) if scenario == "called_challenging" else None
    session = await called(running, port, transport, hop)
    await running.until(lambda: session.did("answered"))
    assert ("answered", "sipp") in session.log
    assert (session.count("connect"), session.count("confirm")) == (1, 1)
    session.listener.disconnected("Disconnected by an administrator")
    await running.until(lambda: session.left)
    await done(process)


@sipp_wanted
@pytest.mark.spec("CONF-113")
async def test_a_busy_party(running: Running) -> None:
    port = free_port()
    process = await sipp("called_busy", port)
    session = await called(running, port)
    await running.until(lambda: session.left)
    assert session.reason == "Called party busy"
    assert not session.did("answered")
    await done(process)


@sipp_wanted
@pytest.mark.spec("API-059")
async def test_nobody_answers(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rostra.domain.dialling.RINGING", 0.3)
    port = free_port()
    process = await sipp("called_cancelled", port)
    session = await called(running, port)
    await running.until(lambda: session.left)
    assert session.reason == "No answer"
    await done(process)
    await running.until(lambda: running.service.debug_state()["tasks"] == 0)


@sipp_wanted
async def test_a_party_that_has_moved(running: Running) -> None:
    port, elsewhere = free_port(), free_port()
    moved = await sipp("called_moved", port, elsewhere=elsewhere)
    there = await sipp("called_early", elsewhere)
    session = await called(running, port)
    await running.until(lambda: session.did("answered"))
    session.listener.disconnected("over")
    for process in (moved, there):
        await done(process)


async def test_nobody_is_there(running: Running) -> None:
    session = await called(running, free_port(), "tcp")
    await running.until(lambda: session.left)
    assert session.reason == "Destination cannot be reached"


# ---- what else a called party may do

Then = Callable[[Running, FakeSession], Awaitable[None]]


async def holding(running: Running, session: FakeSession) -> None:
    """Hold, and let go on, as soon as each is through."""
    for number, wanted in enumerate((True, False), 2):
        assert session.on_hold is not None
        session.on_hold(wanted)
        await running.until(lambda number=number: session.count("connect") == number)  # type: ignore[misc]


async def holding_in_vain(running: Running, session: FakeSession) -> None:
    """491 is followed by another try (RFC 3261 14.1)."""
    assert session.on_hold is not None
    session.on_hold(True)
    await running.until(lambda: session.count("connect") == 2)


async def sending_elsewhere(running: Running, session: FakeSession) -> None:
    assert session.listener.refer("sip:dan@192.0.2.9", None)
    await running.until(lambda: session.left)
    assert session.reason == "Call transferred"


async def nothing(running: Running, session: FakeSession) -> None:
    assert session.count("confirm") == 1


@sipp_wanted
@pytest.mark.spec("REF-105")
@pytest.mark.parametrize(
    ("scenario", "then"),
    [
        ("called_reliably", nothing),
        ("called_longer", nothing),
        ("called_forked", nothing),
        ("called_held", holding),
        ("called_glare", holding_in_vain),
        ("called_referred", sending_elsewhere),
    ],
)
async def test_a_dialog_with_a_called_party(running: Running, scenario: str, then: Then) -> None:
    port = free_port()
    process = await sipp(scenario, port)
    session = await called(running, port)
    await running.until(lambda: session.did("answered") or session.left)
    await then(running, session)
    session.listener.disconnected("over")
    await running.until(lambda: session.left)
    await done(process)
    await running.until(lambda: running.service.debug_state()["tasks"] == 0)
