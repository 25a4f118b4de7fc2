"""`docs/protocols/sip-torture.md` from the vectors: run this module to write it anew."""

from __future__ import annotations

import random
from pathlib import Path

from rostra.calls.registrations import Registry
from rostra.domain.registration import Device, RegistrarSettings
from rostra.sip.authenticating import Authenticator
from rostra.sip.engine import Engine
from rostra.sip.events import CallReceived, RegisterReceived, Transmission
from rostra.sip.flow import Flow, Transport
from rostra.sip.registrar import Registrar
from tests.sip.torture import invalid, ipv6, semantic, valid
from tests.sip.torture.vector import Vector

VECTORS: list[Vector] = [*valid.VECTORS, *invalid.VECTORS, *semantic.VECTORS]
IPV6: list[Vector] = ipv6.VECTORS
FILE = Path(__file__).parents[3] / "docs" / "protocols" / "sip-torture.md"

_HEAD = """\
# The torture messages of RFC 4475

Every message of the RFC, and of its sister for IPv6, against this stack, over UDP. Written by
`python -m tests.sip.torture.table`; a test holds the page and the behaviour together.

"""
_IPV6 = """
## With IPv6: RFC 5118

"""
_COLUMNS = """\
| Message | Section | Parser | Outcome | Why |
|---|---|---|---|---|
"""


def outcome(data: bytes) -> int | str | None:
    """What the stack does with a datagram: `call`, the status of its final response, or nothing."""
    engine = Engine(random.Random(1), {Transport.UDP: 5060})
    engine.receive(data, Flow(Transport.UDP, ("192.0.2.50", 5060), ("192.0.2.1", 5060)), now=0.0)
    event = engine.next_event()
    if isinstance(event, CallReceived):
        return "call"
    if isinstance(event, RegisterReceived):  # every alias may register, without a password
        registrar = Registrar(Registry(), Authenticator(b"torture"), RegistrarSettings)
        answer = registrar.answer(event.request, event.flow, "alias", Device(alias="alias"), 0.0)
        engine.respond(event.name, answer, 0.0)
    final: int | None = None
    while (item := engine.data_to_send()) is not None:
        if isinstance(item, Transmission) and item.data.startswith(b"SIP/2.0 "):
            status = int(item.data.split(b" ")[1])  # a reply repeats damaged fields, so it may not be readable
            final = status if status >= 200 else final
    return final


def page() -> str:
    """The whole page."""
    return _HEAD + _COLUMNS + _rows(VECTORS) + _IPV6 + _COLUMNS + _rows(IPV6)


def _rows(vectors: list[Vector]) -> str:
    return "".join(
        f"| {v.name} | {v.section} | {'reads it' if v.readable else 'refuses it'} | {_words(v.outcome)} | {v.note} |\n"
        for v in vectors
    )


def _words(result: int | str | None) -> str:
    if result is None:
        return "dropped"
    return "offered to the application" if result == "call" else str(result)


if __name__ == "__main__":
    FILE.write_text(page())
