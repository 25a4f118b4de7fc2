"""Messages of floor control: constructed by the standard's pictures, there and back, and 10,000 broken ones."""

from __future__ import annotations

import contextlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fuzzing import fuzzed, many

from rostra.bfcp.association import request_information, status_of
from rostra.bfcp.client import FloorClient
from rostra.bfcp.message import (
    LONGEST,
    RELIABLE,
    UNRELIABLE,
    Assembly,
    Attribute,
    BadMessage,
    Code,
    Kind,
    Message,
    Primitive,
    Status,
    Stream,
    decode,
    encode,
    fragments,
)
from rostra.bfcp.server import FloorServer

KEPT = {
    # a FloorRequest over UDP: conference 1, transaction 7, user 2, floor 1, mandatory bit set
    "40010001000000010007000205040001": Message(
        Primitive.FLOOR_REQUEST, 1, 7, 2, (Attribute(Kind.FLOOR_ID, 1),), UNRELIABLE
    ),
    # Hello over TCP
    "200b00000000000100010002": Message(Primitive.HELLO, 1, 1, 2),
    # a FloorRelease over UDP of request 3
    "40020001000000010008000207040003": Message(
        Primitive.FLOOR_RELEASE, 1, 8, 2, (Attribute(Kind.FLOOR_REQUEST_ID, 3),), UNRELIABLE
    ),
    # FloorRequestStatus, an answer: request 3 granted, floor 1
    "5004000500000001000700021f120003250800030b040300230400010000": None,
}


@pytest.mark.spec("REF-118", "REF-129")
def test_messages_are_what_the_standard_draws() -> None:
    for text, message in KEPT.items():
        if message is not None:
            assert encode(message).hex() == text
            assert decode(bytes.fromhex(text)) == message
    granted = Message(
        Primitive.FLOOR_REQUEST_STATUS, 1, 7, 2, (request_information(3, Status.GRANTED, 1, 0),), UNRELIABLE, True
    )
    assert encode(granted).hex() == "5004000400000001000700021f100003250800030b04030023040001"
    assert status_of(decode(encode(granted))) == (3, Status.GRANTED, 0)  # type: ignore[arg-type]


numbers = st.integers(0, 0xFFFF)
plain = st.builds(Attribute, st.sampled_from([Kind.BENEFICIARY_ID, Kind.FLOOR_ID, Kind.FLOOR_REQUEST_ID]), numbers)
texts = st.builds(Attribute, st.sampled_from([Kind.STATUS_INFO, Kind.USER_URI, 99]), content=st.binary(max_size=40))
statuses = st.builds(Attribute, st.just(Kind.REQUEST_STATUS), st.integers(1, 7), st.integers(0, 255))
groups = st.builds(
    Attribute, st.just(Kind.OVERALL_REQUEST_STATUS), numbers, parts=st.lists(statuses | plain, max_size=3).map(tuple)
)
messages = st.builds(
    Message, st.integers(1, 17), st.integers(0, 0xFFFFFFFF), numbers, numbers,
    st.lists(plain | texts | statuses | groups, max_size=6).map(tuple), st.just(UNRELIABLE), st.booleans(),
)  # fmt: skip


@fuzzed(2_000)
@given(messages, st.integers(40, 200), st.randoms())
def test_there_and_back_in_any_pieces(message: Message, size: int, order: random.Random) -> None:
    pieces = fragments(message, size)
    assert all(len(piece) <= size for piece in pieces)
    order.shuffle(pieces)
    assembly = Assembly()
    found = [assembly.feed(piece) for piece in pieces]
    assert [one for one in found if one] == [message]


@fuzzed(2_000)
@given(st.lists(messages, max_size=4), st.integers(1, 50))
def test_a_connection_gives_whole_messages(sent: list[Message], size: int) -> None:
    data, stream, found = b"".join(encode(one) for one in sent), Stream(), []
    for at in range(0, len(data), size):
        found += stream.feed(data[at : at + size])
    assert found == sent


@pytest.mark.fuzz
def test_ten_thousand_broken_messages_harm_nobody() -> None:
    """Either understood or refused; the engines answer with errors at most, and go on."""
    seed = random.randrange(2**32) if many() else 8855
    chance = random.Random(seed)
    whole = [bytes.fromhex(text) for text in KEPT] + [
        encode(Message(primitive, 1, 9, 2, (request_information(1, 3, 1, 5),), UNRELIABLE)) for primitive in Primitive
    ]
    said: list[bytes] = []
    server = FloorServer(1, 2, 1, UNRELIABLE, said.append, lambda wanted: None)
    client = FloorClient(1, 2, 1, UNRELIABLE, said.append, lambda wanted: None)
    for turn in range(10_000):
        data = bytearray(chance.choice(whole))
        for _ in range(chance.randrange(1, 6)):
            match chance.randrange(4):
                case 0:
                    data[chance.randrange(len(data))] = chance.randrange(256)
                case 1:
                    data = data[: chance.randrange(1, len(data) + 1)]
                case 2:
                    data += chance.randbytes(chance.randrange(1, 9))
                case _:
                    data[2:4] = chance.randbytes(2) if len(data) > 3 else b""
            data = data or bytearray(b"\0")
        for engine in (server, client):
            engine.receive(bytes(data), float(turn))
            engine.decide(bool(turn % 2), float(turn))
        stream = Stream()
        with contextlib.suppress(BadMessage):
            stream.feed(bytes(data))
        server.look(float(turn))
    assert len(server._open) < 200, seed
    assert said
    said.clear()
    server.receive(encode(Message(Primitive.HELLO, 1, 77, 2, (), UNRELIABLE)), 20_000.0)
    answer = decode(said[-1])
    assert isinstance(answer, Message)
    assert (answer.primitive, answer.transaction, answer.response) == (Primitive.HELLO_ACK, 77, True)


def test_a_connection_of_nonsense_is_given_up() -> None:
    with pytest.raises(BadMessage) as caught:
        Stream().feed(b"GET / HTTP/1.1\r\n\r\n" * 3)
    assert caught.value.code in (Code.UNSUPPORTED_VERSION, Code.INCORRECT_LENGTH)
    with pytest.raises(BadMessage):
        Stream().feed(bytes([RELIABLE << 5, 1]) + (LONGEST // 4 + 1).to_bytes(2, "big") + bytes(8))
