"""What a caller hears at each station of its way into a conference (REF-029…REF-033, REF-043…REF-045). Pure."""

from __future__ import annotations

import enum

import msgspec

from rostra.domain import theme
from rostra.domain.vocabulary import Role, ServiceType


class Refused(msgspec.Struct, frozen=True):
    """A refusal that is shown and told to those who cannot read an answer (REF-043…REF-045)."""

    image: str
    sounds: tuple[str, ...]


REFUSALS = {
    ServiceType.INSUFFICIENT_CAPACITY: Refused(
        theme.CAPACITY_EXCEEDED_IMAGE, (theme.CAPACITY_EXCEEDED, theme.WILL_DISCONNECT)
    ),
    ServiceType.INSUFFICIENT_LICENSES: Refused(
        theme.INSUFFICIENT_LICENSE_IMAGE, (theme.INSUFFICIENT_LICENSES, theme.WILL_DISCONNECT)
    ),
    ServiceType.INVALID_LICENSE: Refused(theme.INVALID_LICENSE_IMAGE, (theme.INVALID_LICENSE, theme.WILL_DISCONNECT)),
}


class Station(enum.Enum):
    """Where somebody with media is, as far as prompts differ."""

    PIN = enum.auto()
    RECEPTION = enum.auto()
    WAITING = enum.auto()
    INSIDE = enum.auto()
    TEST = enum.auto()
    REFUSED = enum.auto()
    NOWHERE = enum.auto()


_STATIONS = {
    ServiceType.WAITING_ROOM: Station.WAITING,
    ServiceType.CONFERENCE: Station.INSIDE,
    ServiceType.LECTURE: Station.INSIDE,
    ServiceType.TEST_CALL: Station.TEST,
    **dict.fromkeys(REFUSALS, Station.REFUSED),
}


def station(where: ServiceType, *, reception: bool) -> Station:
    """`reception`: the service is a Virtual Reception."""
    if where is ServiceType.IVR:
        return Station.RECEPTION if reception else Station.PIN
    return _STATIONS.get(where, Station.NOWHERE)


def ask_pin(host_pin: str) -> str:
    """The prompt at the PIN screen (CONF-053, REF-029)."""
    return theme.ASK_PIN_POUND if host_pin.endswith("#") else theme.ASK_PIN


def waiting(host_pin: str, *, may_key: bool) -> str:
    """The prompt in the waiting room; `may_key`: the Host PIN may be keyed there (REF-031, REF-032)."""
    if not may_key:
        return theme.WAIT_FOR_HOST
    return theme.WAIT_OR_PIN_POUND if host_pin.endswith("#") else theme.WAIT_OR_PIN


def welcome(*, alone: bool) -> tuple[str, ...]:
    """On admission (REF-033)."""
    return (theme.WELCOME, theme.ALONE) if alone else (theme.WELCOME,)


def waits_for_host(role: Role, where: ServiceType) -> bool:
    """Is it in the waiting room as a Guest?"""
    return where is ServiceType.WAITING_ROOM and role is Role.GUEST
