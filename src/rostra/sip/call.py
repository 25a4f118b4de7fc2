"""One call: an INVITE dialog with its offers and answers (RFC 3261 13-15, 3264, 3311, 6141)."""

from __future__ import annotations

from rostra.sip import challenges
from rostra.sip.challenges import Authorization
from rostra.sip.dialog import Dialog, respond
from rostra.sip.digest import Credentials
from rostra.sip.errors import LocalError, RemoteError
from rostra.sip.events import (
    CallAnswered,
    CallConfirmed,
    CallEnded,
    InfoReceived,
    OfferAnswered,
    OfferReceived,
    OfferRefused,
)
from rostra.sip.flow import Flow
from rostra.sip.message import Request, Response
from rostra.sip.session_timer import SessionTimer, requested_interval
from rostra.sip.surroundings import CallState, Surroundings
from rostra.sip.timers import Timer
from rostra.sip.transactions import ClientTransaction, ServerTransaction
from rostra.sip.unacknowledged import Unacknowledged

SDP_TYPE = "application/sdp"
CANCELLED = 32.0
"""Seconds the far end has to confirm that it gave up ringing (RFC 3261 9.1)."""


class Call:
    """State of one call; commands and messages come in, events and messages go out through `Surroundings`."""

    def __init__(self, name: str, dialog: Dialog, state: CallState, around: Surroundings) -> None:
        self.name = name
        self.dialog = dialog
        self.state = state
        self._around = around
        self._serving: ServerTransaction | None = None
        self._unacknowledged: Unacknowledged | None = None
        self._inviting: ClientTransaction | None = None
        self._acks: dict[int, tuple[Flow, bytes]] = {}
        self._waiting_offer: bytes | None = None
        self._retry: Timer | None = None
        self._ending = False
        self._peer_updates = True
        """The far end takes UPDATE (its Allow says so, or says nothing)."""
        self._description = b""
        """Our last SDP, for a refresh by re-INVITE."""
        self._refreshing = False
        self._caller = state is CallState.CALLING
        self.authorization = Authorization(lambda _: None, around.word)
        self._proceeding = False
        """Our first INVITE has had a response: it can be cancelled."""
        self.session_timer = SessionTimer(around.timers, self._refresh, self._expired)

    # ---- commands -----------------------------------------------------------------------------------------

    def ring(self, now: float) -> None:
        """180."""
        if self.state is CallState.INCOMING and self._serving is not None:
            self._serving.respond(self.dialog.respond(self._serving.request, 180), now)

    def answer(self, sdp: bytes, now: float) -> None:
        """200 with our answer, or our offer where there was none. Raises LocalError when nothing waits for it."""
        serving = self._serving
        if serving is None:
            raise LocalError("no request waits for an answer")
        self._serving = None
        request = serving.request
        response = self.dialog.respond(request, 200)
        response.body = self._description = sdp
        response.headers.add("Content-Type", SDP_TYPE)
        self.session_timer.negotiate(request, response, now)
        serving.respond(response, now)
        if request.method != "INVITE":
            return
        if self.state is CallState.INCOMING:
            self.state = CallState.ANSWERED
        serving.on_ack = self.acknowledged
        waiting = Unacknowledged(serving, response.encode(), offered=not request.body)
        waiting.repeat(self._around.timers, now, self._never_acknowledged)
        self._unacknowledged = waiting

    def refuse(self, status: int, reason: str, now: float, elsewhere: str = "") -> None:
        """A failure response to the INVITE, re-INVITE or UPDATE that waits; ends a call not yet answered."""
        serving, self._serving = self._serving, None
        if serving is None:
            raise LocalError("no request waits for an answer")
        serving.respond(self.dialog.respond(serving.request, status, reason, elsewhere), now)
        if self.state is CallState.INCOMING:
            self.finish(reason or "refused")

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

    def _invite_again(self, sdp: bytes, now: float) -> None:
        self._description = sdp
        invite = self.dialog.request("INVITE", self._around.branch())
        invite.body = sdp
        invite.headers.add("Content-Type", SDP_TYPE)
        self.session_timer.state(invite.headers)
        self._inviting = self._around.request(self, invite, now)

    def hang_up(self, now: float, reason: str = "") -> None:
        """End the call by whatever its state needs: failure response, CANCEL or BYE."""
        if self.state is CallState.INCOMING and self._serving is not None:
            self.refuse(480, reason, now)
        elif self.state is CallState.CALLING:
            self._cancel(now)
        elif self.state is CallState.ANSWERED:
            self._ending = True  # no BYE before the ACK or its timeout (15)
        elif self.state is CallState.CONFIRMED:
            self._bye(now)
            self.finish("hung up")

    # ---- requests of the far end ----------------------------------------------------------------------------

    def invited(self, serving: ServerTransaction) -> None:
        """The INVITE that created this call."""
        self._serving = serving
        allowed = serving.request.headers.tokens("Allow")
        self._peer_updates = not allowed or "update" in allowed

    def receive(self, serving: ServerTransaction, now: float) -> None:
        """A request within the dialog other than ACK and CANCEL."""
        request = serving.request
        if request.method == "BYE":
            self._received_bye(serving, now)
        elif not self._in_order(request):
            self._reply(serving, 500, now, "CSeq Out Of Order")
        elif request.method in ("INVITE", "UPDATE"):
            self._received_offer(serving, now)
        elif request.method == "INFO":
            self._reply(serving, 200, now)
            self._around.emit(InfoReceived(self.name, request.content_type, request.body))
        else:
            self._reply(serving, 200 if request.method == "OPTIONS" else 405, now)

    def acknowledged(self, ack: Request, now: float) -> None:
        """ACK of a 2xx of ours."""
        waiting = self._unacknowledged
        if waiting is None or ack.cseq[0] != waiting.sequence:
            return
        waiting.stop()
        self._unacknowledged = None
        first = self.state is CallState.ANSWERED
        if first:
            self.state = CallState.CONFIRMED
        if self._ending or (waiting.offered and not ack.body):
            self.hang_up(now)  # an offer never answered makes no session (13.2.2.4)
            return
        if first:
            self._around.emit(CallConfirmed(self.name, ack.body if waiting.offered else None))
        elif waiting.offered:
            self._around.emit(OfferAnswered(self.name, ack.body))
        self._settle(now)

    def cancelled(self, now: float) -> None:
        """CANCEL of the INVITE we have not answered."""
        if self._serving is not None and self.state is CallState.INCOMING:
            self.refuse(487, "", now)
        elif self._serving is not None:
            serving, self._serving = self._serving, None
            serving.respond(self.dialog.respond(serving.request, 487), now)

    # ---- responses to ours ------------------------------------------------------------------------------------

    def responded(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        """A response to a request of this call."""
        if response.status in (401, 407) and self._authenticated(transaction, response, now):
            return
        if response.is_success:
            self.authorization.accepted(response)
        if transaction.request.method != "INVITE":
            if response.status in (408, 481) and transaction.request.method == "UPDATE":
                self.hang_up(now)
            elif response.is_success and transaction.request.method == "UPDATE":
                self.session_timer.agreed(response, now)
            return
        if response.is_success:
            self._accepted(transaction, response, now)
        elif response.is_final:
            self._declined(response, now)
        elif not self._proceeding:
            self._proceeding = True
            if self.state is CallState.CANCELLING:
                self._send_cancel(now)

    def unanswered(self, transaction: ClientTransaction, reason: str, now: float) -> None:
        """Timeout or broken transport of a request of this call (12.2.1.2: the dialog ends)."""
        if transaction.request.method == "INVITE" and self.state in (CallState.CALLING, CallState.CANCELLING):
            self.finish(reason, 408)
        elif transaction.request.method not in ("BYE", "INFO") and self.state is not CallState.ENDED:
            self._inviting = None
            self.hang_up(now)

    def finish(self, reason: str, status: int = 0, contact: str = "") -> None:
        """Forget everything and tell the application, once."""
        if self.state is CallState.ENDED:
            return
        self.state = CallState.ENDED
        self.session_timer.stop()
        if self._retry is not None:
            self._retry.cancel()
        if self._unacknowledged is not None:
            self._unacknowledged.stop()
        self._unacknowledged = None
        self._around.emit(CallEnded(self.name, reason, status, contact, self._proceeding))
        self._around.call_over(self)

    # ---- inside -----------------------------------------------------------------------------------------------

    @property
    def heard(self) -> bool:
        """The far end has said something to our INVITE."""
        return self._proceeding or self.state not in (CallState.CALLING, CallState.CANCELLING)

    @property
    def _busy(self) -> bool:
        return self._serving is not None or self._unacknowledged is not None or self._inviting is not None

    def _reply(self, serving: ServerTransaction, status: int, now: float, reason: str = "") -> None:
        serving.respond(self.dialog.respond(serving.request, status, reason), now)

    def _in_order(self, request: Request) -> bool:
        number = request.cseq[0]
        last = self.dialog.remote_sequence
        if last is not None and number <= last:
            return False
        self.dialog.remote_sequence = number
        return True

    def _received_bye(self, serving: ServerTransaction, now: float) -> None:
        self._reply(serving, 200, now)
        waiting, self._serving = self._serving, None
        if waiting is not None and waiting.final is None:
            waiting.respond(self.dialog.respond(waiting.request, 487), now)
        self.finish("the far end hung up")

    def _received_offer(self, serving: ServerTransaction, now: float) -> None:
        request = serving.request
        interval = requested_interval(request)
        if interval is not None and interval < SessionTimer.MINIMUM:
            response = self.dialog.respond(request, 422)
            response.headers.add("Min-SE", str(SessionTimer.MINIMUM))
            serving.respond(response, now)
        elif self._serving is not None or self.state in (CallState.INCOMING, CallState.CALLING):
            response = self.dialog.respond(request, 500)
            response.headers.add("Retry-After", str(round(self._around.chance(0, 10))))
            serving.respond(response, now)
        elif self._inviting is not None or self._unacknowledged is not None:
            self._reply(serving, 491, now)
        else:
            if request.contact is not None:
                self.dialog.remote_target = request.contact
            self.dialog.flow = serving.source
            if request.method == "UPDATE" and not request.body:
                response = self.dialog.respond(request, 200)
                self.session_timer.negotiate(request, response, now)
                serving.respond(response, now)
                return
            if request.method == "INVITE":
                serving.respond(respond(request, 100), now)
            self._serving = serving
            self._around.emit(OfferReceived(self.name, request.body or None))

    def _never_acknowledged(self, now: float) -> None:
        self._unacknowledged = None
        self._bye(now)
        self.finish("no ACK")

    def _accepted(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        number = transaction.request.cseq[0]
        tag = response.to.tag
        if number in self._acks and tag == self.dialog.remote_tag:
            self._around.transmit(*self._acks[number])  # the 2xx came again: the ACK was lost
            return
        if self.state in (CallState.CALLING, CallState.CANCELLING):
            self._around.identify(self, tag)
            self.dialog.flow = transaction.flow
            self.dialog.routes = tuple(reversed(response.headers.items("Record-Route")))
        elif tag != self.dialog.remote_tag:
            return  # a second branch of a forked INVITE; its 2xx stops by its own timer H
        if response.contact is not None:
            self.dialog.remote_target = response.contact
        self._send_ack(transaction.request)
        self._inviting = None
        if self.state in (CallState.CANCELLING, CallState.ENDED):
            self._bye(now)
            self.finish("cancelled")
            return
        self.session_timer.agreed(response, now)
        if self.state is CallState.CALLING:
            self.state = CallState.CONFIRMED
            headers = response.headers
            product = headers.get("Server") or headers.get("User-Agent") or ""
            self._peer_updates = "update" in (headers.tokens("Allow") or {"update"})
            self._around.emit(CallAnswered(self.name, response.body, product))
        elif not self._refreshing:
            self._around.emit(OfferAnswered(self.name, response.body))
        self._settle(now)

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
            self.finish(reason, status, challenges.elsewhere(response))
        elif status in (408, 481):
            self.hang_up(now)
        elif status == 491:
            # 14.1: the side that made the Call-ID waits longer, so the two do not collide again
            wait = self._around.chance(2.1, 4.0) if self._caller else self._around.chance(0.0, 2.0)
            self._waiting_offer = self._waiting_offer or offer
            self._retry = self._around.timers.set(now + wait, self._settle)
        elif self.state is CallState.CONFIRMED:
            if not self._refreshing:
                self._around.emit(OfferRefused(self.name, status))
            self._settle(now)

    def _settle(self, now: float) -> None:
        if self._waiting_offer is not None and self.state is CallState.CONFIRMED and not self._busy:
            self.offer(self._waiting_offer, now)

    def _cancel(self, now: float) -> None:
        """Give up before the answer; a far end that has not said a word yet cannot be told (9.1)."""
        self.state = CallState.CANCELLING
        self._retry = self._around.timers.set(now + CANCELLED, lambda _: self.finish("cancelled", 487))
        if self._proceeding:
            self._send_cancel(now)

    def _send_cancel(self, now: float) -> None:
        inviting = self._inviting
        if inviting is None:
            self.finish("cancelled")
            return
        cancel = self.dialog.request("CANCEL", "", inviting.request.cseq[0])
        cancel.uri = inviting.request.uri
        cancel.headers.set("Via", inviting.request.headers.get("Via") or "")
        self._around.request(self, cancel, now, inviting.flow)

    def _bye(self, now: float) -> None:
        try:
            self._around.request(self, self.dialog.request("BYE", self._around.branch()), now)
        except RemoteError:
            return  # the far end gave a route that cannot be used; it will notice by its own timers

    def calling(self, transaction: ClientTransaction, credentials: Credentials | None = None) -> None:
        """Our INVITE that created this call is on its way; with `credentials` challenges are answered."""
        self._inviting = transaction
        self._description = transaction.request.body
        if credentials is not None:
            self.authorization = Authorization(credentials, self._around.word)

    def _authenticated(self, transaction: ClientTransaction, response: Response, now: float) -> bool:
        """Answer a challenge by the request again; False when that cannot be (22.2, 22.3)."""
        request = transaction.request
        if self.state is CallState.CANCELLING or not self.authorization.answer(request, response):
            return False
        again = challenges.repeated(request, self.dialog.request(request.method, self._around.branch()))
        sent = self._around.request(self, again, now, transaction.flow)
        if request.method == "INVITE":
            self._inviting = sent
        return True

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
        self._around.request(self, update, now)

    def _expired(self, now: float) -> None:
        if self.state is CallState.CONFIRMED:
            self._bye(now)
            self.finish("session timer expired")
