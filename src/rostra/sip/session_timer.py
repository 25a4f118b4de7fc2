"""Session timers (RFC 4028): a call whose far end vanished is noticed and ended."""

from __future__ import annotations

from rostra.sip.errors import RemoteError
from rostra.sip.headers import Headers, parse_parameters, unsigned
from rostra.sip.message import Request, Response
from rostra.sip.timers import Action, Timer, Timers


def requested_interval(request: Request) -> int | None:
    """Session-Expires of a request, seconds; None when absent or unusable."""
    value = request.headers.get("Session-Expires")
    if value is None:
        return None
    try:
        return unsigned(value.partition(";")[0], 10**9, "Session-Expires")
    except RemoteError:
        return None


class SessionTimer:
    """The timer of one call. The caller refreshes unless it asked us to."""

    MINIMUM = 90
    """Least interval we accept, seconds (RFC 4028 5)."""

    def __init__(self, timers: Timers, refresh: Action, expired: Action) -> None:
        self._timers = timers
        self._refresh = refresh
        self._expired = expired
        self._timer: Timer | None = None
        self._interval = 0
        self._ours = False

    def negotiate(self, request: Request, response: Response, now: float) -> None:
        """Agree to the interval a request asks for, stating it in our 2xx."""
        interval = requested_interval(request)
        if interval is None or "timer" not in request.headers.tokens("Supported"):
            return
        asked = _refresher(request.headers)
        self._interval, self._ours = interval, asked == "uas"
        response.headers.add("Session-Expires", f"{interval};refresher={'uas' if self._ours else 'uac'}")
        if not self._ours:
            response.headers.add("Require", "timer")
        self._start(now)

    def agreed(self, response: Response, now: float) -> None:
        """A 2xx to a request of ours states what holds now; without Session-Expires no timer runs (RFC 4028 7.2)."""
        value = response.headers.get("Session-Expires")
        if value is None:
            self.stop()
            return
        try:
            self._interval = max(unsigned(value.partition(";")[0], 10**9, "Session-Expires"), self.MINIMUM)
        except RemoteError:
            return
        self._ours = _refresher(response.headers) != "uas"
        self._start(now)

    def state(self, headers: Headers) -> None:
        """Put the running interval into a request of ours."""
        if self._interval:
            headers.add("Session-Expires", f"{self._interval};refresher={'uac' if self._ours else 'uas'}")

    def stop(self) -> None:
        self._interval = 0
        if self._timer is not None:
            self._timer.cancel()

    def _start(self, now: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._ours:
            self._timer = self._timers.set(now + self._interval / 2, self._due)
        else:
            self._timer = self._timers.set(now + self._interval - min(32.0, self._interval / 3), self._expired)

    def _due(self, now: float) -> None:
        self._timer = self._timers.set(now + self._interval / 2 - min(32.0, self._interval / 3), self._expired)
        self._refresh(now)


def _refresher(headers: Headers) -> str:
    _, semicolon, parameters = (headers.get("Session-Expires") or "").partition(";")
    try:
        return parse_parameters(semicolon + parameters).get("refresher", "").lower()
    except RemoteError:
        return ""
