"""The floor control client, for far ends that insist on giving the floor themselves (RFC 8855 10)."""

from __future__ import annotations

from collections.abc import Callable

from rostra.bfcp.association import Association, status_of
from rostra.bfcp.message import Attribute, Code, Kind, Message, Primitive, Status


class FloorClient(Association):
    """Asks a far end for its floor when somebody presents to it, and notices when it presents itself."""

    def __init__(
        self, conference: int, user: int, floor: int, version: int, send: Callable[[bytes], None],
        wanted: Callable[[bool], None],
    ) -> None:  # fmt: skip
        """`user` is what the far end calls us. `wanted`: the far end begins (True) or ends to present."""
        super().__init__(conference, user, version, send)
        self._floor = floor
        self._wanted = wanted
        self._theirs = False
        self._request = 0
        self._asked = False
        self.granted = False
        """We may present to it."""

    def begin(self, now: float) -> None:
        """Say hello, and ask to be told of the floor."""
        self.ask(Primitive.HELLO, now=now)
        self.ask(Primitive.FLOOR_QUERY, Attribute(Kind.FLOOR_ID, self._floor), now=now)

    def presented(self, *, itself: bool, other: bool, now: float) -> None:
        """Who presents now: with somebody else than the far end, the floor is asked for, else given back."""
        del itself
        if other and not self._asked:
            self._asked = True
            self.ask(Primitive.FLOOR_REQUEST, Attribute(Kind.FLOOR_ID, self._floor), now=now)
        elif not other and self._asked:
            self._release(now)

    def decide(self, granted: bool, now: float) -> None:
        """Nothing is ours to give."""

    def _release(self, now: float) -> None:
        self._asked = self.granted = False
        if self._request:
            self.ask(Primitive.FLOOR_RELEASE, Attribute(Kind.FLOOR_REQUEST_ID, self._request), now=now)
            self._request = 0

    def answered(self, request: Message, response: Message, now: float) -> None:
        if response.primitive == Primitive.FLOOR_REQUEST_STATUS:
            if request.primitive == Primitive.FLOOR_REQUEST:
                self._status(response, now)
        elif response.primitive == Primitive.FLOOR_STATUS:
            self._floor_status(response)

    def requested(self, message: Message, now: float) -> None:
        match message.primitive:
            case Primitive.FLOOR_REQUEST_STATUS:
                self.acknowledge(message)
                self._status(message, now)
            case Primitive.FLOOR_STATUS:
                self.acknowledge(message)
                self._floor_status(message)
            case Primitive.HELLO:
                self.hello(message)
            case Primitive.GOODBYE:
                self.acknowledge(message)
            case _:
                self.refuse(message, Code.UNAUTHORIZED)

    def _status(self, message: Message, now: float) -> None:
        found = status_of(message)
        if found is None:
            return
        number, status, _ = found
        if status == Status.GRANTED:
            self._request, self.granted = number, True
            if not self._asked:  # nobody presents any more
                self._asked = True
                self._release(now)
        elif status in (Status.PENDING, Status.ACCEPTED):
            self._request = number
        elif number == self._request or status == Status.DENIED:
            self._request, self.granted = 0, False

    def _floor_status(self, message: Message) -> None:
        found = status_of(message)
        theirs = found is not None and found[1] == Status.GRANTED and found[2] not in (0, self.user)
        if theirs != self._theirs:
            self._theirs = theirs
            self._wanted(theirs)
