"""Keys of SRTP that signalling carries (SDES): suites, lengths, what a service asks for. Pure."""

from __future__ import annotations

import base64
import binascii
import enum
from collections.abc import Mapping
from typing import Final

from rostra.domain.media import CryptoAttribute

KEY_OCTETS: Final[Mapping[str, int]] = {
    "AEAD_AES_256_GCM": 44,
    "AES_256_CM_HMAC_SHA1_80": 46,
    "AEAD_AES_128_GCM": 28,
    "AES_CM_128_HMAC_SHA1_80": 30,
    "AES_256_CM_HMAC_SHA1_32": 46,
    "AES_CM_128_HMAC_SHA1_32": 30,
}
"""Octets of master key and salt of the suites we run (RFC 4568 6.2, RFC 6188, RFC 7714), the best first."""
SUITES: Final = tuple(KEY_OCTETS)
OFFERED: Final = ("AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32")
"""What we offer by ourselves: every system that encrypts knows one of these, and longer lists do not fit datagrams."""


class Encryption(enum.StrEnum):
    """What a service asks of media (`crypto_mode`)."""

    ON = "on"
    BEST_EFFORT = "besteffort"
    OFF = "off"


def key_of(line: CryptoAttribute) -> bytes:
    """Master key and salt; empty when they cannot be used with the suite."""
    try:
        key = base64.b64decode(line.key_salt + "=" * (-len(line.key_salt) % 4), validate=True)
    except (ValueError, binascii.Error):
        return b""
    return key if len(key) == KEY_OCTETS.get(line.suite) else b""


def usable_key(line: CryptoAttribute) -> bool:
    """Whether the line has a key of the right length for a suite of ours."""
    return bool(key_of(line))
