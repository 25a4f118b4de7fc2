"""The media of one participant's calls: placed on a node, moved with it, closed for certain."""

from __future__ import annotations

import abc
import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

import msgspec
import structlog

from rostra.background import Background
from rostra.calls.anchors import NOTICE, Anchor, Anchors, tokens_of
from rostra.calls.licences import Licences, MediaLicence, Unlimited
from rostra.calls.media_places import MediaPlaces
from rostra.calls.offers import narrower
from rostra.calls.presentations import price_of
from rostra.calls.refusals import refusal_of
from rostra.calls.switchboard import CallRefused, FarEnd, Refusal, SessionListener
from rostra.conference.events import PeerSignal
from rostra.conference.instance import ConferenceInstance
from rostra.conference.roster import Participant
from rostra.domain.media import MediaKind
from rostra.domain.presenting import CallContent
from rostra.domain.service import ServiceDescription
from rostra.domain.vocabulary import CallDirection
from rostra.media.client import MediaFailure, Worker, WorkerLost
from rostra.media.messages import Failure, OpenStream
from rostra.waiting import in_time

logger = structlog.get_logger("rostra.calls")

Result = TypeVar("Result")

MOVING = 8.0
"""Seconds a far end has to follow when its media is moved."""
WORKERS_TRIED = 4
"""Workers that may die under one request before it is refused."""


class CallState(msgspec.Struct, kw_only=True):
    """State of one call."""

    content: CallContent = CallContent.MAIN
    confirmed: bool = False
    video: bool = False
    full_hd: bool = False
    """Its far end takes 1080p."""
    slides: bool = False
    """Slides may go beside main video, or alone."""
    asked: int = 0
    """Kbit/s that its offer asks for; 0: it does not say."""
    anchor: Anchor | None = None
    """Where its media is; None: nowhere yet, or not any more."""
    leaving: Anchor | None = None
    """Where its media was when it was asked to move, until it is elsewhere."""
    remains: list[Anchor] = []
    """Lost, but of nodes that are there: their workers may still have the leg."""
    placing: asyncio.Lock = msgspec.field(default_factory=asyncio.Lock)
    ready: asyncio.Event = msgspec.field(default_factory=asyncio.Event)
    """There is a leg at the anchor."""


class CallLegs(abc.ABC):
    """The base of a session: its calls, and for each the leg that a media worker somewhere has for it."""

    def __init__(
        self, instance: ConferenceInstance, participant: Participant, listener: SessionListener, anchors: Anchors,
        licences: Licences | None, call_type: str, rate_out: int | None = None,
    ) -> None:  # fmt: skip
        self._instance = instance
        self._participant = participant
        self._listener = listener
        self._anchors = anchors
        self._call_type = call_type
        self._rate_out = rate_out
        self._calls: dict[str, CallState] = {}
        self.licence = MediaLicence(
            licences or Unlimited(), participant.uuid, alias=participant.local_alias, name=participant.display_name
        )
        self.places: MediaPlaces | None = None
        """Where policy wants its media; None: as configured."""
        self.out_of_resource = False
        """It is refused because nothing is left for its media."""
        self.on_signal: Callable[[PeerSignal], None] | None = None
        self.on_hold: Callable[[bool], None] | None = None
        self._held = False
        self.on_tones: Callable[[str], bool] | None = None
        self.on_far_end: Callable[[FarEnd], None] | None = None
        self._gone = False
        self._background = Background()

    @abc.abstractmethod
    async def told(self, refusal: Refusal) -> bool:
        """Tell somebody who is refused why, on screen; False when that is not for its kind of call."""

    @property
    def participant(self) -> Participant:
        return self._instance.participant(self._participant.uuid) or self._participant

    def signalled(self, signal: PeerSignal) -> None:
        if self.on_signal is not None:
            self.on_signal(signal)

    def far_end_is(self, now: FarEnd) -> None:
        """Of a gateway call's caller."""
        if self.on_far_end is not None:
            self._guarded(self.on_far_end, now)

    @property
    def gone(self) -> bool:
        """It has left, or was disconnected."""
        return self._gone

    @property
    def service(self) -> ServiceDescription:
        """As this participant may use it."""
        found = self._instance.service.description
        most = "audio" if self.licence.audio_only else narrower(self._call_type, found.call_type)
        rate = self._rate_out or found.max_callrate_out  # that of a rule, also when it is higher (CONF-144)
        onward = self._instance.service.onward
        called = self._participant.call_direction is CallDirection.OUT
        rate_in = (None if onward is None or called else onward.rate_in) or found.max_callrate_in
        if (most, rate, rate_in) == (found.call_type, found.max_callrate_out, found.max_callrate_in):
            return found
        return msgspec.structs.replace(found, call_type=most, max_callrate_out=rate, max_callrate_in=rate_in)

    @property
    def conference(self) -> ConferenceInstance:
        return self._instance

    async def close_call(self, call: str) -> None:
        state = self._calls.pop(call, None)
        if state is None:
            return
        self._instance.media.drop_leg(call)
        contents = [one.content for one in self._calls.values()]
        brought = state.content.presents and not any(one.presents for one in contents)
        if brought or not any(one.is_main or one.presents for one in contents):
            self._instance.presenting.release(self._participant.uuid)
        if not self._calls:
            self.licence.give_back()
        if state.content.is_main and not any(one.is_main for one in contents):
            self._instance.media_ended(self._participant.uuid)
        await self._to_the_end(self._free(call, state))

    async def open_stream(self, call: str, url: str, presentation_url: str = "", authorities: str = "") -> None:
        state, fresh = self._begin(call)
        left, state.leaving = state.leaving, None
        if left is not None:  # a server takes a stream from one place only
            await self._to_the_end(self._close_leg(call, left))
        description = self._instance.service.description
        request = OpenStream(
            leg=call, url=url, presentation_url=presentation_url, send_bandwidth=self.service.max_callrate_out,
            background=description.theme.no_presentation_video_bg, authorities=authorities,
        )  # fmt: skip
        try:
            await self._license(call, state, video=True)
            state.video, state.slides = True, bool(presentation_url)
            await self._with_worker(call, state, lambda worker: worker.open_stream(request), audio_only=False)
        except BaseException:
            if fresh:
                self._background.spawn(self.close_call(call))
            raise
        self._arrived(call, state)

    def _begin(self, call: str) -> tuple[CallState, bool]:
        """State of a call, and whether it is a new one. Raises CallRefused when the participant has gone."""
        if self._gone:
            raise CallRefused(Refusal.INVALID_TOKEN)
        fresh = call not in self._calls
        return self._calls.setdefault(call, CallState()), fresh

    async def _license(self, call: str, state: CallState, *, video: bool) -> bool:
        """Take a licence for a call's media; may it have video? Raises CallRefused, and there is no such call then."""
        try:
            allowed = await self.licence.take(video=video)
        except CallRefused as refused:
            if not await self.told(refused.refusal):
                await self.close_call(call)
                raise
            self.licence = MediaLicence(Unlimited(), self._participant.uuid)  # it is only told so
            allowed = video
        if self._calls.get(call) is not state:  # it ended while this was under way
            if not self._calls:
                self.licence.give_back()
            raise CallRefused(Refusal.INVALID_TOKEN)
        return allowed

    async def _reserve(
        self, call: str, state: CallState, kinds: Sequence[MediaKind], *, audio_only: bool, ipv6: bool = False
    ) -> tuple[str, tuple[int, ...]]:
        """Ports for RTP. Who finds no room is told so, as long as there is some for that (REF-043, POL-125)."""
        try:
            return await self._with_worker(
                call, state, lambda worker: worker.reserve_rtp(call, kinds, ipv6=ipv6), audio_only=audio_only
            )  # fmt: skip
        except CallRefused as refused:
            full = refused.refusal is Refusal.OUT_OF_RESOURCE
            if not full or self.out_of_resource or state.confirmed or not await self.told(refused.refusal):
                raise
        self.out_of_resource = True
        self.licence.give_back()
        self.licence = MediaLicence(Unlimited(), self._participant.uuid)
        return await self._with_worker(
            call, state, lambda worker: worker.reserve_rtp(call, kinds, ipv6=ipv6), audio_only=audio_only
        )  # fmt: skip

    async def _with_worker(
        self, call: str, state: CallState, act: Callable[[Worker], Awaitable[Result]], *, audio_only: bool
    ) -> Result:
        """Set up media where there is room; when the worker dies meanwhile, on the next one."""
        for _ in range(WORKERS_TRIED):
            anchor = state.anchor or await self._place(call, state, audio_only=audio_only)
            try:
                result = await act(anchor.worker)
            except WorkerLost as problem:
                logger.info("Media not set up", call=call, worker=anchor.worker.id, reason=str(problem))
                if state.anchor is anchor:
                    state.anchor = None
                    self._lose(call, state, anchor)
                continue
            except MediaFailure as failure:
                raise refusal_of(failure) from failure
            if self._calls.get(call) is not state:  # it ended while this was under way
                await self._to_the_end(self._free(call, state))
                raise CallRefused(Refusal.INVALID_TOKEN)
            if state.leaving is None and state.anchor is anchor:  # else it was lost meanwhile, or moved on
                self._listed(call, state, anchor)
            return result
        raise CallRefused(Refusal.OUT_OF_RESOURCE)

    async def _place(self, call: str, state: CallState, *, audio_only: bool) -> Anchor:
        async with state.placing:
            while state.anchor is None:
                conference = self._instance
                avoid = state.leaving.node if state.leaving else ""
                price = tokens_of(conference, audio_only=audio_only, full_hd=state.full_hd)
                tokens = NOTICE if self.out_of_resource else price_of(state.content, price)
                where = await self.places.of(call, conference.service, state.asked) if self.places else None
                anchor = await self._anchors.place(conference, self._participant.uuid, call, tokens, avoid, where)
                if self._calls.get(call) is state and self._instance is conference:
                    state.anchor = anchor
                    return anchor
                self._anchors.release(call, anchor)  # it ended, or is in another conference by now
                if self._calls.get(call) is not state:
                    raise CallRefused(Refusal.INVALID_TOKEN)
            return state.anchor

    def _listed(self, call: str, state: CallState, anchor: Anchor) -> None:
        self._instance.media.add_leg(
            call, self._participant.uuid, anchor.node, anchor.proxy, content=state.content, slides=state.slides
        )  # fmt: skip

    def _confirmed(self, call: str, state: CallState) -> None:
        if state.content.is_main:
            self._instance.leg_confirmed(call, video=state.video)
        else:
            self._instance.media.confirmed(call)

    def _arrived(self, call: str, state: CallState) -> None:
        """The leg is where it should be: let go of where it was."""
        if state.anchor is None:  # lost while it was set up; who is called has heard so, and asks again
            return
        state.ready.set()
        self._listed(call, state, state.anchor)
        left, state.leaving = state.leaving, None
        if left is not None:
            self._background.spawn(self._close_leg(call, left))
        remains, state.remains = state.remains, []
        for lost in remains:
            if lost.worker.id != state.anchor.worker.id:
                self._background.spawn(self._close_leg(call, lost))

    async def _tell(self, call: str, act: Callable[[Worker], Awaitable[None]]) -> bool:
        """Tell the worker something about a leg; False when there is no worker or no such leg."""
        state = self._calls.get(call)
        anchor = (state.anchor or state.leaving) if state else None
        if anchor is None:
            return False
        try:
            await act(anchor.worker)
        except WorkerLost:
            return False
        except MediaFailure as failure:
            logger.info("Refused by the media worker", conference=self.service.name, reason=str(failure))
            return failure.kind is not Failure.Kind.UNKNOWN_LEG
        return True

    async def _free(self, call: str, state: CallState) -> None:
        """Close the leg wherever it is; what has waited for it to be elsewhere goes as well."""
        state.ready.set()
        anchors = [anchor for anchor in (state.anchor, state.leaving, *state.remains) if anchor is not None]
        state.anchor = state.leaving = None
        state.remains = []
        for anchor in anchors:
            await self._close_leg(call, anchor)

    async def _close_leg(self, call: str, anchor: Anchor) -> None:
        try:
            report = await anchor.worker.close_leg(call)
            self._anchors.ended(self._participant.uuid, call, anchor, report)
        except (WorkerLost, MediaFailure) as problem:
            logger.info("Leg not closed", call=call, peer=anchor.node, reason=str(problem))
        self._anchors.release(call, anchor)

    async def _to_the_end(self, work: Coroutine[Any, Any, None]) -> None:
        """Free media for certain, also when the request for it is no longer waited for."""
        await asyncio.shield(self._background.spawn(work))

    async def _end(self) -> None:
        calls, self._calls = self._calls, {}
        self.licence.give_back()
        for call, state in calls.items():
            await self._free(call, state)

    def media_lost(self, call: str, *, moving: bool = False, node: str = "") -> None:
        """Set the media up again: it is gone, or (`moving`) goes on where it is until it is elsewhere."""
        state = self._calls.get(call)
        if state is None:
            return
        anchor = state.anchor
        if anchor is not None and node and node not in (anchor.node, anchor.proxy):
            if state.leaving is not None and state.leaving.node == node and not moving:
                state.leaving = None  # where it was is gone before it had left
            return
        state.anchor = None
        state.ready.clear()
        if anchor is not None and moving:
            state.leaving = anchor
            self._background.spawn(self._moved_in_time(call, state))
        elif anchor is not None:
            self._lose(call, state, anchor)
        self._guarded(self._listener.media_lost, call)

    def _lose(self, call: str, state: CallState, anchor: Anchor) -> None:
        """What is left of a lost leg goes: its booking and relay now, itself once the next one is elsewhere."""
        if self._anchors.alive(anchor.node):
            state.remains.append(anchor)
        else:
            anchor.worker.lose("its node is gone")
        self._anchors.release(call, anchor)

    def _take_along(self) -> None:
        """The participant is in another conference now: the media of all calls is set up anew there."""
        for call, state in list(self._calls.items()):
            left = [anchor for anchor in (state.anchor, state.leaving, *state.remains) if anchor is not None]
            state.anchor = state.leaving = None
            state.remains = []
            state.ready.clear()
            if left:
                self._background.spawn(self._follow_or_fall_silent(call, state, left))
                self._guarded(self._listener.media_lost, call)

    async def _follow_or_fall_silent(self, call: str, state: CallState, left: Sequence[Anchor]) -> None:
        """Close what is left in the other conference once the media is here, or did not follow in time."""
        with contextlib.suppress(TimeoutError):
            await in_time(state.ready.wait(), MOVING)
        for anchor in left:
            await self._close_leg(call, anchor)

    async def _moved_in_time(self, call: str, state: CallState) -> None:
        """A far end that did not follow loses its media, which makes it ask for new."""
        await asyncio.sleep(MOVING)
        left = state.leaving
        if left is not None and self._calls.get(call) is state and state.anchor is None:
            state.leaving = None
            await self._close_leg(call, left)

    def call_failed(self, call: str, reason: str) -> None:
        if call in self._calls:
            self._background.spawn(self.close_call(call))
            self._guarded(self._listener.call_ended, call, reason)

    def picture_wanted(self, call: str) -> None:
        if call in self._calls:
            self._guarded(self._listener.picture_wanted, call)

    def follow_hold(self, held: bool) -> None:
        """The participant is on hold, or is not."""
        if held != self._held:
            self._held = held
            if self.on_hold is not None:
                self._guarded(self.on_hold, held)

    def _guarded(self, tell: Callable[..., None], *what: object) -> None:
        """An adapter that fails at being told something must not keep the others from being told."""
        try:
            tell(*what)
        except Exception:
            logger.exception("Adapter failed", participant_id=self._participant.uuid)
