"""SRTP with keys that signalling carries: what makes it, and what lets through only what was made with a key."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

from rostra.domain.media import CryptoAttribute
from rostra.media import encryption as keys
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
_COUNTER: Final = re.compile(r"ssrc\W*\(uint\)(\d+)\W*roc\W*\(uint\)(\d+)")
"""Of the element's statistics, whose lists cannot be read otherwise."""
_MOST: Final = 128
"""Rollover counters that are tried: at 300 packets a second it comes to this after eight hours."""


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


class Decryption:
    """What lets through only what was made with this key; it also tells RTCP from RTP on one port.

    The element keeps some kilobytes for every source number (SSRC) it has seen, before it knows whether the packet
    is genuine. So few may be on trial at a time, and `settle` forgets those that nothing genuine came from.

    A packet can only be read by who knows how often the 16 bits of its number have rolled over (RFC 3711 3.3.1), which
    nobody says who has been sending before we began to listen. So each further trial of a source is with another count.
    """

    ON_TRIAL = 64

    def __init__(
        self, pipeline: Pipeline, name: str, crypto: CryptoAttribute, rollovers: Mapping[int, int] | None = None
    ) -> None:
        """`rollovers`: counts known from an earlier one, by source number. Raises BadDescription."""
        key, suite = _key(crypto)
        members = ",".join(f"{member}=(string){value}" for member, value in _ciphers(suite).items())
        self._caps = f"application/x-srtp,srtp-key=(buffer){key.hex()},{members},roc=(uint)"
        self._known = dict(rollovers or {})
        self._lock = threading.Lock()
        self._trial: set[int] = set()
        self._trials: dict[int, int] = {}
        self.element: Any = pipeline.add(make("srtpdec", name))
        self.element.connect("request-key", self._asked)

    @property
    def rollovers(self) -> dict[int, int]:
        """Counts of the sources that are being read."""
        found = _COUNTER.findall(self.element.get_property("stats").to_string())
        return {int(source): int(count) for source, count in found}

    def settle(self, sending: Callable[[], set[int]]) -> None:
        """End the trial of the sources seen since the last time; call it a few times a second.

        `sending`: those whose media could be read. Reports say nothing of the count.
        """
        if not self._trial:
            return
        with self._lock:
            trial, self._trial = self._trial, set()
        genuine = sending()
        for source in trial - genuine:
            self.element.emit("remove-key", source)
        with self._lock:
            for source in genuine:
                self._trials.pop(source, None)

    def _asked(self, _: Any, source: int) -> Any:
        """The key for a source number (in a media thread); None: its packets are dropped."""
        with self._lock:
            if len(self._trial) >= self.ON_TRIAL:
                return None
            self._trial.add(source)
            if source not in self._trials and len(self._trials) >= self.ON_TRIAL:
                self._trials.clear()
            trial = self._trials[source] = self._trials.get(source, -1) + 1
        return Gst.Caps.from_string(f"{self._caps}{rollover(trial, self._known.get(source, 0))}")


def rollover(trial: int, likely: int) -> int:
    """The count to try: every second time the one that is most likely, in between those after it."""
    return likely if trial % 2 == 0 else (likely + (trial + 1) // 2) % _MOST


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
