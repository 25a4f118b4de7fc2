"""What a call needs of the engine, and the states of its life."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Protocol

from rostra.sip.dialog import Dialog
from rostra.sip.events import Event
from rostra.sip.flow import Flow
from rostra.sip.message import Request
from rostra.sip.timers import Timers
from rostra.sip.transactions import ClientTransaction, ClientUser

if TYPE_CHECKING:
    from rostra.sip.call import Call


class CallState(enum.Enum):
    """Life of a call. INCOMING and CALLING are before the 2xx, ANSWERED is ours before its ACK."""

    INCOMING = "incoming"
    CALLING = "calling"
    CANCELLING = "cancelling"
    ANSWERED = "answered"
    CONFIRMED = "confirmed"
    ENDED = "ended"


class Surroundings(Protocol):
    """What a call needs of the engine."""

    @property
    def timers(self) -> Timers: ...

    def emit(self, event: Event) -> None: ...

    def request(self, call: Call, request: Request, now: float, flow: Flow | None = None) -> ClientTransaction:
        """Send it within the dialog, or by `flow`."""
        ...

    def ask(self, request: Request, flow: Flow, user: ClientUser, now: float) -> None:
        """Send it for somebody else than the call."""
        ...

    def transmit(self, flow: Flow, data: bytes) -> None: ...

    def route(self, dialog: Dialog) -> Flow: ...

    def branch(self) -> str: ...

    def word(self) -> str:
        """Random text, fit for a nonce."""
        ...

    def chance(self, low: float, high: float) -> float: ...

    def identify(self, call: Call, remote_tag: str) -> None:
        """The far end of a call of ours goes by this tag, alone."""
        ...

    def expect(self, call: Call, remote_tag: str) -> None:
        """Requests may come from this tag too: one place that our call rings at."""
        ...

    def call_over(self, call: Call) -> None: ...
