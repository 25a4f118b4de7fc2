"""A response of ours that is sent again until its far end says that it is there (RFC 3261 13.3.1.4, RFC 3262 3)."""

from __future__ import annotations

from rostra.sip.tables import LIMIT, T1
from rostra.sip.timers import Action, Timer, Timers
from rostra.sip.transactions import ServerTransaction


class Repeated:
    """One such response; over every transport, since a proxy may lose it behind a reliable one."""

    longest = LIMIT
    """Seconds between two repetitions at most."""

    def __init__(self, serving: ServerTransaction, data: bytes) -> None:
        self._serving = serving
        self._data = data
        self._timer: Timer | None = None

    def repeat(self, timers: Timers, now: float, give_up: Action) -> None:
        """Send it again at doubling intervals; after 64 T1 call `give_up`."""
        deadline = now + LIMIT
        interval = T1

        def again(at: float) -> None:
            nonlocal interval
            if at >= deadline:
                give_up(at)
                return
            self._serving.send_again(self._data)
            interval = min(interval * 2, self.longest)
            self._timer = timers.set(min(at + interval, deadline), again)

        self._timer = timers.set(now + interval, again)

    def stop(self) -> None:
        """The far end has said so, or the call is over."""
        if self._timer is not None:
            self._timer.cancel()
