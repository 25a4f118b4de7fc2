"""One SIP call as a participant: from the engine's events to the switchboard, and back."""

from __future__ import annotations

import asyncio
import functools

import structlog

from rostra.calls import bandwidths
from rostra.calls.switchboard import (
    CallRefused,
    CallRequest,
    FarEnd,
    MediaRefused,
    PinRequired,
    Refusal,
    Session,
    Switchboard,
)
from rostra.domain import gateway
from rostra.domain.vocabulary import CallProtocol, Role
from rostra.media.codecs import EVENTS
from rostra.media.negotiation import NegotiationError, NoCommonCodec
from rostra.sdp.errors import SdpError
from rostra.sip import info, moving
from rostra.sip.aliases import aliases, elsewhere, printable
from rostra.sip.callers import Caller, caller_of
from rostra.sip.content import FloorLine
from rostra.sip.errors import LocalError
from rostra.sip.events import (
    CallAnswered,
    CallConfirmed,
    CallEnded,
    CallProgressed,
    CallReceived,
    InfoReceived,
    OfferAnswered,
    OfferReceived,
    OfferRefused,
    PartyChanged,
    ReferReceived,
    Referred,
)
from rostra.sip.flow import Transport
from rostra.sip.limits import MAX_PENDING_EVENTS
from rostra.sip.line import Line
from rostra.sip.media import CallMedia, check_offer
from rostra.sip.telling import Dropped, Held, MediaGone, Silence, Told
from rostra.sip.uri import Uri
from rostra.sip.waiting import Waiting

log = structlog.get_logger("rostra.sip")

SET_UP_AGAIN = 10
"""How often lost media is tried again while there is no room anywhere."""
PAUSE = 1.0
"""Seconds between two tries."""
NOWHERE = frozenset({Refusal.NOT_FOUND, Refusal.TRANSFORM, Refusal.NOT_REGISTERED})
FOCI = frozenset({"conference", "lecture"})
"""Kinds of services that are conferences to who calls them (RFC 4579)."""


class CallAgent:
    """Serves one call: events are handled one after the other in a task of its own."""

    def __init__(self, call: str, switchboard: Switchboard, line: Line) -> None:
        self._call = call
        self._switchboard = switchboard
        self._line = line
        self._media_call = f"sip-{call}"
        """Id of the media of this call: unique, since legs of one conference share a worker."""
        self._queue: asyncio.Queue[Told] = asyncio.Queue(MAX_PENDING_EVENTS)
        self._session: Session | None = None
        self._media: CallMedia | None = None
        self._media_is_lost = False
        self._trusted = False
        """Calls come from a system of the administrator's own."""
        self._said: Caller | None = None
        """Who the far end says it is."""
        self._peer = ""
        """Address it signals from."""
        self._presenter = ""
        self._parting = "Call disconnected"
        """Why the participant leaves with the call."""
        self._moving = moving.Moving(switchboard, line, lambda: self._session, lambda: self._call)
        self._waiting = Waiting(line, call)
        self._log = log.bind(call=call)

    # ---- calls.switchboard.SessionListener ------------------------------------------------------------------

    def disconnected(self, reason: str) -> None:
        self.put(Dropped(reason))

    def media_lost(self, call: str) -> None:
        del call
        self.put(MediaGone())

    def call_ended(self, call: str, reason: str) -> None:
        del call
        self.put(Dropped(reason))

    def picture_wanted(self, call: str) -> None:
        del call
        self._line.inform(self._call, *info.KEYFRAME)

    def presentation_changed(self, presenter: str) -> None:
        """Who presents: the far end's floor follows."""
        self._presenter = presenter
        if self._media is not None and self._media.floor is not None and self._session is not None:
            itself = presenter == self._session.participant.uuid
            self._media.floor.presented(itself=itself, other=bool(presenter) and not itself)

    def refer(self, alias: str, role: Role | None) -> bool:
        """It is moved inside the platform, and its media follows; only to elsewhere it has to go itself."""
        del role
        return self._moving.send(alias)

    def _floor(self, address: str) -> FloorLine:
        line = FloorLine(self._line.environment, address, self._floor_wanted, lambda: self._peer)
        itself = self._session is not None and self._presenter == self._session.participant.uuid
        line.presented(itself=itself, other=bool(self._presenter) and not itself)
        return line

    async def _floor_wanted(self, wants: bool) -> bool:
        """The far end wants to present, or no longer does."""
        if self._session is None:
            return False
        if not wants:
            await self._session.release_floor()
            return False
        able = self._media is not None and self._media.brings_slides
        granted = able and await self._session.take_floor()
        self._log.info("bfcp_floor_requested", granted=granted)
        return granted

    def _held(self, held: bool) -> None:
        self.put(Held(held))

    def _tones(self, digits: str) -> bool:
        """To a far end without telephone events, digits go by INFO."""
        agreed = self._media.agreement if self._media is not None else None
        if agreed is None or any(c.name == EVENTS.name for one in agreed.local.streams for c in one.codecs):
            return False
        for digit in digits:
            self._line.inform(self._call, *info.relayed(digit))
        return True

    @property
    def call(self) -> str:
        """Its name at the engine."""
        return self._call

    @property
    def session(self) -> Session | None:
        return self._session

    # ---- running ----------------------------------------------------------------------------------------------

    def put(self, event: Told) -> None:
        """Hand over an event. A call with too many of them waiting is ended."""
        if self._queue.full() and not isinstance(event, CallEnded):
            self._log.warning("sip_call_overrun")
            self._line.hang_up(self._call, "too many requests")
            return
        if self._queue.full():
            self._queue.get_nowait()
        self._queue.put_nowait(event)

    async def run(self) -> None:
        """Until the call has ended, whichever way."""
        try:
            while True:
                event = await self._queue.get()
                if isinstance(event, CallEnded):
                    if await self._ended(event):
                        continue
                    self._log.info("sip_call_ended", reason=event.reason, status=event.status, said=event.said)
                    return
                await self._guarded(event)
        finally:
            self._moving.close()
            if self._media is not None:
                await self._media.close()
            if self._session is not None:
                await self._session.leave(self._parting)

    async def _ended(self, event: CallEnded) -> bool:
        """The call is over; True: another one goes on in its place."""
        del event
        return False

    async def _guarded(self, event: Told) -> None:
        """Every failure becomes the response (or BYE) it calls for; none escapes."""
        try:
            await self._handle(event)
        except LocalError as problem:
            self._log.info("sip_call_too_late", problem=str(problem))
        except CallRefused as refused:
            self._log.info("sip_call_refused", reason=refused.text)
            if refused.refusal in NOWHERE and isinstance(event, CallReceived):
                self._line.nobody_there(event)
            if refused.new_alias and isinstance(event, CallReceived):
                self._line.refuse(self._call, 302, "", elsewhere(refused.new_alias))
            else:
                self._fail(event, refused.refusal.sip_status, refused.refusal.text)
        except PinRequired:
            self._fail(event, 403, "PIN required")
        except NoCommonCodec as problem:
            self._log.info("sip_no_common_codec", problem=str(problem))
            self._fail(event, 488, "")
        except (SdpError, NegotiationError) as problem:
            self._log.warning("sip_bad_description", problem=str(problem))
            self._fail(event, 400, "Bad session description")
        except MediaRefused as problem:
            self._log.warning("sip_media_refused", problem=str(problem))
            self._fail(event, 488 if problem.no_common_codec else 400, "")
        except Exception:
            self._log.exception("sip_call_failed")
            self._fail(event, 500, "")

    def _fail(self, event: Told, status: int, reason: str) -> None:
        """Refuse what waits for our answer; where nothing waits, end the call."""
        if isinstance(event, CallReceived | OfferReceived):
            self._line.refuse(self._call, status, reason)
        else:
            self._line.hang_up(self._call, reason)

    async def _handle(self, event: Told) -> None:
        match event:
            case CallReceived():
                await self._received(event)
            case CallConfirmed():
                await self._confirmed(event)
            case OfferReceived():
                await self._offered(event)
            case OfferAnswered():
                await self._running().answered(event.sdp)
                self._media_is_lost = False
            case OfferRefused():
                if self._media_is_lost:
                    self._line.hang_up(self._call, "media lost")
            case InfoReceived():
                await self._informed(event)
            case MediaGone(tried=tried):
                await self._set_up_again(tried)
            case Dropped():
                self._log.info("sip_call_dropped", reason=event.reason)
                if not self._waiting.refuse(event.reason):
                    self._line.hang_up(self._call, event.reason)
            case FarEnd():
                self._waiting.follow(event)
            case Held(held=held):
                await self._hold(held)
            case PartyChanged():
                await self._met(event)
            case ReferReceived():
                self._moving.wanted(event)
            case Referred():
                if parting := self._moving.told(event):
                    self._parting = parting
                    self._line.hang_up(self._call, parting)
            case CallProgressed():
                pass  # of calls that we place
            case CallAnswered() | CallEnded() | Silence():
                self._log.warning("sip_event_unexpected", kind=type(event).__name__)

    async def _set_up_again(self, tried: int) -> None:
        """Offer media at its new place; while there is none, ask again for some seconds before the call is given up."""
        self._media_is_lost = True
        if self._media is None:
            return
        try:
            offer = await self._media.offer(new_ports=True)
        except CallRefused as refused:
            if refused.refusal is not Refusal.OUT_OF_RESOURCE or tried >= SET_UP_AGAIN:
                raise
            self._log.info("sip_media_not_yet", tried=tried)
            asyncio.get_running_loop().call_later(PAUSE, self.put, MediaGone(tried + 1))
            return
        self._line.offer(self._call, offer)

    async def _received(self, event: CallReceived) -> None:
        if event.sdp is not None:
            check_offer(event.sdp)
        replaced = self._line.session_of(event.replaces) if event.replaces else None
        request = moving.taking_place(self._call_request(event), replaced)
        self._log.info("sip_call_received", alias=request.alias, remote=request.remote_alias)
        self._session = session = await self._switchboard.join(request, self)
        session.on_hold, session.on_tones, session.on_far_end = self._held, self._tones, self.put
        onward = session.service.service_type == gateway.GATEWAY
        if session.service.service_type in FOCI:
            self._line.focus(self._call)
        if not onward:
            self._line.ring(self._call)
        self._media = CallMedia(
            session, self._media_call, encrypt=event.flow.transport is Transport.TLS, floor=self._floor,
            ipv6=":" in event.flow.remote[0],
        )  # fmt: skip
        self._media.announce = functools.partial(self._line.announced, peer=event.flow.remote[0])
        sdp = await (self._media.offer() if event.sdp is None else self._media.answer(event.sdp))
        if onward:
            self._waiting.keep(sdp, answers=event.sdp is not None)
        else:
            self._line.answer(self._call, sdp)
        if event.replaces:
            self._line.hang_up(event.replaces, moving.MOVED)

    async def _confirmed(self, event: CallConfirmed) -> None:
        if event.sdp is not None:
            await self._running().answered(event.sdp)
        if self._session is not None:
            await self._session.confirm(self._media_call)

    async def _offered(self, event: OfferReceived) -> None:
        media = self._running()
        sdp = await (media.offer() if event.sdp is None else media.answer(event.sdp))
        self._line.answer(self._call, sdp)

    async def _met(self, event: PartyChanged) -> None:
        """A call control has connected somebody else. A name that others gave, policy or a Host, is left as it is."""
        session = self._session
        if session is None:
            return
        me, caller = session.participant, caller_of(event.request, trusted=self._trusted)
        if me.display_name != (self._said.name if self._said is not None else me.uri) or me.is_trusted:
            self._log.info("sip_caller_keeps_its_name", said=caller.address)
            return
        self._said = caller
        name = dict.fromkeys(("display_name", "overlay_text"), caller.name)
        await session.conference.set_client_state(me.uuid, uri=caller.address, **name)

    async def _hold(self, held: bool) -> None:
        """The far end is told by an offer that asks for nothing, unless it is it that holds."""
        if self._media is not None and self._media.pause(held):
            self._line.offer(self._call, await self._media.offer())

    async def _informed(self, event: InfoReceived) -> None:
        if self._session is None:
            return
        if info.wants_keyframe(event.content_type, event.body):
            await self._session.request_keyframe(self._media_call)
        digit = info.digits(event.content_type, event.body)
        if digit:
            self._session.dtmf(self._media_call, digit)

    def _running(self) -> CallMedia:
        if self._media is None:
            raise LocalError("the call has no media yet")
        return self._media

    def _call_request(self, event: CallReceived) -> CallRequest:
        request = event.request
        self._trusted = self._line.trusts(event.flow)
        self._peer = event.flow.remote[0]
        self._said = caller = caller_of(request, trusted=self._trusted)
        return CallRequest(
            alias=self._alias(request.target),
            protocol=CallProtocol.SIP,
            display_name=caller.name,
            remote_alias=caller.address,
            dialled=printable(f"{request.target.scheme}:{request.target.address}"),
            caller=caller.uri,
            asserted_identity=caller.asserted,
            bandwidth=bandwidths.asked((event.sdp or b"").decode(errors="replace")),
            subnet=None if (subnet := request.headers.get("ms-subnet")) is None else printable(subnet),
            vendor=printable(request.headers.get("User-Agent") or ""),
            remote_address=event.flow.remote[0],
            remote_port=event.flow.remote[1],
            encrypted=event.flow.transport is Transport.TLS,
            registered=self._line.registered(request.from_.uri, event.flow),
            hops=event.request.hops,
            trail=gateway.trail(request.headers.get(gateway.TRAIL) or ""),
        )

    def _alias(self, target: Uri) -> str:
        """The first candidate that names a service; else the last, so that the refusal names what was dialled."""
        candidates = aliases(target, ours=self._line.is_ours(target.bare_host))
        return next((alias for alias in candidates if self._switchboard.lookup(alias) is not None), candidates[-1])
