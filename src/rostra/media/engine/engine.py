"""The engine of one worker: its conference's legs, views and routes, and what to do with each request."""

from __future__ import annotations

import asyncio
import resource
import weakref
from collections.abc import Callable
from typing import Any

import structlog

from rostra.domain.scene import FACE, Scene
from rostra.domain.theme import AUDIO_INDICATOR
from rostra.environment import Environment
from rostra.media import bounds, replies
from rostra.media import messages as m
from rostra.media.engine import ports, sights, stage, stills
from rostra.media.engine.asking import Asking
from rostra.media.engine.backplane_legs import BackplaneLeg, BackplaneReceiver, BackplaneSender
from rostra.media.engine.faces import Faces
from rostra.media.engine.leg import BACKGROUND, PATIENCE, Leg, LegContext
from rostra.media.engine.needs import FULL_HD_SCALE, Needs
from rostra.media.engine.passing import Passing
from rostra.media.engine.pipeline import BadPipeline
from rostra.media.engine.ports import OutOfPorts
from rostra.media.engine.renditions import Renditions
from rostra.media.engine.rounds import visit
from rostra.media.engine.rtp_leg import RtpLeg
from rostra.media.engine.sections import BadDescription
from rostra.media.engine.stills import StillLeg
from rostra.media.engine.stream_leg import StreamFailed, StreamLeg
from rostra.media.engine.survey import survey
from rostra.media.engine.text import Image
from rostra.media.engine.themes import ThemeFiles
from rostra.media.engine.webrtc_leg import WebRtcLeg
from rostra.media.engine.webrtc_plan import NoCommonCodec

logger = structlog.get_logger("rostra.media")

Kind = m.Failure.Kind


COUNTING = 20
"""Polls between two counts of what the legs sent and received."""


class UnknownLeg(Exception):
    """A request names a leg that is not here."""


class Engine:
    """Carries out requests; events go to `emit`."""

    def __init__(
        self, environment: Environment, emit: Callable[[m.Event], None], *, patience: float = PATIENCE
    ) -> None:
        stage.load()
        self._environment = environment
        self._emit = emit
        self._legs: dict[str, Leg] = {}
        self._views: dict[str, Scene] = {}
        self._watching: dict[str, str] = {}
        self._slides: dict[str, str] = {}
        self._pictures: dict[str, tuple[int, int]] = {}
        self._locks: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()
        self._closing: set[asyncio.Task[None]] = set()
        self._renditions = Renditions()
        self._passing = Passing(self._legs, self._renditions)
        self._context = LegContext(
            self._renditions, self._connected, self._failed, self._digit, patience, lambda: self._pictures,
            self._passing, lambda: self.quality, lambda leg: emit(m.PictureWanted(leg=leg)), self._passing.direct,
            lambda leg, command: emit(m.CameraAsked(leg=leg, command=command)),
        )  # fmt: skip
        self._needs = Needs(self._legs)
        self._polls = 0
        self._asking = Asking()
        self.conference = self.quality = ""
        self.theme = ThemeFiles()
        self._faces = Faces()
        stage.set_view(BACKGROUND, Scene())

    @property
    def legs(self) -> int:
        """How many there are."""
        return len(self._legs)

    async def handle(self, request: m.Request) -> m.Reply:
        """Carry out a request, those of one leg in order; never raises for what a caller sent."""
        try:
            async with self._locks.setdefault(getattr(request, "leg", ""), asyncio.Lock()):
                return await self._carry_out(request)
        except BadDescription as problem:
            return m.Failure(kind=Kind.BAD_DESCRIPTION, reason=str(problem))
        except OutOfPorts as problem:
            return m.Failure(kind=Kind.OUT_OF_PORTS, reason=str(problem))
        except NoCommonCodec as problem:
            return m.Failure(kind=Kind.NO_COMMON_CODEC, reason=str(problem))
        except StreamFailed as problem:
            return m.Failure(kind=Kind.UNREACHABLE, reason=str(problem))
        except UnknownLeg as problem:
            return m.Failure(kind=Kind.UNKNOWN_LEG, reason=str(problem))
        except BadPipeline as problem:
            logger.error("Pipeline cannot be built", problem=str(problem))
            return m.Failure(kind=Kind.INTERNAL, reason=str(problem))

    async def _carry_out(self, request: m.Request) -> m.Reply:
        match request:
            case m.OpenWebRtc():
                return await self._open_webrtc(request)
            case m.AddCandidate(leg=leg, mid=mid, candidate=candidate, ufrag=ufrag):
                self._leg(leg).add_candidate(mid, candidate, ufrag)
            case m.ReserveRtp():
                return await self._reserve(request)
            case m.ReserveIce():
                return m.IceSides(sides=await self._rtp_leg(request.leg).reserve_ice(request))
            case m.ConnectRtp(leg=leg, local=local, remote=remote):
                await self._rtp_leg(leg).connect(local, remote, request.proved)
            case m.ReceiveBackplane():
                return await self._receive_backplane(request)
            case m.SendBackplane():
                await self._send_backplane(request)
            case m.ShowStill():
                await self._show_still(request)
            case m.OpenStream():
                await self._open_stream(request)
            case m.Start(leg=leg, early=early):
                self._leg(leg).start(early=early)
            case m.Hold(leg=leg, held=held):
                self._leg(leg).hold(held)
            case m.RequestKeyframe(leg=leg):
                self._leg(leg).request_keyframe()
            case m.SendDtmf(leg=leg, digits=digits):
                self._leg(leg).send_dtmf(digits)
            case m.MoveCamera(leg=leg, command=command):
                self._leg(leg).move_camera(command)
            case m.Close(leg=leg):
                report = self._report(leg)
                await self._close(leg)
                return m.Done(report=report)
            case m.Play() | m.StopPlaying():
                return self._play(request)
            case _:
                return await self._of_conference(request)
        return m.Done()

    async def _of_conference(
        self, request: m.Assign | m.Compose | m.KeepImage | m.TakeStill | m.Statistics | m.Quit
    ) -> m.Reply:
        """Carry out a request that is of no one leg."""
        match request:
            case m.Assign(conference=conference, name=name, quality=quality):
                self.conference, self.quality = conference, quality
                ports.mark(request.dscp)
                stage.denoise(wanted=request.denoise)
                self.theme, self._faces = ThemeFiles(request.themes), Faces()
                stage.forget_images()
                structlog.contextvars.bind_contextvars(conference=name)
            case m.Compose():
                self._compose(request)
            case m.KeepImage(name=name, jpeg=jpeg):
                await self._faces.keep(name, jpeg)
            case m.TakeStill(source=source, mark=mark):
                if source not in self._pictures:
                    raise UnknownLeg(f"there is no picture of {source}")
                return await stills.take(source, self._pictures[source], mark)
            case m.Statistics():
                return self._statistics()
            case m.Quit():
                await self.close()
        return m.Done()

    def poll(self) -> None:
        """Tell what changed on the stage; called ten times a second."""
        self._polls += 1
        if self._polls % 2 == 0:
            visit(self._legs.values(), lambda leg: leg.poll(), self._failed)
        if self._polls % COUNTING == 0:
            visit(self._legs.values(), lambda leg: leg.count(), self._failed)
        levels = stage.levels()
        self._needs.poll(asyncio.get_running_loop().time(), levels)
        if levels:
            self._emit(m.Levels(levels=levels))
        self._poll_pictures()

    def _poll_pictures(self) -> None:
        showing: dict[str, list[Leg]] = {}
        for leg in self._legs.values():
            for source in filter(None, (leg.shows, leg.presents)):
                showing.setdefault(source, []).append(leg)
        pictures = {source: size for source, size in stage.pictures().items() if source in showing}
        for source, (width, height) in pictures.items():
            if self._pictures.get(source) != (width, height):
                self._emit(m.FirstPicture(leg=source, width=width, height=height))
        for source in (self._pictures.keys() - pictures.keys()) & showing.keys():
            self._emit(m.FirstPicture(leg=source, width=0, height=0))
        missing = {
            source: [leg for leg in showing[source] if not leg.held and leg.arriving(source)]
            for source in (showing.keys() - pictures.keys()) | (showing.keys() & sights.waiting())
        }
        for source in self._asking.due([source for source, legs in missing.items() if legs]):
            visit(missing[source], lambda leg: leg.request_pictures(), self._failed)
        self._pictures = self._passing.pictures = pictures

    async def close(self) -> None:
        """End all legs and encoders."""
        await asyncio.gather(*(self._close(leg) for leg in list(self._legs)))
        await asyncio.gather(*self._closing)
        await self._renditions.close()

    # ---- legs ---------------------------------------------------------------------------------------------

    def _leg(self, leg: str) -> Leg:
        found = self._legs.get(leg)
        if found is None:
            raise UnknownLeg(f"there is no leg {leg}")
        return found

    async def _open_webrtc(self, request: m.OpenWebRtc) -> m.Reply:
        found = self._legs.get(request.leg)
        leg = found if isinstance(found, WebRtcLeg) else WebRtcLeg(self._context, request.leg, self._environment)
        if leg is not found:
            if found:
                await self._close(request.leg)
            self._add(leg)
        try:
            return m.WebRtcAnswer(sdp=await leg.open(request))
        except Exception:
            if leg is not found:
                await self._close(request.leg)
            raise

    def _rtp_leg(self, leg: str) -> RtpLeg:
        found = self._leg(leg)
        if not isinstance(found, RtpLeg):
            raise UnknownLeg(f"leg {leg} is no RTP leg")
        return found

    async def _reserve(self, request: m.ReserveRtp) -> m.Reply:
        found = self._legs.get(request.leg)
        leg = found if isinstance(found, RtpLeg) else RtpLeg(self._context, request.leg, self._environment)
        if leg is not found:
            await self._close(request.leg)
            self._add(leg)
        try:
            address, numbers = await leg.reserve(request.kinds, ipv6=request.ipv6)
        except OutOfPorts:
            if leg is not found:
                await self._close(request.leg)
            raise
        return m.RtpPorts(address=address, ports=numbers)

    async def _receive_backplane(self, request: m.ReceiveBackplane) -> m.Reply:
        found = self._legs.get(request.leg)
        leg = found if isinstance(found, BackplaneReceiver) else None
        if leg is None:
            await self._close(request.leg)
            leg = BackplaneReceiver(self._context, self._environment, request)
            self._legs[leg.id] = leg
        await self._connect(leg, request, fresh=leg is not found)
        self._set_routes()
        return m.RtpPorts(address=leg.address, ports=(leg.port,))

    async def _send_backplane(self, request: m.SendBackplane) -> None:
        if not self._passing.knows(request):
            raise UnknownLeg(f"there is no {request.quality} picture of {request.source}")
        found = self._legs.get(request.leg)
        leg = found if isinstance(found, BackplaneSender) else None
        if leg is None:
            await self._close(request.leg)
            leg = BackplaneSender(self._context, self._environment, request, self._passing)
            self._legs[leg.id] = leg
        await self._connect(leg, request, fresh=leg is not found)

    async def _connect(self, leg: BackplaneLeg, request: Any, *, fresh: bool) -> None:
        """Run a backplane leg; one that is new and cannot be run is not kept."""
        try:
            leg.connect(request)
        except Exception:
            if fresh:
                await self._close(leg.id)
            raise

    async def _show_still(self, request: m.ShowStill) -> None:
        found = self._legs.get(request.leg)
        leg = found if isinstance(found, StillLeg) else StillLeg(self._context, request.leg)
        if leg is not found:
            await self._close(request.leg)
            self._add(leg)
        await leg.show(request.jpeg)

    async def _open_stream(self, request: m.OpenStream) -> None:
        if isinstance(self._legs.get(request.leg), StreamLeg):
            return
        await self._close(request.leg)
        leg = StreamLeg(self._context, request.leg, self.theme.image, request.send_bandwidth)
        self._add(leg)
        try:
            await leg.open(request.url, request.presentation_url, request.background, request.authorities)
        except BaseException:
            await self._close(request.leg)
            raise

    def _add(self, leg: Leg) -> None:
        self._legs[leg.id] = leg
        leg.watch(self._view_of(leg.id))
        leg.show_slides(self._slides.get(leg.id, ""))

    async def _close(self, leg: str) -> None:
        found = self._legs.pop(leg, None)
        if found:
            await found.close()
            if isinstance(found, BackplaneReceiver):
                self._set_routes()

    def _failed(self, leg: str, reason: str) -> None:
        if leg not in self._legs:
            return
        logger.warning("Leg failed", leg=leg, reason=reason)
        task = asyncio.get_running_loop().create_task(self._close(leg))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
        self._emit(m.LegFailed(leg=leg, reason=reason))

    def _connected(self, leg: str) -> None:
        self._emit(m.LegConnected(leg=leg))

    def _digit(self, leg: str, digit: str) -> None:
        self._emit(m.DtmfReceived(leg=leg, digit=digit))

    # ---- what is shown and heard --------------------------------------------------------------------------

    def _view_of(self, leg: str) -> str:
        view = self._watching.get(leg, BACKGROUND)
        return view if view in self._views else BACKGROUND

    def _compose(self, wanted: m.Compose) -> None:
        for view, scene in wanted.views.items():
            if self._views.get(view) != scene:
                stage.set_view(view, scene, self._image)
        gone = self._views.keys() - wanted.views.keys()
        self._views, self._watching = dict(wanted.views), dict(wanted.watching)
        self._renditions.narrow = frozenset(
            view for view, scene in self._views.items() if 3 * scene.width == 4 * scene.height
        )
        self._needs.compose(self._views, self._watching, FULL_HD_SCALE if self.quality == "fullhd" else 1.0)
        self._passing.composed(wanted, self._image)
        self._slides = dict(wanted.slides)
        for leg in self._legs.values():
            leg.watch(self._view_of(leg.id))
            leg.show_slides(self._slides.get(leg.id, ""))
        for view in gone:
            stage.remove_view(view)
        self._set_routes()

    def _image(self, name: str) -> Image | None:
        """A face, or the icon of those without one, or any other image of the theme."""
        if not name.startswith(FACE):
            return self.theme.image(name)
        return self._faces.of(name) or self.theme.image(AUDIO_INDICATOR)

    def _set_routes(self) -> None:
        stage.set_routes(self._passing.routes_of_unheard() | dict(self._passing.routes))

    def _play(self, request: m.Play | m.StopPlaying) -> m.Reply:
        """Queue sounds of the theme for a leg, or drop what is queued."""
        leg = self._leg(request.leg).id
        if isinstance(request, m.StopPlaying):
            stage.stop_playing(leg)
            return m.Done()
        return m.Playing(seconds=stage.play(leg, b"".join(self.theme.sound(name) for name in request.sounds)))

    # ---- figures ------------------------------------------------------------------------------------------

    def _statistics(self) -> m.StatisticsReply:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        debug: dict[str, Any] = {
            "legs": sorted(self._legs),
            "backplane": [leg.describe() for leg in self._legs.values() if isinstance(leg, BackplaneLeg)],
            "views": sorted(self._views),
            **self._renditions.debug_state(),
            "stage": stage.debug_state(),
            "rates": self._needs.debug_state(),
            "graph": survey(self._legs, self._renditions.running, self._views, self._passing.routes),
            "resident_kilobytes": usage.ru_maxrss,
            "allocated_bytes": bounds.allocated(),
        }
        return m.StatisticsReply(
            streams=tuple(one for leg in self._legs.values() for one in leg.statistics()),
            quality={leg.id: leg.meter.quality[-1] for leg in self._legs.values() if leg.meter.quality},
            processor_seconds=usage.ru_utime + usage.ru_stime,
            debug=debug,
        )

    def _report(self, leg: str) -> replies.LegReport | None:
        """What a leg was over its life."""
        found = self._legs.get(leg)
        if found is None:
            return None
        return replies.LegReport(streams=tuple(found.statistics()), quality=tuple(found.meter.quality))
