"""How the media of calls finds its way: servers of the location or rule, and ICE of calls that come by SIP."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from rostra.calls.legs import CallLegs
from rostra.domain.ice import IceServers, IceSide
from rostra.media.client import MediaFailure, WorkerLost
from rostra.media.messages import ReserveIce
from rostra.waiting import in_time

logger = structlog.get_logger("rostra.calls")


class CallWays(CallLegs):
    """Between the legs of a participant and the session that has them."""

    @property
    def servers(self) -> IceServers:
        """Those of the Call Routing Rule of a gateway call, or else of this node's location (SYS-155 to SYS-166)."""
        return self._anchors.servers(self._instance.service.onward)

    @property
    def proved(self) -> str | None:
        """The address signalling is known to come from."""
        return self.participant.remote_address or None

    async def has_video(self, seconds: float) -> bool:
        """As soon as that is agreed, or (True) after so many seconds: a caller may leave the offer to us."""
        for state in list(self._calls.values()):
            try:
                await in_time(state.ready.wait(), seconds)
            except TimeoutError:
                return True
        return any(state.video for state in self._calls.values())

    async def reserve_ice(
        self, call: str, components: Sequence[int], generation: str, *, controlling: bool = False
    ) -> tuple[IceSide, ...]:
        """See `calls.switchboard.Session`. Media can do without, so nothing is raised."""
        state = self._calls.get(call)
        anchor = state.anchor if state else None
        if anchor is None:
            return ()
        request = ReserveIce(
            leg=call, components=tuple(components), generation=generation, controlling=controlling,
            servers=self.servers,
        )  # fmt: skip
        try:
            return await anchor.worker.reserve_ice(request)
        except (WorkerLost, MediaFailure) as problem:
            logger.warning("No ICE for a call", call=call, worker=anchor.worker.id, reason=str(problem))
            return ()
