"""Callers who do not wait: so many SIP calls a second by one socket, whatever becomes of those before.

A call is INVITE, 200, ACK, BYE, 200, or a refusal and its ACK; what is not answered is sent again (RFC 3261 17.1).
Messages are filled-in templates and answers are only looked at where it matters, so that one core makes several times
the calls that a node can take.
"""

from __future__ import annotations

import collections
import dataclasses
import re
import select
import socket
import time

AGAIN = (0.5, 1.5, 3.5)
"""Seconds after the first when a request is sent again that nothing has answered."""
LATEST = 4.0
"""Seconds from INVITE to its 200 after which a call counts as lost."""

_SDP = (
    "v=0\r\no=bench 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 6000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\n"
)
_ANSWER = re.compile(
    rb"SIP/2\.0 (\d)\d\d.*?^Call-ID: (\d+)\..*?^CSeq: \d+ (INVITE|BYE)", re.DOTALL | re.MULTILINE | re.IGNORECASE
)
_TO = re.compile(rb"^(?:To|t): *([^\r]+)", re.MULTILINE | re.IGNORECASE)


@dataclasses.dataclass(frozen=True, slots=True)
class Figures:
    """What became of them."""

    offered: float
    """Calls a second that were begun,"""
    ended: float
    """and that were answered in time and ended, from the second second on."""
    delays: list[float]
    """Milliseconds from INVITE to 200."""
    refused: int


class _Call:
    __slots__ = ("answered", "begun", "heard", "invite")

    def __init__(self, begun: float, invite: bytes) -> None:
        self.begun = begun
        self.invite = invite
        self.heard = False
        self.answered = 0.0


def call(port: int, rate: float, seconds: float) -> Figures:
    """Call the node at this port of this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind(("127.0.0.1", 0))
        line.connect(("127.0.0.1", port))
        line.setblocking(False)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        return _Crowd(line, port, rate, seconds).run()


class _Crowd:
    def __init__(self, line: socket.socket, port: int, rate: float, seconds: float) -> None:
        self._line = line
        self._rate, self._seconds = rate, seconds
        own = line.getsockname()[1]
        self._uri = f"sip:meet.demo@127.0.0.1:{port}"
        self._head = (
            f"Via: SIP/2.0/UDP 127.0.0.1:{own};branch=z9hG4bK%s\r\nFrom: <sip:bench@127.0.0.1:{own}>;tag=b%d\r\n"
            f"Call-ID: %d.bench\r\nContact: <sip:bench@127.0.0.1:{own}>\r\nMax-Forwards: 70\r\n"
        )
        self._calls: dict[int, _Call] = {}
        self._due: collections.deque[tuple[float, int, int]] = collections.deque()
        self._waiting = [collections.deque[tuple[float, int]]() for _ in AGAIN]
        self._ended: list[float] = []
        self._delays: list[float] = []
        self._refused = 0

    def run(self) -> Figures:
        began = time.monotonic()
        made = 0
        while (now := time.monotonic()) < began + self._seconds:
            while made < (now - began) * self._rate:
                self._begin(made, now)
                made += 1
            self._read()
            self._repeat(now)
            select.select([self._line], [], [], 0.001)
        good = sum(1 for at in self._ended if at >= began + 1.0) / (self._seconds - 1.0)
        return Figures(made / self._seconds, good, self._delays, self._refused)

    def _begin(self, number: int, now: float) -> None:
        invite = self._request("INVITE", number, "i", f"<{self._uri}>", 1, _SDP)
        self._calls[number] = _Call(now, invite)
        self._waiting[0].append((now + AGAIN[0], number))
        self._send(invite)

    def _request(self, method: str, number: int, branch: str, to: str, sequence: int, body: str = "") -> bytes:
        head = self._head % (f"{branch}{number}", number, number)
        kind = "Content-Type: application/sdp\r\n" if body else ""
        return (
            f"{method} {self._uri} SIP/2.0\r\n{head}To: {to}\r\nCSeq: {sequence} {method}\r\n{kind}"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        ).encode()

    def _send(self, data: bytes) -> None:
        try:
            self._line.send(data)
        except BlockingIOError:
            return  # as if it were lost: it is sent again

    def _read(self) -> None:
        for _ in range(500):
            try:
                data = self._line.recv(4096)
            except BlockingIOError:
                return
            found = _ANSWER.match(data)
            if found is None:
                continue
            kind, number, method = found[1], int(found[2]), found[3]
            one = self._calls.get(number)
            if one is None:
                continue
            one.heard = True
            if kind == b"1":
                continue
            if method == b"BYE":
                del self._calls[number]
                if one.answered - one.begun <= LATEST:
                    self._ended.append(time.monotonic())
                continue
            self._answered(one, number, kind == b"2", _to(data))

    def _answered(self, one: _Call, number: int, taken: bool, to: str) -> None:
        now = time.monotonic()
        self._send(self._request("ACK", number, "a" if taken else "i", to, 1))
        if not taken:
            del self._calls[number]
            self._refused += 1
            return
        if not one.answered:
            one.answered = now
            self._delays.append(1000 * (now - one.begun))
        self._send(self._request("BYE", number, "b", to, 2))

    def _repeat(self, now: float) -> None:
        for i, waiting in enumerate(self._waiting):
            while waiting and waiting[0][0] <= now:
                _, number = waiting.popleft()
                one = self._calls.get(number)
                if one is None or one.heard:
                    continue
                self._send(one.invite)
                if i + 1 < len(AGAIN):
                    self._waiting[i + 1].append((one.begun + AGAIN[i + 1], number))


def _to(data: bytes) -> str:
    found = _TO.search(data)
    return found[1].decode() if found else ""
