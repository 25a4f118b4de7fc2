"""Vocabulary of ICE (RFC 8445): what a side states of a stream, and which servers help to find a way."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
from collections.abc import Sequence

import msgspec

RTP, RTCP = 1, 2
"""Components (RFC 8839 5.1)."""
LIFETIME = 24 * 3600
"""Seconds for which credentials made from a shared secret are good."""
_ORDER = {"relay": 0, "srflx": 1, "prflx": 1}
_MOST = 64
"""Candidates of a stream that are looked at; each pair of candidates costs checks."""


class IceSide(msgspec.Struct, frozen=True, kw_only=True):
    """What one side states of a stream (RFC 8839)."""

    ufrag: str
    password: str
    candidates: tuple[str, ...] = ()
    """Values of `a=candidate`."""
    lite: bool = False
    """It answers checks only, so the other side controls (RFC 8445 2.5)."""

    @property
    def usable(self) -> bool:
        """RFC 8839 5.4: 24 bits of one at least, 128 of the other."""
        return 4 <= len(self.ufrag) <= 256 and 22 <= len(self.password) <= 256


class TurnServer(msgspec.Struct, frozen=True, kw_only=True):
    """A relay (RFC 8656), reached over UDP (SYS-158), with credentials ready to be used."""

    address: str
    port: int = 3478
    username: str = ""
    password: str = ""


class StunServer(msgspec.Struct, frozen=True, kw_only=True):
    """Tells where packets of ours seem to come from (RFC 8489)."""

    address: str
    port: int = 3478


class IceServers(msgspec.Struct, frozen=True, kw_only=True):
    """What helps our side. A TURN server tells our public address as well, with each relay (SYS-165)."""

    stun: StunServer | None = None
    turn: TurnServer | None = None


NO_SERVERS = IceServers()


def usable_candidate(candidate: str) -> bool:
    """UDP with a literal address: names (mDNS `.local`) and TCP are left out; they fail or need a resolver."""
    words = candidate.split()
    if len(words) < 8 or words[2].lower() != "udp" or words[1] not in ("1", "2") or "%" in words[4]:
        return False
    try:
        ipaddress.ip_address(words[4])
    except ValueError:
        return False
    return words[5].isascii() and words[5].isdecimal() and len(words[5]) < 6 and 0 < int(words[5]) < 65536


def usable_candidates(candidates: Sequence[str]) -> tuple[str, ...]:
    """Those that can be tried, as many as are looked at."""
    return tuple(one for one in candidates if usable_candidate(one))[:_MOST]


def default_of(
    candidates: Sequence[str], component: int = RTP, *, near: str = "", family: int = 4
) -> tuple[str, int] | None:
    """The candidate most likely to be reached (RFC 8839 4.2.1.2): relayed before reflexive before our own.

    Of our own the one at `near` is first. Only of that IP version; None: there is none.
    """
    found: list[tuple[int, bool, str, int]] = []
    for value in candidates:
        words = value.split()
        if usable_candidate(value) and words[1] == str(component) and (":" in words[4]) == (family == 6):
            found.append((_ORDER.get(words[7], 2), words[4] != near, words[4], int(words[5])))
    return min(found, key=lambda one: one[:2])[2:] if found else None


def names(candidates: Sequence[str], address: str, port: int) -> bool:
    """Is this place one of the candidates?"""
    return any(value.split()[4:6] == [address, str(port)] for value in candidates)


def timed_credentials(secret: str, now: float, name: str = "rostra") -> tuple[str, str]:
    """User name and password that a TURN server which knows the secret takes for some time."""
    username = f"{int(now) + LIFETIME}:{name}"
    digest = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
    return username, base64.b64encode(digest).decode()
