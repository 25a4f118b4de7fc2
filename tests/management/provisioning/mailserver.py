"""A mail server that keeps what it gets."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from tests.ports import free_port


class Mailbox:
    """The handler of the server."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.port = 0
        self.encrypted: set[bool] = set()
        self.connections: set[tuple[str, int]] = set()

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802
        if address.startswith("p9@"):
            return "550 Nobody is called so"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - names of aiosmtpd
        found: Any = message_from_bytes(envelope.original_content, policy=policy.default)
        self.mails.append(found)
        self.encrypted.add(session.ssl is not None)
        self.connections.add(session.peer)
        return "250 OK"


def _check(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
    return AuthResult(success=(data.login, data.password) == (b"rostra", b"smtp-pw"), handled=False)


@contextlib.contextmanager
def running(context: ssl.SSLContext | None = None) -> Iterator[Mailbox]:
    """A server on a free port; with a `context` it wants STARTTLS and an account."""
    mailbox = Mailbox()
    mailbox.port = free_port()
    strict = context is not None
    controller = Controller(
        mailbox,
        hostname="localhost",
        port=mailbox.port,
        tls_context=context,
        require_starttls=strict,
        auth_required=strict,
        authenticator=_check if strict else None,
    )
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()
