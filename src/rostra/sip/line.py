"""What calls need of the service that signals them."""

from __future__ import annotations

from typing import Protocol

from rostra.environment import Environment
from rostra.sip import moving
from rostra.sip.events import CallReceived
from rostra.sip.flow import Flow
from rostra.sip.uri import Uri


class Line(moving.Line, Protocol):
    """What an agent can do with its call; `service.SipService` gives it."""

    def ring(self, call: str, sdp: bytes = b"") -> None: ...

    def focus(self, call: str) -> None: ...

    def nobody_there(self, event: CallReceived) -> None:
        """It called an alias that leads nowhere."""
        ...

    def trusts(self, flow: Flow) -> bool:
        """What comes by it is sent by a system of the administrator's own."""
        ...

    def answer(self, call: str, sdp: bytes) -> None: ...

    def refuse(self, call: str, status: int, reason: str, elsewhere: str = "") -> None: ...

    def offer(self, call: str, sdp: bytes) -> None: ...

    def inform(self, call: str, content_type: str, body: bytes) -> None: ...

    def registered(self, uri: Uri, flow: Flow) -> str:
        """The alias under which a caller is registered here that says it is `uri`; empty: it is not."""
        ...

    def announced(self, address: str, peer: str) -> str:
        """`address` of ours as the other side reaches it."""
        ...

    @property
    def environment(self) -> Environment: ...
