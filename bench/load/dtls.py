"""DTLS-SRTP of the load's WebRTC legs, by OpenSSL: the passive side of the handshake (RFC 5764)."""

from __future__ import annotations

import functools
from collections.abc import Callable

from cryptography.hazmat.primitives import serialization
from cryptography.x509 import load_pem_x509_certificate
from OpenSSL import SSL

from rostra.media import certificate

_KEY, _SALT = 16, 14


@functools.cache
def _own() -> tuple[SSL.Context, str]:
    made = certificate.make()
    context = SSL.Context(SSL.DTLS_METHOD)
    pem = made.pem.encode()
    context.use_certificate(load_pem_x509_certificate(pem[: pem.index(b"-----BEGIN PRIVATE")]))
    context.use_privatekey(serialization.load_pem_private_key(pem[pem.index(b"-----BEGIN PRIVATE") :], None))
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
    context.set_tlsext_use_srtp(b"SRTP_AES128_CM_SHA1_80")
    return context, made.fingerprint


def fingerprint() -> str:
    return _own()[1]


class Handshake:
    """Datagrams in, datagrams out, and in the end keys."""

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self.keys: tuple[bytes, bytes] | None = None
        """Key and salt of what we send, and of what we get."""
        self._send = send
        self._connection = SSL.Connection(_own()[0], None)
        self._connection.set_accept_state()
        self._connection.set_ciphertext_mtu(1200)

    def take(self, datagram: bytes) -> None:
        self._connection.bio_write(datagram)
        if self.keys is None:
            try:
                self._connection.do_handshake()
                self._export()
            except SSL.WantReadError:
                pass
        self._flush()

    def tick(self) -> None:
        """Send again what is not answered."""
        if self.keys is None and self._connection.DTLSv1_handle_timeout():
            self._flush()

    def _export(self) -> None:
        found = self._connection.export_keying_material(b"EXTRACTOR-dtls_srtp", 2 * (_KEY + _SALT))
        theirs, ours = found[:_KEY], found[_KEY : 2 * _KEY]
        salts = found[2 * _KEY :]
        self.keys = ours + salts[_SALT:], theirs + salts[:_SALT]

    def _flush(self) -> None:
        waiting = b""
        while True:
            try:
                waiting += self._connection.bio_read(16384)
            except SSL.WantReadError:
                break
        while waiting:  # one datagram for each record
            size = 13 + int.from_bytes(waiting[11:13])
            self._send(waiting[:size])
            waiting = waiting[size:]
