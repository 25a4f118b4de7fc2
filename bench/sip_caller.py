"""The least SIP client that can call, confirm and hang up, from the address a node sees it at."""

from __future__ import annotations

import socket
import time

SDP = """\
v=0
o=bench 1 1 IN IP4 {own}
s=-
c=IN IP4 {own}
t=0 0
m=audio 6000 RTP/AVP 0 101
a=rtpmap:101 telephone-event/8000
"""


class SipCaller:
    """Calls one alias on one node, over UDP."""

    def __init__(self, address: str, alias: str, port: int = 5060) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(10)
        self._socket.connect((address, port))
        self._own, self._port = self._socket.getsockname()
        self._target = f"sip:{alias}@{address}"
        self._serial = 0

    def _ask(self, method: str, call: str, number: int, to: str = "", body: str = "") -> str:
        self._send(method, call, number, to, body)
        while True:
            answer = self._socket.recv(65536).decode()
            about = f"Call-ID: {call}" in answer and f"{number} {method}" in answer
            if about and answer.startswith("SIP/2.0") and not answer.startswith("SIP/2.0 1"):
                return answer

    def _send(self, method: str, call: str, number: int, to: str, body: str) -> None:
        self._serial += 1
        lines = [
            f"{method} {self._target} SIP/2.0",
            f"Via: SIP/2.0/UDP {self._own}:{self._port};branch=z9hG4bK{call}{self._serial};rport",
            "Max-Forwards: 70",
            f"From: <sip:bench@{self._own}:{self._port}>;tag={call}",
            to or f"To: <{self._target}>",
            f"Call-ID: {call}",
            f"CSeq: {number} {method}",
            f"Contact: <sip:bench@{self._own}:{self._port}>",
            *(["Content-Type: application/sdp"] if body else []),
            f"Content-Length: {len(body)}",
        ]
        self._socket.send(("\r\n".join(lines) + "\r\n\r\n" + body).encode())

    def call(self, call: str) -> float:
        """Milliseconds from INVITE to 200; then hangs up."""
        to, took = self.stay(call)
        self._ask("BYE", call, 2, to=to)
        return took

    def stay(self, call: str) -> tuple[str, float]:
        """Be in a call: who has answered, and milliseconds from INVITE to 200."""
        body = SDP.format(own=self._own).replace("\n", "\r\n")
        started = time.perf_counter()
        answer = self._ask("INVITE", call, 1, body=body)
        took = (time.perf_counter() - started) * 1000
        if not answer.startswith("SIP/2.0 200"):
            raise RuntimeError(answer)
        to = next(line for line in answer.split("\r\n") if line.lower().startswith("to:"))
        self._send("ACK", call, 1, to, "")
        return to, took

    def options(self, call: str) -> float:
        """Milliseconds from OPTIONS to 200."""
        started = time.perf_counter()
        self._ask("OPTIONS", call, 1)
        return (time.perf_counter() - started) * 1000
