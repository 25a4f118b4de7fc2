"""The relays of this node, when it is an edge node, as other nodes ask for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
import structlog

from rostra.conference import messages as w
from rostra.conference.here import Here
from rostra.environment import Environment
from rostra.fabric.bus import Unreachable
from rostra.media.relay import OutOfPorts, RelayFailure, RelayMissing, Relays, Shape
from rostra.media.relay_sdp import Place

logger = structlog.get_logger("rostra.calls")

BOOKED = "relays"
"""Under what relayed calls are booked in the node's ledger."""
LOOK = 5.0
"""Seconds between two looks for abandoned relays."""
ABANDONED = 30.0
"""Seconds without a packet after which it is asked whether a relay is still used."""
ANSWER = 2.0


class Edge:
    """Opens, aims and closes relays; the library is loaded with the first."""

    def __init__(self, here: Here, environment: Environment, present: Callable[[tuple[str, str]], bool]) -> None:
        """`present`: is that run of a node there?"""
        self._here = here
        self._environment = environment
        self._present = present
        self._relays: Relays | None = None
        self._owners: dict[str, tuple[str, str]] = {}
        self._looking: asyncio.Task[None] | None = None

    def answer(self, request: w.RelayRequest) -> w.Reply:
        """Carry out a request of another node, or of this one."""
        try:
            return self._carry_out(request)
        except (OutOfPorts, RelayFailure, RelayMissing) as problem:
            logger.warning("Relay refused", relay=request.relay, reason=str(problem))
            return w.NoRoom(reason=str(problem))

    def _carry_out(self, request: w.RelayRequest) -> w.Reply:
        relays = self._running()
        match request:
            case w.RelayOpen(relay=relay, shapes=shapes, tokens=tokens):
                if not self._here.ledger.book(BOOKED, relay, tokens, 0):
                    return w.NoRoom(reason="no capacity left")
                self._owners[relay] = (request.owner, request.boot)
                return _places(relays.open(relay, [Shape[shape] for shape in shapes]))
            case w.RelayAim(relay=relay, targets=targets):
                return _places(relays.aim(relay, [Place(address, port) for address, port in targets]))
            case w.RelayAnnounce(relay=relay, endpoints=endpoints):
                relays.announce(relay, [one and (Place(one[0], one[1]), Place(one[2], one[3])) for one in endpoints])
            case w.RelayClose(relay=relay):
                self._close(relay)
        return w.Done()

    def _running(self) -> Relays:
        if self._relays is None:
            self._relays = Relays(self._environment)
            self._looking = asyncio.get_running_loop().create_task(self._look(), name="abandoned relays")
        return self._relays

    def _close(self, relay: str) -> None:
        self._owners.pop(relay, None)
        self._here.ledger.release(BOOKED, relay)
        if self._relays is not None:
            self._relays.close(relay)

    async def _look(self) -> None:
        """Whoever dies, or whose word was lost, closes nothing: an idle relay goes unless its call says it is used."""
        while self._relays is not None:
            await asyncio.sleep(LOOK)
            for relay in self._relays.idle(ABANDONED) if self._relays else ():
                if not await self._used(relay, self._owners.get(relay, ("", ""))):
                    logger.warning("Abandoned relay closed", relay=relay)
                    self._close(relay)

    async def _used(self, relay: str, owner: tuple[str, str]) -> bool:
        if not self._present(owner):
            return False
        try:
            payload = await self._here.bus.request(
                w.node_subject(owner[0]), w.encode(w.RelayUsed(relay=relay)), timeout=ANSWER
            )
            return not isinstance(w.reply_decoder.decode(payload), w.Absent)
        except (Unreachable, msgspec.DecodeError):
            return True  # it is there and will answer another time

    async def close(self) -> None:
        relays, self._relays = self._relays, None
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        if relays is not None:
            relays.shut()

    def debug_state(self) -> dict[str, object]:
        return {"relays": len(self._owners)}


def _places(places: tuple[Place, ...]) -> w.RelayPlaces:
    return w.RelayPlaces(places=tuple((place.address, place.port) for place in places))
