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


def knows_timers(request: Request) -> bool:
    """Its sender does; of those who do not, a proxy may have asked, and nobody would understand a 422 (8.1, 9)."""
    return "timer" in request.headers.tokens("Supported")


def too_brief(request: Request) -> bool:
    """The interval it asks for is shorter than we accept, and its sender will know what to make of a 422."""
    interval = requested_interval(request)
    return interval is not None and interval < SessionTimer.MINIMUM and knows_timers(request)


class SessionTimer:
    """The timer of one call. The caller refreshes, unless it asks us to or leaves it to us."""

    MINIMUM = 90
    """Least interval we accept, seconds (RFC 4028 5)."""
    LONGEST = 86_400
    """Least interval of the far end's that we go along with, seconds."""
    MOST = 7200
    """Longest interval we grant, seconds: who asks for more gets this, or the least it can do with."""
    WANTED = 1800
    """Interval we ask for ourselves, seconds (RFC 4028 4)."""

    def __init__(self, timers: Timers, refresh: Action, expired: Action) -> None:
        self._timers = timers
        self._refresh = refresh
        self._expired = expired
        self._timer: Timer | None = None
        self._interval = 0
        self._ours = False
        self._least = self.MINIMUM
        """What the far end, or a proxy on the way, has asked for at least."""

    def negotiate(self, request: Request, response: Response, now: float) -> None:
        """Agree to the interval a request asks for, stating it in our 2xx."""
        least = _least(request.headers)
        if not knows_timers(request) or least > self.LONGEST:  # such a timer would notice nothing
            return
        interval = requested_interval(request)
        if interval is None:  # it knows timers, and leaves them to us (9)
            interval, asked = max(self._interval or self.WANTED, least), "uas"
        else:
            interval, asked = min(interval, max(self.MOST, least)), _refresher(request.headers)
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
            stated = unsigned(value.partition(";")[0], 10**9, "Session-Expires")
            self._interval = min(max(stated, self.MINIMUM), self.LONGEST)
        except RemoteError:
            return
        self._ours = _refresher(response.headers) != "uas"
        self._start(now)

    def state(self, headers: Headers) -> None:
        """Put the running interval into a request of ours."""
        if self._interval:
            headers.add("Session-Expires", f"{self._interval};refresher={'uac' if self._ours else 'uas'}")
            self._state_least(headers)

    def ask(self, headers: Headers) -> None:
        """Ask for an interval in the INVITE that begins a call; who refreshes is the far end's choice (7.1)."""
        headers.add("Session-Expires", str(max(self.WANTED, self._least)))
        self._state_least(headers)

    def _state_least(self, headers: Headers) -> None:
        if self._least > self.MINIMUM:
            headers.add("Min-SE", str(self._least))

    def too_small(self, request: Request, response: Response) -> bool:
        """Take a 422; True: the request is worth sending again, as `renew` makes it (7.3)."""
        least = _least(response.headers)
        asked = requested_interval(request)
        if least <= max(self._least, asked or 0) or least > self.LONGEST:
            return False
        self._least = least
        self._interval = max(self._interval, least) if self._interval else 0
        return True

    def renew(self, headers: Headers) -> None:
        """Make the interval of a request that was refused as too small what the far end wants at least."""
        refresher = (headers.get("Session-Expires") or "").partition(";")[2]
        headers.set("Session-Expires", f"{self._least}" + (f";{refresher}" if refresher else ""))
        headers.set("Min-SE", str(self._least))

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


def _least(headers: Headers) -> int:
    """Min-SE, seconds; the least there is without one (5)."""
    try:
        return unsigned((headers.get("Min-SE") or "90").partition(";")[0], 10**9, "Min-SE")
    except RemoteError:
        return SessionTimer.MINIMUM


def _refresher(headers: Headers) -> str:
    _, semicolon, parameters = (headers.get("Session-Expires") or "").partition(";")
    try:
        return parse_parameters(semicolon + parameters).get("refresher", "").lower()
    except RemoteError:
        return ""
