"""Who is seen by whom, and in which place (CONF-082 to CONF-096, SVC-039 to SVC-043). Pure."""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable, Sequence

import msgspec

from rostra.domain.layouts import ONE_MAIN, Cell, Family, scaled
from rostra.domain.look import Style
from rostra.domain.scene import SCENE_HEIGHT
from rostra.domain.vocabulary import Role


class Performer(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody with video, whose place in a picture is to be found."""

    participant: str
    source: str
    """Id of the leg that brings the picture; empty: it is not to be shown."""
    name: str = ""
    role: Role = Role.HOST
    has_picture: bool = True
    """False: there is nothing to see of it now, but a place (CONF-071)."""
    frozen: bool = False
    """On hold: its last picture is shown, without colours (CONF-072)."""
    spotlight: float = 0.0
    """Since when it is in the spotlight; 0: it is not."""


class Audience(enum.Enum):
    """Those who see the same of a conference, but for themselves."""

    ALL = enum.auto()
    """Everybody sees everybody: a meeting room, or an auditorium whose Hosts have left."""
    HOSTS = enum.auto()
    """Hosts of an auditorium: Hosts come first (SVC-041)."""
    GUESTS = enum.auto()
    """Guests of an auditorium: Hosts only (SVC-040)."""


def audience_of(role: Role, *, lecture: bool, hosts_present: bool, guests_see_guests: str = "no_hosts") -> Audience:
    """Which one somebody belongs to.

    `guests_see_guests` is `no_hosts` (the rule of CONF-092), `never` or `always`.
    """
    if not lecture:
        return Audience.ALL
    if role is Role.HOST:
        return Audience.HOSTS
    if guests_see_guests == "always" or (guests_see_guests == "no_hosts" and not hosts_present):
        return Audience.ALL if not hosts_present else Audience.HOSTS
    return Audience.GUESTS


def line_up(
    performers: Iterable[Performer], spoke: Sequence[str], audience: Audience, *, presenter: str = "",
) -> list[Performer]:  # fmt: skip
    """Those whom an audience may see, the first for the main place first.

    `spoke` names who held the floor, most recent first; who never did follows in the given order (of joining).
    Who is in the spotlight comes before, earliest first (API: order of times is the order on stage), and before
    all a `presenter` that is locked into the main place (CONF-096). Who has no picture cannot hold it.
    """
    rank = {who: index for index, who in enumerate(spoke)}

    def key(performer: Performer) -> tuple[bool, bool, float, bool, int]:
        return (
            not performer.has_picture,
            performer.participant != presenter,
            performer.spotlight or float("inf"),
            audience is Audience.HOSTS and performer.role is not Role.HOST,
            rank.get(performer.participant, len(rank)),
        )

    return sorted((performer for performer in performers if sees(audience, performer.role)), key=key)


def sees(audience: Audience, role: Role) -> bool:
    """May an audience see somebody of that role?"""
    return audience is not Audience.GUESTS or role is Role.HOST


class Arrangement(msgspec.Struct, frozen=True, kw_only=True):
    """What one viewer sees: performers in display order, main first, each with its place."""

    shown: tuple[Performer, ...] = ()
    cells: tuple[Cell, ...] = ()
    """Of those shown, and one more where the number of the others is in place of a picture."""
    large: int = 0
    """How many of the cells are large ones, from the first on."""
    hidden: int = 0
    """How many more there are."""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(performer.participant for performer in self.shown)


def arrange(
    line: Sequence[Performer], viewer: str | None, style: Style, before: Collection[str] = (), *,
    audience: Audience = Audience.ALL,
) -> Arrangement:  # fmt: skip
    """What `viewer` (None: one who is not in the line) sees of a line-up.

    Nobody sees himself; so the main picture of the current speaker is the previous one (CONF-083, POL-153).
    `before` is what this viewer saw, in display order: equal pictures keep their places (POL-152). Nothing is shown
    when nobody has a picture.
    """
    others = _chosen([performer for performer in line if performer.participant != viewer], style)
    if not any(performer.has_picture for performer in others):
        return Arrangement(hidden=len(others))
    layout = style.layout
    if audience is Audience.GUESTS and len(others) == 1:
        layout = ONE_MAIN  # one Host alone is full screen (CONF-094)
    room = len(layout.places)
    over = len(others) > room
    counted = over and style.plus_n and layout.counts_in_place
    shown = others[: room - 1 if counted else room]
    if layout.family is Family.EQUAL:
        shown = seated(shown, before)
    return Arrangement(
        shown=tuple(shown),
        cells=tuple(scaled(cell, style.width, SCENE_HEIGHT) for cell in layout.cells(len(shown) + counted)),
        large=len(layout.mains),
        hidden=len(others) - len(shown),
    )


def _chosen(others: list[Performer], style: Style) -> list[Performer]:
    """With `actors`, these come first, or alone."""
    if not style.actors:
        return others
    known = {performer.participant: performer for performer in others}
    actors = [known.pop(actor) for actor in dict.fromkeys(style.actors) if actor in known]
    return sorted(actors + (list(known.values()) if style.backfill else []), key=lambda one: not one.has_picture)


def seated(shown: Sequence[Performer], before: Collection[str]) -> list[Performer]:
    """Equal pictures: who was visible keeps its place, who is new takes one that became free (POL-152).

    Who is in the spotlight has the first places.
    """
    lit = [performer for performer in shown if performer.spotlight]
    rest = {performer.participant: performer for performer in shown if not performer.spotlight}
    size = len(rest)
    places: list[Performer | None] = [None] * size
    for at, who in enumerate(name for name in before if name not in {one.participant for one in lit}):
        if at < size and who in rest:
            places[at] = rest.pop(who)
    # who sat beyond the end of a grid that has shrunk, in its order, then those who are new
    waiting = iter([rest.pop(who) for who in before if who in rest] + list(rest.values()))
    return lit + [place if place is not None else next(waiting) for place in places]
