"""STUN on the port of SIP: RFC 5769's vectors, and whatever else comes."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from rostra.sip import stun
from tests.fuzzing import fuzzed
from tests.sip.conftest import Running
from tests.sip.test_wire import Peer

TRANSACTION = bytes.fromhex("b7e7a701bc34d686fa87dfae")
"""Of the requests in RFC 5769."""


def request(attributes: bytes = b"", kind: int = 1) -> bytes:
    return struct.pack("!HHI", kind, len(attributes), 0x2112A442) + TRANSACTION + attributes


def test_the_reflexive_address() -> None:
    """RFC 5769 2.2 and 2.3: 192.0.2.1 and 2001:db8:..., port 32853."""
    for address, value in (
        ("192.0.2.1", "0001a147e112a643"),
        ("2001:db8:1234:5678:11:2233:4455:6677", "0002a1470113a9faa5d3f179bc25f4b5bed2b9d9"),
    ):
        answer = stun.answer(request(), (address, 32853))
        assert answer is not None
        assert answer[:2] == b"\x01\x01"
        assert answer[8:20] == TRANSACTION
        assert bytes.fromhex(value) in answer
        assert len(answer) == 20 + struct.unpack_from("!H", answer, 2)[0]


def test_attributes_nobody_knows() -> None:
    refused = stun.answer(request(struct.pack("!HHI", 0x0003, 4, 2)), ("192.0.2.1", 1))
    assert refused is not None
    assert refused[:2] == b"\x01\x11"
    assert struct.pack("!HHH", 0x000A, 2, 3) in refused
    for harmless in (struct.pack("!HHI", 0x8022, 4, 0), struct.pack("!HH4s", 0x0006, 3, b"abc")):
        assert (stun.answer(request(harmless), ("192.0.2.1", 1)) or b"")[:2] == b"\x01\x01"


@fuzzed(10_000)
@given(st.binary(max_size=80), st.integers(0, 0xFFFF))
def test_nothing_comes_of_damage(rest: bytes, length: int) -> None:
    data = struct.pack("!HHI", 1, length, 0x2112A442) + TRANSACTION + rest
    answer = stun.answer(data, ("192.0.2.1", 1))
    assert answer is None or length == len(rest)
    assert stun.answer(request(kind=0x0011), ("192.0.2.1", 1)) is None


_KINDS = st.sampled_from([0x0003, 0x0006, 0x0008, 0x0020, 0x7FFF, 0x8022, 0x8028]) | st.integers(0, 0xFFFF)
_ATTRIBUTES = st.lists(
    st.tuples(_KINDS, st.binary(max_size=12), st.sampled_from([0, 0, 0, 1, -1, 4, 60000])), max_size=8
)


@fuzzed(10_000)
@given(_ATTRIBUTES)
def test_answers_to_whatever_stands_in_a_request_can_be_read(attributes: list[tuple[int, bytes, int]]) -> None:
    listed = [
        struct.pack("!HH", kind, max(0, len(value) + wrong)) + value + bytes(-len(value) % 4)
        for kind, value, wrong in attributes
    ]
    answer = stun.answer(request(b"".join(listed)), ("192.0.2.1", 1))
    if answer is None:
        assert any(wrong for _, _, wrong in attributes)
        return
    assert answer[:2] in (b"\x01\x01", b"\x01\x11")
    assert struct.unpack_from("!H", answer, 2)[0] == len(answer) - 20
    assert stun.answer(answer, ("192.0.2.1", 1)) is None, "two of us do not answer each other for ever"


async def test_a_client_keeps_its_way_open(running: Running) -> None:
    peer = Peer(running.port)
    peer.socket.send(request())
    await running.until(lambda: bool(received := _receive(peer)) and received[8:20] == TRANSACTION)
    assert running.service.debug_state()["malformed"] == 0


def _receive(peer: Peer) -> bytes:
    try:
        return peer.socket.recv(2000)
    except BlockingIOError:
        return b""
