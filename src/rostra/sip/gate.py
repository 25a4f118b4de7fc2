"""The first look at a message, before it is read: whether it is from somebody we do not hear, or too much now.

Most of a flood ends here, for a small part of what reading a message costs. What cannot be told at a glance goes on.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from rostra.domain.abuse import Shield, source_of
from rostra.sip.flow import Flow
from rostra.sip.overload import RETRY_AFTER, Overload

_TO_LINE = re.compile(rb"\r\n(?:to|t)[ \t]*:([^\r\n]*)", re.IGNORECASE)
_FROM_LINE = re.compile(rb"\r\n(?:from|f)[ \t]*:([^\r\n]*)", re.IGNORECASE)
_TAG = re.compile(rb";[ \t]*tag[ \t]*=[ \t]*([^;,\s]*)", re.IGNORECASE)
_BRANCH = re.compile(rb";[ \t]*branch[ \t]*=[ \t]*([^;,\s]*)", re.IGNORECASE)
_CALL = re.compile(rb"\r\n(?:call-id|i)[ \t]*:([^\r\n]*)", re.IGNORECASE)
_SEQUENCE = re.compile(rb"\r\ncseq[ \t]*:([^\r\n]*)", re.IGNORECASE)
_FIRST_VIA = re.compile(rb"\r\n(?:via|v)[ \t]*:([^\r\n,]*)", re.IGNORECASE)
_ECHOED = re.compile(rb"\r\n((?:via|v|from|f|to|t|call-id|i|cseq)[ \t]*:[^\r\n]*(?:\r\n[ \t][^\r\n]*)*)", re.IGNORECASE)
_TO = re.compile(rb"(?:to|t)[ \t]*:", re.IGNORECASE)
_VIA = re.compile(rb"(?:via|v)[ \t]*:", re.IGNORECASE)
_RPORT = re.compile(rb";[ \t]*rport[ \t]*(?=[;,]|$)", re.IGNORECASE)
_MARK = b"overload-"
"""Begins the tags of our refusals, so that what acknowledges them is known."""
_TAG_OF_REFUSAL = b"tag=" + _MARK
_UNANSWERED = (b"SIP/", b"ACK ", b"CANCEL ")
"""No request, or one whose refusal would help nobody."""

_SENT_BY = re.compile(
    rb"(?:via|v)[ \t]*:[ \t]*SIP[ \t]*/[ \t]*2\.0[ \t]*/[ \t]*[A-Za-z]+"
    rb"[ \t]+(?:\[[^\]]*\]|[^;:,\[ \t]+)(?::([0-9]{1,5}))?",
    re.IGNORECASE,
)

GO_ON = None
DROP = b"", 0


class Gate:
    """Of one engine."""

    def __init__(
        self,
        overload: Overload,
        hearing: Shield,
        runs: Callable[[tuple[str, str, str]], bool] = lambda _: True,
        awaits: Callable[[tuple[str, str]], bool] = lambda _: True,
    ) -> None:
        """`runs`: is there such a dialog (Call-ID, our tag, theirs)? `awaits`: does a request of ours with this branch
        and method wait for responses?"""
        self.overload = overload
        self.hearing = hearing
        self._runs = runs
        self._awaits = awaits
        self.trusted: Callable[[str], bool] = lambda _: False
        """Is it the address of a system of our own?"""
        self.dropped = 0
        """Messages of those who are not heard."""

    def welcomes(self, address: str, now: float) -> bool:
        """May a connection come from there?"""
        hearing = self.hearing
        return hearing.hears(address, now, proven=True) or self.trusted(address) or hearing.known(address)

    def unreadable(self, flow: Flow, now: float) -> None:
        """What has come by this flow was no message."""
        if not self.trusted(flow.remote[0]):
            self.hearing.unreadable(flow.remote[0], now, proven=flow.transport.reliable)

    def look(self, data: bytes, flow: Flow, now: float, registered: Callable[[Flow], bool]) -> tuple[bytes, int] | None:
        """GO_ON, DROP, or what to answer instead, to which port. `registered`: is a device of ours at the other end?"""
        hearing = self.hearing
        if hearing.quiet and self.overload.calm:
            return GO_ON
        if data.startswith(b"SIP/"):
            return GO_ON
        address, proven = flow.remote[0], flow.transport.reliable
        if data.startswith(b"ACK "):
            return DROP if acknowledges_refusal(data) else GO_ON
        heard = hearing.hears(address, now, proven=proven) or self.trusted(address)
        if not heard and not hearing.known(address):
            self.dropped += 1
            return DROP
        if data.startswith(b"CANCEL ") or self.belongs(data):
            return GO_ON
        if not heard and not registered(flow) and not hearing.new(address, now, proven=proven):
            self.dropped += 1
            return DROP
        who, ours = self.asking(flow, registered)
        return GO_ON if self.overload.takes(who, name_of(data), now, ours=ours) else refusal(data, flow)

    def asking(self, flow: Flow, registered: Callable[[Flow], bool]) -> tuple[str, bool]:
        """Who asks, and whether it is one of ours: a registered device or a configured system, else all of its source
        together."""
        address, port = flow.remote
        return (f"{address} {port}", True) if registered(flow) else (source_of(address), self.trusted(address))

    def belongs(self, data: bytes) -> bool:
        """Is it part of a dialog that there is, or does a request of ours wait for it? Whoever floods can make tags and
        branches up; what cannot be told at a glance is no part."""
        if data.startswith(b"SIP/"):
            via, sequence = _FIRST_VIA.search(data), _SEQUENCE.search(data)
            branch = _BRANCH.search(via[1]) if via else None
            if branch is None or sequence is None:
                return False
            return self._awaits((_text(branch[1]), _text(sequence[1].split(b" ")[-1])))
        call, ours = _CALL.search(data), _tag(_TO_LINE, data)
        if call is None or not ours:
            return False
        return self._runs((_text(call[1]).strip(), _text(ours), _text(_tag(_FROM_LINE, data))))


def acknowledges_refusal(data: bytes) -> bool:
    """Does it end what was refused unread?"""
    return data.startswith(b"ACK ") and _TAG_OF_REFUSAL in data


def _tag(header: re.Pattern[bytes], data: bytes) -> bytes:
    """Of From or To; empty: it has none."""
    line = header.search(data)
    found = _TAG.search(line[1], line[1].rfind(b">") + 1) if line else None
    return found[1] if found else b""


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def name_of(data: bytes) -> int:
    """A number of a request and its repetitions alone, which share all of this: else new ones could pass for them."""
    found = (pattern.search(data) for pattern in (_CALL, _SEQUENCE, _FIRST_VIA))
    return hash(tuple(one[1] if one else b"" for one in found))


def cancelled(data: bytes) -> int | None:
    """The number of the request that this one cancels; None: it cancels none."""
    return name_of(data.replace(b"CANCEL", b"INVITE")) if data.startswith(b"CANCEL ") else None


def refusal(data: bytes, flow: Flow) -> tuple[bytes, int]:
    """A 503 to a request that has not been read, without a transaction (RFC 3261 8.2.7, 21.5.4), and its port.

    DROP for what is no request: an answer longer than what came would serve who forges its source. To keeps its tag.
    """
    if data.startswith(_UNANSWERED):
        return DROP
    port = flow.remote[1]
    lines = [b"SIP/2.0 503 Service Unavailable"]
    seen_via = False
    for match in _ECHOED.finditer(data.partition(b"\r\n\r\n")[0]):
        line = match[1]
        if not seen_via and _VIA.match(line):
            seen_via = True
            came = f";received={flow.remote[0]};rport={flow.remote[1]}".encode()
            first, comma, rest = line.partition(b",")
            if _RPORT.search(first):
                line = _RPORT.sub(b"", first, count=1) + came + comma + rest
            elif not flow.transport.reliable and (sent_by := _SENT_BY.match(line)):
                port = int(sent_by[1] or flow.transport.default_port)
        elif _TO.match(line) and not _TAG.search(line, line.rfind(b">") + 1):
            line += b";tag=" + _MARK + b"%08x" % (hash(line) & 0xFFFFFFFF)
        lines.append(line)
    if not seen_via:
        return DROP
    lines += [b"Retry-After: %d" % RETRY_AFTER, b"Content-Length: 0", b"", b""]
    return b"\r\n".join(lines), port if 0 < port < 65536 else flow.remote[1]
