"""Early dialogs of an INVITE of ours: as many as there are places that a proxy has called for it (RFC 3261 13.2.2)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from rostra.sip.challenges import Authorization, with_credentials_of
from rostra.sip.dialog import Dialog
from rostra.sip.errors import RemoteError
from rostra.sip.flow import Flow
from rostra.sip.message import Request, Response
from rostra.sip.reasons import ELSEWHERE
from rostra.sip.reliable import number_of
from rostra.sip.surroundings import Surroundings
from rostra.sip.transactions import ClientTransaction

MOST = 16
"""Branches of one call that are told apart; nobody answers those beyond."""


@dataclasses.dataclass(slots=True)
class Branch:
    """One place that has said something."""

    dialog: Dialog
    number: int = 0
    """RSeq of the last provisional response that was acknowledged; 0: none yet."""
    sdp: bytes = b""
    """Its answer to our offer, before it is final."""
    reliable: bool = False
    """That answer is as good as final (RFC 3262 5)."""
    ack: tuple[Flow, bytes] | None = None
    """Of its 2xx, when the call is somebody else's."""


class Branches:
    """Those of one INVITE."""

    def __init__(self, around: Surroundings, authorization: Authorization) -> None:
        self._around = around
        self._authorization = authorization
        self._known: dict[str, Branch] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def get(self, tag: str) -> Branch | None:
        return self._known.get(tag)

    def clear(self) -> None:
        """The INVITE is sent anew: what was is no more."""
        self._known.clear()

    def heard(self, dialog: Dialog, transaction: ClientTransaction, response: Response) -> Branch | None:
        """The branch a response to our INVITE belongs to; None: to none that could be followed."""
        tag = response.to.tag
        found = self._known.get(tag)
        if found is None:
            if not tag or len(self._known) >= MOST:
                return None
            own = dataclasses.replace(
                dialog, remote_tag=tag, local_sequence=transaction.request.cseq[0], flow=transaction.flow
            )
            found = self._known[tag] = Branch(own)
        if response.contact is not None:
            found.dialog.remote_target = response.contact
        found.dialog.routes = tuple(reversed(response.headers.items("Record-Route")))
        return found

    def acknowledge(self, branch: Branch, transaction: ClientTransaction, response: Response, now: float) -> bool:
        """PRACK what wants it; False: it has come before, or out of order (RFC 3262 4)."""
        number = number_of(response.headers)
        if number is None:
            return True
        if branch.number and number != branch.number + 1:
            return False
        branch.number = number
        prack = branch.dialog.request("PRACK", self._around.branch())
        sequence, method = transaction.request.cseq
        prack.headers.add("RAck", f"{number} {sequence} {method}")
        self._send(branch, prack, now)
        return True

    def decline(self, branch: Branch, invite: Request, now: float) -> None:
        """It has answered, but the call is another's or over: ACK, and BYE (13.2.2.4)."""
        if branch.ack is not None:  # the 2xx came again: the ACK was lost
            self._around.transmit(*branch.ack)
            return
        ack = branch.dialog.request("ACK", self._around.branch(), invite.cseq[0])
        try:
            branch.ack = (self._around.route(branch.dialog), with_credentials_of(invite, ack).encode())
        except RemoteError:
            return  # the far end gave a route that cannot be used; its own timers end it
        self._around.transmit(*branch.ack)
        bye = branch.dialog.request("BYE", self._around.branch())
        bye.headers.add("Reason", ELSEWHERE)
        self._send(branch, bye, now)

    def _send(self, branch: Branch, request: Request, now: float) -> None:
        self._authorization.sign(request)
        try:
            self._around.ask(request, self._around.route(branch.dialog), Unheeded(), now)
        except RemoteError:
            return  # as above


class Unheeded:
    """Whatever the far end says to it, nothing follows. Implements `transactions.ClientUser`."""

    def responded(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        del transaction, response, now

    def unanswered(self, transaction: ClientTransaction, reason: str, now: float) -> None:
        del transaction, reason, now
