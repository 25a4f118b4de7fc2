"""Handing mail to the mail server (SYS-038, SVC-197)."""

from __future__ import annotations

import dataclasses
import smtplib
import time
from collections.abc import Callable, Iterable, Iterator
from email.message import EmailMessage
from typing import Any

from rostra.configuration.secretfield import reveal
from rostra.management.accounts.ldap import tls

PER_SECOND = 20
"""Mails at most."""
_TIMEOUT = 10
_PER_CONNECTION = 100
"""Mails after which a server is greeted anew."""
_FAILURES = 3
"""Lost connections in a row after which the rest is given up."""


class NoConnection(Exception):
    """The server cannot be reached, or does not let us in; the text says why."""


@dataclasses.dataclass(frozen=True)
class Result:
    """What became of a mail."""

    to: str
    problem: str = ""
    """Empty: the server took it."""


class Postman:
    """Sends mail through one server, an `SmtpServer` of the configuration."""

    def __init__(self, server: Any, pause: Callable[[float], None] = time.sleep) -> None:
        self._server = server
        self._pause = pause
        self._connection: smtplib.SMTP | None = None
        self._sent = 0

    def send(self, mails: Iterable[EmailMessage]) -> Iterator[Result]:
        """Send them one after the other, at PER_SECOND at most; yields what became of each.

        After `_FAILURES` lost connections in a row, the rest is not tried any more.
        """
        failures, reason = 0, ""
        try:
            for mail in mails:
                problem = reason
                while failures < _FAILURES:
                    try:
                        problem = self._one(mail)
                        failures = 0
                        break
                    except NoConnection as lost:
                        failures, reason = failures + 1, str(lost)
                        problem = reason
                yield Result(str(mail["To"]), problem)
        finally:
            self.close()

    def close(self) -> None:
        """Say goodbye to the server."""
        connection, self._connection, self._sent = self._connection, None, 0
        if connection is None:
            return
        try:
            connection.quit()
        except OSError:
            connection.close()

    def _one(self, mail: EmailMessage) -> str:
        """Why the server did not take it; empty: it did."""
        if self._sent >= _PER_CONNECTION:
            self.close()
        connection = self._connected()
        began = time.monotonic()
        try:
            connection.send_message(mail)
        except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused, ValueError) as problem:
            return _short(problem)
        except OSError as problem:  # also what smtplib says of lost connections
            self.close()
            raise NoConnection(_short(problem)) from None
        self._sent += 1
        self._pause(max(0.0, 1 / PER_SECOND - (time.monotonic() - began)))
        return ""

    def _connected(self) -> smtplib.SMTP:
        if self._connection is not None:
            return self._connection
        server = self._server
        connection = None
        try:
            connection = smtplib.SMTP(server.address, server.port, timeout=_TIMEOUT)
            connection.ehlo()
            if server.connection_security == "STARTTLS":
                connection.starttls(context=tls.context())
                connection.ehlo()
            password = reveal(server, "password")
            if server.username and password:
                connection.login(server.username, password)
        except (OSError, UnicodeError) as problem:
            if connection is not None:
                connection.close()
            raise NoConnection(_short(problem)) from None
        self._connection = connection
        return connection


def _short(problem: BaseException) -> str:
    if isinstance(problem, smtplib.SMTPRecipientsRefused):
        code, text = next(iter(problem.recipients.values()))
        return f"{code} {_words(text)}"
    if isinstance(problem, smtplib.SMTPResponseException):
        return f"{problem.smtp_code} {_words(problem.smtp_error)}"
    return str(problem) or type(problem).__name__


def _words(text: bytes | str) -> str:
    return text.decode(errors="replace") if isinstance(text, bytes) else text
