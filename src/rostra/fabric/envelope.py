"""How a message proves who said it: signed with the key of the machine, or, within a machine, by a shared secret.

A signature is of ECDSA with SHA-256 by the key that the machine also has its certificate for. It covers the subject,
where the answer goes, the session of the speaker and the number of the message in it.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import struct

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from rostra.fabric.credentials import Key, fingerprint

SESSION_BYTES = 12
_SIGNED, _NEAR = 0xF5, 0xF6
_HEAD = struct.Struct(f">B{SESSION_BYTES}sQ")
_PUBLIC_BYTES = 33
_MAC_BYTES = 16
_SIGNATURE = ec.ECDSA(hashes.SHA256())


class Forged(Exception):
    """The message does not prove who said it; the text says in which way."""


class Message(msgspec.Struct, frozen=True):
    """What is in an envelope that proves itself."""

    session: bytes
    """Of the process that said it."""
    number: int
    """Counts what the session said."""
    fingerprint: str
    """Of the speaker's key; empty: a process of this machine."""
    payload: bytes


def sign(key: Key, subject: str, reply: str, session: bytes, number: int, payload: bytes) -> bytes:
    """An envelope for other machines."""
    head = _HEAD.pack(_SIGNED, session, number)
    signature = key.sign(_content(head, subject, reply, payload), _SIGNATURE)
    return b"".join((head, _encoded(key.public_key()), bytes((len(signature),)), signature, payload))


def vouch(secret: bytes, subject: str, reply: str, session: bytes, number: int, payload: bytes) -> bytes:
    """An envelope for other processes of this machine."""
    head = _HEAD.pack(_NEAR, session, number)
    return b"".join((head, _mac(secret, head, subject, reply, payload), payload))


def read(data: bytes, subject: str, reply: str, secret: bytes) -> Message:
    """What is in an envelope that came on `subject`. Raises Forged."""
    if len(data) < _HEAD.size:
        raise Forged("it carries no proof")
    kind, session, number = _HEAD.unpack_from(data)
    head, rest = data[: _HEAD.size], data[_HEAD.size :]
    if kind == _NEAR:
        payload = rest[_MAC_BYTES:]
        if not hmac.compare_digest(rest[:_MAC_BYTES], _mac(secret, head, subject, reply, payload)):
            raise Forged("it is not of this machine")
        return Message(session, number, "", payload)
    if kind != _SIGNED or len(rest) <= _PUBLIC_BYTES:
        raise Forged("it carries no proof")
    end = _PUBLIC_BYTES + 1 + rest[_PUBLIC_BYTES]
    signature, payload = rest[_PUBLIC_BYTES + 1 : end], rest[end:]
    try:
        public, speaker = _decoded(rest[:_PUBLIC_BYTES])
        public.verify(signature, _content(head, subject, reply, payload), _SIGNATURE)
    except (ValueError, InvalidSignature):
        raise Forged("its signature is wrong") from None
    return Message(session, number, speaker, payload)


def _content(head: bytes, subject: str, reply: str, payload: bytes) -> bytes:
    return b"".join((b"rostra fabric 1\0", head, subject.encode(), b"\0", reply.encode(), b"\0", payload))


def _mac(secret: bytes, head: bytes, subject: str, reply: str, payload: bytes) -> bytes:
    content = _content(head, subject, reply, payload)
    return hashlib.blake2b(content, key=secret, digest_size=_MAC_BYTES).digest()


def _encoded(public: ec.EllipticCurvePublicKey) -> bytes:
    return public.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)


@functools.lru_cache(1024)
def _decoded(point: bytes) -> tuple[ec.EllipticCurvePublicKey, str]:
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    return public, fingerprint(public)
