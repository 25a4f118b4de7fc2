"""A provisional response of ours that is sent until the far end has it (RFC 3262)."""

from __future__ import annotations

import re

from rostra.sip.errors import RemoteError
from rostra.sip.headers import Headers, unsigned
from rostra.sip.message import MAX_CSEQ, Request
from rostra.sip.repeating import Repeated
from rostra.sip.transactions import ServerTransaction

OPTION = "100rel"
_RACK = re.compile(r"\s*([0-9]{1,10})\s+([0-9]{1,10})\s+(\S+)\s*")


class Reliable(Repeated):
    """One such response, from when it is sent."""

    def __init__(self, serving: ServerTransaction, number: int, data: bytes, *, described: bool) -> None:
        super().__init__(serving, data)
        self.described = described
        """It answers the offer of the INVITE: nothing final may pass it."""
        self._acknowledges = (number, *serving.request.cseq)

    def acknowledged_by(self, prack: Request) -> bool:
        """Whether this is its PRACK."""
        match = _RACK.fullmatch(prack.headers.get("RAck") or "")
        return match is not None and (int(match[1]), int(match[2]), match[3]) == self._acknowledges


def number_of(headers: Headers) -> int | None:
    """RSeq of a provisional response that wants PRACK; None: it does not, or cannot be acknowledged."""
    if OPTION not in headers.tokens("Require"):
        return None
    try:
        return unsigned(headers.get("RSeq") or "", MAX_CSEQ, "RSeq") or None
    except RemoteError:
        return None
