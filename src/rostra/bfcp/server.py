"""The floor control server: we give the floor (RFC 8855 13)."""

from __future__ import annotations

from collections.abc import Callable

from rostra.bfcp.association import Association, request_information
from rostra.bfcp.message import Attribute, Code, Kind, Message, Primitive, Status

OTHERS = 0xFFFD
"""User id by which everybody else in the conference is known to the far end."""


class FloorServer(Association):
    """Serves one far end, for one floor: the second video stream of its call."""

    def __init__(
        self, conference: int, user: int, floor: int, version: int, send: Callable[[bytes], None],
        wanted: Callable[[bool], None],
    ) -> None:  # fmt: skip
        """`user` is the far end. `wanted`: True: it asks for the floor, answer by `decide`; False: it gives it up."""
        super().__init__(conference, user, version, send)
        self._floor = floor
        self._wanted = wanted
        self._request: Message | None = None
        """The request that waits for a decision."""
        self._number = 0
        self._granted = False
        self._other = False
        self._asking = False
        """It wants to be told of changes of the floor."""

    @property
    def granted(self) -> bool:
        """The far end has the floor."""
        return self._granted

    def requested(self, message: Message, now: float) -> None:
        if any(one.mandatory and one.kind not in tuple(Kind) for one in message.attributes):
            self.refuse(message, Code.UNKNOWN_ATTRIBUTE)
            return
        if message.primitive == Primitive.HELLO:
            self.hello(message)
        elif message.user != self.user:
            self.refuse(message, Code.NO_USER)
        else:
            self._serve(message)

    def _serve(self, message: Message) -> None:
        match message.primitive:
            case Primitive.FLOOR_REQUEST if message.number(Kind.FLOOR_ID) != self._floor:
                self.refuse(message, Code.NO_FLOOR)
            case Primitive.FLOOR_REQUEST:
                self._asked(message)
            case Primitive.FLOOR_RELEASE:
                self._released(message)
            case Primitive.FLOOR_REQUEST_QUERY:
                self._told(message)
            case Primitive.FLOOR_QUERY:
                self._asking = message.number(Kind.FLOOR_ID) is not None
                self.answer(message, Primitive.FLOOR_STATUS, *self._status())
            case Primitive.USER_QUERY:
                granted = (self._information(Status.GRANTED),) if self._granted else ()
                self.answer(message, Primitive.USER_STATUS, *granted)
            case Primitive.GOODBYE:
                self.answer(message, Primitive.GOODBYE_ACK)
                self._give_up()
            case Primitive.CHAIR_ACTION:
                self.refuse(message, Code.UNAUTHORIZED)
            case _:
                self.refuse(message, Code.UNKNOWN_PRIMITIVE)

    def _asked(self, message: Message) -> None:
        if self._request is not None:
            if self._request.transaction != message.transaction:
                self.refuse(message, Code.TOO_MANY_REQUESTS)
            return
        self._request = message
        self._number = self._number % 0xFFFF + 1
        self._wanted(True)

    def decide(self, granted: bool, now: float) -> None:
        """Answer the request that waits; without one nothing happens."""
        request, self._request = self._request, None
        if request is None:
            return
        self._now = now
        self._granted = granted
        status = Status.GRANTED if granted else Status.DENIED
        self.answer(request, Primitive.FLOOR_REQUEST_STATUS, self._information(status))
        if granted:
            self._other = False
            self._tell(now)

    def _released(self, message: Message) -> None:
        if message.number(Kind.FLOOR_REQUEST_ID) != self._number or not self._number:
            self.refuse(message, Code.NO_REQUEST)
            return
        status = Status.RELEASED if self._granted else Status.CANCELLED
        self.answer(message, Primitive.FLOOR_REQUEST_STATUS, self._information(status))
        self._give_up()

    def _give_up(self) -> None:
        """The far end presents no more; also one that has changed its mind before it was told that it may."""
        had, self._granted, self._request = self._granted or self._request is not None, False, None
        if had:
            self._wanted(False)

    def _told(self, message: Message) -> None:
        if message.number(Kind.FLOOR_REQUEST_ID) != self._number or not self._number:
            self.refuse(message, Code.NO_REQUEST)
            return
        status = Status.GRANTED if self._granted else Status.RELEASED
        self.answer(message, Primitive.FLOOR_REQUEST_STATUS, self._information(status))

    def presented(self, *, itself: bool, other: bool, now: float) -> None:
        """Who presents now; a far end that no longer does although it has the floor loses it."""
        if self._granted and not itself:
            self._granted = False
            self.ask(Primitive.FLOOR_REQUEST_STATUS, self._information(Status.REVOKED), now=now)
        if other != self._other:
            self._other = other
            self._tell(now)

    def _tell(self, now: float) -> None:
        if self._asking:
            self.ask(Primitive.FLOOR_STATUS, *self._status(), now=now)

    def _status(self) -> tuple[Attribute, ...]:
        floor = Attribute(Kind.FLOOR_ID, self._floor)
        if self._granted:
            return floor, self._information(Status.GRANTED)
        if self._other:
            return floor, request_information(0xFFFF, Status.GRANTED, self._floor, OTHERS)
        return (floor,)

    def _information(self, status: Status) -> Attribute:
        return request_information(self._number, status, self._floor, self.user)
