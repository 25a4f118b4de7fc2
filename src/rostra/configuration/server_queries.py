"""What a node asks of its local database about STUN and TURN servers."""

from __future__ import annotations

import abc
from typing import Any

import msgspec

_TURN = "server.id, server.address, server.port, server.server_type, server.transport_type, server.username, " \
    "server.password, server.secret_key"  # fmt: skip


class TurnRow(msgspec.Struct, frozen=True):
    """A TURN server; password and shared secret sealed. Fields of `turn_server`."""

    id: int
    address: str
    port: int | None
    server_type: str
    transport_type: str
    username: str
    password: str
    secret_key: str


class StunRow(msgspec.Struct, frozen=True):
    """Fields of `stun_server`."""

    id: int
    address: str
    port: int


class ServerQueries(abc.ABC):
    """Part of `queries.Lookup`."""

    @abc.abstractmethod
    def _rows(self, statement: str, *parameters: Any) -> list[Any]: ...

    def servers_of_location(self, location: int) -> tuple[int | None, int | None]:
        """The STUN and the TURN server that its nodes use, by id."""
        return self._chosen("configuration_systemlocation", location)

    def servers_of_rule(self, rule: int) -> tuple[int | None, int | None]:
        """Those that a Call Routing Rule names."""
        return self._chosen("configuration_gatewayroutingrule", rule)

    def _chosen(self, table: str, key: int) -> tuple[int | None, int | None]:
        statement = f"SELECT stun_server_id, turn_server_id FROM {table} WHERE id = ?"  # noqa: S608 - names of our own
        return next(((row[0], row[1]) for row in self._rows(statement, key)), (None, None))

    def turn_server(self, key: int) -> TurnRow | None:
        found = self._rows(f"SELECT {_TURN} FROM configuration_turnserver AS server WHERE id = ?", key)  # noqa: S608
        return TurnRow(*found[0]) if found else None

    def stun_server(self, key: int) -> StunRow | None:
        found = self._rows("SELECT id, address, port FROM configuration_stunserver WHERE id = ?", key)
        return StunRow(*found[0]) if found else None

    def client_stun_servers(self, location: int) -> list[StunRow]:
        """What web clients of a location are told (SYS-167)."""
        statement = (
            "SELECT server.id, server.address, server.port "
            "FROM configuration_systemlocation_client_stun_servers AS link "
            "JOIN configuration_stunserver AS server ON server.id = link.stunserver_id "
            "WHERE link.systemlocation_id = ? ORDER BY link.id"
        )
        return [StunRow(*row) for row in self._rows(statement, location)]

    def client_turn_servers(self, location: int) -> list[TurnRow]:
        statement = (
            f"SELECT {_TURN} FROM configuration_systemlocation_client_turn_servers AS link "  # noqa: S608
            "JOIN configuration_turnserver AS server ON server.id = link.turnserver_id "
            "WHERE link.systemlocation_id = ? ORDER BY link.id"
        )
        return [TurnRow(*row) for row in self._rows(statement, location)]
