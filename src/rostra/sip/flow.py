"""Where messages come from and go to."""

from __future__ import annotations

import dataclasses
import enum


class Transport(enum.StrEnum):
    UDP = "UDP"
    TCP = "TCP"
    TLS = "TLS"

    @property
    def reliable(self) -> bool:
        return self is not Transport.UDP

    @property
    def default_port(self) -> int:
        return 5061 if self is Transport.TLS else 5060


@dataclasses.dataclass(frozen=True, slots=True)
class Flow:
    """A pair of addresses on a transport; on streams, one connection (RFC 5626 calls it so)."""

    transport: Transport
    remote: tuple[str, int]
    local: tuple[str, int]
    connection: int = 0
    """Number the driver gave the connection; 0 on a stream: connect to `remote`."""
    name: str = dataclasses.field(default="", compare=False)
    """Whom we expect to find there: what its certificate has to be valid for. Empty: `remote`'s address."""
    sent_by: tuple[str, int | None] | None = dataclasses.field(default=None, compare=False)
    """Of a response: host name and port to look up when `remote` cannot be reached (RFC 3263 5)."""


def host_text(address: str) -> str:
    """An address as it stands in URIs and Via: IPv6 in brackets."""
    return f"[{address}]" if ":" in address else address
