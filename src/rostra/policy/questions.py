"""What a policy server is asked: paths and parameters by type (section 3 of the sheet). Pure.

The parameters are those of version 14; of the later ones, those that have something to say.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from urllib.parse import quote, urlencode

import msgspec

from rostra.domain.vocabulary import CallDirection, CallProtocol, Role

LIMIT = 10
"""Entries a directory search asks for at most."""
_LITERAL = "@:!$&'()*+,;="
"""Left as they are in a path (POL-039)."""
_DOTS = frozenset({".", ".."})
_IDENTITY = "P-Asserted-Identity"
_SUBNET = "ms-subnet"


class Kind(enum.StrEnum):
    """Types of requests; values are their paths under the profile's address."""

    SERVICE = "/policy/v1/service/configuration"
    PARTICIPANT = "/policy/v1/participant/properties"
    LOCATION = "/policy/v1/participant/location"
    AVATAR = "/policy/v1/participant/avatar"
    DIRECTORY = "/policy/v1/registrations"
    REGISTRATION = "/policy/v1/registrations/"


class Trigger(enum.StrEnum):
    """Why it is asked (POL-035)."""

    WEB = "web"
    WEB_AVATAR_FETCH = "web_avatar_fetch"
    INVITE = "invite"
    OPTIONS = "options"
    SUBSCRIBE = "subscribe"
    SETUP = "setup"
    ARQ = "arq"
    LRQ = "lrq"
    TWO_STAGE_DIALING = "two_stage_dialing"
    UNSPECIFIED = "unspecified"


class Direction(enum.StrEnum):
    """POL-036."""

    DIAL_IN = "dial_in"
    DIAL_OUT = "dial_out"
    NON_DIAL = "non_dial"


DIRECTIONS = {CallDirection.IN: Direction.DIAL_IN, CallDirection.OUT: Direction.DIAL_OUT}


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """The node that asks."""

    location: str
    """Name of its system location."""
    address: str
    version: str
    build: str

    def parameters(self) -> dict[str, str]:
        return {
            "location": self.location,
            "node_ip": self.address,
            "version_id": self.version,
            "pseudo_version_id": self.build,
        }


class CallFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A call, or a question about an alias, as signalling has it."""

    local_alias: str
    """As dialled, with scheme and domain where there were any (POL-037)."""
    protocol: CallProtocol
    direction: Direction = Direction.DIAL_IN
    trigger: Trigger = Trigger.UNSPECIFIED
    remote_alias: str = ""
    remote_display_name: str = ""
    remote_address: str = ""
    remote_port: int = 0
    vendor: str = ""
    registered: bool = False
    bandwidth: int = 0
    """kbit/s asked for; 0: it did not say."""
    call_tag: str = ""
    previous_service: str = ""
    """The service it comes from by a transfer."""
    asserted_identity: str | None = None
    """The header as received; None: there was none."""
    subnet: str | None = None
    """The header `ms-subnet` as received."""
    hops: int = 70
    """How often the call may still be passed on, and through which gateways it has come (`domain.gateway`): policy is
    not told."""
    trail: tuple[str, ...] = ()

    def members(self) -> dict[str, str | int | bool]:
        """By the names of the sheet."""
        found: dict[str, str | int | bool] = {
            "bandwidth": self.bandwidth,
            "call_direction": self.direction.value,
            "local_alias": self.local_alias,
            "protocol": self.protocol.value,
            "registered": self.registered,
            "remote_address": self.remote_address,
            "remote_alias": self.remote_alias,
            "remote_display_name": self.remote_display_name,
            "remote_port": self.remote_port,
            "trigger": self.trigger.value,
            "vendor": self.vendor,
        }
        if self.call_tag:
            found["call_tag"] = self.call_tag
        if self.previous_service:
            found["previous_service_name"] = self.previous_service
        return found

    def parameters(self) -> dict[str, str]:
        headers = {_IDENTITY: self.asserted_identity, _SUBNET: self.subnet}
        return {name: _text(value) for name, value in self.members().items()} | {
            name: value for name, value in headers.items() if value is not None
        }


class ServiceFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The service that a call has come to, or comes from."""

    name: str
    tag: str = ""
    unique_name: str = ""
    """Of gateway calls; else empty, as it is the name (POL-038)."""

    def parameters(self) -> dict[str, str]:
        return {
            "service_name": self.name,
            "service_tag": self.tag,
            "unique_service_name": self.unique_name or self.name,
        }


class PersonFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The participant that is about to join."""

    uuid: str = ""
    call: str = ""
    type: str = "standard"
    """`standard`, `api` or `api_host` (POL-041)."""
    role: Role = Role.UNKNOWN
    """UNKNOWN: nothing is decided yet."""

    @property
    def preauthenticated(self) -> str | None:
        return None if self.role is Role.UNKNOWN else self.role.value

    def parameters(self) -> dict[str, str]:
        return {
            "bypass_lock": "False",
            "call_uuid": self.call,
            "participant_type": self.type,
            "participant_uuid": self.uuid,
            "preauthenticated_role": self.preauthenticated or "",
            "receive_from_audio_mix": "main",
            "send_to_audio_mixes_mix_name": "main",
            "send_to_audio_mixes_prominent": "False",
        }


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One request."""

    kind: Kind
    parameters: Mapping[str, str]
    alias: str | None = None
    """The part of the path behind that of its kind."""

    @property
    def path(self) -> str:
        base = self.kind.value.rstrip("/")
        return base if self.alias is None else f"{base}/{escaped(self.alias)}"

    def address(self, url: str) -> str:
        """The whole address under that of the profile (POL-008)."""
        return f"{url.rstrip('/')}{self.path}?{urlencode(self.parameters, quote_via=quote)}"


def service(node: Asking, call: CallFacts, calling: ServiceFacts | None = None) -> Question:
    """`calling`: the service that places the call."""
    more = calling.parameters() if calling is not None else {}
    return Question(kind=Kind.SERVICE, parameters=node.parameters() | call.parameters() | more)


def participant(node: Asking, call: CallFacts, of: ServiceFacts, person: PersonFacts) -> Question:
    everything = node.parameters() | call.parameters() | of.parameters() | person.parameters()
    return Question(kind=Kind.PARTICIPANT, parameters=everything)


def location(node: Asking, call: CallFacts, of: ServiceFacts) -> Question:
    return Question(kind=Kind.LOCATION, parameters=node.parameters() | call.parameters() | of.parameters())


def avatar(
    node: Asking, alias: str, width: int, height: int, call: CallFacts, of: ServiceFacts, role: Role
) -> Question:
    """The picture of a participant (POL-065)."""
    size = {"width": str(width), "height": str(height), "role": role.value}
    everything = node.parameters() | call.parameters() | of.parameters() | size
    return Question(kind=Kind.AVATAR, parameters=everything, alias=alias)


def contact_avatar(node: Asking, alias: str, width: int, height: int, *, registered: bool = True) -> Question:
    """The picture of an entry of the phone book."""
    more = {"width": str(width), "height": str(height), "registered": _text(registered)}
    return Question(kind=Kind.AVATAR, parameters=node.parameters() | more, alias=alias)


def directory(node: Asking, searched: str, registration: str, call_tag: str = "") -> Question:
    """What somebody registered as `registration` typed."""
    more = {"q": searched, "registration_alias": registration, "limit": str(LIMIT)}
    if call_tag:
        more["call_tag"] = call_tag
    return Question(kind=Kind.DIRECTORY, parameters=node.parameters() | more)


def registration(node: Asking, alias: str, protocol: CallProtocol, remote_address: str) -> Question:
    more = {"protocol": protocol.value, "remote_address": remote_address}
    return Question(kind=Kind.REGISTRATION, parameters=node.parameters() | more, alias=alias)


def escaped(alias: str) -> str:
    """An alias as one part of a path (POL-039)."""
    if alias in _DOTS:  # else it would lead elsewhere
        return alias.replace(".", "%2E")
    return quote(alias, safe=_LITERAL)


def _text(value: str | int | bool) -> str:
    return str(value)
