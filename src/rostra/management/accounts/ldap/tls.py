"""Whom we trust to be the directory (SYS-058, DIAG-211)."""

from __future__ import annotations

import ipaddress
import ssl
from typing import Any

import ldap3

from rostra.configuration import orm
from rostra.configuration.resources import register


def context() -> ssl.SSLContext:
    """TLS that trusts the machine's authorities and those the administrators have added."""
    made = ssl.create_default_context()
    for certificate in _added():
        made.load_verify_locations(cadata=certificate)
    return made


def _added() -> list[str]:
    resource = register.get("ca_certificate")
    if resource is None:
        return []
    return [text for text in orm.rows(resource.model).values_list("certificate", flat=True) if text.strip()]


def names(certificate: Any) -> set[str]:
    """Every name in a certificate as `ssl` describes it, in lower case."""
    alternatives = {str(value) for _, value in certificate.get("subjectAltName", ())}
    common = {str(value) for part in certificate.get("subject", ()) for kind, value in part if kind == "commonName"}
    return {name.lower() for name in alternatives | common}


class Tls(ldap3.Tls):
    """TLS as Python checks it, instead of by ldap3's own rules."""

    def __init__(self, made: ssl.SSLContext, host: str) -> None:
        super().__init__(validate=ssl.CERT_REQUIRED)
        self._context = made
        self._host = host
        self.problem = ""
        """Why the last handshake failed."""

    def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:
        """Called by ldap3 when a connection turns to TLS. Raises ssl.SSLError."""
        self._context.check_hostname = not _is_ip(self._host)
        try:
            connection.socket = self._context.wrap_socket(connection.socket, server_hostname=self._host)
            if not self._context.check_hostname and self._host.lower() not in names(connection.socket.getpeercert()):
                raise ssl.SSLCertVerificationError(f"the certificate does not name {self._host}")
        except (ssl.SSLError, OSError) as problem:
            reason = getattr(problem, "verify_message", "") or getattr(problem, "reason", "") or str(problem)
            self.problem = str(reason)
            raise


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
