"""Who is who in the configuration: fabric ids and numbers to the names and addresses that people know."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from rostra.configuration.models import SystemLocation, WorkerVM
from rostra.fabric.membership import node_name

KILO = 1000
"""bit/s of our messages in a kbps of the management API."""

_PROTOCOLS = {
    "api": "API",
    "webrtc": "WebRTC",
    "sip": "SIP",
    "h323": "H323",
    "mssip": "MSSIP",
    "rtmp": "RTMP",
}


def protocol(value: str) -> str:
    """The management API's word for a `domain.vocabulary.CallProtocol`."""
    return _PROTOCOLS.get(value, value)


def licence(has_media: bool, count: int, kind: str) -> tuple[int, str]:
    """Licences a participant takes, and which: none without media (DIAG-040, DIAG-041)."""
    return (count, kind) if has_media else (0, "nolicense")


@dataclasses.dataclass(frozen=True, slots=True)
class Node:
    """A configured Conferencing Node."""

    id: int
    name: str
    address: str
    secondary_address: str
    location: int
    node_type: str
    maintenance_mode: bool
    maintenance_mode_reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class Directory:
    """The configured nodes by fabric id and the names of locations, at one moment."""

    nodes: Mapping[str, Node]
    locations: Mapping[int, str]

    @classmethod
    def load(cls) -> Directory:
        """Read both tables."""
        nodes = {
            node_name(row.pk): Node(
                row.pk,
                row.name,
                row.address,
                row.secondary_address or "",
                row.system_location_id,  # type: ignore[attr-defined] - Django makes it
                row.node_type,
                row.maintenance_mode,
                row.maintenance_mode_reason,
            )
            for row in WorkerVM.objects.all()
        }
        return cls(nodes, dict(SystemLocation.objects.values_list("pk", "name")))

    def address(self, node: str) -> str:
        """IP address of a node; its fabric id when it is not configured (any more)."""
        found = self.nodes.get(node)
        return found.address if found else node

    def name(self, node: str) -> str:
        found = self.nodes.get(node)
        return found.name if found else node

    def location(self, number: int) -> str:
        return self.locations.get(number, "")

    def location_of(self, node: str) -> str:
        found = self.nodes.get(node)
        return self.location(found.location) if found else ""
