"""Our side of a call: the INVITEs that we send, what they are answered, and how the call ends (RFC 3261 13-15)."""

from __future__ import annotations

from rostra.sip import challenges, reasons
from rostra.sip.branches import Branch, Branches
from rostra.sip.challenges import Authorization
from rostra.sip.dialog import Dialog
from rostra.sip.digest import Credentials
from rostra.sip.errors import LocalError, RemoteError
from rostra.sip.events import CallAnswered, CallEnded, CallProgressed, OfferAnswered, OfferRefused
from rostra.sip.flow import Flow
from rostra.sip.message import Request, Response
from rostra.sip.referring import Referring
from rostra.sip.reliable import Reliable
from rostra.sip.session_timer import SessionTimer
from rostra.sip.surroundings import CallState, Surroundings
from rostra.sip.timers import Timer
from rostra.sip.transactions import ClientTransaction, ServerTransaction
from rostra.sip.unacknowledged import Unacknowledged

SDP_TYPE = "application/sdp"
CANCELLED = 32.0
"""Seconds the far end has to confirm that it gave up ringing (RFC 3261 9.1)."""
NOT_UNDERSTOOD = frozenset({405, 415, 420, 501})
"""What a far end says to an UPDATE that it does not know after all."""
NOT_NOW = frozenset({491, 500})
"""What it says when something else is under way there (RFC 3311 5.2)."""


class Inviting:
    """What `call.Call` is made upon: its state, and everything that we ask for."""

    def __init__(self, name: str, dialog: Dialog, state: CallState, around: Surroundings) -> None:
        self.name = name
        self.dialog = dialog
        self.state = state
        self.allowed: frozenset[str] = frozenset()
        """Methods the far end says it takes; empty: it did not say."""
        self._around = around
        self._serving: ServerTransaction | None = None
        """The INVITE, or the offer within the call, that waits for our answer."""
        self._updating: ServerTransaction | None = None
        """An offer of the far end before the call is taken, by either side, which waits for our answer."""
        self._reliable: Reliable | None = None
        self._unacknowledged: Unacknowledged | None = None
        self._inviting: ClientTransaction | None = None
        self._acks: dict[int, tuple[Flow, bytes]] = {}
        self._waiting_offer: bytes | None = None
        self._retry: Timer | None = None
        self._parting: str | None = None
        """Why the call ends as soon as its 2xx is acknowledged."""
        self._cancelling = ""
        """Reason of the CANCEL that is due."""
        self._peer_updates = True
        """The far end takes UPDATE (its Allow says so, or says nothing)."""
        self._description = b""
        """Our last SDP, for a refresh by re-INVITE."""
        self._refreshing = False
        self._caller = state is CallState.CALLING
        self.authorization = Authorization(lambda _: None, around.word)
        self._branches = Branches(around, self.authorization)
        self._proceeding = False
        """Our first INVITE has had a response: it can be cancelled."""
        self.session_timer = SessionTimer(around.timers, self._refresh, self._expired)
        self.referring = Referring(name, around)

    # ---- commands -----------------------------------------------------------------------------------------

    def calling(self, transaction: ClientTransaction, credentials: Credentials | None = None) -> None:
        """Our INVITE that created this call is on its way; with `credentials` challenges are answered."""
        self._inviting = transaction
        self._description = transaction.request.body
        if credentials is not None:
            self.authorization = Authorization(credentials, self._around.word)
            self._branches = Branches(self._around, self.authorization)

    def refuse(self, status: int, reason: str, now: float, elsewhere: str = "", said: str = "") -> None:
        """A failure response to the INVITE, re-INVITE or UPDATE that waits; ends a call not yet answered."""
        updating, self._updating = self._updating, None
        if updating is not None:
            updating.respond(self.dialog.respond(updating.request, status, reason), now)
            if self.state is not CallState.INCOMING:
                return
        serving, self._serving = self._serving, None
        if serving is None:
            raise LocalError("no request waits for an answer")
        serving.respond(self.dialog.respond(serving.request, status, reason, elsewhere), now)
        if self.state is CallState.INCOMING:
            self.finish(now, reason or "refused", said=said)

    def offer(self, sdp: bytes, now: float) -> None:
        """Re-INVITE with a new offer, as soon as nothing else is under way."""
        if self.state is CallState.ENDED:
            raise LocalError("the call has ended")
        if self.state is not CallState.CONFIRMED or self._busy:
            self._waiting_offer = sdp
            return
        self._waiting_offer = None
        self._refreshing = False
        self._invite_again(sdp, now)

    def hang_up(self, now: float, reason: str = "") -> None:
        """End the call by whatever its state needs: failure response, CANCEL or BYE."""
        if self.state is CallState.INCOMING and self._serving is not None:
            self.refuse(480, reason, now)
        elif self.state is CallState.CALLING:
            self._cancel(now, reason)
        elif self.state is CallState.ANSWERED:
            self._parting = reason  # no BYE before the ACK or its timeout (15)
        elif self.state is CallState.CONFIRMED:
            self._bye(now, reason)
            self.finish(now, "hung up")

    # ---- responses to ours ------------------------------------------------------------------------------------

    def responded(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        """A response to a request of this call."""
        if response.status in (401, 407) and self._authenticated(transaction, response, now):
            return
        if response.is_success:
            self.authorization.accepted(response)
        if response.status == 422 and self._lengthened(transaction, response, now):
            return
        if transaction.request.method != "INVITE":
            self._other_responded(transaction.request, response, now)
        elif response.is_success:
            self._accepted(transaction, response, now)
        elif response.is_final:
            self._declined(response, now)
        else:
            self._progressed(transaction, response, now)

    def _other_responded(self, request: Request, response: Response, now: float) -> None:
        """12.2.1.2: where the far end does not know the dialog any more, it is over.

        A NOTIFY or REFER that it knows nothing of concerns the transfer alone (RFC 5057 5.1)."""
        update = request.method == "UPDATE"
        if response.status == 481 and request.method in ("INFO", "UPDATE"):
            self._gone(now)
        elif response.status == 408 and update:
            self.hang_up(now)
        elif update and response.is_success:
            self.session_timer.agreed(response, now)
        elif update and response.status in NOT_UNDERSTOOD:
            self._peer_updates = False
            self._refresh(now)
        elif update and response.status in NOT_NOW:
            self._retry = self._around.timers.set(now + self._around.chance(2.1, 10.0), self._refresh)
        elif request.method == "REFER" and response.is_final:
            self.referring.answered(request, response.status)

    def _gone(self, now: float) -> None:
        if self.state is CallState.CONFIRMED:
            self._bye(now)
            self.finish(now, "the far end knows the call no more")

    def unanswered(self, transaction: ClientTransaction, reason: str, now: float) -> None:
        """Timeout or broken transport of a request of this call (12.2.1.2: the dialog ends)."""
        method = transaction.request.method
        if method == "INVITE" and self.state in (CallState.CALLING, CallState.CANCELLING):
            self.finish(now, reason, 408)
        elif method == "REFER":
            self.referring.answered(transaction.request, 408)
        elif method not in ("BYE", "INFO", "NOTIFY") and self.state is not CallState.ENDED:
            self._inviting = None
            self.hang_up(now)

    def finish(self, now: float, reason: str, status: int = 0, contact: str = "", said: str = "") -> None:
        """Forget everything and tell the application, once."""
        if self.state is CallState.ENDED:
            return
        self.state = CallState.ENDED
        self.session_timer.stop()
        for asked in (self._updating, self._serving):
            if asked is not None and asked.final is None:
                asked.respond(self.dialog.respond(asked.request, 487), now)
        self._updating = self._serving = None
        self.referring.close(self.dialog, now)
        if self._inviting is not None:  # a far end that says no more to it keeps nothing alive here
            self._around.timers.set(now + CANCELLED, lambda _, invite=self._inviting: invite.abandon())
        for waiting in (self._unacknowledged, self._reliable):
            if waiting is not None:
                waiting.stop()
        if self._retry is not None:
            self._retry.cancel()
        self._unacknowledged = self._reliable = None
        self._around.emit(CallEnded(self.name, reason, status, contact, self._proceeding, said))
        self._around.call_over(self)  # type: ignore[arg-type]  # there are no others

    # ---- inside -----------------------------------------------------------------------------------------------

    @property
    def heard(self) -> bool:
        """The far end has said something to our INVITE."""
        return self._proceeding or self.state not in (CallState.CALLING, CallState.CANCELLING)

    @property
    def early_tags(self) -> tuple[str, ...]:
        """Of all places that our call rings at."""
        return tuple(self._branches)

    @property
    def _busy(self) -> bool:
        return self._serving is not None or self._unacknowledged is not None or self._inviting is not None

    def _request(self, request: Request, now: float, flow: Flow | None = None) -> ClientTransaction:
        return self._around.request(self, request, now, flow)  # type: ignore[arg-type]  # as above

    def _invite_again(self, sdp: bytes, now: float) -> None:
        self._description = sdp
        invite = self.dialog.request("INVITE", self._around.branch())
        invite.body = sdp
        invite.headers.add("Content-Type", SDP_TYPE)
        self.session_timer.state(invite.headers)
        self._inviting = self._request(invite, now)

    def _progressed(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        if not self._proceeding:
            self._proceeding = True
            if self.state is CallState.CANCELLING:
                self._send_cancel(now)
        if self.state is not CallState.CALLING or response.status == 100:
            return
        branch = self._branches.heard(self.dialog, transaction, response)
        if branch is None:
            return
        self._around.expect(self, response.to.tag)  # type: ignore[arg-type]  # as above
        if not self._branches.acknowledge(branch, transaction, response, now):
            return
        if response.body and response.content_type == SDP_TYPE and not branch.sdp:
            branch.sdp, branch.reliable = response.body, branch.number > 0
            self._around.emit(CallProgressed(self.name, response.status, branch.sdp))
        else:
            self._around.emit(CallProgressed(self.name, response.status))

    def _accepted(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        number = transaction.request.cseq[0]
        tag = response.to.tag
        if number in self._acks and tag == self.dialog.remote_tag:
            self._around.transmit(*self._acks[number])  # the 2xx came again: the ACK was lost
            return
        first = self.state in (CallState.CALLING, CallState.CANCELLING)
        branch = None
        if first or tag != self.dialog.remote_tag:
            branch = self._branches.heard(self.dialog, transaction, response)
        if first:
            self._take(branch, transaction, response)
        elif tag != self.dialog.remote_tag:
            if branch is not None:
                self._branches.decline(branch, transaction.request, now)
            return
        if response.contact is not None:
            self.dialog.remote_target = response.contact
        self._send_ack(transaction.request)
        self._inviting = None
        if self.state in (CallState.CANCELLING, CallState.ENDED):
            self._bye(now, self._cancelling)
            self.finish(now, "cancelled")
            return
        self.session_timer.agreed(response, now)
        if self.state is CallState.CALLING:
            self._established(response, branch)
        elif not self._refreshing:
            self._around.emit(OfferAnswered(self.name, response.body))
        self._settle(now)

    def _take(self, branch: Branch | None, transaction: ClientTransaction, response: Response) -> None:
        """This is who answered first: the call goes on with it alone."""
        self._around.identify(self, response.to.tag)  # type: ignore[arg-type]  # as above
        self.dialog.flow = transaction.flow
        self.dialog.routes = tuple(reversed(response.headers.items("Record-Route")))
        if branch is not None:
            self.dialog.local_sequence = max(self.dialog.local_sequence, branch.dialog.local_sequence)

    def _established(self, response: Response, branch: Branch | None) -> None:
        self.state = CallState.CONFIRMED
        headers = response.headers
        product = headers.get("Server") or headers.get("User-Agent") or ""
        self.learn(headers.tokens("Allow"))
        early = branch.sdp if branch is not None and (branch.reliable or not response.body) else b""
        self._around.emit(CallAnswered(self.name, early or response.body, product))

    def learn(self, allowed: set[str]) -> None:
        """What the far end says it takes."""
        self.allowed = frozenset(allowed)
        self._peer_updates = not allowed or "update" in allowed

    def _send_ack(self, invite: Request) -> None:
        number = invite.cseq[0]
        ack = challenges.with_credentials_of(invite, self.dialog.request("ACK", self._around.branch(), number))
        sent = (self._around.route(self.dialog), ack.encode())
        self._acks = {number: sent}
        self._around.transmit(*sent)

    def _declined(self, response: Response, now: float) -> None:
        status = response.status
        offer = self._inviting.request.body if self._inviting is not None else b""
        self._inviting = None
        if self.state in (CallState.CALLING, CallState.CANCELLING):
            reason = "refused" if self.state is CallState.CALLING else "cancelled"
            self.finish(now, reason, status, challenges.elsewhere(response), reasons.said(response.headers))
        elif status in (408, 481):
            self.hang_up(now)
        elif status == 491:
            # 14.1: the side that made the Call-ID waits longer, so the two do not collide again
            wait = self._around.chance(2.1, 4.0) if self._caller else self._around.chance(0.0, 2.0)
            again = self._settle
            if self._refreshing and self._waiting_offer is None:
                again = self._refresh
            else:
                self._waiting_offer = self._waiting_offer or offer
            self._retry = self._around.timers.set(now + wait, again)
        elif self.state is CallState.CONFIRMED:
            if not self._refreshing:
                self._around.emit(OfferRefused(self.name, status))
            self._settle(now)

    def _settle(self, now: float) -> None:
        if self._waiting_offer is not None and self.state is CallState.CONFIRMED and not self._busy:
            self.offer(self._waiting_offer, now)

    def _cancel(self, now: float, reason: str) -> None:
        """Give up before the answer; a far end that has not said a word yet cannot be told (9.1)."""
        self.state = CallState.CANCELLING
        self._cancelling = reason
        self._retry = self._around.timers.set(now + CANCELLED, lambda late: self.finish(late, "cancelled", 487))
        if self._proceeding:
            self._send_cancel(now)

    def _send_cancel(self, now: float) -> None:
        inviting = self._inviting
        if inviting is None:
            self.finish(now, "cancelled")
            return
        cancel = self.dialog.request("CANCEL", "", inviting.request.cseq[0])
        cancel.uri = inviting.request.uri
        cancel.headers.set("Via", inviting.request.headers.get("Via") or "")
        cancel.headers.add("Reason", reasons.cancelling(self._cancelling))
        self._request(cancel, now, inviting.flow)

    def _bye(self, now: float, reason: str = "") -> None:
        bye = self.dialog.request("BYE", self._around.branch())
        bye.headers.add("Reason", reasons.ending(reason))
        try:
            self._request(bye, now)
        except RemoteError:
            return  # the far end gave a route that cannot be used; it will notice by its own timers

    def _authenticated(self, transaction: ClientTransaction, response: Response, now: float) -> bool:
        """Answer a challenge by the request again; False when that cannot be (22.2, 22.3)."""
        request = transaction.request
        if self.state is CallState.CANCELLING or not self.authorization.answer(request, response):
            return False
        self._again(transaction, challenges.repeated(request, self._fresh(request)), now)
        return True

    def _lengthened(self, transaction: ClientTransaction, response: Response, now: float) -> bool:
        """Ask again for an interval that is long enough for all on the way (RFC 4028 7.3)."""
        request = transaction.request
        live = self.state in (CallState.CALLING, CallState.CONFIRMED)
        if not live or not self.session_timer.too_small(request, response):
            return False
        again = challenges.repeated(request, self._fresh(request))
        self.session_timer.renew(again.headers)
        self._again(transaction, again, now)
        return True

    def _fresh(self, request: Request) -> Request:
        return self.dialog.request(request.method, self._around.branch())

    def _again(self, transaction: ClientTransaction, again: Request, now: float) -> None:
        sent = self._request(again, now, transaction.flow)
        if again.method == "INVITE":
            self._inviting = sent
            if self._caller and self.state is CallState.CALLING:
                self._around.identify(self, "")  # type: ignore[arg-type]  # as above
            self._branches.clear()
        elif again.method == "REFER":
            self.referring.repeated(again)

    def _refresh(self, now: float) -> None:
        """RFC 4028 7.4: by UPDATE, or by a re-INVITE that offers what we had."""
        if self.state is not CallState.CONFIRMED or self._busy:
            return
        if not self._peer_updates:
            self._refreshing = True
            self._invite_again(self._description, now)
            return
        update = self.dialog.request("UPDATE", self._around.branch())
        self.session_timer.state(update.headers)
        self._request(update, now)

    def _expired(self, now: float) -> None:
        if self.state is CallState.CONFIRMED:
            self._bye(now, "session timer expired")
            self.finish(now, "session timer expired")
