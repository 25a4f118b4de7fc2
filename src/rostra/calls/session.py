"""One participant signalled by this node: its calls, their media, its keypad."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Protocol, TypeVar

import msgspec
import structlog

from rostra.background import Background
from rostra.calls import bandwidths
from rostra.calls.anchors import Anchor, Anchors, tokens_of
from rostra.calls.attendant import Attendant
from rostra.calls.keypad import Keypad
from rostra.calls.licences import Licences, MediaLicence, Unlimited
from rostra.calls.offers import has_active_video, has_slides, narrower
from rostra.calls.presentations import (
    FLOOR_RELEASED,
    FLOOR_TAKEN,
    accept_stills,
    content_of,
    price_of,
    rivals,
    slides_policy,
)
from rostra.calls.refusals import refusal_of
from rostra.calls.switchboard import CallRefused, Refusal, SessionListener
from rostra.conference.instance import ConferenceInstance
from rostra.conference.roster import Participant
from rostra.domain import dialling
from rostra.domain.media import Content, MediaDescription, MediaKind
from rostra.domain.presenting import CallContent
from rostra.domain.service import ServiceDescription
from rostra.domain.vocabulary import Role
from rostra.media.client import MediaFailure, Worker, WorkerLost
from rostra.media.messages import Failure, OpenStream

logger = structlog.get_logger("rostra.calls")

Result = TypeVar("Result")

OVERTAKEN = 5.0
"""Seconds a candidate waits for the offer it overtook."""
MOVING = 8.0
"""Seconds a far end has to follow when its media is moved."""
LEAVING = 30.0
"""Seconds a client has to go where it was sent (API-130)."""
TRANSFER_FAILED = "transfer failed"
"""API-017."""
WORKERS_TRIED = 4
"""Workers that may die under one request before it is refused."""


class _Call(msgspec.Struct, kw_only=True):
    """State of one call."""

    content: CallContent = CallContent.MAIN
    confirmed: bool = False
    video: bool = False
    slides: bool = False
    """Slides may go beside main video, or alone."""
    anchor: Anchor | None = None
    """Where its media is; None: nowhere yet, or not any more."""
    leaving: Anchor | None = None
    """Where its media was when it was asked to move, until it is elsewhere."""
    remains: list[Anchor] = []
    """Lost, but of nodes that are there: their workers may still have the leg."""
    ready: asyncio.Event = msgspec.field(default_factory=asyncio.Event)
    """There is a leg at the anchor."""


class Office(Protocol):
    """Where a session is taken from one conference to another (`calls.transfers`)."""

    def leads(self, session: CallSession, keyed: str) -> bool:
        """Does a number keyed at a reception lead anywhere?"""
        ...

    async def connect(self, session: CallSession, keyed: str) -> bool: ...

    async def transfer_to(self, session: CallSession, alias: str, role: Role | None) -> bool:
        """Take it to the conference of an alias; False when that cannot be."""
        ...

    def has_room(self, session: CallSession) -> bool:
        """May one more come into its conference?"""
        ...

    async def refuse(self, session: CallSession, refusal: Refusal) -> bool:
        """Put it where it is shown and told why it is refused; False: it has to be told otherwise."""
        ...


class CallSession:
    """`calls.switchboard.Session` towards the adapter, `conference.instance.Member` towards the roster."""

    def __init__(
        self, instance: ConferenceInstance, participant: Participant, listener: SessionListener, anchors: Anchors,
        on_left: Callable[[CallSession, Participant, str], None], licences: Licences | None = None, *, office: Office,
        wrong_pins: int = 0, call_type: str = "video", tones: str = "",
    ) -> None:  # fmt: skip
        """`call_type`: most media it may have, whatever the service allows. `tones`: sent when it has answered."""
        self._instance = instance
        self._participant = participant
        self._listener = listener
        self._anchors = anchors
        self._on_left = on_left
        self._calls: dict[str, _Call] = {}
        self._office = office
        self._call_type = call_type
        self._tones = tones
        self.attendant = Attendant(self)
        self._keypad = Keypad(
            self, self.attendant, wrong=wrong_pins, find=lambda keyed: office.leads(self, keyed),
            connect=lambda keyed: office.connect(self, keyed), room=lambda: office.has_room(self),
            refuse=lambda: self.refuse(Refusal.PARTICIPANT_LIMIT),
        )  # fmt: skip
        self.licence = MediaLicence(
            licences or Unlimited(), participant.uuid, alias=participant.local_alias, name=participant.display_name
        )
        self._gone = False
        self._background = Background()

    # ---- reading

    @property
    def participant(self) -> Participant:
        return self._instance.participant(self._participant.uuid) or self._participant

    @property
    def service(self) -> ServiceDescription:
        """As this participant may use it."""
        found = self._instance.service.description
        most = "audio" if self.licence.audio_only else narrower(self._call_type, found.call_type)
        return found if most == found.call_type else msgspec.structs.replace(found, call_type=most)

    @property
    def conference(self) -> ConferenceInstance:
        return self._instance

    # ---- media

    async def open_webrtc(self, call: str, offer: str, *, media_type: str = "video", present: str = "") -> str:
        state, fresh = self._begin(call)
        if fresh:
            state.content = content_of(present)
        media_type = narrower(media_type, self.service.call_type)
        slides = slides_policy(self._instance, self._participant.uuid, state.content, media_type)
        if state.content is CallContent.SEND and not slides.receives:
            del self._calls[call]
            raise CallRefused(Refusal.DISABLED)
        replaced = rivals({known: one.content for known, one in self._calls.items()}, call)

        async def open_leg(worker: Worker) -> str:
            answer = await worker.open_webrtc(
                call, offer, media_type=media_type,
                receive_bandwidth=self.service.max_callrate_in, send_bandwidth=self.service.max_callrate_out,
                slides=slides,
            )  # fmt: skip
            if state.confirmed:
                await worker.start(call)
            return answer

        try:
            if not await self._license(call, state, video=media_type != "audio" and has_active_video(offer)):
                media_type = narrower(media_type, self.service.call_type)
            answer = await self._with_worker(call, state, open_leg, audio_only=media_type == "audio")
        except BaseException:  # also of a request that is no longer waited for
            if fresh:
                self._background.spawn(self.close_call(call))
            raise
        state.slides = has_slides(answer)
        self._arrived(call, state)
        state.video = has_active_video(answer)
        if state.content is CallContent.SEND:
            self._instance.presenting.take(self._participant.uuid)
        for other in replaced:
            self._background.spawn(self.close_call(other))
        if state.confirmed:
            self._confirmed(call, state)
        await self._instance.set_client_state(
            self._participant.uuid, **bandwidths.of_webrtc(self.service, offer, answer)
        )
        return answer

    async def add_candidate(self, call: str, mid: str, candidate: str, ufrag: str = "") -> None:
        state = self._calls.get(call)
        if state is None:
            return
        if not state.ready.is_set():  # it overtook the offer that waits for a worker
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(state.ready.wait(), OVERTAKEN)
        await self._tell(call, lambda worker: worker.add_candidate(call, mid, candidate, ufrag))

    async def reserve_rtp(self, call: str, kinds: Sequence[MediaKind]) -> tuple[str, tuple[int, ...]]:
        state, _ = self._begin(call)
        audio_only = not await self._license(call, state, video=MediaKind.VIDEO in kinds)
        if audio_only or self.service.call_type == "audio":  # also where it was moved to (CONF-155)
            kinds = [kind for kind in kinds if kind is not MediaKind.VIDEO]
        return await self._with_worker(
            call, state, lambda worker: worker.reserve_rtp(call, kinds), audio_only=audio_only
        )  # fmt: skip

    async def open_stream(self, call: str, url: str, presentation_url: str = "") -> None:
        state, fresh = self._begin(call)
        left, state.leaving = state.leaving, None
        if left is not None:  # a server takes a stream from one place only
            await self._close_leg(call, left)
        description = self._instance.service.description
        request = OpenStream(
            leg=call, url=url, presentation_url=presentation_url, send_bandwidth=self.service.max_callrate_out,
            background=description.theme.no_presentation_video_bg,
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

    async def connect_rtp(self, call: str, local: MediaDescription, remote: MediaDescription) -> None:
        state, _ = self._begin(call)

        async def connect(worker: Worker) -> None:
            try:
                await worker.connect_rtp(call, local, remote)
                if state.confirmed:
                    await worker.start(call)
            except MediaFailure as failure:
                if failure.kind is not Failure.Kind.UNKNOWN_LEG:
                    raise
                # the worker with the reserved ports has died: new ones are negotiated, now or once confirmed
                logger.info("Leg to be negotiated anew", call=call, conference=self.service.name)

        live = [stream for stream in local.streams if not stream.refused and stream.kind is not MediaKind.APPLICATION]
        state.video = any(stream.kind is MediaKind.VIDEO for stream in live)
        state.slides = any(stream.content is Content.SLIDES for stream in live)
        await self._with_worker(call, state, connect, audio_only=not state.video)
        self._arrived(call, state)
        encrypted = bool(live) and all(stream.crypto for stream in live)
        limits = bandwidths.of_rtp(self.service, local, remote)
        await self._instance.set_client_state(self._participant.uuid, encrypted=encrypted, **limits)
        if state.confirmed:
            self._confirmed(call, state)

    async def confirm(self, call: str) -> None:
        """Start sending; media that was lost before it was confirmed is negotiated anew."""
        state = self._calls.get(call)
        if state is None:
            return
        state.confirmed = True
        self._confirmed(call, state)
        if not await self._tell(call, lambda worker: worker.start(call)):
            self.media_lost(call)

    async def answered(self, vendor: str = "") -> None:
        self._instance.answered(self._participant.uuid, vendor)
        if self._tones:
            self._background.spawn(self._send_tones(self._tones))

    async def _send_tones(self, sequence: str) -> None:
        """CONF-106."""
        clock = asyncio.get_running_loop().time
        began = clock()
        for at, tone in dialling.tones(sequence):
            await asyncio.sleep(max(0.0, began + at - clock()))
            if self._gone:
                return
            self.send_dtmf(tone)

    async def hold(self, call: str, held: bool) -> None:
        if call in self._calls:
            await self._instance.hold(self._participant.uuid, held)

    async def request_keyframe(self, call: str) -> None:
        await self._tell(call, lambda worker: worker.request_keyframe(call))

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

    async def leave(self, reason: str = "Call disconnected") -> None:
        if self._gone:
            return
        self._gone = True
        self.attendant.close()
        self._on_left(self, self.participant, reason)
        self._instance.discard(self._participant.uuid, reason)
        await self._to_the_end(self._end())

    def _begin(self, call: str) -> tuple[_Call, bool]:
        """State of a call, and whether it is a new one. Raises CallRefused when the participant has gone."""
        if self._gone:
            raise CallRefused(Refusal.INVALID_TOKEN)
        fresh = call not in self._calls
        return self._calls.setdefault(call, _Call()), fresh

    async def _license(self, call: str, state: _Call, *, video: bool) -> bool:
        """Take a licence for a call's media; may it have video? Raises CallRefused, and there is no such call then."""
        try:
            allowed = await self.licence.take(video=video)
        except CallRefused as refused:
            if not await self._office.refuse(self, refused.refusal):
                await self.close_call(call)
                raise
            self.licence = MediaLicence(Unlimited(), self._participant.uuid)  # it is only told so
            allowed = video
        if self._calls.get(call) is not state:  # it ended while this was under way
            if not self._calls:
                self.licence.give_back()
            raise CallRefused(Refusal.INVALID_TOKEN)
        return allowed

    async def _with_worker(
        self, call: str, state: _Call, act: Callable[[Worker], Awaitable[Result]], *, audio_only: bool
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
                await self._free(call, state)
                raise CallRefused(Refusal.INVALID_TOKEN)
            if state.leaving is None:
                self._listed(call, state, anchor)
            return result
        raise CallRefused(Refusal.OUT_OF_RESOURCE)

    async def _place(self, call: str, state: _Call, *, audio_only: bool) -> Anchor:
        avoid = state.leaving.node if state.leaving else ""
        tokens = price_of(state.content, tokens_of(self._instance, audio_only=audio_only))
        anchor = await self._anchors.place(self._instance, self._participant.uuid, call, tokens, avoid)
        if self._calls.get(call) is not state:
            self._anchors.release(self._instance, call, anchor)
            raise CallRefused(Refusal.INVALID_TOKEN)
        state.anchor = anchor
        return anchor

    def _listed(self, call: str, state: _Call, anchor: Anchor) -> None:
        self._instance.media.add_leg(
            call, self._participant.uuid, anchor.node, anchor.proxy, content=state.content, slides=state.slides
        )  # fmt: skip

    def _confirmed(self, call: str, state: _Call) -> None:
        if state.content.is_main:
            self._instance.leg_confirmed(call, video=state.video)
        else:
            self._instance.media.confirmed(call)

    def _arrived(self, call: str, state: _Call) -> None:
        """The leg is where it should be: let go of where it was."""
        state.ready.set()
        if state.anchor is None:
            return
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

    async def _free(self, call: str, state: _Call) -> None:
        """Close the leg wherever it is."""
        anchors = [anchor for anchor in (state.anchor, state.leaving, *state.remains) if anchor is not None]
        state.anchor = state.leaving = None
        state.remains = []
        for anchor in anchors:
            await self._close_leg(call, anchor)

    async def _close_leg(self, call: str, anchor: Anchor, conference: ConferenceInstance | None = None) -> None:
        try:
            report = await anchor.worker.close_leg(call)
            self._anchors.ended(self._participant.uuid, call, anchor, report)
        except (WorkerLost, MediaFailure) as problem:
            logger.info("Leg not closed", call=call, peer=anchor.node, reason=str(problem))
        self._anchors.release(conference or self._instance, call, anchor)

    async def _to_the_end(self, work: Coroutine[Any, Any, None]) -> None:
        """Free media for certain, also when the request for it is no longer waited for."""
        await asyncio.shield(self._background.spawn(work))

    async def _end(self) -> None:
        calls, self._calls = self._calls, {}
        self.licence.give_back()
        for call, state in calls.items():
            await self._free(call, state)

    # ---- told by the conference (Member)

    def removed(self, reason: str) -> None:
        if not self._gone:
            self._gone = True
            self.attendant.close()
            self._on_left(self, self.participant, reason)
            self._background.spawn(self._end())
            self._guarded(self._listener.disconnected, reason)

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

    def _lose(self, call: str, state: _Call, anchor: Anchor) -> None:
        """What is left of a lost leg goes: its booking and relay now, itself once the next one is elsewhere."""
        if self._anchors.alive(anchor.node):
            state.remains.append(anchor)
        else:
            anchor.worker.lose("its node is gone")
        self._anchors.release(self._instance, call, anchor)

    async def _moved_in_time(self, call: str, state: _Call) -> None:
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

    def pressed(self, digit: str) -> None:
        self.dtmf("", digit)

    def send_dtmf(self, digits: str) -> None:
        for call in list(self._calls):
            self._background.spawn(self._tell(call, lambda worker, call=call: worker.send_dtmf(call, digits)))

    # ---- sounds of the theme

    async def play(self, *sounds: str) -> float:
        """Queue sounds; seconds until the participant has heard all that is queued for it, 0 without media."""
        longest = 0.0

        async def tell(worker: Worker) -> None:
            nonlocal longest
            longest = max(longest, await worker.play(call, *sounds))

        for call in self._speaking_to():
            await self._tell(call, tell)
        return longest

    async def stop_playing(self) -> None:
        """Drop what is queued."""
        for call in self._speaking_to():
            await self._tell(call, lambda worker, call=call: worker.stop_playing(call))

    def transferred(self, alias: str, role: Role | None) -> None:
        if self._gone:
            return
        try:
            goes = self._listener.refer(alias, role)
        except Exception:
            logger.exception("Adapter failed", participant_id=self._participant.uuid)
            goes = False
        self._background.spawn(self._await_leaving() if goes else self._transfer(alias, role))

    async def _await_leaving(self) -> None:
        """Its client goes by itself, and is put out when it does not (API-130)."""
        uuid = self._participant.uuid
        await self._instance.set_client_state(uuid, is_transferring=True)
        await asyncio.sleep(LEAVING)
        if not self._gone:
            await self._instance.remove(uuid, TRANSFER_FAILED)

    async def _transfer(self, alias: str, role: Role | None) -> None:
        if not await self._office.transfer_to(self, alias, role):
            await self._instance.remove(self._participant.uuid, TRANSFER_FAILED)

    def play_sounds(self, sounds: tuple[str, ...]) -> None:
        self._background.spawn(self._play(sounds))

    async def _play(self, sounds: tuple[str, ...]) -> None:
        await self.play(*sounds)

    def _speaking_to(self) -> list[str]:
        return [call for call, state in self._calls.items() if state.content.is_main and state.confirmed]

    # ---- presenting

    async def take_floor(self) -> bool:
        return self._instance.presenting.take(self._participant.uuid)

    async def release_floor(self) -> None:
        self._instance.presenting.release(self._participant.uuid)

    async def present_stills(self, call: str) -> None:
        uuid = self._participant.uuid
        if not self._instance.presenting.may(uuid, video=False):
            raise CallRefused(Refusal.DISABLED)
        state, _ = self._begin(call)
        state.content = CallContent.STILLS
        replaced = rivals({known: one.content for known, one in self._calls.items()}, call)
        try:
            await self._with_worker(call, state, accept_stills, audio_only=True)
        except BaseException:  # also of a request that is no longer waited for
            self._background.spawn(self.close_call(call))
            raise
        self._arrived(call, state)
        for other in replaced:
            await self.close_call(other)
        self._instance.presenting.take(uuid, video=False)

    async def show_still(self, jpeg: bytes) -> None:
        call = next((call for call, state in self._calls.items() if state.content is CallContent.STILLS), None)
        presenter = self._instance.presenting.presenter
        if call is None or presenter is None or presenter.uuid != self._participant.uuid:
            raise CallRefused(Refusal.DISABLED)
        state = self._calls[call]
        await self._with_worker(call, state, lambda worker: worker.show_still(call, jpeg), audio_only=True)
        self._arrived(call, state)

    def floor_lost(self, *, taken: bool) -> None:
        """Calls that were there to present only have nothing to do any more (API-096)."""
        for call in [call for call, state in self._calls.items() if state.content.presents]:
            self._background.spawn(self.close_call(call))
            self._guarded(self._listener.call_ended, call, FLOOR_TAKEN if taken else FLOOR_RELEASED)

    def presentation_changed(self, presenter: str) -> None:
        self._guarded(self._listener.presentation_changed, presenter)

    def _guarded(self, tell: Callable[..., None], *what: str) -> None:
        """An adapter that fails at being told something must not keep the others from being told."""
        try:
            tell(*what)
        except Exception:
            logger.exception("Adapter failed", participant_id=self._participant.uuid)

    # ---- what the platform says, and what is typed

    def followed(self, participant: Participant) -> None:
        self.attendant.follow(participant)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return self._background.spawn(work)

    def dtmf(self, call: str, digits: str) -> None:
        self._keypad.dtmf(digits)

    def refuse(self, refusal: Refusal) -> None:
        """There is no room for it after all."""
        self._background.spawn(self._refuse(refusal))

    async def _refuse(self, refusal: Refusal) -> None:
        if not self._gone and not await self._office.refuse(self, refusal):
            await self._instance.remove(self._participant.uuid, refusal.text)

    # ---- going to another conference

    def move(self, instance: ConferenceInstance, participant: Participant) -> Participant:
        """Be `participant` of another conference from now on; the media of all calls is set up anew there.

        Returns the participant as it is seated. What is left in the conference before is the caller's to end.
        """
        before = self._instance
        self._instance, self._participant = instance, participant
        self.attendant.close()
        self.attendant = self._keypad.begin_anew(Attendant(self))
        seated = self._participant = instance.add(participant, self)
        for call, state in list(self._calls.items()):
            left = [anchor for anchor in (state.anchor, state.leaving, *state.remains) if anchor is not None]
            state.anchor = state.leaving = None
            state.remains = []
            state.ready.clear()
            if left:
                self._background.spawn(self._follow_or_fall_silent(call, state, before, left))
                self._guarded(self._listener.media_lost, call)
        return seated

    async def _follow_or_fall_silent(
        self, call: str, state: _Call, before: ConferenceInstance, left: Sequence[Anchor]
    ) -> None:
        """Close what is left in the other conference once the media is here, or did not follow in time."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(state.ready.wait(), MOVING)
        for anchor in left:
            await self._close_leg(call, anchor, before)
