"""One participant signalled by this node: its calls, their media, its keypad."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

import structlog

from rostra.calls import bandwidths, tones
from rostra.calls.anchors import Anchors
from rostra.calls.attendant import Attendant
from rostra.calls.cameras import CameraLegs, movable
from rostra.calls.keypad import Keypad
from rostra.calls.licences import Licences
from rostra.calls.offers import full_hd_in, has_active_video, has_slides, narrower
from rostra.calls.presentations import (
    FLOOR_RELEASED,
    FLOOR_TAKEN,
    accept_stills,
    content_of,
    rivals,
    slides_policy,
)
from rostra.calls.switchboard import CallRefused, Refusal, SessionListener
from rostra.conference.instance import ConferenceInstance
from rostra.conference.messages import Transfer
from rostra.conference.roster import Participant
from rostra.domain.admission import AccessRules
from rostra.domain.media import Content, MediaDescription, MediaKind
from rostra.domain.presenting import CallContent
from rostra.domain.vocabulary import Role
from rostra.media.client import MediaFailure, Worker
from rostra.media.messages import Failure
from rostra.waiting import in_time

logger = structlog.get_logger("rostra.calls")

OVERTAKEN = 5.0
"""Seconds a candidate waits for the offer it overtook."""
LEAVING = 30.0
"""Seconds a client has to go where it was sent (API-130)."""
TRANSFER_FAILED = "transfer failed"
"""API-017."""


class Office(Protocol):
    """Where a session is taken from one conference to another (`calls.transfers`)."""

    def leads(self, session: CallSession, keyed: str) -> bool:
        """Does a number keyed at a reception lead anywhere?"""
        ...

    async def connect(self, session: CallSession, keyed: str) -> bool: ...

    def judged(self, session: CallSession, right: bool) -> None: ...

    async def transfer_to(self, session: CallSession, to: Transfer) -> bool: ...

    def may_refer(self, session: CallSession, to: Transfer) -> bool:
        """May its far end be told to go there by itself?"""
        ...

    def take_place(self, session: CallSession) -> bool:
        """Take one of the places in its conference; False: there is none."""
        ...

    async def refuse(self, session: CallSession, refusal: Refusal) -> bool:
        """Put it where it is shown and told why it is refused; False: it has to be told otherwise."""
        ...


class CallSession(CameraLegs):
    """`calls.switchboard.Session` towards the adapter, `conference.instance.Member` towards the roster."""

    def __init__(
        self, instance: ConferenceInstance, participant: Participant, listener: SessionListener, anchors: Anchors,
        on_left: Callable[[CallSession, Participant, str], None], licences: Licences | None = None, *, office: Office,
        wrong_pins: int = 0, call_type: str = "video", tones: str = "", rate_out: int | None = None,
        rules: AccessRules | None = None,
    ) -> None:  # fmt: skip
        """`call_type`: most media it may have, whatever the service allows, `rate_out` the most bit/s it is
        sent. `tones`: sent when it has answered."""
        super().__init__(instance, participant, listener, anchors, licences, call_type, rate_out)
        self._on_left = on_left
        self.rules = rules or instance.service.access
        self._office = office
        self._tones = tones
        self._going: tuple[str, asyncio.Task[None]] | None = None
        """Where its client is to go by itself, and the wait for that."""
        self.attendant = Attendant(self)
        self._keypad = Keypad(
            self, self.attendant, wrong=wrong_pins, find=lambda keyed: office.leads(self, keyed),
            connect=lambda keyed: office.connect(self, keyed), room=lambda: office.take_place(self),
            refuse=lambda: self.refuse(Refusal.PARTICIPANT_LIMIT), judged=lambda right: office.judged(self, right),
        )  # fmt: skip

    # ---- media

    async def open_webrtc(
        self, call: str, offer: str, *, media_type: str = "video", present: str = "", answered: bool = False
    ) -> str:
        state, fresh = self._begin(call)
        if fresh:
            state.content, state.asked = content_of(present), bandwidths.asked(offer)
        await self._price(call, state, full_hd=full_hd_in(offer))
        media_type = narrower(media_type, self.service.call_type)
        slides = slides_policy(self._instance, self._participant.uuid, state.content, media_type)
        if state.content is CallContent.SEND and not slides.receives:
            del self._calls[call]
            raise CallRefused(Refusal.DISABLED)
        replaced = rivals({known: one.content for known, one in self._calls.items()}, call)

        async def open_leg(worker: Worker) -> str:
            answer = await worker.open_webrtc(
                call, offer, media_type=media_type,
                receive_bandwidth=self.service.max_callrate_in, send_bandwidth=self._sent_at_most(state),
                slides=slides, servers=self.servers, answered=answered,
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
        said = bandwidths.of_webrtc(self.service, offer, answer)
        await self._instance.set_client_state(self._participant.uuid, **said)
        return answer

    async def add_candidate(self, call: str, mid: str, candidate: str, ufrag: str = "") -> None:
        state = self._calls.get(call)
        if state is None:
            return
        with contextlib.suppress(TimeoutError):  # it may overtake the offer, which waits for a worker
            await in_time(state.ready.wait(), OVERTAKEN)
        await self._tell(call, lambda worker: worker.add_candidate(call, mid, candidate, ufrag))

    async def reserve_rtp(
        self, call: str, kinds: Sequence[MediaKind], *, full_hd: bool = False, ipv6: bool = False
    ) -> tuple[str, tuple[int, ...]]:
        state, _ = self._begin(call)
        await self._price(call, state, full_hd=full_hd)
        audio_only = not await self._license(call, state, video=MediaKind.VIDEO in kinds)
        told = self.licence.audio_only and self._instance.service.description.call_type != "audio"  # REF-046
        await self._instance.set_client_state(self._participant.uuid, no_video=told)
        if not told and self.service.call_type == "audio":  # also where it was moved to (CONF-155)
            kinds = [kind for kind in kinds if kind is MediaKind.AUDIO]
        return await self._reserve(call, state, kinds, audio_only=audio_only, ipv6=ipv6)

    async def connect_rtp(self, call: str, local: MediaDescription, remote: MediaDescription) -> None:
        state, _ = self._begin(call)
        remote = bandwidths.capped(remote, self._sent_at_most(state))

        async def connect(worker: Worker) -> None:
            try:
                await worker.connect_rtp(call, local, remote, self.proved)
                if state.confirmed:
                    await worker.start(call)
            except MediaFailure as failure:
                if failure.kind is not Failure.Kind.UNKNOWN_LEG:
                    raise
                # the worker with the reserved ports has died: new ones are negotiated, now or once confirmed
                logger.info("Leg to be negotiated anew", call=call, conference=self.service.name)

        live = [stream for stream in local.streams if not stream.refused and stream.kind is not MediaKind.APPLICATION]
        state.video = not self.licence.audio_only and any(stream.kind is MediaKind.VIDEO for stream in live)
        state.slides = any(stream.content is Content.SLIDES for stream in live)
        await self._with_worker(call, state, connect, audio_only=not state.video)
        self._arrived(call, state)
        encrypted = bool(live) and all(stream.crypto for stream in live)
        said = bandwidths.of_rtp(self.service, local, remote) | {"fecc_supported": movable(local)}
        await self._instance.set_client_state(self._participant.uuid, encrypted=encrypted, **said)
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

    async def ringing(self, *, early: bool = False) -> None:
        if not self.participant.early:
            heard = early and self._instance.service.onward is not None
            seen = heard and any(state.video for state in self._calls.values())
            uuid = self._participant.uuid
            await self._instance.set_client_state(uuid, is_ringing=not heard, early=heard, is_video_call=seen)

    def send_early(self) -> None:
        """Send media from now on, although the call is not confirmed."""
        for call in list(self._calls):
            self._background.spawn(self._tell(call, lambda worker, call=call: worker.start(call, early=True)))

    async def answered(self, vendor: str = "") -> None:
        self._instance.answered(self._participant.uuid, vendor)
        if self._tones:
            self._background.spawn(tones.send(self, self._tones))

    async def hold(self, call: str, held: bool) -> None:
        if call in self._calls:
            await self._instance.hold(self._participant.uuid, held)

    async def request_keyframe(self, call: str) -> None:
        await self._tell(call, lambda worker: worker.request_keyframe(call))

    async def leave(self, reason: str = "Call disconnected") -> None:
        if self._gone:
            return
        self._gone = True
        self.attendant.close()
        self._on_left(self, self.participant, reason)
        self._instance.discard(self._participant.uuid, reason)
        await self._to_the_end(self._end())

    # ---- told by the conference (Member)

    def removed(self, reason: str) -> None:
        if not self._gone:
            self._gone = True
            self.attendant.close()
            self._on_left(self, self.participant, reason)
            self._background.spawn(self._end())
            self._guarded(self._listener.disconnected, reason)

    def let_in(self, role: Role) -> None:
        self._keypad.let_in(role)

    def pressed(self, digit: str) -> None:
        self.dtmf("", digit)

    def send_dtmf(self, digits: str) -> None:
        if self.on_tones and self.on_tones(digits):
            return
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

    def transferred(self, to: Transfer) -> None:
        if self._gone:
            return
        try:
            goes = to.call is None and self._office.may_refer(self, to) and self._listener.refer(to.alias, to.role)
        except Exception:
            logger.exception("Adapter failed", participant_id=self._participant.uuid)
            goes = False
        if goes:
            self.withdraw()
            self._going = to.alias, self._background.spawn(self._await_leaving())
        else:
            self._background.spawn(self._transfer(to))

    def withdraw(self, alias: str = "") -> bool:
        """It need not go to `alias` (empty: wherever it was sent) any more; False: it was not sent there (API-132)."""
        if self._going is None or alias not in ("", self._going[0]):
            return False
        self._going[1].cancel()
        self._going = None
        return True

    async def _await_leaving(self) -> None:
        """Its client goes by itself, and is put out when it does not (API-130)."""
        uuid = self._participant.uuid
        await self._instance.set_client_state(uuid, is_transferring=True)
        await asyncio.sleep(LEAVING)
        if not self._gone:
            await self._instance.remove(uuid, TRANSFER_FAILED)

    async def _transfer(self, to: Transfer) -> None:
        if not await self._office.transfer_to(self, to):
            await self._instance.remove(self._participant.uuid, TRANSFER_FAILED)

    def play_sounds(self, sounds: tuple[str, ...]) -> None:
        self._background.spawn(self._play(sounds))

    async def _play(self, sounds: tuple[str, ...]) -> None:
        await self.play(*sounds)

    def _speaking_to(self) -> list[str]:
        return [call for call, state in self._calls.items() if state.content.is_main and state.confirmed]

    # ---- presenting

    async def take_floor(self) -> bool:
        presenting, uuid = self._instance.presenting, self._participant.uuid
        room = presenting.may(uuid, video=True) and await self._instance.media.surcharge.room(self.participant)
        return room and presenting.take(uuid)

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

    # ---- what the platform says, and what is typed

    def followed(self, participant: Participant) -> None:
        self.attendant.follow(participant)
        self.follow_hold(participant.is_on_hold)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return self._background.spawn(work)

    def dtmf(self, call: str, digits: str) -> None:
        self._keypad.dtmf(digits)

    async def told(self, refusal: Refusal) -> bool:
        return await self._office.refuse(self, refusal)

    def refuse(self, refusal: Refusal) -> None:
        """There is no room for it after all."""
        self._background.spawn(self._refuse(refusal))

    async def _refuse(self, refusal: Refusal) -> None:
        if not self._gone and not await self.told(refusal):
            await self._instance.remove(self._participant.uuid, refusal.text)

    # ---- going to another conference

    def move(self, instance: ConferenceInstance, participant: Participant, rules: AccessRules) -> Participant:
        """Be `participant` of another conference from now on; the media of all calls is set up anew there.

        Returns the participant as it is seated. What is left in the conference before is the caller's to end.
        """
        self._instance, self._participant, self.rules = instance, participant, rules
        self.attendant.close()
        self.attendant = self._keypad.begin_anew(Attendant(self))
        seated = self._participant = instance.add(participant, self)
        self._take_along()
        return seated
