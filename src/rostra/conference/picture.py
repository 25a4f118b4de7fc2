"""From roster, voice and pictures to the wanted state of this node's media worker. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from rostra.conference.roster import Participant
from rostra.domain import casting, drawing, layouts, look, splash, theme
from rostra.domain.casting import Arrangement, Audience, Performer
from rostra.domain.drawing import Around, Listener
from rostra.domain.look import Look, Style
from rostra.domain.scene import SCENE_WIDTH, Scene, width_for
from rostra.domain.service import ServiceDescription
from rostra.domain.vocabulary import Role, ServiceType
from rostra.media.messages import AudioRoute, Compose

ON_HOLD = "Your call is on hold"
"""What is written for those whose media is paused."""


class Seat(msgspec.Struct, frozen=True, kw_only=True):
    """What the picture needs to know of one participant with media."""

    participant: Participant
    call: str
    has_picture: bool = False
    here: bool = True
    """Its media is carried by this node."""
    mixed: bool = False
    """It gets a presentation inside its main picture."""


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """What else is so in the conference."""

    order: Sequence[str] = ()
    """Who held the floor, most recent first."""
    speaking: frozenset[str] = frozenset()
    look: Look | None = None
    """None: as the service is configured."""
    presenter: str = ""
    slides: str = ""
    """Source of the presentation's pictures; empty: there is none."""
    announced: bool = False
    """That it is streamed or recorded is new."""
    seated: Mapping[str, tuple[str, ...]] = {}
    """`Program.seated` of the program before."""
    faces: Mapping[str, str] = {}
    """Names of images, by participant."""


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """The whole wanted state, and what each participant sees for `layout` events."""

    compose: Compose
    """Of the legs that are here."""
    layouts: Mapping[str, tuple[str, tuple[str, ...]]]
    """Participant to (view name, participants shown, main first)."""
    elsewhere: Mapping[str, int]
    """Sources shown here whose media is on other nodes, and the widest they are shown, in pixels of the scene."""
    seated: Mapping[str, tuple[str, ...]] = {}
    """Who is shown in each view, in display order."""
    listeners: frozenset[str] = frozenset()
    """Who is drawn without a picture of its own, one by one."""


def program(seats: Sequence[Seat], service: ServiceDescription, situation: Situation) -> Program:
    """Compute who sees and hears what (CONF-069 to CONF-096)."""
    company = _Company(seats, service, situation)
    views: dict[str, Scene] = {}
    watching: dict[str, str] = {}
    audio: dict[str, AudioRoute] = {}
    layouts: dict[str, tuple[str, tuple[str, ...]]] = {}
    for seat in seats:
        who = seat.participant
        view = company.view(seat)
        layouts[who.uuid] = (company.style(who).layout.name, company.shown(seat) if _watches(seat) else ())
        if seat.here:
            audio[seat.call] = _route(who, service)
            watching[seat.call] = view
            if view not in views:
                views[view] = company.scene(seat)
    remote = {seat.call for seat in seats if not seat.here}
    return Program(
        compose=Compose(views=views, watching=watching, audio=audio),
        layouts=layouts,
        elsewhere=_elsewhere(views.values(), remote),
        seated=company.seated,
        listeners=frozenset(company.listeners),
    )


class _Group:
    """Participants who see the same, but for themselves."""

    def __init__(
        self, name: str, audience: Audience, style: Style, performers: Iterable[Performer], situation: Situation,
        presenter: str,
    ) -> None:  # fmt: skip
        self.audience = audience
        self.style = style
        self._name = name
        self._before = situation.seated
        self._line = casting.line_up(performers, situation.order, audience, presenter=presenter)
        self._on_stage = {one.participant for one in self._line[: 1 + len(style.layout.places)]} | set(style.actors)
        self._known = {one.participant for one in self._line}
        self._made: dict[str, Arrangement] = {}

    def view(self, who: Participant) -> str:
        """Those whose own picture is on stage need one of their own; all others share (one encode, many viewers)."""
        if who.uuid not in self._known:
            return f"{self._name}audience"
        return f"to:{who.uuid}" if who.uuid in self._on_stage else f"{self._name}audience:performing"

    def arrangement(self, who: Participant) -> Arrangement:
        view = self.view(who)
        if view not in self._made:
            before = self._before.get(view) or self._before.get(f"{self._name}audience", ())
            self._made[view] = casting.arrange(
                self._line, who.uuid if who.uuid in self._known else None, self.style, before, audience=self.audience
            )
        return self._made[view]

    @property
    def seated(self) -> dict[str, tuple[str, ...]]:
        return {view: arrangement.names for view, arrangement in self._made.items()}


class _Company:
    """Everybody there is to be seen, and what each of them sees of the others."""

    def __init__(self, seats: Sequence[Seat], service: ServiceDescription, situation: Situation) -> None:
        self._service = service
        self._situation = situation
        self._look = situation.look or look.look(service, lambda _: None)
        self._lecture = service.service_type == "lecture"
        people = {seat.participant.uuid: seat.participant for seat in seats}
        self._joined = [who for who in people.values() if who.joined]
        self._hosts = any(who.role is Role.HOST for who in self._joined)
        self._performers = performers(seats)
        self._names = {one.participant: one.name for one in self._performers}
        self._groups: dict[str, _Group] = {}
        self.listeners: set[str] = set()

    # ---- who sees what

    def style(self, who: Participant) -> Style:
        role = who.role if self._lecture else Role.HOST
        style = self._look.of(role, streams=who.is_streaming)
        chosen = layouts.find(who.mix_layout) if who.mix_layout else None
        return msgspec.structs.replace(style, layout=chosen or style.layout, width=_width(who))

    def view(self, seat: Seat) -> str:
        who = seat.participant
        if who.service_type is ServiceType.TEST_CALL:
            return f"loop:{seat.call}"
        if who.prompt or who.splash:
            return f"prompt:{seat.call}"
        if not who.joined or who.is_on_hold:
            return f"{_shape(who)}hold" if who.joined else f"{_shape(who)}waiting"
        if who.no_video:
            return f"{_shape(who)}unlicensed"
        view = self._group(who).view(who)
        return f"slides:{view}" if self._mixed(seat) else view

    def shown(self, seat: Seat) -> tuple[str, ...]:
        """Participants in its picture, main first."""
        who = seat.participant
        if who.service_type is ServiceType.TEST_CALL or who.prompt or who.splash or not who.joined or who.is_on_hold:
            return ()
        if who.no_video:
            return ()
        names = self._group(who).arrangement(who).names
        return names[:1] if self._mixed(seat) else names

    def scene(self, seat: Seat) -> Scene:
        who = seat.participant
        settings, width = self._service.theme, _width(who)
        if who.service_type is ServiceType.TEST_CALL:
            delay = settings.test_call_service_media_delay
            return splash.splash(who.splash, width=width) if who.splash else splash.loop(seat.call, delay, width=width)
        if who.splash:
            return splash.splash(who.splash, who.prompt, colour=settings.virtual_reception_text_color, width=width)
        if who.prompt:
            return splash.notice(who.prompt, width)
        if not who.joined:
            return splash.splash(theme.WAITING_FOR_HOST, width=width)
        if who.is_on_hold:
            return splash.notice(ON_HOLD, width)
        if who.no_video:
            return splash.splash(theme.NO_VIDEO_LICENSE, width=width)
        group = self._group(who)
        arrangement = group.arrangement(who)
        around = self._around(group.audience)
        if self._mixed(seat):
            speaker = arrangement.shown[0] if arrangement.shown else None
            return drawing.presentation(self._situation.slides, speaker, around, group.style)
        if arrangement.shown:
            return drawing.draw(arrangement, group.style, around)
        if who.is_streaming and not self._look.waiting_screen:
            return splash.stream_without(theme.NO_MAIN_VIDEO, settings.no_main_video_bg)
        company = [other for other in self._joined if not other.is_streaming]
        return drawing.alone(theme.NO_OTHERS if len(company) == 1 else theme.NO_OTHER_VIDEO, around, group.style)

    @property
    def seated(self) -> dict[str, tuple[str, ...]]:
        return {view: names for group in self._groups.values() for view, names in group.seated.items()}

    def _mixed(self, seat: Seat) -> bool:
        presents = seat.participant.uuid == self._situation.presenter
        wanted = seat.mixed and (self._look.slides_in_streams or not seat.participant.is_streaming)
        return bool(self._situation.slides) and wanted and not presents

    def _group(self, who: Participant) -> _Group:
        audience = casting.audience_of(
            who.role, lecture=self._lecture, hosts_present=self._hosts,
            guests_see_guests=self._service.guests_can_see_guests,
        )  # fmt: skip
        name = "" if not self._lecture else "hosts:" if who.role is Role.HOST else "guests:"
        name += "streams:" if who.is_streaming else ""
        name += f"mix {who.mix_layout}:" if who.mix_layout else ""
        name += _shape(who)
        group = self._groups.get(name)
        if group is None:
            locked = self._lecture and self._service.force_presenter_into_main
            group = self._groups[name] = _Group(
                name, audience, self.style(who), self._performers, self._situation,
                self._situation.presenter if locked else "",
            )  # fmt: skip
        return group

    # ---- what is around

    def _around(self, audience: Audience) -> Around:
        """Indicators for those who may see these participants (of an auditorium's Guests: Hosts only)."""
        now, wanted, settings = self._joined, self._look, self._service.theme
        streaming = any(who.is_streaming for who in now) if wanted.streaming is None else wanted.streaming
        heard = [
            who
            for who in now
            if who.uuid not in self._names
            and who.has_media
            and not who.is_streaming
            and casting.sees(audience, who.role)
        ]
        if len(heard) <= drawing.AVATARS:
            self.listeners.update(who.uuid for who in heard)
        faces, speaking = self._situation.faces, self._situation.speaking
        return Around(
            theme=settings,
            listeners=tuple(
                Listener(name=name_of(who), speaking=who.uuid in speaking, image=faces.get(who.uuid, ""))
                for who in heard
            ),
            speaking=self._situation.speaking,
            streaming=streaming and not settings.disable_streaming_indicator,
            recording=wanted.recording is True and not settings.disable_streaming_indicator,
            announced=self._situation.announced,
            notes=wanted.notes,
        )


def name_of(who: Participant) -> str:
    """What is written on somebody's picture (CONF-081, SVC-032)."""
    return who.overlay_text or who.display_name or who.uri


def performers(seats: Iterable[Seat]) -> list[Performer]:
    """Those with video, in order of joining; each once, whatever number of calls it has."""
    found: dict[str, Performer] = {}
    for seat in seats:
        who = seat.participant
        known = found.get(who.uuid)
        if not who.heard or who.no_video or (known is not None and (known.has_picture or not seat.has_picture)):
            continue
        if seat.has_picture or who.is_video_call:
            found[who.uuid] = Performer(
                participant=who.uuid, source="" if who.is_video_muted else seat.call, name=name_of(who),
                role=who.role, spotlight=who.spotlight,
                has_picture=seat.has_picture and not who.is_video_muted and not who.is_on_hold,
                frozen=who.is_on_hold and not who.is_video_muted,
            )  # fmt: skip
    return list(found.values())


def _width(who: Participant) -> int:
    """Of its picture: streams are always wide."""
    return SCENE_WIDTH if who.is_streaming else width_for(who.aspect_ratio)


def _shape(who: Participant) -> str:
    """What sets views of 4:3 apart."""
    return "" if _width(who) == SCENE_WIDTH else "4:3:"


def _watches(seat: Seat) -> bool:
    """Does it get a picture at all? Of others nothing is said in `layout` events."""
    return (seat.has_picture or seat.participant.is_video_call) and not seat.participant.no_video


def _elsewhere(scenes: Iterable[Scene], remote: set[str]) -> dict[str, int]:
    widest: dict[str, int] = {}
    for scene in scenes:
        for tile in scene.tiles:
            if tile.source in remote:
                width = tile.width * SCENE_WIDTH // scene.width
                widest[tile.source] = max(width, widest.get(tile.source, 0))
    return widest


def _route(who: Participant, service: ServiceDescription) -> AudioRoute:
    if who.service_type is ServiceType.TEST_CALL:
        loopback = 0.0 if who.splash else service.theme.test_call_service_media_delay
        return AudioRoute(speaks=False, hears=False, loopback=loopback)
    if not who.joined:
        return AudioRoute(speaks=who.heard, hears=False)
    return AudioRoute(speaks=not who.is_muted and not who.is_on_hold, hears=not who.is_on_hold)
