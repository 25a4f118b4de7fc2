"""Tokens: text that names a participant until a moment in time, signed, so nothing need be stored per token.

Refreshing makes another text; the earlier ones stay valid until their own time is over (API-021). They all die
with the participant, because a verified token still has to find its client.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import struct

import msgspec

LIFETIME = 120.0
"""Seconds from issue or refresh (API-019)."""

_MAC_BYTES = 20
_HEADER = struct.Struct(">d8s18s")
SECRET_BYTES = 18


class Token(msgspec.Struct, frozen=True):
    """What a genuine token says."""

    participant: str
    expires: float
    """Seconds on the clock given to `issue`."""


class TokenMint:
    """Issues and reads the tokens of this node; the key lives as long as the process."""

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key or secrets.token_bytes(32)

    def issue(self, participant: str, expires: float, secret: bytes = b"") -> str:
        """A new token for `participant`; two calls never give the same text. Alphabet as API-011.

        `secret`: what its holder is known by to nodes that did not issue it (`former`).
        """
        content = _HEADER.pack(expires, secrets.token_bytes(8), secret) + participant.encode()
        return base64.urlsafe_b64encode(self._mac(content) + content).decode()

    def read(self, text: str) -> Token | None:
        """The token `text` stands for if it was issued here, else None. The caller looks at `expires`."""
        raw = _bytes_of(text)
        content = raw[_MAC_BYTES:]
        if len(content) <= _HEADER.size or not hmac.compare_digest(raw[:_MAC_BYTES], self._mac(content)):
            return None
        expires, _, _ = _HEADER.unpack_from(content)
        return Token(content[_HEADER.size :].decode(), expires)

    def _mac(self, content: bytes) -> bytes:
        return hmac.digest(self._key, content, hashlib.sha256)[:_MAC_BYTES]


def mark_of(secret: bytes) -> str:
    """What may be known of a secret by everybody."""
    return hashlib.sha256(secret).hexdigest()


def former(text: str) -> tuple[str, str] | None:
    """The participant that a token of whatever node names, and the mark of the secret in it; None: it is none.

    Says nothing by itself: the mark has to be that participant's.
    """
    content = _bytes_of(text)[_MAC_BYTES:]
    if len(content) <= _HEADER.size:
        return None
    secret = _HEADER.unpack_from(content)[2]
    try:
        return content[_HEADER.size :].decode(), mark_of(secret)
    except UnicodeDecodeError:
        return None


def _bytes_of(text: str) -> bytes:
    """Nothing for what is no token."""
    try:
        return base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
    except ValueError:
        return b""
