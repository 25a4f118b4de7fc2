"""From roster, voice and pictures to the wanted state of this node's media worker. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from rostra.conference.roster import Participant
from rostra.domain import layout
from rostra.domain.layout import Arrangement, Geometry, Performer
from rostra.domain.scene import Scene
from rostra.domain.service import ServiceDescription
from rostra.domain.vocabulary import ServiceType
from rostra.media.messages import AudioRoute, Compose

TEST_CALL_DELAY = 2.0
"""Seconds after which a test caller hears itself."""
ALONE = "Waiting for others to join"
NO_PICTURES = "Nobody else is sending video"
WAITING_FOR_HOST = "Waiting for the host to join"
HELD_BY_LOCK = "The conference is locked. Please wait to be let in"


class Seat(msgspec.Struct, frozen=True, kw_only=True):
    """What the picture needs to know of one participant with media."""

    participant: Participant
    call: str
    has_picture: bool = False
    here: bool = True
    """Its media is carried by this node."""


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """The whole wanted state, and what each participant sees for `layout` events."""

    compose: Compose
    """Of the legs that are here."""
    layouts: Mapping[str, tuple[str, tuple[str, ...]]]
    """Participant to (view name, participants shown, main first)."""
    elsewhere: Mapping[str, int]
    """Sources shown here whose media is on other nodes, and the widest they are shown, in pixels of the scene."""


def program(seats: Sequence[Seat], order: Sequence[str], service: ServiceDescription, *, locked: bool) -> Program:
    """Compute who sees and hears what (CONF-082…CONF-084)."""
    geometry = layout.GEOMETRIES.get(service.host_view, layout.ONE_MAIN_SEVEN)
    company = _Company(seats, order, geometry, names=service.enable_overlay_text)
    views: dict[str, Scene] = {}
    watching: dict[str, str] = {}
    audio: dict[str, AudioRoute] = {}
    layouts: dict[str, tuple[str, tuple[str, ...]]] = {}
    for seat in seats:
        who = seat.participant
        view = company.view(seat)
        shown = company.shown(who) if not view.startswith(_ALONE_VIEWS) else ()
        layouts[who.uuid] = (geometry.view, tuple(performer.participant for performer in shown))
        if seat.here:
            audio[seat.call] = _route(who)
            watching[seat.call] = view
            if view not in views:
                views[view] = company.scene(seat, view, locked=locked)
    return Program(
        compose=Compose(views=views, watching=watching, audio=audio),
        layouts=layouts,
        elsewhere=_elsewhere(views.values(), {seat.call for seat in seats if not seat.here}),
    )


_ALONE_VIEWS = ("loop:", "prompt:", "waiting")


class _Company:
    """Everybody there is to be seen, and what each of them sees of the others."""

    def __init__(self, seats: Sequence[Seat], order: Sequence[str], geometry: Geometry, *, names: bool) -> None:
        self._geometry = geometry
        self._names = names
        self._performers = layout.by_recent_speech(
            [_performer(seat) for seat in seats if seat.has_picture and _shows(seat.participant)], order
        )
        self._on_stage = {p.participant for p in self._performers[: 2 + geometry.thumbnails]}
        self._performing = {p.participant for p in self._performers}
        self._joined = sum(seat.participant.joined for seat in seats)
        self._arranged: dict[str | None, Arrangement] = {}

    def view(self, seat: Seat) -> str:
        """Those whose own picture is on stage need one of their own; all others share (one encode, many viewers)."""
        who = seat.participant
        if who.service_type is ServiceType.TEST_CALL:
            return f"loop:{seat.call}"
        if who.prompt:
            return f"prompt:{seat.call}"
        if not who.joined:
            return "waiting"
        if who.uuid in self._on_stage:
            return f"to:{who.uuid}"
        return "audience:performing" if who.uuid in self._performing else "audience"

    def shown(self, who: Participant) -> Sequence[Performer]:
        return self._arrangement(who).shown

    def scene(self, seat: Seat, view: str, *, locked: bool) -> Scene:
        who = seat.participant
        if view.startswith("loop:"):
            return layout.loop(seat.call)
        if view.startswith("prompt:"):
            return layout.notice(who.prompt)
        if view == "waiting":
            return layout.notice(HELD_BY_LOCK if locked else WAITING_FOR_HOST)
        arrangement = self._arrangement(who)
        if arrangement.shown:
            return layout.draw(arrangement, self._geometry, names=self._names)
        return layout.notice(ALONE if self._joined == 1 else NO_PICTURES)

    def _arrangement(self, who: Participant) -> Arrangement:
        viewer = who.uuid if who.uuid in self._performing else None
        known = self._arranged.get(viewer)
        if known is None:
            known = self._arranged[viewer] = layout.arrange(self._performers, viewer, self._geometry)
        return known


def _performer(seat: Seat) -> Performer:
    who = seat.participant
    return Performer(participant=who.uuid, source=seat.call, name=who.overlay_text or who.display_name)


def _elsewhere(scenes: Iterable[Scene], remote: set[str]) -> dict[str, int]:
    widest: dict[str, int] = {}
    for scene in scenes:
        for tile in scene.tiles:
            if tile.source in remote:
                widest[tile.source] = max(tile.width, widest.get(tile.source, 0))
    return widest


def _shows(who: Participant) -> bool:
    """May its picture be seen by others?"""
    return who.joined and not who.is_video_muted and not who.is_on_hold


def _route(who: Participant) -> AudioRoute:
    if who.service_type is ServiceType.TEST_CALL:
        return AudioRoute(speaks=False, hears=False, loopback=TEST_CALL_DELAY)
    if not who.joined:
        return AudioRoute(speaks=False, hears=False)
    return AudioRoute(speaks=not who.is_muted and not who.is_on_hold, hears=not who.is_on_hold)
