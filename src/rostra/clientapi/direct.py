"""The link from one client with direct media to the other one, whose token another node may hold (section 18)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import structlog

from rostra.conference.events import PeerSignal
from rostra.conference.roster import Participant

if TYPE_CHECKING:
    from rostra.clientapi.clients import Client

logger = structlog.get_logger("rostra.clientapi")

ANSWERED = 4.0
"""Seconds in which the other client has to answer an offer (API-159)."""


class PeerLink:
    """Of one client."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._asked: tuple[str, str] | None = None
        """Who offered last, for which call of its; its answer is our client's next `ack`."""
        self._waiting: dict[str, asyncio.Future[PeerSignal]] = {}

    @property
    def peer(self) -> Participant | None:
        """The other one, whether or not it has a call."""
        me = self._client.session.participant
        others = (one for one in self._client.session.conference.participants if one.uuid != me.uuid)
        return next((one for one in others if one.is_direct and one.joined and not one.is_transferring), None)

    def heard(self, signal: PeerSignal) -> None:
        """The other client, or our node, says something; whoever is not the other one is not heard."""
        peer, own = self.peer, signal.kind in ("gone", "notice", "switch")
        if not own and (peer is None or signal.sender != peer.uuid):
            logger.info("Signal from a stranger ignored", participant=self._client.uuid, sender=signal.sender)
            return
        match signal.kind:
            case "answer":
                waiting = self._waiting.pop(signal.call, None)
                if waiting and not waiting.done():
                    waiting.set_result(signal)
            case "switch":
                self._client.send_anew(signal.target)
            case _:
                if signal.kind in ("offer", "update"):
                    self._asked = signal.sender, signal.call
                self._tell(*_rendered(signal))

    def _tell(self, event: str, data: Any) -> None:
        if self._client.stream:
            self._client.stream.tell(event, data)

    async def offer(self, kind: str, call: str, sdp: str) -> PeerSignal | None:
        """The other client's answer to an offer; None: it gives none."""
        peer = self.peer
        if peer is None:
            return None
        waiting = self._waiting[call] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(ANSWERED):
                await self._say(peer, PeerSignal(kind=kind, sender=self._client.uuid, call=call, sdp=sdp))
                return await waiting
        except TimeoutError:
            logger.info("No answer from the other client", participant=self._client.uuid, peer=peer.uuid)
            return None
        finally:
            self._waiting.pop(call, None)

    async def answer(self, sdp: str, *, ignored: bool) -> None:
        """What our client says to the offer it was told of last; without one nobody is told."""
        asked, self._asked = self._asked, None
        peer = self.peer
        if asked is not None and peer is not None and peer.uuid == asked[0]:
            answer = PeerSignal(kind="answer", sender=self._client.uuid, call=asked[1], sdp=sdp, ignored=ignored)
            await self._say(peer, answer)

    async def candidate(self, signal: PeerSignal) -> None:
        if (peer := self.peer) is not None:
            await self._say(peer, signal)

    async def _say(self, peer: Participant, signal: PeerSignal) -> None:
        await self._client.session.conference.signal(peer.uuid, signal)


def _rendered(signal: PeerSignal) -> tuple[str, Any]:
    """The event a client is told by."""
    match signal.kind:
        case "offer":
            return "new_offer", {"sdp": signal.sdp}
        case "update":
            return "update_sdp", {"sdp": signal.sdp}
        case "candidate":
            more = {name: value for name in ("ufrag", "pwd") if (value := getattr(signal, name))}
            return "new_candidate", {"candidate": signal.candidate, "mid": signal.mid, **more}
        case "notice":
            return "splash_screen", {"screen_key": signal.screen, "display_duration": signal.seconds}
        case _:
            return "peer_disconnect", None
