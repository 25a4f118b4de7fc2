"""A connection to the directory: the first attempt that succeeds, and what may be asked over it."""

from __future__ import annotations

import datetime
import socket
from collections.abc import Sequence
from typing import Any

import ldap3
from ldap3.core.exceptions import LDAPBindError, LDAPException

from rostra.management.accounts.ldap.targets import LDAPS, PLAIN, STARTTLS, Target, addresses
from rostra.management.accounts.ldap.tls import Tls, context

TIMEOUT = 4
"""Seconds that connecting, or one answer, may take."""
NO_CONTACT = "Can't contact LDAP server"
NO_TLS = "Connect error"
REFUSED = "Invalid credentials"
"""Reasons as administrators may look them up (DIAG-222)."""


class NotConnected(Exception):
    """One attempt failed; the text says why."""


class _Server(ldap3.Server):
    """A server whose addresses were looked up by us."""

    def __init__(self, target: Target, tls: Tls, found: Sequence[str]) -> None:
        super().__init__(
            target.host,
            target.port,
            use_ssl=target.how == LDAPS,
            tls=tls,
            get_info=ldap3.DSA if target.how == PLAIN else ldap3.NONE,
            connect_timeout=TIMEOUT,
        )
        self._found = found

    @property
    def address_info(self) -> Any:
        if not self._address_info:
            known: list[Any] = []
            for address in self._found:
                try:
                    known += socket.getaddrinfo(address, self.port, type=socket.SOCK_STREAM)
                except socket.gaierror:
                    continue
            self._address_info = [[*one, None, None] for one in known]
            self._address_info_resolved_time = datetime.datetime.now()  # noqa: DTZ005 - as ldap3 compares it
        return self._address_info


def open_connection(target: Target, dns_servers: Sequence[str]) -> ldap3.Connection:
    """A connection that nobody has signed in on yet, with TLS where the target says so. Raises NotConnected."""
    tls = Tls(context(), target.host)
    server = _Server(target, tls, addresses(target.host, dns_servers))
    connection = ldap3.Connection(server, receive_timeout=TIMEOUT, auto_referrals=False, raise_exceptions=False)
    try:
        connection.open(read_server_info=False)
        if target.how == STARTTLS and not connection.start_tls(read_server_info=False):
            raise NotConnected(f"{NO_TLS} (it offers no TLS there)")
    except (LDAPException, OSError) as problem:
        close(connection)
        if tls.problem:
            raise NotConnected(f"{NO_TLS} ({tls.problem})") from None
        raise NotConnected(f"{NO_CONTACT} ({_short(problem)})") from None
    return connection


def bind(connection: ldap3.Connection, target: Target, name: str, password: str) -> bool:
    """Sign in; False when the directory refuses the name or the password. Raises NotConnected."""
    if not name or not password:  # else the directory would take it for an anonymous visit, and let it in
        return False
    try:
        if target.how == PLAIN:
            return _digest(connection, name, password)
        if connection.rebind(user=name, password=password, authentication=ldap3.SIMPLE):
            return True
        return (
            "=" not in name and "@" not in name and _offers_digest(connection) and _digest(connection, name, password)
        )
    except LDAPBindError:
        return False
    except (LDAPException, OSError) as problem:
        raise NotConnected(f"{NO_CONTACT} ({_short(problem)})") from None


def _offers_digest(connection: ldap3.Connection) -> bool:
    connection.search("", "(objectClass=*)", ldap3.BASE, attributes=["supportedSASLMechanisms"])
    found = connection.response[0].get("attributes", {}) if connection.response else {}
    return ldap3.DIGEST_MD5 in found.get("supportedSASLMechanisms", ())


def _digest(connection: ldap3.Connection, name: str, password: str) -> bool:
    """SASL DIGEST-MD5: no password crosses the wire. Raises NotConnected where the server does not offer it."""
    if '"' in name:
        return False
    if not _offers_digest(connection):
        raise NotConnected("It does not offer SASL DIGEST-MD5, which is needed without TLS")
    domain, _, account = name.rpartition("\\")
    return bool(
        connection.rebind(
            authentication=ldap3.SASL,
            sasl_mechanism=ldap3.DIGEST_MD5,
            sasl_credentials=(domain or None, account, password, None),
        )
    )


def close(connection: ldap3.Connection) -> None:
    """End a connection that may be broken already."""
    try:
        connection.unbind()
    except (LDAPException, OSError):
        connection.closed = True


def _short(problem: BaseException) -> str:
    text = str(problem).rpartition("socket connection error while opening: ")[2]
    return text.removeprefix("[Errno ").partition("] ")[2] or text
