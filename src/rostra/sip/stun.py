"""STUN on the port of SIP: clients behind a NAT keep their way open with it over UDP (RFC 5626 4.4.2, 8; RFC 8489)."""

from __future__ import annotations

import ipaddress
import struct
import zlib

_HEADER = struct.Struct("!HHI12s")
_MAGIC = 0x2112A442
_BINDING, _SUCCESS, _ERROR = 0x0001, 0x0101, 0x0111
_XOR_MAPPED_ADDRESS, _UNKNOWN_ATTRIBUTES, _ERROR_CODE, _FINGERPRINT = 0x0020, 0x000A, 0x0009, 0x8028
_OPTIONAL = 0x8000
"""Attributes from here on may be ignored."""
_KNOWN = frozenset({0x0006, 0x0008, 0x0014, 0x0015, 0x0020, 0x0024, 0x0025})
"""Required attributes that may stand in a request without changing its answer (credentials, ICE)."""


def is_stun(data: bytes) -> bool:
    """Could this be nothing else? No SIP message begins with such a byte (RFC 5626 8)."""
    return len(data) >= _HEADER.size and data[0] < 4 and struct.unpack_from("!I", data, 4)[0] == _MAGIC


def answer(data: bytes, source: tuple[str, int]) -> bytes | None:
    """What is sent back for a message from `source`; None: nothing is."""
    kind, length, _, transaction = _HEADER.unpack_from(data)
    if kind != _BINDING or length != len(data) - _HEADER.size or length % 4:
        return None
    unknown = _unknown(data)
    if unknown is None:
        return None
    if unknown:
        listed = struct.pack(f"!{len(unknown)}H", *unknown)
        problem = _attribute(_ERROR_CODE, struct.pack("!HBB", 0, 4, 20) + b"Unknown Attribute")
        return _message(_ERROR, transaction, problem + _attribute(_UNKNOWN_ATTRIBUTES, listed))
    address = ipaddress.ip_address(source[0].partition("%")[0])
    mask = struct.pack("!I", _MAGIC) + transaction
    hidden = bytes(a ^ b for a, b in zip(address.packed, mask, strict=False))
    family = 1 if address.version == 4 else 2
    value = struct.pack("!BBH", 0, family, source[1] ^ (_MAGIC >> 16)) + hidden
    return _message(_SUCCESS, transaction, _attribute(_XOR_MAPPED_ADDRESS, value))


def _unknown(data: bytes) -> list[int] | None:
    """Required attributes we do not know; None: the message is damaged."""
    found: list[int] = []
    position = _HEADER.size
    while position < len(data):
        if len(data) - position < 4:
            return None
        kind, length = struct.unpack_from("!HH", data, position)
        position += 4 + length + -length % 4
        if position > len(data):
            return None
        if kind < _OPTIONAL and kind not in _KNOWN:
            found.append(kind)
    return found


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("!HH", kind, len(value)) + value + b"\0" * (-len(value) % 4)


def _message(kind: int, transaction: bytes, attributes: bytes) -> bytes:
    before = _HEADER.pack(kind, len(attributes) + 8, _MAGIC, transaction) + attributes
    return before + _attribute(_FINGERPRINT, struct.pack("!I", zlib.crc32(before) ^ 0x5354554E))
