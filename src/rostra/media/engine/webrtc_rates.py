"""Bit rates of one browser's connection: what it is sent, by its feedback, and what it is asked for.

Browsers obey an estimate that their receiver sends (REMB) also where they are sent feedback for each packet, from which
they estimate themselves: it is a limit beside.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from rostra.media.engine import feedback, rate_requests, rtp_statistics, rungs
from rostra.media.engine.estimator import STANDING, Heard
from rostra.media.engine.feedback import Reports, TransportWide
from rostra.media.engine.rate_control import canonical, post
from rostra.media.engine.rate_requests import Throttle
from rostra.media.engine.rungs import Rung
from rostra.media.engine.sending import SendingRate, lower
from rostra.media.engine.webrtc_transport import WebRtcTransport

REPEATS: Final = 3
PAUSE: Final = 0.5
"""A request may be lost: it is sent so often, so many seconds apart."""
AGAIN: Final = 0.5
"""Packets that got lost are sent again at this share of the rate at most."""
FREELY: Final = 2_000_000
"""Taken for the rate where there is no limit."""
COUNTING: Final = 1.0
"""Seconds between two looks at counters, where there is no feedback for each packet."""


class WebRtcRates:
    """The rates of one connection."""

    def __init__(self, leg: str, transport: WebRtcTransport, *, wide: bool) -> None:
        """`wide`: feedback for each packet was agreed, both ways."""
        self._leg = leg
        self._transport = transport
        self.rate = SendingRate(leg, prompt=wide)
        self._sent = 0.0
        self._need: int | None = None
        self._left, self._repeating = 0, -1
        self._asked = self._counted = float("-inf")
        self._reports, self._throttle = Reports(), Throttle()
        branch = next((one for one in map(transport.sender, ("video", "slides")) if one is not None), None)
        self._wide = TransportWide(branch.get_static_pad("src")) if wide and branch is not None else None
        self._pictures = branch is not None
        self._session: Any = None

    @property
    def lost(self) -> float | None:
        """Share of what was sent lately that did not arrive; None: where pictures are not sent, nobody tells."""
        return self.rate.estimate.share if self._pictures else None

    def need(self, bitrate: int | None) -> None:
        """Have the browser send no more than so many bit/s of pictures; None: whatever was agreed."""
        if bitrate != self._need:
            self._need, self._left, self._asked = bitrate, REPEATS, float("-inf")

    def poll(self, now: float, best: Callable[[int | None], Rung], beside: int = 0) -> bool:
        """Look at what has come; True: it is sent another rate from now on. Call it a few times a second."""
        heard = self._wide.heard(now) if self._wide else self._count(now)
        if heard is not None and heard.arrived and heard.span > 0 and self._wide:
            rate = heard.bits / heard.span * (1 + heard.lost / heard.arrived)
            self._sent = self._sent + 0.3 * (rate - self._sent) if self._sent else rate
        changed = self.rate.look(now, heard, self._sent, best, beside)
        # packets that are sent again would fill a queue that is to drain
        full = self.rate.estimate.queue > STANDING
        self._let_repeat(0 if full else int(AGAIN * (self.rate.limit or FREELY)))
        self._ask(now)
        return changed

    def _let_repeat(self, bitrate: int) -> None:
        if bitrate != self._repeating:
            self._repeating = bitrate
            self._transport.limit_repeats(bitrate)

    def close(self) -> None:
        self._session = None

    def _count(self, now: float) -> Heard | None:
        """What is to be known without feedback for each packet, of both directions."""
        rtpbin = self._transport.rtpbin()
        if rtpbin is None or now - self._counted < COUNTING:
            return None
        self._counted = now
        self._listen(rtpbin)
        received, sent = rtp_statistics.read(rtpbin, 0)
        pictures = [one for one in received if one.clock_rate == rtp_statistics.VIDEO_CLOCK]
        main = max(pictures, key=lambda one: one.packets, default=None)
        if main and self._throttle.look(now, main.packets, main.lost, main.bitrate):
            self._left, self._asked = REPEATS, float("-inf")
        ours = [one for one in sent if one.clock_rate == rtp_statistics.VIDEO_CLOCK]
        heard = self._reports.heard(now, max(ours, key=lambda one: one.octets, default=None))
        self._sent = self._reports.sent
        return heard

    def _listen(self, rtpbin: Any) -> None:
        if self._session is None:
            self._session = rtpbin.emit("get-internal-session", 0)
            if self._session is None:
                return
            feedback.hear(self._session)
        for one in feedback.taken(self._session):
            bitrate = rate_requests.estimated(one.control) if one.kind == rate_requests.PICTURES else None
            self.rate.bound = max(rate_requests.FLOOR, bitrate) if bitrate is not None else self.rate.bound

    def _ask(self, now: float) -> None:
        rtpbin = self._transport.rtpbin()
        if not self._left or now - self._asked < PAUSE or rtpbin is None:
            return
        self._asked = now
        pad, session = rtpbin.get_static_pad("send_rtcp_src_0"), rtpbin.emit("get-internal-session", 0)
        sources = self._transport.receivers.numbers(self._leg)
        if session is None or not sources:
            return
        wanted = lower(self._need, self._throttle.wanted)
        total = int((wanted + rungs.SOUND) / 0.95) if wanted else rate_requests.CEILING
        packet = rate_requests.estimate(session.get_property("internal-ssrc"), canonical(session), total, sources)
        self._left -= post(pad, packet)
