"""A request on its way to a handler: who asks, about whom, with what body."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from starlette.requests import Request

from rostra.calls.switchboard import Conference, Switchboard
from rostra.clientapi.bodies import Body
from rostra.clientapi.clients import Client, Clients
from rostra.clientapi.devices import Devices
from rostra.clientapi.endpoints import Endpoint
from rostra.clientapi.envelope import INVALID_TOKEN, NOT_FOUND, ApiProblem
from rostra.clientapi.pins import PinGuard
from rostra.clientapi.signon.desk import SignOnDesk
from rostra.clientapi.visitors import Visitors
from rostra.conference.roster import Participant

BodyType = TypeVar("BodyType", bound=Body)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """What is configured of clients: what they may do, by the names of the management API, and what helps them."""

    enable_application_api: bool = True
    enable_webrtc: bool = True
    enable_fecc: bool = True
    enable_rtmp: bool = True
    stun: Callable[[], Sequence[str]] = tuple
    """Gives addresses of STUN servers for their media (SYS-167); few requests need them."""
    turn: Callable[[], Sequence[dict[str, object]]] = tuple
    """Gives TURN servers, with credentials."""


@dataclasses.dataclass(slots=True)
class Platform:
    """What handlers act on."""

    switchboard: Switchboard
    clients: Clients
    pins: PinGuard
    visitors: Visitors
    node: str
    """Name of this node in event ids."""
    alternatives: Callable[[], Sequence[str]]
    """Other nodes that clients may use, best first, as `https://host:port`; asked anew for every client."""
    switches: Callable[[], Switches]
    """As they are now."""
    release_elsewhere: Callable[[str], Awaitable[object]]
    """Told the token of an earlier session that is of another node, for that node's `ClientApi.release`."""
    desk: SignOnDesk
    """Where users sign on."""
    devices: Devices | None
    """Clients that are registered; None: none can be."""


@dataclasses.dataclass(slots=True)
class Asked:
    """One request."""

    platform: Platform
    request: Request
    endpoint: Endpoint
    values: Mapping[str, str]
    body: Body | None
    token: str
    holder: Client | None = None

    @property
    def client(self) -> Client:
        if self.holder is None:
            raise ApiProblem(403, INVALID_TOKEN)
        return self.holder

    @property
    def conference(self) -> Conference:
        return self.client.session.conference

    @property
    def me(self) -> Participant:
        """The caller as it is now: the present role counts (API-061)."""
        return self.client.session.participant

    @property
    def target(self) -> Participant:
        """The participant in the path. Raises ApiProblem 404."""
        uuid = self.values["participant"].lower()
        participant = self.conference.participant(uuid)
        if participant is None:
            raise ApiProblem(404, NOT_FOUND)
        return participant

    @property
    def call(self) -> str:
        return self.values["call"].lower()

    def carried(self, kind: type[BodyType]) -> BodyType:
        """The body, which the endpoint's row declares to be of `kind`."""
        if not isinstance(self.body, kind):
            raise TypeError(f"{self.endpoint.path} does not declare {kind.__name__}")
        return self.body
