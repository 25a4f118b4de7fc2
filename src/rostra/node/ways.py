"""STUN and TURN servers as configured: for the media of this node's calls, and for the web clients it serves."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from rostra.configuration import sealing
from rostra.configuration.queries import Lookup
from rostra.configuration.server_queries import TurnRow
from rostra.domain.gateway import Onward
from rostra.domain.ice import IceServers, StunServer, TurnServer, timed_credentials

logger = structlog.get_logger("rostra.node")

DEFAULT_PORT = 3478
_TABLE = "configuration_turnserver"


class ConfiguredServers:
    """Of one node."""

    def __init__(self, lookup: Lookup, location: Callable[[], int], clock: Callable[[], float] = time.time) -> None:
        """`location`: the id of this node's; `clock`: Unix seconds, for credentials that end."""
        self._lookup = lookup
        self._location = location
        self._clock = clock

    def of_calls(self, onward: Onward | None) -> IceServers:
        """Each of the two is that of the rule, or of policy, for a gateway call (SVC-108, SYS-157, SYS-166); else
        that of the location."""
        stun, turn = self._lookup.servers_of_location(self._location())
        if onward is not None:
            own = self._lookup.servers_of_rule(onward.rule) if onward.rule else (onward.stun, onward.turn)
            stun, turn = own[0] or stun, own[1] or turn
        found = self._lookup.stun_server(stun) if stun else None
        relay = self._lookup.turn_server(turn) if turn else None
        return IceServers(
            stun=StunServer(address=found.address, port=found.port) if found else None,
            turn=self._opened(relay) if relay else None,
        )

    def stun_urls(self) -> list[str]:
        """For web clients (SYS-167)."""
        found = self._lookup.client_stun_servers(self._location())
        return [f"stun:{_host(one.address)}:{one.port}" for one in found]

    def turn_of_clients(self) -> list[dict[str, object]]:
        """For web clients, with credentials: as the client API tells them."""
        told: list[dict[str, object]] = []
        for row in self._lookup.client_turn_servers(self._location()):
            server = self._opened(row)
            if server is None:
                continue
            scheme, transport = ("turns", "tcp") if row.transport_type == "tls" else ("turn", row.transport_type)
            urls = [f"{scheme}:{_host(server.address)}:{server.port}?transport={transport}"]
            told.append({"urls": urls, "username": server.username, "credential": server.password})
        return told

    def _opened(self, row: TurnRow) -> TurnServer | None:
        """With its credentials; None where they cannot be opened."""
        try:
            if row.server_type == "coturn_shared":
                secret = sealing.unseal(f"{_TABLE}.secret_key", row.secret_key) if row.secret_key else ""
                username, password = timed_credentials(secret, self._clock())
            else:
                username = row.username
                password = sealing.unseal(f"{_TABLE}.password", row.password) if row.password else ""
        except sealing.Locked as problem:
            logger.warning("Credentials of a TURN server cannot be opened", server=row.address, problem=str(problem))
            return None
        return TurnServer(address=row.address, port=row.port or DEFAULT_PORT, username=username, password=password)


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address
