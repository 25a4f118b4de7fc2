"""One declaration row per endpoint, and finding the row for a request."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from rostra.clientapi.bodies import Body

if TYPE_CHECKING:
    from rostra.clientapi.asking import Asked

Handler = Callable[["Asked"], Awaitable[Any]]
"""Returns the `result`, or a whole response; raises ApiProblem or one of the switchboard's refusals."""


class Who(enum.Enum):
    """Who may use an endpoint. Everybody but ANYBODY holds a token."""

    ANYBODY = "anybody"
    HOLDER = "any participant"
    HOST = "Hosts"
    SELF = "the participant itself"
    HOST_OR_SELF = "Hosts and the participant itself"
    HOST_IF_ANY = "Hosts, or anybody where there is no Host PIN"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One endpoint of the API."""

    method: str
    path: str
    """Template below `/api/client/v2/`; `{alias}`, `{participant}`, `{call}` and others match one segment."""
    who: Who
    handler: Handler
    body: type[Body] | None = None
    result: Any = bool
    """Type of `result` in the 200 answer; None: the answer has a form of its own."""
    errors: tuple[int, ...] = (400, 403, 404)
    """Error statuses clients accept here; every other one is an exception in the SDK (API-016)."""
    waiting: bool = False
    """Usable by oneself from the waiting room (API-062)."""
    lenient: bool = False
    """Takes any body whatever; it is only looked at when it can be read (API-026)."""
    raw: bool = False
    """The handler reads the body itself."""
    within: float = 30.0
    """Seconds in which it is answered (API-013)."""
    inside_room: bool = False
    """Acts in the breakout room of the path, as the caller's participant there."""
    log: str = ""
    """Line of the administrator log (API-018)."""

    @property
    def segments(self) -> tuple[str, ...]:
        return tuple(self.path.split("/"))

    def allowed(self, status: int) -> int:
        """`status`, or what clients of this endpoint accept in its place."""
        if status in self.errors:
            return status
        order = (503, 500, 403) if status >= 500 else (415, 403, 404)
        return next((other for other in order if other in self.errors), self.errors[-1])


class Unroutable(Exception):
    """No endpoint for this path and method. `methods`: those the path has; empty if the path is unknown."""

    def __init__(self, methods: tuple[str, ...] = ()) -> None:
        super().__init__("no such path" if not methods else "method not allowed")
        self.methods = methods


@dataclasses.dataclass(frozen=True, slots=True)
class Route:
    """An endpoint with the values of its path."""

    endpoint: Endpoint
    values: Mapping[str, str]


class EndpointTable:
    """All endpoints, by number of segments."""

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        self.endpoints = tuple(endpoints)
        self._by_length: dict[int, list[tuple[tuple[str, ...], Endpoint]]] = {}
        for endpoint in self.endpoints:
            segments = endpoint.segments
            self._by_length.setdefault(len(segments), []).append((segments, endpoint))

    def find(self, method: str, path: bytes) -> Route:
        """The row for a raw, still percent-encoded path below the API's root. Raises Unroutable.

        Each segment is decoded exactly once, after splitting (API-003), so an encoded slash stays inside it.
        """
        segments = decode_segments(path)
        methods: list[str] = []
        for template, endpoint in self._by_length.get(len(segments), ()):
            values = _match(template, segments)
            if values is None:
                continue
            if endpoint.method == method:
                return Route(endpoint, values)
            methods.append(endpoint.method)
        raise Unroutable(tuple(methods))


def decode_segments(path: bytes) -> tuple[str, ...]:
    """Decoded segments; Unroutable when the encoding is broken."""
    try:
        return tuple(_decode(segment) for segment in path.split(b"/"))
    except ValueError:
        raise Unroutable from None


def _decode(segment: bytes) -> str:
    for piece in segment.split(b"%")[1:]:
        int(piece[:2].decode("ascii") if len(piece) >= 2 and piece[:2].isalnum() else "broken", 16)
    text = unquote_to_bytes(segment).decode()
    if any(ord(character) < 0x20 or character == "\x7f" for character in text):
        raise ValueError("control character")
    return text


def _match(template: tuple[str, ...], segments: tuple[str, ...]) -> dict[str, str] | None:
    values: dict[str, str] = {}
    for pattern, segment in zip(template, segments, strict=True):
        if pattern.startswith("{"):
            if not segment:
                return None
            values[pattern[1:-1]] = segment
        elif pattern != segment:
            return None
    return values
