"""Called parties that send us on: whom they name is not called at our cost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from rostra.calls.orders import CallOrder
from rostra.dialplan.outward import Hop
from rostra.sip import outgoing
from rostra.sip.events import CallEnded
from rostra.sip.flow import Transport
from rostra.sip.locating import Place
from rostra.sip.outgoing import CalledAgent
from rostra.sip.targets import Target, belongs, target

OURS = "192.0.2.5"
"""Address of a proxy of the administrator's."""


class Trunk:
    """Finds everybody where they say, and remembers who was called with what."""

    def __init__(self) -> None:
        self.invited: list[tuple[str, tuple[str, str] | None]] = []

    async def places(self, found: Target) -> AsyncIterator[Place]:
        yield Place(Transport.TCP, found.wanted.host, 5060, found.wanted.host)

    async def invite(self, agent: Any, found: Target, place: Place, order: CallOrder, sdp: bytes) -> str:
        self.invited.append((found.uri, order.credentials("trunk.example")))
        return f"call-{len(self.invited)}"

    def knows(self, address: str) -> bool:
        return address == OURS

    def announced(self, *_: Any, **__: Any) -> str:
        return ""

    def heard(self, call: str) -> bool:
        return True


class Media:
    """Offers nothing."""

    def __init__(self, *_: Any, **__: Any) -> None: ...

    async def offer(self) -> bytes:
        return b""


@pytest.mark.parametrize(
    ("hop", "contact", "called"),
    [
        (None, "sip:bob@trunk.example", ("sip:bob@trunk.example", None)),
        (None, f"sip:+1900555@{OURS}", None),
        (Hop(address=OURS), "sip:bob@192.0.2.9", ("sip:bob@192.0.2.9", None)),
        (Hop(address=OURS), "sip:bob@a.trunk.example", ("sip:bob@a.trunk.example", ("name", "word"))),
        (Hop(address=OURS), f"sip:+1900555@{OURS}", (f"sip:+1900555@{OURS}", ("name", "word"))),
    ],
)
async def test_a_stranger_has_nobody_called_at_our_cost(
    hop: Hop | None, contact: str, called: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outgoing, "CallMedia", Media)
    destination = "sip:eve@192.0.2.66"
    order = CallOrder(destination=destination, hop=hop, credentials=lambda _: ("name", "word"))
    trunk: Any = Trunk()
    nobody: Any = object()
    agent = CalledAgent(order, target(destination, hop), nobody, trunk)
    agent._session = nobody
    assert await agent._place()
    assert trunk.invited == [(destination, ("name", "word") if hop else None)], "a stranger may not ask for them"
    went = await agent._ended(CallEnded("call-1", "redirected", 302, contact=contact))
    assert went is (called is not None)
    assert trunk.invited[1:] == ([called] if called else [])


@pytest.mark.spec("SYS-249")
@pytest.mark.parametrize(
    ("realm", "host", "answered"),
    [
        ("example.com", "example.com", True),
        ("SIP.example.com", "example.com.", True),
        ("example.com", "sip.example.com", True),
        ("192.0.2.5", "192.0.2.5", True),
        ("asterisk", "asterisk", True),
        ("asterisk", "pbx.asterisk", False),
        ("example.com", "evil.example", False),
        ("badexample.com", "example.com", False),
        ("example.com", "com", False),
        ("example.com", "192.0.2.66", False),
    ],
)
def test_whose_realm_is_answered_without_a_proxy(realm: str, host: str, answered: bool) -> None:
    assert belongs(realm, host) is answered
