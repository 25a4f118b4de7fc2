"""Registrations of devices: which alias may register, for how long, and what the directory says (CONF-011…CONF-037).

Pure. Times are seconds; an alias is compared without regard to case, credentials exactly.
"""

from __future__ import annotations

import enum
import hmac
from collections.abc import Iterable, Sequence

import msgspec

from rostra.domain.vocabulary import CallProtocol

REFRESHES = 20.0
"""Refreshes a second that a node is meant to see at most: what the adaptive strategy steers by."""
CLIENT_LIFETIME = 120.0
"""Seconds between refreshes of a client of the client API; no setting changes it (CONF-022)."""
MAX_HELD = 100_000
"""Registrations of a node, by whatever protocol; further ones are refused."""
DIRECTORY_LIMIT = 5
"""Entries of the directory that are aliases of services, and as many of devices (CONF-035)."""
EXPIRED = "Registration expired"
RELEASED = "Registration removed by device"
LOST = "Connection lost"
NOT_PERMITTED = "Registration not permitted any more"
SHUTDOWN = "Signaling node disconnected"


class RegistrarSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of the registrar (`registration` of the management API), in its names."""

    enable: bool = True
    refresh_strategy: str = "adaptive"
    """`adaptive` or `maximum`, which people know as Basic."""
    adaptive_min_refresh: int = 60
    adaptive_max_refresh: int = 3600
    maximum_min_refresh: int = 60
    maximum_max_refresh: int = 300
    natted_min_refresh: int = 60
    natted_max_refresh: int = 90
    route_via_registrar: bool = True


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """An alias that may register; without a name nothing is asked for (CONF-014)."""

    alias: str
    username: str = ""
    password: str = ""
    protocols: frozenset[CallProtocol] = frozenset({CallProtocol.SIP, CallProtocol.H323, CallProtocol.WEBRTC})
    """By which it may register."""

    def __repr__(self) -> str:
        return f"Device({self.alias!r})"

    @property
    def challenged(self) -> bool:
        return bool(self.username or self.password)


class Refused(enum.Enum):
    """Why an alias may not register. The value is for logs: devices must not learn which aliases there are."""

    DISABLED = "Registrar disabled"
    UNKNOWN = "Unknown alias"
    PROTOCOL = "Protocol not permitted for this alias"
    CREDENTIALS = "Authorisation failed"


def admit(settings: RegistrarSettings, device: Device | None, protocol: CallProtocol) -> Refused | None:
    """Why the alias of `device` may not register; None: it may, credentials aside (CONF-012, CONF-013)."""
    if not settings.enable:
        return Refused.DISABLED
    if device is None:
        return Refused.UNKNOWN
    return None if protocol in device.protocols else Refused.PROTOCOL


def fits(device: Device, username: str, password: str) -> bool:
    """Credentials given in clear are those of the device; always true where it has none (CONF-014)."""
    if not device.challenged:
        return True
    name = hmac.compare_digest(device.username.encode(), username.encode())
    return hmac.compare_digest(device.password.encode(), password.encode()) and name


class TooBrief(Exception):
    """A registration is asked for that is shorter than the least (423)."""

    def __init__(self, minimum: int) -> None:
        super().__init__(f"at least {minimum} s")
        self.minimum = minimum


def bounds(settings: RegistrarSettings, natted: bool) -> tuple[int, int]:
    """Shortest and longest registration (CONF-018 to CONF-020); a lowest that is above the highest gives way."""
    if natted:
        low, high = settings.natted_min_refresh, settings.natted_max_refresh
    elif settings.refresh_strategy == "adaptive":
        low, high = settings.adaptive_min_refresh, settings.adaptive_max_refresh
    else:
        low, high = settings.maximum_min_refresh, settings.maximum_max_refresh
    return min(low, high), high


def granted(settings: RegistrarSettings, requested: int | None, *, held: int, natted: bool) -> int:
    """Seconds a registration lasts that is asked for with `requested` (None: as long as we like). Raises TooBrief.

    `held`: registrations of this node. Basic gives what is asked for, within its bounds. Adaptive gives no more than
    keeps all refreshes together at `REFRESHES` a second, so a quiet node notices soon what has gone, and a busy one
    is not drowned.
    """
    low, high = bounds(settings, natted)
    if requested is not None and requested < low:
        raise TooBrief(low)
    most = high
    if settings.refresh_strategy == "adaptive" and not natted:
        most = min(high, max(low, int(held / REFRESHES)))
    return most if requested is None else min(requested, most)


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A registration as others know it."""

    id: str
    alias: str
    protocol: CallProtocol
    """By which it is called, whatever was asked for (CONF-024)."""
    node: str = ""
    """Fabric id of the node that holds it, and signals calls to it."""
    instance: str = ""
    """The device, where it may have registered several ways to itself (RFC 5626): it is called by one of them."""


def once_each(found: Iterable[Held]) -> list[Held]:
    """Without further ways to the same device: the last one of each stays, in the place of the first."""
    kept: dict[tuple[str, str], Held] = {}
    for one in found:
        kept[one.alias.casefold(), one.instance or one.id] = one
    return list(kept.values())


class Entry(msgspec.Struct, frozen=True):
    """One line of the directory."""

    alias: str
    description: str = ""
    username: str = ""


def directory(
    services: Sequence[Entry], devices: Sequence[Entry], given: Sequence[Entry] = (), *, only_given: bool = False
) -> list[Entry]:
    """What a search shows: what policy says, then services, then devices, each alias once (CONF-035, POL-070)."""
    own: Iterable[Entry] = () if only_given else (*services[:DIRECTORY_LIMIT], *devices[:DIRECTORY_LIMIT])
    found: dict[str, Entry] = {}
    for entry in (*given[: 2 * DIRECTORY_LIMIT], *own):
        if entry.alias:
            found.setdefault(entry.alias.casefold(), entry)
    return list(found.values())
