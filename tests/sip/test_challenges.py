"""Answers to challenges: of several at once, of the strongest, again when stale, and never without end."""

from __future__ import annotations

import pytest

from rostra.sip import digest
from rostra.sip.authenticating import Authenticator, Outcome
from rostra.sip.challenges import ROUNDS, Authorization
from rostra.sip.digest import Proof
from rostra.sip.events import CallAnswered, CallEnded, CallReceived
from rostra.sip.headers import Headers
from rostra.sip.message import Request, Response
from tests.sip.network import OFFER, Network, answering

KNOWN = {"a.test": ("us", "secret"), "b.test": ("we", "word")}


def authorization() -> Authorization:
    return Authorization(KNOWN.get, lambda: "cn")


def request() -> Request:
    return Request(Headers([("CSeq", "1 INVITE")]), b"body", "INVITE", "sip:bob@a.test")


def challenged(status: int, *challenges: str) -> Response:
    name = "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"
    return Response(Headers([(name, value) for value in challenges]), status=status)


def asked(realm: str, nonce: str = "n", algorithm: str = "MD5", more: str = "") -> str:
    return f'Digest realm="{realm}", nonce="{nonce}", algorithm={algorithm}, qop="auth"{more}'


def said(request: Request, name: str) -> list[dict[str, str]]:
    return [digest.parameters(value) or {} for value in request.headers.all(name)]


@pytest.mark.spec("SYS-249")
def test_every_realm_that_is_known_is_answered_by_its_best_algorithm() -> None:
    ours = authorization()
    response = challenged(
        407, asked("a.test"), asked("a.test", algorithm="SHA-256"), asked("b.test"), asked("A.test"), asked("c.test"),
        "Basic realm=x", asked("a.test", algorithm="XYZ"), "Digest",
    )  # fmt: skip
    assert ours.answer(request(), response)
    signed = request()
    ours.sign(signed)
    assert [(one["realm"], one["algorithm"]) for one in said(signed, "Proxy-Authorization")] == [
        ("a.test", "SHA-256"), ("b.test", "MD5"),
    ]  # fmt: skip
    assert not ours.answer(signed, challenged(407, asked("a.test", "other"))), "the password was wrong"
    assert ours.answer(signed, challenged(401, asked("a.test"))), "a server behind the proxy asks as well"
    assert not authorization().answer(request(), challenged(401, asked("c.test")))


def test_a_stale_nonce_is_replaced_but_not_for_ever() -> None:
    ours = authorization()
    answers = 0
    signed = request()
    while ours.answer(signed, challenged(401, asked("a.test", str(answers), more=", stale=TRUE"))):
        signed = request()
        ours.sign(signed)
        answers += 1
    assert answers == ROUNDS


def test_counts_go_on_until_there_is_another_nonce() -> None:
    ours = authorization()
    assert ours.answer(request(), challenged(401, asked("a.test")))
    counts = []
    for _ in range(3):
        signed = request()
        ours.sign(signed)
        counts += [one["nc"] for one in said(signed, "Authorization")]
    assert counts == ["00000001", "00000002", "00000003"]
    ours.accepted(Response(Headers([("Authentication-Info", 'qop=auth, nextnonce="fresh"')]), status=200))
    signed = request()
    ours.sign(signed)
    [one] = said(signed, "Authorization")
    assert (one["nonce"], one["nc"], one["realm"]) == ("fresh", "00000001", "a.test")


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256", "SHA-512-256", "MD5-sess", "sha-256-SESS"])
def test_the_body_is_vouched_for_where_that_is_asked(algorithm: str) -> None:
    ours = authorization()
    challenge = f'Digest realm="a.test", nonce="n", algorithm={algorithm}, qop="auth-int", opaque="o"'
    assert ours.answer(request(), challenged(401, challenge))
    signed = request()
    ours.sign(signed)
    [one] = said(signed, "Authorization")
    expected = Proof(
        algorithm, "us", "a.test", "secret", "INVITE", "sip:bob@a.test", "n", "auth-int", "cn", "00000001", b"body"
    )
    assert (one["response"], one["opaque"]) == (expected.compute(), "o")


def test_rfc_7616_example() -> None:
    """Its 3.9.1, both algorithms."""
    for algorithm, response in (
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ):
        proof = Proof(
            algorithm, "Mufasa", "http-auth@example.org", "Circle of Life", "GET", "/dir/index.html",
            "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", "auth",
            "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", "00000001",
        )  # fmt: skip
        assert proof.compute() == response


def test_a_whole_call_with_a_server_that_asks_every_time() -> None:
    """INVITE, re-INVITE and BYE are signed; the ACK says what its INVITE said (RFC 3261 22.1)."""
    network = Network()
    keeper = Authenticator(b"k", algorithms=["SHA-256"])
    answering(network, network.bob)
    accept = network.bob.on_event

    def guard(event: object) -> None:
        known = not isinstance(event, CallReceived) or keeper.check(event.request, "us", "secret", network.now)
        if isinstance(event, CallReceived) and known is not Outcome.OK:
            network.bob.engine.refuse(event.call, 401, network.now)
        else:
            accept(event)  # type: ignore[misc]

    network.bob.on_event = guard  # type: ignore[assignment]
    lost = network.lose

    def challenge(sender: str, message: object) -> bool:
        if isinstance(message, Response) and message.status == 401:
            for name, value in keeper.challenge("a.test", network.now):
                message.headers.add(name, value)
            network.inject(network.alice, message.encode())
            return True
        return lost(sender, message)  # type: ignore[arg-type]

    network.lose = challenge
    call = network.alice.engine.invite(
        "sip:bob@192.0.2.2", "sip:alice@192.0.2.1", network.alice.flow, OFFER, network.now, credentials=KNOWN.get
    )
    network.run(1.0)
    assert any(isinstance(event, CallAnswered) for event in network.alice.events)
    network.alice.engine.offer(call, OFFER, network.now)
    network.run(2.0)
    network.alice.engine.hang_up(call, network.now)
    network.run(100.0)
    sent = [m for _, who, m in network.wire if who == "alice" and isinstance(m, Request)]
    counts = {(m.method, one["nc"]) for m in sent for one in said(m, "Authorization")}
    assert {method for method, _ in counts} == {"INVITE", "ACK", "BYE"}
    first, second = (m for m in sent if m.method == "INVITE" and m.headers.get("Authorization"))
    assert [m.headers.get("Authorization") for m in sent if m.method == "ACK" and m.headers.get("Authorization")] == [
        first.headers.get("Authorization"), second.headers.get("Authorization"),
    ]  # fmt: skip
    assert isinstance(network.alice.events[-1], CallEnded)
