"""What other nodes ask of this one: one subscription, every request answered, whatever it holds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import msgspec
import structlog

from rostra.calls.edge import Edge
from rostra.conference import messages as w
from rostra.conference.here import Here
from rostra.conference.instance import ConferenceInstance
from rostra.conference.stills import within
from rostra.domain.service import Service
from rostra.fabric.speaking import speaks_for
from rostra.media.client import MediaFailure, WorkerLost
from rostra.media.replies import PictureWanted

logger = structlog.get_logger("rostra.calls")

Find = Callable[[str, Service], Awaitable[ConferenceInstance]]
"""The conference of a key, begun here when it does not run here yet."""


class NodeRequests:
    """Answers what is asked on `node_subject`."""

    def __init__(
        self, here: Here, running: Mapping[str, ConferenceInstance], find: Find, edge: Edge, *,
        takes_media: Callable[[], bool], reservation: Callable[[bool], int], uses_relay: Callable[[str], bool],
        dial_out: Callable[[w.DialOut], Awaitable[w.Reply]],
    ) -> None:  # fmt: skip
        self._here = here
        self._running = running
        self._find = find
        self._edge = edge
        self._takes_media = takes_media
        self._uses_relay = uses_relay
        self._dial_out = dial_out
        self._reservation = reservation

    async def answer(self, _subject: str, payload: bytes) -> bytes:
        try:
            request: w.Request = w.request_decoder.decode(payload)
        except msgspec.DecodeError as problem:
            logger.warning("Request of another node not understood", problem=str(problem))
            return w.encode(w.Absent())
        if isinstance(request, w.Place):
            return w.encode(await self._place(request))
        if isinstance(request, w.RelayOpen | w.RelayAim | w.RelayAnnounce | w.RelayClose):
            return w.encode(self._edge.answer(request))
        if isinstance(request, w.DialOut):
            return w.encode(await self._dial_out(request))
        if isinstance(request, w.RelayUsed):
            return w.encode(w.Done() if self._uses_relay(request.relay) else w.Absent())
        conference = self._running.get(request.key)
        if conference is None or conference.ended:
            return w.encode(w.Absent())
        return w.encode(await self._carry_out(conference, request))

    async def _carry_out(self, conference: ConferenceInstance, request: w.Request) -> w.Reply:
        match request:
            case w.Sync():
                return conference.answer()
            case w.Order():
                return w.Done() if conference.carry_out(request) else w.Absent()
            case w.Reserve():
                audio_only = conference.service.description.call_type == "audio"
                if not self._here.ledger.reserve(request.key, self._reservation(audio_only)):
                    return w.NoRoom(reason="no capacity left")
            case w.Release(call=call, ticket=ticket):
                conference.media.release(call, ticket)
            case w.LegEvent(event=event):
                conference.media.leg_event(event)
            case w.PictureNeeded(call=call):
                conference.media.leg_event(PictureWanted(leg=call))
            case w.CameraMoves(event=event):
                conference.media.leg_event(event)
            case w.LegsLost(node=node) | w.Want(node=node) if node and not speaks_for(node):
                logger.warning("A request in the name of another node is not heeded", node=node)
                return w.Absent()
            case w.LegsLost(calls=calls, moving=moving, node=node):
                conference.media.legs_lost(calls, moving=moving, node=node)
            case w.Want():
                hosting = conference.media.hosting
                return await hosting.serve(request) if hosting else w.Absent()
            case w.PresentationRoom(call=call, tokens=tokens):
                if not conference.media.surcharge.fits(call, tokens):
                    return w.NoRoom(reason="no capacity left")
            case w.TakeStill(source=source, mark=mark):
                hosting = conference.media.hosting
                found = await hosting.still(source, mark) if hosting else None
                return within(found) if found else w.Absent()
            case _:
                return w.Absent()
        return w.Done()

    async def _place(self, request: w.Place) -> w.Reply:
        """Book first, so that two calls cannot both take the last room; give it back when there is no worker."""
        if not self._takes_media():
            return w.NoRoom(reason="takes no media now")
        audio_only = request.service.description.call_type == "audio"
        distributed = request.service.onward is None or request.elsewhere  # a gateway call: no more than its legs
        reserved = self._reservation(audio_only) if distributed else 0
        ledger = self._here.ledger
        if request.notice:
            booked = ledger.notice(request.key, request.call)
        else:
            booked = ledger.book(request.key, request.call, request.tokens, reserved)
        if not booked:
            return w.NoRoom(reason="no capacity left")
        try:
            conference = await self._find(request.key, request.service)
            worker = await conference.media.place(request.call, (request.owner, request.boot), request.ticket)
        except (MediaFailure, WorkerLost) as problem:
            logger.error("No media worker for a call", conference=request.service.description.name, reason=str(problem))
            return w.NoRoom(reason=str(problem))
        return w.Placed(worker=worker.id, process=worker.process)
