"""Which licence a call takes, and when there is none for it (SYS-182...SYS-198, sheet 02 open points 14-17). Pure.

Rostra itself needs no licence: without any the built-in `FREE` one holds, and nothing is counted. What follows is
for platforms whose owner limits them with licences of his own.
"""

from __future__ import annotations

import datetime
import enum
from collections.abc import Iterable, Mapping, Sequence

import msgspec

GRACE = 14 * 24 * 3600.0
"""Seconds for which calls are permitted without the Management Node, which alone counts licences."""
EXPIRING = 60 * 24 * 3600.0
"""Seconds before the end of a licence from which on administrators are warned (DIAG-106)."""
PACIFIC = datetime.timezone(datetime.timedelta(hours=-8))
"""PST the whole year: first days of licences begin by it (SYS-198)."""


class LicenceKind(enum.StrEnum):
    """What is counted (SYS-184)."""

    PORT = "port"
    """Calls with video or a shared screen; also good for those without."""
    AUDIO = "audio"
    """Calls without."""


class Shortage(enum.StrEnum):
    """Why there is no licence for a call; the two are told apart (SYS-196)."""

    INSUFFICIENT = "insufficient"
    """All valid licences are in use."""
    INVALID = "invalid"
    """There are licences, but none of them is valid."""


class LicenceState(enum.StrEnum):
    """What a licence is good for now."""

    ACTIVE = "active"
    NOT_STARTED = "not_started"
    EXPIRED = "expired"
    CORRUPT = "corrupt"
    """Its signature does not hold any more, or it was issued to another deployment."""


class Licence(msgspec.Struct, frozen=True, kw_only=True):
    """What the platform may do, as a node has to know it."""

    limit: int | None = None
    """Concurrent calls; None: as many as there are, and nothing to be counted."""


FREE = Licence()
"""The built-in one."""


def permitted(licence: Licence, silent: float) -> bool:
    """May a node take a call that has not heard of the Management Node for `silent` seconds (PLAT-019, SYS-194)?

    A licence with a limit is assumed to have room for the time of grace; one without needs nobody's word.
    """
    return licence.limit is None or silent < GRACE


# ---- licences and the pool they make


class LicenceTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What one licence says."""

    id: str
    kind: LicenceKind = LicenceKind.PORT
    concurrent: int = 0
    """Calls at the same time."""
    overdraft: int = 0
    """Calls beyond them that are tolerated (SYS-197)."""
    start: datetime.date | None = None
    """First day; None: always began."""
    end: datetime.date | None = None
    """Last day; None: never ends."""
    intact: bool = True
    """Signed by somebody trusted, and for this deployment."""


def begins(day: datetime.date) -> float:
    """The Unix second at which a licence of this first day becomes valid: midnight PST (SYS-198)."""
    return datetime.datetime.combine(day, datetime.time(), PACIFIC).timestamp()


def ends(day: datetime.date) -> float:
    """The first Unix second at which a licence of this last day is not valid any more (SYS-198, UTC)."""
    return datetime.datetime.combine(day, datetime.time(), datetime.UTC).timestamp() + 24 * 3600.0


def state(terms: LicenceTerms, now: float) -> LicenceState:
    """What a licence is good for at `now`, in Unix seconds."""
    if not terms.intact:
        return LicenceState.CORRUPT
    if terms.start is not None and now < begins(terms.start):
        return LicenceState.NOT_STARTED
    if terms.end is not None and now >= ends(terms.end):
        return LicenceState.EXPIRED
    return LicenceState.ACTIVE


def expiring(licences: Iterable[LicenceTerms], now: float) -> list[LicenceTerms]:
    """Those that are active and end soon, or have ended (DIAG-106)."""
    due = [one for one in licences if one.end is not None and ends(one.end) - now <= EXPIRING]
    return [one for one in due if state(one, now) in (LicenceState.ACTIVE, LicenceState.EXPIRED)]


class Pool(msgspec.Struct, frozen=True, kw_only=True):
    """All licences of the platform together (PLAT-015)."""

    counted: bool = False
    """There are licences; else the free one holds."""
    valid: bool = False
    """At least one is active."""
    port: int = 0
    audio: int = 0
    """Purchased concurrent calls."""
    port_overdraft: int = 0
    audio_overdraft: int = 0

    def limit(self, kind: LicenceKind) -> int:
        """Calls of a kind that are let in: what was purchased and what is tolerated beyond it."""
        if kind is LicenceKind.PORT:
            return self.port + self.port_overdraft
        return self.audio + self.audio_overdraft

    @property
    def licence(self) -> Licence:
        """As nodes have to know it."""
        return Licence(limit=sum(map(self.limit, LicenceKind))) if self.counted else FREE


def pool(licences: Iterable[LicenceTerms], now: float) -> Pool:
    """What the given licences make at `now`: the active ones add up, the others only show that calls are counted."""
    given = list(licences)
    active = [one for one in given if state(one, now) is LicenceState.ACTIVE]

    def total(member: str, kind: LicenceKind) -> int:
        return sum(max(0, getattr(one, member)) for one in active if one.kind is kind)

    return Pool(
        counted=bool(given),
        valid=bool(active),
        port=total("concurrent", LicenceKind.PORT),
        audio=total("concurrent", LicenceKind.AUDIO),
        port_overdraft=total("overdraft", LicenceKind.PORT),
        audio_overdraft=total("overdraft", LicenceKind.AUDIO),
    )


# ---- what a call needs and gets


class Media(msgspec.Struct, frozen=True, kw_only=True):
    """What one leg sends or receives."""

    audio: bool = False
    video: bool = False
    """Video of any quality, a shared screen or full-motion presentation (SYS-186, SYS-190)."""
    slides: bool = False
    """Pictures only."""
    office: bool = False
    """A Skype for Business endpoint connected to a room (SYS-191)."""


def need(media: Media) -> LicenceKind | None:
    """The licence a leg needs; None for one that only controls the conference or shows slides (SYS-186...SYS-191)."""
    if media.video:
        return LicenceKind.PORT
    if media.audio or (media.office and media.slides):
        return LicenceKind.AUDIO
    return None


Used = Mapping[LicenceKind, int]


def choose(pool: Pool, used: Used, wanted: LicenceKind) -> LicenceKind | Shortage:
    """The licence for one leg (SYS-187); AUDIO for one that wants a PORT: it goes on without video (SYS-188)."""
    if not pool.counted:
        return LicenceKind.PORT
    if not pool.valid:
        return Shortage.INVALID
    order = (LicenceKind.AUDIO, LicenceKind.PORT) if wanted is LicenceKind.AUDIO else tuple(LicenceKind)
    for kind in order:
        if used.get(kind, 0) < pool.limit(kind):
            return kind
    return Shortage.INSUFFICIENT


def choose_all(pool: Pool, used: Used, wanted: Sequence[LicenceKind]) -> tuple[LicenceKind, ...] | Shortage:
    """Licences for all legs of a call, two for a gateway call, or for none of them (SYS-192)."""
    taken = {kind: used.get(kind, 0) for kind in LicenceKind}
    found: list[LicenceKind] = []
    for one in wanted:
        kind = choose(pool, taken, one)
        if isinstance(kind, Shortage):
            return kind
        taken[kind] += 1
        found.append(kind)
    return tuple(found)
