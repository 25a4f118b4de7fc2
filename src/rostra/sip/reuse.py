"""Which open connection a request takes to a place: also one that the other side opened and offered (RFC 5923)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from rostra.sip.flow import Flow, Transport
from rostra.sip.message import Via

Destination = tuple[Transport, tuple[str, int]]


class Aliases:
    """Connections that peers opened, by the address they say they listen at."""

    def __init__(self) -> None:
        self._flows: dict[Destination, Flow] = {}
        self._claims: dict[int, Destination] = {}
        self.permits: Callable[[Flow, Flow], bool] = lambda *_: False
        """Has who offered the first shown a certificate of whom the second looks for (RFC 5923 7)?"""

    def learn(self, via: Via, flow: Flow) -> None:
        """A request came over `flow` with this topmost Via.

        What it says is taken only for the address it comes from, and over TLS (RFC 5923 1): others cannot show who
        they are, and behind one address there may be many.
        """
        host = via.host.strip("[]").lower()
        if via.parameter("alias") is None or flow.transport is not Transport.TLS or host != flow.remote[0]:
            return
        self.forget(flow)
        place = flow.transport, (host, via.port or flow.transport.default_port)
        self._flows[place] = flow
        self._claims[flow.connection] = place

    def forget(self, flow: Flow) -> None:
        """The connection is gone."""
        place = self._claims.pop(flow.connection, None)
        if place is not None and (known := self._flows.get(place)) and known.connection == flow.connection:
            del self._flows[place]

    def over(self, flow: Flow) -> Flow:
        """The connection to take for `flow`, if somebody offered one."""
        if flow.connection or not flow.transport.reliable:
            return flow
        known = self._flows.get((flow.transport, flow.remote))
        if known is None or not self.permits(known, flow):
            return flow
        return dataclasses.replace(known, name=flow.name)
