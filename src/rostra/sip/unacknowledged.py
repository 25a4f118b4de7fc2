"""A 2xx of ours to an INVITE: sent again by its user until the ACK comes (RFC 3261 13.3.1.4)."""

from __future__ import annotations

from rostra.sip.repeating import Repeated
from rostra.sip.tables import T2
from rostra.sip.transactions import ServerTransaction


class Unacknowledged(Repeated):
    """One such response."""

    longest = T2

    def __init__(self, serving: ServerTransaction, data: bytes, *, offered: bool) -> None:
        super().__init__(serving, data)
        self.sequence = serving.request.cseq[0]
        self.offered = offered
        """It carries our offer, so the ACK brings the answer."""
