"""Calls the platform places: what is asked for, when those called automatically are called, tones, reasons. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

import msgspec

from rostra.domain.ending import KeepAlive
from rostra.domain.sipheaders import Headers
from rostra.domain.vocabulary import CallProtocol, Role, ServiceType

FIRST_TONE = 3.0
"""Seconds from the answer to the first tone (CONF-106)."""
STEP = 0.5
"""Seconds a tone takes with the silence behind it."""
PAUSE = 2.0
"""Seconds of a comma."""
RINGING = 30.0
"""Seconds a called party has to answer (API-059)."""

REJECTED = "Call rejected"
NO_ANSWER = "No answer"
NOT_REACHED = "Destination cannot be reached"

_SEQUENCE = re.compile(r"[0-9*#,]*")
_RTMP = re.compile(r"rtmps?://[^/\s]+/\S+", re.IGNORECASE)
_REASONS = {
    403: "Call rejected",
    404: "Called party not found",
    408: NO_ANSWER,
    410: "Called party not found",
    480: "Called party not available",
    484: "Called party not found",
    486: "Called party busy",
    487: "Call cancelled",
    488: "No common media",
    503: NOT_REACHED,
    600: "Called party busy",
    603: REJECTED,
    604: "Called party not found",
    606: "No common media",
}
_BEGUN = frozenset({ServiceType.CONFERENCE, ServiceType.LECTURE, ServiceType.WAITING_ROOM})
"""Who is there has begun the conference: it gave its PIN, or needs none (CONF-097)."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody is to be called from a conference (CONF sheet, dial-out request; API section 12)."""

    destination: str
    protocol: CallProtocol | None = CallProtocol.SIP
    """None: by Call Routing Rules."""
    role: Role = Role.GUEST
    call_type: str = "video"
    """Most media of the call."""
    display_name: str = ""
    """For rosters; empty: the destination."""
    overlay_text: str = ""
    keep_alive: KeepAlive = KeepAlive.YES
    streaming: bool = False
    presentation_url: str = ""
    dtmf_sequence: str = ""
    source_alias: str = ""
    """Alias of the service that the called party is shown; empty: its first."""
    source_name: str = ""
    location: int = 0
    """Location that places the call, or stands for it in rules; 0: any."""
    automatic: int = 0
    """Number of the configured participant that is called when a conference starts; 0: it is none."""
    headers: Headers = ()
    """More for the request of a SIP call."""
    hops: int = 70
    """How often the call may still be passed on."""


class Here(msgspec.Struct, frozen=True, kw_only=True):
    """One of a roster, as far as automatic calls depend on it."""

    uuid: str
    node: str
    since: float
    where: ServiceType
    alias: str = ""
    automatic: int = 0
    fork: str = ""


def tones(sequence: str) -> list[tuple[float, str]]:
    """When, in seconds after the answer, which tone is sent (CONF-106)."""
    found: list[tuple[float, str]] = []
    at = FIRST_TONE
    for key in sequence:
        if key == ",":
            at += PAUSE
            continue
        found.append((at, key))
        at += STEP
    return found


def is_sequence(text: str) -> bool:
    """May it be sent after the answer?"""
    return _SEQUENCE.fullmatch(text) is not None


def problem(wanted: Wanted) -> str:
    """Why a request makes no sense, or nothing."""
    if not wanted.destination.strip() or any(not c.isprintable() for c in wanted.destination):
        return "Invalid destination"
    if not is_sequence(wanted.dtmf_sequence):
        return "Invalid DTMF sequence"
    if wanted.protocol is CallProtocol.RTMP and not _RTMP.fullmatch(wanted.destination):
        return "Invalid destination"
    if wanted.presentation_url and not _RTMP.fullmatch(wanted.presentation_url):
        return "Invalid presentation URL"
    return ""


def shown_name(wanted: Wanted) -> str:
    """Name in rosters: that given, for a stream the host it goes to (CONF-126), else the address (CONF-081)."""
    if wanted.display_name:
        return wanted.display_name
    if wanted.destination.lower().startswith(("rtmp://", "rtmps://")):
        return wanted.destination.partition("://")[2].partition("/")[0].rpartition("@")[2].partition(":")[0]
    return plain_alias(wanted.destination)


def loggable(address: str) -> str:
    """An address without what must not be in a log: whoever has the path of a stream can send to it too."""
    scheme, found, rest = address.partition("://")
    if not found or scheme.lower() not in ("rtmp", "rtmps"):
        return address
    return f"{scheme}://{rest.partition('/')[0].rpartition('@')[2]}/…"


def plain_alias(address: str) -> str:
    """An address as rosters have it: without the scheme of SIP and H.323, and without parameters."""
    scheme, colon, rest = address.partition(":")
    if colon and scheme.lower() in ("sip", "sips", "h323"):
        return rest.partition(";")[0]
    return address


def reason(status: int) -> str:
    """Why a called party is not there, by the status that SIP has for it; 0: it hung up."""
    return _REASONS.get(status, REJECTED if status else "Call disconnected")


def starts(roster: Iterable[Here]) -> Here | None:
    """Whose coming begins the conference, so that its automatic participants are called, by that one's node.

    Who is asked for a PIN does not count, who waits for a Host does (CONF-097); who is still being called neither.
    """
    begun = [one for one in roster if one.where in _BEGUN]
    return min(begun, key=lambda one: (one.since, one.uuid), default=None)


def to_call(automatic: Sequence[Wanted], roster: Collection[Here]) -> list[Wanted]:
    """Those of a service who are not in the conference yet (CONF-098)."""
    numbers = {one.automatic for one in roster if one.automatic}
    aliases = {plain_alias(one.alias).casefold() for one in roster if one.alias}
    found: list[Wanted] = []
    for wanted in automatic:
        alias = plain_alias(wanted.destination).casefold()
        if wanted.automatic not in numbers and alias not in aliases:
            found.append(wanted)
            aliases.add(alias)
    return found


def superfluous(roster: Iterable[Here], node: str) -> list[str]:
    """Of those called automatically, twice because two nodes knew nothing of each other: the later ones of `node`.

    Who is in the conference stays rather than who is still called.
    """
    first: dict[int, Here] = {}
    automatic = [one for one in roster if one.automatic]
    for one in automatic:
        first[one.automatic] = min(first.get(one.automatic, one), one, key=_order)
    return [one.uuid for one in automatic if one.node == node and not _together(one, first[one.automatic])]


def outrun(roster: Iterable[Here], node: str) -> list[str]:
    """Of several devices that were called at once, those of `node` that another one has outrun by answering (CONF-025).

    Should two have answered at once, all nodes keep the same one.
    """
    winners: dict[str, Here] = {}
    forked = [one for one in roster if one.fork]
    for one in forked:
        if one.where is not ServiceType.CONNECTING:
            winners[one.fork] = min(winners.get(one.fork, one), one, key=_order)
    return [
        one.uuid for one in forked if one.node == node and one.fork in winners and winners[one.fork].uuid != one.uuid
    ]


def _together(one: Here, other: Here) -> bool:
    """They are one, or called as one."""
    return one.uuid == other.uuid or bool(one.fork and one.fork == other.fork)


def _order(one: Here) -> tuple[bool, float, str]:
    return one.where is ServiceType.CONNECTING, one.since, one.uuid
