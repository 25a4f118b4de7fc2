"""Transfers by REFER within a call (RFC 3515, 4488), either way."""

from __future__ import annotations

import dataclasses
import re

from rostra.sip.dialog import Dialog, respond
from rostra.sip.errors import RemoteError
from rostra.sip.events import ReferReceived, Referred
from rostra.sip.message import Request, reason_phrase
from rostra.sip.replacing import of_uri
from rostra.sip.surroundings import Surroundings
from rostra.sip.transactions import ServerTransaction
from rostra.sip.uri import parse_name_addr

EXPIRES = 60
"""Seconds within which a transfer is through; what is said of it later is said all the same."""
MOST = 4
"""Transfers of one call that are under way."""
FRAGMENT = "message/sipfrag"

_STATUS = re.compile(rb"SIP/2\.0 ([1-6][0-9][0-9])\b", re.IGNORECASE)


@dataclasses.dataclass(slots=True)
class _Wish:
    """A REFER of the far end."""

    serving: ServerTransaction
    event: str
    quiet: bool
    accepted: bool = False


class Referring:
    """The transfers of one call. Requests are sent by `send`, which takes them as the dialog made them."""

    def __init__(self, call: str, around: Surroundings) -> None:
        self._call = call
        self._around = around
        self._wishes: dict[str, _Wish] = {}
        self._asked: str | None = None
        """CSeq of our REFER, as long as something is to be heard of it."""
        self._several = False

    # ---- the far end wants us to call somebody

    def received(self, serving: ServerTransaction, dialog: Dialog, now: float) -> None:
        """A REFER: the application is asked, and says by `report` what comes of it."""
        request = serving.request
        values = request.headers.all("Refer-To")
        try:
            target = parse_name_addr(values[0]).uri if len(values) == 1 else None
            replaces = of_uri(target) if target is not None and target.is_sip else None
        except RemoteError:
            target = replaces = None
        if target is None or not target.is_sip or (target.parameter("method") or "INVITE").upper() != "INVITE":
            serving.respond(dialog.respond(request, 400, "Bad Request - unusable Refer-To"), now)
            return
        if len(self._wishes) >= MOST:
            serving.respond(dialog.respond(request, 486), now)
            return
        name = self._around.word()
        number = f";id={request.cseq[0]}" if self._several else ""
        self._several = True
        quiet = (request.headers.get("Refer-Sub") or "").partition(";")[0].strip().lower() == "false"
        self._wishes[name] = _Wish(serving, f"refer{number}", quiet)
        by = request.headers.get("Referred-By") or ""
        self._around.emit(ReferReceived(self._call, name, target, replaces, by))

    def report(self, name: str, status: int, dialog: Dialog, now: float) -> Request | None:
        """What has come of a wish: provisional, or final. A refusal before anything else answers the REFER itself.

        Returns the NOTIFY to send, if there is one."""
        wish = self._wishes.get(name)
        if wish is None:
            return None
        if status >= 200:
            del self._wishes[name]
        if not wish.accepted:
            wish.accepted = True
            if status >= 300:
                wish.serving.respond(dialog.respond(wish.serving.request, status), now)
                return None
            response = dialog.respond(wish.serving.request, 202)
            if wish.quiet:
                response.headers.add("Refer-Sub", "false")
            wish.serving.respond(response, now)
        if wish.quiet:
            return None
        notify = dialog.request("NOTIFY", self._around.branch())
        state = f"active;expires={EXPIRES}" if status < 200 else "terminated;reason=noresource"
        for header, value in (("Contact", dialog.contact), ("Event", wish.event), ("Subscription-State", state)):
            notify.headers.add(header, value)
        notify.headers.add("Content-Type", f"{FRAGMENT};version=2.0")
        notify.body = f"SIP/2.0 {status} {reason_phrase(status)}\r\n".encode()
        return notify

    def close(self, dialog: Dialog, now: float) -> None:
        """The call is over: nobody says any more what comes of wishes."""
        for wish in self._wishes.values():
            if not wish.accepted:
                wish.serving.respond(dialog.respond(wish.serving.request, 487), now)
        self._wishes.clear()

    # ---- we want the far end to call somebody

    def refer(self, dialog: Dialog, uri: str, by: str) -> Request:
        """Our REFER; `Referred` says what comes of it."""
        request = dialog.request("REFER", self._around.branch())
        self._asked = str(request.cseq[0])
        for header, value in (("Contact", dialog.contact), ("Refer-To", f"<{uri}>"), ("Referred-By", by)):
            request.headers.add(header, value)
        return request

    def repeated(self, request: Request) -> None:
        """Our REFER is sent once more, with credentials."""
        self._asked = str(request.cseq[0])

    def answered(self, request: Request, status: int) -> None:
        """The far end's response to our REFER."""
        if status >= 300 and self._asked == str(request.cseq[0]):
            self._over(status)

    def notified(self, serving: ServerTransaction, now: float) -> None:
        """A NOTIFY: what has become of our REFER."""
        request = serving.request
        package, _, parameters = (request.headers.get("Event") or "").partition(";")
        if package.strip().lower() != "refer":
            serving.respond(respond(request, 489), now)
            return
        match = _STATUS.match(request.body.lstrip()) if request.content_type == FRAGMENT else None
        number = parameters.partition("id=")[2].partition(";")[0].strip()
        if self._asked is None or number not in ("", self._asked):
            serving.respond(respond(request, 481), now)
            return
        serving.respond(respond(request, 200), now)
        status = int(match[1]) if match else 0
        ended = (request.headers.get("Subscription-State") or "").strip().lower().startswith("terminated")
        if status >= 200 or ended:
            self._over(status if status >= 200 else 0)
        elif status:
            self._around.emit(Referred(self._call, status))

    def _over(self, status: int) -> None:
        self._asked = None
        self._around.emit(Referred(self._call, status, over=True))
