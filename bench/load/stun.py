"""The little of STUN that connectivity checks need (RFC 8489, RFC 8445 7). Pure."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import os
import struct
import zlib

REQUEST, SUCCESS = 0x0001, 0x0101
_COOKIE = 0x2112A442
_USERNAME, _INTEGRITY, _ADDRESS, _PRIORITY, _USE, _CONTROLLING, _FINGERPRINT = (
    0x0006, 0x0008, 0x0020, 0x0024, 0x0025, 0x802A, 0x8028,
)  # fmt: skip


def request(username: str, password: str, *, nominate: bool = True) -> bytes:
    """A check by the controlling side, authenticated with what the far end stated."""
    attributes = _attribute(_USERNAME, username.encode()) + _attribute(_PRIORITY, struct.pack("!I", 0x7E0000FF))
    attributes += _attribute(_CONTROLLING, struct.pack("!Q", 7)) + (_attribute(_USE, b"") if nominate else b"")
    return _finished(REQUEST, os.urandom(12), attributes, password)


def response(check: bytes, sender: tuple[str, int], password: str) -> bytes:
    """What answers a check."""
    port = sender[1] ^ _COOKIE >> 16
    address = int(ipaddress.IPv4Address(sender[0])) ^ _COOKIE
    mapped = _attribute(_ADDRESS, struct.pack("!BBHI", 0, 1, port, address))
    return _finished(SUCCESS, check[8:20], mapped, password)


def kind(message: bytes) -> int:
    """Method and class; 0: no STUN."""
    if len(message) < 20 or int.from_bytes(message[4:8]) != _COOKIE:
        return 0
    return int.from_bytes(message[:2])


def _attribute(number: int, value: bytes) -> bytes:
    return struct.pack("!HH", number, len(value)) + value + bytes(-len(value) % 4)


def _finished(number: int, transaction: bytes, attributes: bytes, password: str) -> bytes:
    def head(more: int) -> bytes:
        return struct.pack("!HHI", number, len(attributes) + more, _COOKIE) + transaction

    digest = hmac.new(password.encode(), head(24) + attributes, hashlib.sha1).digest()
    attributes += _attribute(_INTEGRITY, digest)
    check = zlib.crc32(head(8) + attributes) ^ 0x5354554E
    return head(8) + attributes + struct.pack("!HHI", _FINGERPRINT, 4, check)
