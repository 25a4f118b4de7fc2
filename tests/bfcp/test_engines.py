"""Our server and our client against each other, and against the wishes of the conference, in virtual time."""

from __future__ import annotations

import pytest

from rostra.bfcp.association import T1, TRIES, status_of
from rostra.bfcp.client import FloorClient
from rostra.bfcp.message import RELIABLE, UNRELIABLE, Attribute, Code, Kind, Message, Primitive, Status, decode, encode
from rostra.bfcp.server import FloorServer


class Room:
    """Both ends on a network that can lose."""

    def __init__(self, version: int) -> None:
        self.wanted: list[bool] = []
        self.theirs: list[bool] = []
        self.lossy = False
        self.sent: list[Message] = []
        self.now = 0.0
        self.server = FloorServer(1, 2, 1, version, lambda data: self.carry(self.client, data), self.wanted.append)
        self.client = FloorClient(1, 2, 1, version, lambda data: self.carry(self.server, data), self.theirs.append)
        self._queue: list[tuple[object, bytes]] = []

    def carry(self, to: FloorServer | FloorClient, data: bytes) -> None:
        message = decode(data)
        assert isinstance(message, Message)
        self.sent.append(message)
        if not self.lossy:
            self._queue.append((to, data))

    def settle(self) -> None:
        while self._queue:
            to, data = self._queue.pop(0)
            to.receive(data, self.now)  # type: ignore[attr-defined]

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        for end in (self.server, self.client):
            end.look(self.now)
        self.settle()


@pytest.fixture(params=[RELIABLE, UNRELIABLE], ids=["TCP", "UDP"])
def room(request: pytest.FixtureRequest) -> Room:
    made = Room(request.param)
    made.client.begin(0.0)
    made.settle()
    return made


@pytest.mark.spec("REF-118", "REF-129", "PLAT-111")
def test_the_floor_is_asked_for_given_and_given_back(room: Room) -> None:
    room.client.presented(itself=False, other=True, now=0.0)
    room.settle()
    assert room.wanted == [True]
    room.server.decide(True, 0.0)
    room.settle()
    assert (room.client.granted, room.server.granted) == (True, True)
    assert room.theirs == []  # its own floor is not the far end presenting
    room.client.presented(itself=False, other=False, now=0.0)
    room.settle()
    assert (room.client.granted, room.server.granted, room.wanted) == (False, False, [True, False])


def test_a_refused_and_a_revoked_floor(room: Room) -> None:
    room.client.presented(itself=False, other=True, now=0.0)
    room.settle()
    room.server.decide(False, 0.0)
    room.settle()
    assert not room.client.granted
    room.client.presented(itself=False, other=False, now=0.0)
    room.client.presented(itself=False, other=True, now=0.0)
    room.settle()
    room.server.decide(True, 0.0)
    room.settle()
    assert room.client.granted
    room.server.presented(itself=False, other=True, now=0.0)  # somebody else took it
    room.settle()
    assert (room.client.granted, room.server.granted) == (False, False)
    assert room.theirs == [True]
    room.server.presented(itself=False, other=False, now=0.0)
    room.settle()
    assert room.theirs == [True, False]


def test_over_udp_lost_messages_come_again_and_are_carried_out_once() -> None:
    room = Room(UNRELIABLE)
    room.client.begin(0.0)
    room.settle()
    room.lossy = True
    room.client.presented(itself=False, other=True, now=0.0)
    room.lossy = False
    room.pass_time(T1 + 0.01)
    assert room.wanted == [True]
    room.lossy = True
    room.server.decide(True, room.now)
    room.lossy = False
    assert not room.client.granted
    room.pass_time(3 * T1)  # the request again, and with it the answer
    assert (room.client.granted, room.wanted) == (True, [True])
    room.lossy = True
    room.sent.clear()
    room.server.presented(itself=False, other=False, now=room.now)
    for _ in range(10):
        room.pass_time(8 * T1)
    revoked = [m for m in room.sent if (status_of(m) or (0, 0, 0))[1] == Status.REVOKED]
    assert len(revoked) == TRIES
    assert (room.server.lost, room.server.wake) == (True, None)


def ask(primitive: int, *attributes: Attribute, user: int = 2, conference: int = 1) -> Message:
    """What the server says to one request."""
    said: list[bytes] = []
    server = FloorServer(1, 2, 1, UNRELIABLE, said.append, lambda wanted: None)
    server.receive(encode(Message(primitive, conference, 5, user, attributes, UNRELIABLE)), 0.0)
    answer = decode(said[-1])
    assert isinstance(answer, Message)
    return answer


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (ask(Primitive.FLOOR_REQUEST, Attribute(Kind.FLOOR_ID, 9)), Code.NO_FLOOR),
        (ask(Primitive.FLOOR_REQUEST, Attribute(Kind.FLOOR_ID, 1), user=7), Code.NO_USER),
        (ask(Primitive.FLOOR_REQUEST, Attribute(Kind.FLOOR_ID, 1), conference=7), Code.NO_CONFERENCE),
        (ask(Primitive.FLOOR_RELEASE, Attribute(Kind.FLOOR_REQUEST_ID, 4)), Code.NO_REQUEST),
        (ask(Primitive.FLOOR_REQUEST_QUERY, Attribute(Kind.FLOOR_REQUEST_ID, 4)), Code.NO_REQUEST),
        (ask(Primitive.CHAIR_ACTION), Code.UNAUTHORIZED),
        (ask(99), Code.UNKNOWN_PRIMITIVE),
        (ask(Primitive.FLOOR_REQUEST, Attribute(120, content=b"xx")), Code.UNKNOWN_ATTRIBUTE),
    ],
)
def test_what_cannot_be_done_is_said(said: Message, code: Code) -> None:
    assert said.primitive == Primitive.ERROR
    assert said.number(Kind.ERROR_CODE) == code
    assert (said.transaction, said.response) == (5, True)


def test_questions_are_answered() -> None:
    assert ask(Primitive.HELLO).primitive == Primitive.HELLO_ACK
    assert ask(Primitive.GOODBYE).primitive == Primitive.GOODBYE_ACK
    assert ask(Primitive.USER_QUERY).primitive == Primitive.USER_STATUS
    status = ask(Primitive.FLOOR_QUERY, Attribute(Kind.FLOOR_ID, 1))
    assert (status.primitive, status.number(Kind.FLOOR_ID), status_of(status)) == (Primitive.FLOOR_STATUS, 1, None)
