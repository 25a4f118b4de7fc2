"""What a call costs is settled anew when its far end begins to take pictures of 1080p (POL-113)."""

from __future__ import annotations

import structlog

from rostra.calls.anchors import tokens_of
from rostra.calls.legs import CallState
from rostra.calls.presentations import price_of
from rostra.calls.ways import CallWays
from rostra.media.engine import rungs

logger = structlog.get_logger("rostra.calls")


class CallPrices(CallWays):
    """A participant's calls, with their price."""

    async def _price(self, call: str, state: CallState, *, full_hd: bool) -> None:
        """Before media runs by an offer that takes 1080p, or does not. Where there is no room for more the call goes
        on as it was; what has been paid for once stays."""
        anchor = state.anchor
        if anchor is None or not full_hd:
            state.full_hd = state.full_hd or full_hd
            return
        if state.full_hd:
            return
        price = tokens_of(self._instance, audio_only=False, full_hd=True)
        if await self._anchors.raise_price(self._instance, call, anchor, price_of(state.content, price)):
            state.full_hd = True
        else:
            logger.info("No room for 1080p", call=call, peer=anchor.node)

    def _sent_at_most(self, state: CallState) -> int | None:
        """bit/s that the call may be sent: too few for 1080p where that is not paid for."""
        rate, quality = self.service.max_callrate_out, self._instance.service.description.quality
        if state.full_hd or quality != "fullhd":
            return rate
        return min(rate or rungs.FULL_HD_CALL, rungs.FULL_HD_CALL - 1)
