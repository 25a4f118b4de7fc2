"""From roster, voice and pictures to the wanted state of the media worker. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from rostra.conference.roster import Participant
from rostra.domain import layout
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
    prompt: str = ""
    """Text shown instead of the conference (PIN entry)."""


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """The whole wanted state, and what each participant sees for `layout` events."""

    compose: Compose
    layouts: Mapping[str, tuple[str, tuple[str, ...]]]
    """Participant to (view name, participants shown, main first)."""


def program(seats: Sequence[Seat], order: Sequence[str], service: ServiceDescription, *, locked: bool) -> Program:
    """Compute who sees and hears what (CONF-082…CONF-084)."""
    geometry = layout.GEOMETRIES.get(service.host_view, layout.ONE_MAIN_SEVEN)
    performers = layout.by_recent_speech(
        [
            layout.Performer(
                participant=seat.participant.uuid,
                source=seat.call,
                name=seat.participant.overlay_text or seat.participant.display_name,
            )
            for seat in seats
            if seat.has_picture and _shows(seat.participant)
        ],
        order,
    )
    on_stage = {performer.participant for performer in performers[: 2 + geometry.thumbnails]}
    performing = {performer.participant for performer in performers}
    joined = sum(seat.participant.joined for seat in seats)
    views: dict[str, Scene] = {}
    watching: dict[str, str] = {}
    audio: dict[str, AudioRoute] = {}
    layouts: dict[str, tuple[str, tuple[str, ...]]] = {}
    for seat in seats:
        who = seat.participant
        audio[seat.call] = _route(who)
        shown: tuple[str, ...] = ()
        if who.service_type is ServiceType.TEST_CALL:
            view, scene = f"loop:{seat.call}", layout.loop(seat.call)
        elif seat.prompt:
            view, scene = f"prompt:{seat.call}", layout.notice(seat.prompt)
        elif not who.joined:
            view, scene = "waiting", layout.notice(HELD_BY_LOCK if locked else WAITING_FOR_HOST)
        else:
            view = _view(who.uuid, on_stage, performing)
            arrangement = layout.arrange(performers, who.uuid, geometry)
            shown = tuple(performer.participant for performer in arrangement.shown)
            if shown:
                scene = layout.draw(arrangement, geometry, names=service.enable_overlay_text)
            else:
                scene = layout.notice(ALONE if joined == 1 else NO_PICTURES)
        views[view] = scene
        watching[seat.call] = view
        layouts[who.uuid] = (geometry.view, shown)
    return Program(compose=Compose(views=views, watching=watching, audio=audio), layouts=layouts)


def _view(participant: str, on_stage: set[str], performing: set[str]) -> str:
    """Those whose own picture is on stage need one of their own; all others share (one encode, many viewers)."""
    if participant in on_stage:
        return f"to:{participant}"
    return "audience:performing" if participant in performing else "audience"


def _shows(who: Participant) -> bool:
    """May its picture be seen by others?"""
    return who.joined and not who.is_video_muted and not who.is_on_hold


def _route(who: Participant) -> AudioRoute:
    if who.service_type is ServiceType.TEST_CALL:
        return AudioRoute(speaks=False, hears=False, loopback=TEST_CALL_DELAY)
    if not who.joined:
        return AudioRoute(speaks=False, hears=False)
    return AudioRoute(speaks=not who.is_muted and not who.is_on_hold, hears=not who.is_on_hold)
