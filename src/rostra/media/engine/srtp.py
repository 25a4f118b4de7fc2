"""SRTP with keys that signalling carries: what makes it, and what lets through only what was made with a key."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Mapping
from typing import Any, Final

from rostra.domain.media import CryptoAttribute
from rostra.media import encryption as keys
from rostra.media.engine import guard, stage
from rostra.media.engine.gst import Gst
from rostra.media.engine.pipeline import Pipeline, make
from rostra.media.engine.sections import BadDescription

_SUITES: Final = {
    "AEAD_AES_256_GCM": ("aes-256-gcm", "null"),
    "AEAD_AES_128_GCM": ("aes-128-gcm", "null"),
    "AES_256_CM_HMAC_SHA1_80": ("aes-256-icm", "hmac-sha1-80"),
    "AES_256_CM_HMAC_SHA1_32": ("aes-256-icm", "hmac-sha1-32"),
    "AES_CM_128_HMAC_SHA1_80": ("aes-128-icm", "hmac-sha1-80"),
    "AES_CM_128_HMAC_SHA1_32": ("aes-128-icm", "hmac-sha1-32"),
}
"""Cipher and authentication, as the elements name them."""
_COUNTER: Final = re.compile(r"ssrc\W*uint\W*(\d+)\W*roc\W*uint\W*(\d+)")
"""Of the element's statistics, whose lists cannot be read otherwise."""


class Key(ctypes.Structure):
    """A key as the native stage takes it (native/line.h)."""

    _fields_ = (("suite", ctypes.c_int32), ("octets", ctypes.c_ubyte * 64))


def check(*cryptos: CryptoAttribute) -> None:
    """Whether keys can be used. Raises BadDescription."""
    for crypto in cryptos:
        _key(crypto)


def encryption(pipeline: Pipeline, name: str, crypto: CryptoAttribute) -> Any:
    """What makes SRTP and SRTCP of ours. Raises BadDescription."""
    encoder = pipeline.add(make("srtpenc", name))
    key, suite = _key(crypto)
    encoder.set_property("key", Gst.Buffer.new_wrapped(key))
    encoder.set_property("allow-repeat-tx", True)  # a lost packet is sent again as it was
    for member, value in _ciphers(suite).items():
        encoder.set_property(member.replace("srtp-", "rtp-").replace("srtcp-", "rtcp-"), value)
    return encoder


def native(crypto: CryptoAttribute | None) -> Key:
    """A key for the native stage; None: in the clear. Raises BadDescription."""
    if crypto is None:
        return Key()
    octets, _ = _key(crypto)
    return Key(1 + keys.SUITES.index(crypto.suite), (ctypes.c_ubyte * 64)(*octets))


class Decryption:
    """What lets through only what was made with this key; it also tells RTCP from RTP on one port.

    The element keeps some kilobytes for every source number (SSRC) it has seen, for ever. So what comes is looked at
    before it (native/srtp_gate.c), and only sources that something genuine came from reach it.
    """

    def __init__(
        self, pipeline: Pipeline, name: str, crypto: CryptoAttribute, rollovers: Mapping[int, int] | None = None,
        *, most: int | None = guard.SOURCES_SWITCHED,
    ) -> None:  # fmt: skip
        """`rollovers`: counts known from an earlier one, by source number. `most`: sources that it may be, one after
        another; None: it is one of ours. Raises BadDescription."""
        key, suite = _key(crypto)
        members = ",".join(f"{member}=(string){value}" for member, value in _ciphers(suite).items())
        self._caps = f"application/x-srtp,srtp-key=(buffer){key.hex()},{members},roc=(uint)"
        self.element: Any = pipeline.add(make("srtpdec", name))
        self._library, self._pointer = stage.load(), ctypes.c_void_p(hash(self.element))
        if not self._library.rostra_srtp_gate(self._pointer, ctypes.byref(native(crypto))):
            raise BadDescription(f"the key of {crypto.suite!r} cannot be used")
        for source, count in (rollovers or {}).items():
            self._library.rostra_srtp_gate_expect(self._pointer, ctypes.c_uint32(source), ctypes.c_uint32(count))
        self.element.connect("request-key", self._asked)
        if most is not None:
            guard.count_sources(self.element.get_static_pad("rtp_src"), most)

    @property
    def rollovers(self) -> dict[int, int]:
        """Counts of the sources that are being read."""
        found = _COUNTER.findall(self.element.get_property("stats").to_string())
        return {int(source): int(count) for source, count in found}

    def _asked(self, _: Any, source: int) -> Any:
        """The key for a genuine source (in a media thread)."""
        count = self._library.rostra_srtp_gate_found(self._pointer, ctypes.c_uint32(source))
        return Gst.Caps.from_string(f"{self._caps}{count}")


def _key(crypto: CryptoAttribute) -> tuple[bytes, tuple[str, str]]:
    """Key and salt, and what the suite stands for. Raises BadDescription."""
    key = keys.key_of(crypto)
    if not key or crypto.suite not in _SUITES:
        raise BadDescription(f"the key of {crypto.suite!r} cannot be used")
    return key, _SUITES[crypto.suite]


def _ciphers(suite: tuple[str, str]) -> dict[str, str]:
    """RFC 4568 6.2: the short tag is for RTP only."""
    cipher, authentication = suite
    return {
        "srtp-cipher": cipher,
        "srtp-auth": authentication,
        "srtcp-cipher": cipher,
        "srtcp-auth": "null" if authentication == "null" else "hmac-sha1-80",
    }
