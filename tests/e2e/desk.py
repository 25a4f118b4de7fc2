"""A desk telephone made by hand, without sound: it calls, and transfers attended, which baresip 1.0 does not."""

from __future__ import annotations

import contextlib
import dataclasses
import socket
import threading
import urllib.parse
import uuid

from rostra.sip.message import Request, Response, parse_message

_SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 9 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"
)


@dataclasses.dataclass
class Dialog:
    """One of its calls."""

    target: str
    name: str = dataclasses.field(default_factory=lambda: uuid.uuid4().hex)
    theirs: str = ""
    """Tag of the far end."""
    number: int = 1


def _named(dialog: Dialog) -> str:
    """As the platform knows it (RFC 3891)."""
    return f"{dialog.name};to-tag={dialog.theirs};from-tag=desk"


class Desk:
    """Used as a context; answers what it is asked by a thread of its own."""

    def __init__(self, port: int) -> None:
        """`port` of the platform."""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.connect(("127.0.0.1", port))
        self._own = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._changed = threading.Condition()
        self._replies: dict[tuple[str, str], Response] = {}
        self.fragments: list[bytes] = []
        """What has become of its transfers."""
        self.ended: list[str] = []
        """Names of calls that the far end has ended."""

    def __enter__(self) -> Desk:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)

    def call(self, alias: str, *, instead_of: Dialog | None = None) -> Dialog:
        """Until it is answered; in the place of another call, of whichever telephone, where one is given."""
        replaces = f"Replaces: {_named(instead_of)}\r\n" if instead_of else ""
        dialog = Dialog(f"sip:{alias}@127.0.0.1:{self._socket.getpeername()[1]}")
        answer = self._ask(dialog, "INVITE", replaces, _SDP)
        assert answer.status == 200, answer.status
        dialog.theirs = answer.to.tag
        self._send(dialog, "ACK")
        return dialog

    def connect(self, first: Dialog, second: Dialog) -> None:
        """An attended transfer: whom it has in the first call to whom it has in the second."""
        replaces = urllib.parse.quote(_named(second), safe="")
        first.number += 1
        answer = self._ask(first, "REFER", f"Refer-To: <{second.target}?Replaces={replaces}>\r\n")
        assert answer.status == 202, answer.status

    def until(self, count: int) -> None:
        """So many of its calls have been ended."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.ended) >= count, 10), self.fragments

    def _ask(self, dialog: Dialog, method: str, extra: str = "", body: str = "") -> Response:
        self._send(dialog, method, extra, body)
        key = dialog.name, f"{dialog.number} {method}"
        with self._changed:
            assert self._changed.wait_for(lambda: key in self._replies, 20), f"no answer to {method}"
            return self._replies[key]

    def _send(self, dialog: Dialog, method: str, extra: str = "", body: str = "") -> None:
        tag = f";tag={dialog.theirs}" if dialog.theirs else ""
        described = "Content-Type: application/sdp\r\n" if body else ""
        self._socket.send(
            f"{method} {dialog.target} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP 127.0.0.1:{self._own};branch=z9hG4bK{uuid.uuid4().hex}\r\n"
            f"From: <sip:desk@127.0.0.1:{self._own}>;tag=desk\r\nTo: <{dialog.target}>{tag}\r\n"
            f"Call-ID: {dialog.name}\r\nCSeq: {dialog.number} {method}\r\nMax-Forwards: 70\r\n"
            f"Contact: <sip:desk@127.0.0.1:{self._own}>\r\n{extra}{described}"
            f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
        )

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while data := self._socket.recv(65536):
                self._take(parse_message(data), data)

    def _take(self, message: Request | Response, data: bytes) -> None:
        with self._changed:
            if isinstance(message, Response):
                if message.status >= 200:
                    self._replies[message.headers.get("Call-ID") or "", message.headers.get("CSeq") or ""] = message
            elif message.method != "ACK":
                lines = data.split(b"\r\n\r\n")[0].split(b"\r\n")
                kept = [line for line in lines if line.split(b":")[0] in (b"Via", b"From", b"To", b"Call-ID", b"CSeq")]
                self._socket.send(b"\r\n".join([b"SIP/2.0 200 OK", *kept, b"Content-Length: 0", b"", b""]))
                if message.method == "NOTIFY":
                    self.fragments.append(message.body)
                if message.method == "BYE":
                    self.ended.append(message.headers.get("Call-ID") or "")
            self._changed.notify_all()
