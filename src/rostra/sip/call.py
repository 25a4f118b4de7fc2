"""One call: an INVITE dialog with its offers and answers (RFC 3261 13-15, 3262, 3264, 3311, 6141)."""

from __future__ import annotations

from rostra.sip import reasons
from rostra.sip.dialog import respond
from rostra.sip.errors import LocalError
from rostra.sip.events import CallConfirmed, InfoReceived, OfferAnswered, OfferReceived, PartyChanged
from rostra.sip.info import UNDERSTOOD
from rostra.sip.inviting import SDP_TYPE, Inviting
from rostra.sip.message import Request
from rostra.sip.reliable import OPTION, Reliable
from rostra.sip.session_timer import SessionTimer, too_brief
from rostra.sip.surroundings import CallState
from rostra.sip.transactions import ServerTransaction
from rostra.sip.unacknowledged import Unacknowledged

FIRST_NUMBER = 2**16
"""RSeq of our first reliable response is below (RFC 3262 3 wants less than 2**31)."""


class Call(Inviting):
    """State of one call; commands and messages come in, events and messages go out through `Surroundings`."""

    _held_back: bytes | None = None
    """Our 200, which waits for PRACK."""
    _number = 0
    """RSeq of our last reliable response."""
    _early = False
    """The offer of the INVITE has been answered before its 200."""

    # ---- commands -----------------------------------------------------------------------------------------

    def ring(self, now: float, sdp: bytes = b"") -> None:
        """180; with `sdp`, which answers the offer, 183: what we send is heard from now on (early media).

        It is sent reliably where the caller insists, or where it can and the answer has to reach it (RFC 3262).
        """
        serving = self._serving
        if self.state is not CallState.INCOMING or serving is None or self._reliable is not None:
            return
        request = serving.request
        required = OPTION in request.headers.tokens("Require")
        reliable = required or (bool(sdp) and OPTION in request.headers.tokens("Supported"))
        if reliable and not request.body and not sdp:
            return  # it would have to carry our offer (RFC 3262 5), which the 200 brings
        response = self.dialog.respond(request, 183 if sdp else 180)
        if sdp:
            response.body = self._description = sdp
            response.headers.add("Content-Type", SDP_TYPE)
        if reliable:
            self._number = self._number + 1 if self._number else int(self._around.chance(1, FIRST_NUMBER))
            response.headers.add("Require", OPTION)
            response.headers.add("RSeq", str(self._number))
        serving.respond(response, now)
        if reliable:
            self._early = self._early or bool(sdp)
            self._reliable = Reliable(serving, self._number, response.encode(), described=bool(sdp))
            self._reliable.repeat(self._around.timers, now, self._never_pracked)

    def answer(self, sdp: bytes, now: float) -> None:
        """200 with our answer, or our offer where there was none. Raises LocalError when nothing waits for it."""
        serving, updating = self._serving, self._updating
        if updating is not None:
            self._updating = None
            self._accept(updating, sdp, now)
            return
        if serving is None:
            raise LocalError("no request waits for an answer")
        if self._reliable is not None and self._reliable.described:
            self._held_back = sdp
            return
        if self._reliable is not None:
            self._reliable.stop()
        self._serving = None
        request = serving.request
        if request.method == "INVITE" and self.state is CallState.INCOMING:
            self.state = CallState.ANSWERED
        data = self._accept(serving, b"" if self._early and self.state is CallState.ANSWERED else sdp, now)
        if request.method != "INVITE":
            return
        serving.on_ack = self.acknowledged
        waiting = Unacknowledged(serving, data, offered=not request.body)
        waiting.repeat(self._around.timers, now, self._never_acknowledged)
        self._unacknowledged = waiting

    def _accept(self, serving: ServerTransaction, sdp: bytes, now: float) -> bytes:
        """200; what was sent."""
        response = self.dialog.respond(serving.request, 200)
        if sdp:
            response.body = self._description = sdp
            response.headers.add("Content-Type", SDP_TYPE)
        self.session_timer.negotiate(serving.request, response, now)
        serving.respond(response, now)
        return response.encode()

    def inform(self, content_type: str, body: bytes, now: float) -> None:
        """INFO, while the call is up."""
        if self.state is CallState.CONFIRMED:
            self._request(self.dialog.told(self._around.branch(), content_type, body), now)

    def report(self, name: str, status: int, now: float) -> None:
        """What has come of a REFER of the far end (`ReferReceived`)."""
        notify = self.referring.report(name, status, self.dialog, now)
        if notify is not None and self.state is not CallState.ENDED:
            self._request(notify, now)

    def refer(self, uri: str, by: str, now: float) -> bool:
        """Have the far end call somebody else; False: it cannot, or the call is not up."""
        if self.state is not CallState.CONFIRMED or (self.allowed and "refer" not in self.allowed):
            return False
        self._request(self.referring.refer(self.dialog, uri, by), now)
        return True

    # ---- requests of the far end ----------------------------------------------------------------------------

    def invited(self, serving: ServerTransaction) -> None:
        """The INVITE that created this call."""
        self._serving = serving
        self.learn(serving.request.headers.tokens("Allow"))

    def receive(self, serving: ServerTransaction, now: float) -> None:
        """A request within the dialog other than ACK and CANCEL."""
        request = serving.request
        if request.method == "BYE":
            self._received_bye(serving, now)
            return
        if not self._in_order(request):
            self._reply(serving, 500, now, "CSeq Out Of Order")
            return
        match request.method:
            case "INVITE" | "UPDATE":
                if self.state is CallState.CONFIRMED and self.dialog.meets(request):
                    self._around.emit(PartyChanged(self.name, request))
                self._received_offer(serving, now)
            case "PRACK":
                self._received_prack(serving, now)
            case "INFO":
                self._received_info(serving, now)
            case "REFER":
                self.referring.received(serving, self.dialog, now)
            case "NOTIFY":
                self.referring.notified(serving, now)
            case _:
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
        if self._parting is not None or (waiting.offered and not ack.body):
            self.hang_up(now, self._parting or "")  # an offer never answered makes no session (13.2.2.4)
            return
        if first:
            self._around.emit(CallConfirmed(self.name, ack.body if waiting.offered else None))
        elif waiting.offered:
            self._around.emit(OfferAnswered(self.name, ack.body))
        self._settle(now)

    def cancelled(self, cancel: Request, now: float) -> None:
        """CANCEL of the INVITE we have not answered."""
        if self._serving is not None and self.state is CallState.INCOMING:
            self.refuse(487, "", now, said=reasons.said(cancel.headers))
        elif self._serving is not None:
            serving, self._serving = self._serving, None
            serving.respond(self.dialog.respond(serving.request, 487), now)

    # ---- inside -----------------------------------------------------------------------------------------------

    def _reply(self, serving: ServerTransaction, status: int, now: float, reason: str = "") -> None:
        serving.respond(self.dialog.respond(serving.request, status, reason), now)

    def _in_order(self, request: Request) -> bool:
        """Numbers of an early dialog are those of its branch: they are not looked at before one has answered."""
        if self.state in (CallState.CALLING, CallState.CANCELLING):
            return True
        number = request.cseq[0]
        last = self.dialog.remote_sequence
        if last is not None and number <= last:
            return False
        self.dialog.remote_sequence = number
        return True

    def _received_bye(self, serving: ServerTransaction, now: float) -> None:
        if self.state in (CallState.CALLING, CallState.CANCELLING):
            self._reply(serving, 481, now)  # a place that rings ends its call by a response (15)
            return
        self._reply(serving, 200, now)
        self.finish(now, "the far end hung up", said=reasons.said(serving.request.headers))

    def _received_info(self, serving: ServerTransaction, now: float) -> None:
        request = serving.request
        if request.body and request.content_type not in UNDERSTOOD:
            self._reply(serving, 415, now)
            return
        self._reply(serving, 200, now)
        self._around.emit(InfoReceived(self.name, request.content_type, request.body))

    def _received_prack(self, serving: ServerTransaction, now: float) -> None:
        """RFC 3262 3, and 5 where it brings an offer."""
        waiting, request = self._reliable, serving.request
        if waiting is None or not waiting.acknowledged_by(request):
            self._reply(serving, 481, now)
            return
        waiting.stop()
        self._reliable = None
        if request.body and self._early and self._held_back is None:
            self._updating = serving
            self._around.emit(OfferReceived(self.name, request.body))
        elif request.body:
            self._reply(serving, 488, now)  # nothing can be agreed anew while the offer of the INVITE waits
        else:
            self._reply(serving, 200, now)
        if self._held_back is not None:
            held_back, self._held_back = self._held_back, None
            self.answer(held_back, now)

    def _never_pracked(self, now: float) -> None:
        self._reliable = None
        if self._serving is not None and self.state is CallState.INCOMING:
            self.refuse(504, "", now)

    def _received_offer(self, serving: ServerTransaction, now: float) -> None:
        request = serving.request
        if too_brief(request):
            response = self.dialog.respond(request, 422)
            response.headers.add("Min-SE", str(SessionTimer.MINIMUM))
            serving.respond(response, now)
        elif request.method == "UPDATE" and not request.body:
            self._retarget(serving)
            self._accept(serving, b"", now)
        elif self.state in (CallState.INCOMING, CallState.CALLING, CallState.CANCELLING):
            self._received_early_offer(serving, now)
        elif self._serving is not None:
            self._later(serving, now)
        elif self._inviting is not None or self._unacknowledged is not None:
            self._reply(serving, 491, now)
        else:
            self._retarget(serving)
            if request.method == "INVITE":
                serving.respond(respond(request, 100), now)
            self._serving = serving
            self._around.emit(OfferReceived(self.name, request.body or None))

    def _retarget(self, serving: ServerTransaction) -> None:
        """12.2.2: where the far end wants to be sent requests from now on."""
        contact, dialog = serving.request.contact, self.dialog
        if self.state in (CallState.CALLING, CallState.CANCELLING):
            branch = self._branches.get(serving.request.from_.tag)
            if branch is None:
                return
            dialog = branch.dialog
        dialog.remote_target = contact or dialog.remote_target
        dialog.flow = serving.source

    def _received_early_offer(self, serving: ServerTransaction, now: float) -> None:
        """Before the 200, offers are taken where the first one has been answered for good (RFC 3311 5.2)."""
        request = serving.request
        branch = self._branches.get(request.from_.tag)
        settled = self._early and self._reliable is None if self.state is CallState.INCOMING else False
        if self.state is CallState.CALLING and branch is not None:
            settled = branch.reliable
        if request.method == "INVITE" or self._updating is not None:
            self._later(serving, now)
        elif settled:
            self._retarget(serving)
            self._updating = serving
            self._around.emit(OfferReceived(self.name, request.body))
        elif self.state is CallState.INCOMING:
            self._later(serving, now)
        else:
            self._reply(serving, 491, now)

    def _later(self, serving: ServerTransaction, now: float) -> None:
        response = self.dialog.respond(serving.request, 500)
        response.headers.add("Retry-After", str(round(self._around.chance(0, 10))))
        serving.respond(response, now)

    def _never_acknowledged(self, now: float) -> None:
        self._unacknowledged = None
        self._bye(now, "no ACK")
        self.finish(now, "no ACK")
