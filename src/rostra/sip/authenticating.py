"""The asking side of Digest authentication: challenges, and the check of what answers them (RFC 7616, 8760).

Nothing is kept for a challenge: a nonce carries its time and a signature over time and realm. Only of answers that
were right it is kept which counts were used, so that none passes twice.
"""

from __future__ import annotations

import base64
import binascii
import collections
import dataclasses
import enum
import hashlib
import hmac
import secrets
import struct
from collections.abc import Callable, Sequence

from rostra.sip import digest
from rostra.sip.digest import Proof
from rostra.sip.errors import RemoteError
from rostra.sip.headers import quote
from rostra.sip.message import Request
from rostra.sip.uri import parse_uri

LIFE = 300.0
"""Seconds a nonce can be used."""
MAX_USED = 100_000
"""Nonces whose counts are kept. Beyond, the oldest are let go, and every nonce as old as them is stale."""
WINDOW = 64
"""Counts below the highest that may still arrive late, once each."""
_MAX_ANSWERS = 4
"""Answers looked at in one request."""
_STAMP = struct.Struct("!d8s")
"""When a nonce was made, and its salt; its signature follows."""
_SIGNATURE = 16


class Outcome(enum.StrEnum):
    """What became of the answer in a request."""

    OK = enum.auto()
    STALE = enum.auto()
    """The password is right, the nonce too old, used already or not ours: ask again with `stale`."""
    WRONG = enum.auto()
    ABSENT = enum.auto()


@dataclasses.dataclass(slots=True)
class _Used:
    made: float
    highest: int
    seen: int
    """Bit n: the count `highest - n` was used."""


class Authenticator:
    """Asks for passwords and checks them.

    Every node has a `secret` of its own: which nonces were used is known only where they were made, and one from
    elsewhere is stale, so that the client asks again and is let in.
    """

    def __init__(
        self,
        secret: bytes,
        *,
        algorithms: Sequence[str] = ("SHA-256", "MD5"),
        life: float = LIFE,
        salt: Callable[[], bytes] = lambda: secrets.token_bytes(8),
    ) -> None:
        """`algorithms` are offered in this order, and no others are taken. `salt`: eight bytes, never the same."""
        self._secret = secret
        self._algorithms = tuple(algorithms)
        self._life = life
        self._salt = salt
        self._used: collections.OrderedDict[bytes, _Used] = collections.OrderedDict()
        self._floor = float("-inf")
        """Nonces made up to here are stale: what was used of them is no longer known."""

    def challenge(
        self, realm: str, now: float, stale: bool = False, algorithms: Sequence[str] = ()
    ) -> list[tuple[str, str]]:
        """`WWW-Authenticate` headers of a 401, of these `algorithms` or all. `now`: by the clock of `check`."""
        stamp = _STAMP.pack(now, self._salt())
        nonce = base64.b64encode(stamp + self._signature(stamp, realm)).decode()
        rest = ", stale=true" if stale else ""
        return [
            (
                "WWW-Authenticate",
                f'Digest realm={quote(realm)}, nonce="{nonce}", algorithm={algorithm}, qop="auth"{rest}',
            )
            for algorithm in algorithms or self._algorithms
        ]

    def check(self, request: Request, username: str, password: str, now: float) -> Outcome:
        """Whether the request comes from whoever knows the password. Case of `username` does not matter."""
        headers = request.headers.all("Authorization")
        answers = [found for value in headers if (found := digest.parameters(value)) is not None]
        if not answers:
            return Outcome.ABSENT
        outcomes = {self._one(given, request, username, password, now) for given in answers[:_MAX_ANSWERS]}
        return next(outcome for outcome in (Outcome.OK, Outcome.STALE, Outcome.WRONG) if outcome in outcomes)

    def has_answered(self, request: Request, now: float) -> bool:
        """It brings an answer, right or not, to a challenge of ours that is not too old."""
        answers = (digest.parameters(value) for value in request.headers.all("Authorization")[:_MAX_ANSWERS])
        return any(self._is_ours(one.get("nonce", ""), one.get("realm", ""), now) for one in answers if one)

    def username(self, request: Request) -> str:
        """The name that the request gives; empty without one."""
        answers = (digest.parameters(value) for value in request.headers.all("Authorization"))
        return next((given.get("username", "") for given in answers if given), "")

    def _one(self, given: dict[str, str], request: Request, username: str, password: str, now: float) -> Outcome:
        algorithm = given.get("algorithm", "MD5")
        qop = given.get("qop", "").lower()
        known = algorithm.lower() in {name.lower() for name in self._algorithms}
        if not known or qop not in ("", "auth") or not _same_place(given.get("uri", ""), request.uri):
            return Outcome.WRONG
        name, realm, nonce = given.get("username", ""), given.get("realm", ""), given.get("nonce", "")
        proof = Proof(
            algorithm, name, realm, password, request.method, given.get("uri", ""), nonce, qop,
            given.get("cnonce", ""), given.get("nc", ""),
        ).compute()  # fmt: skip
        right = proof is not None and hmac.compare_digest(
            proof.encode(), given.get("response", "").lower().encode("utf-8", "surrogateescape")
        )
        if not right or name.lower() != username.lower():
            return Outcome.WRONG
        return Outcome.OK if self._take(nonce, realm, given.get("nc", "") if qop else "1", now) else Outcome.STALE

    def _take(self, nonce: str, realm: str, count: str, now: float) -> bool:
        """Use a nonce once more. False: it cannot be."""
        read = self._read(nonce, realm)
        try:
            number = int(count, 16)
        except ValueError:
            return False
        if read is None:
            return False
        made, salt = read
        if salt not in self._used:
            self._forget(now)
        if not 0 <= now - made <= self._life or made <= self._floor or not 0 < number < 2**32:
            return False
        known = self._used.setdefault(salt, _Used(made, number, 0))
        if number > known.highest:
            known.seen = (known.seen << min(number - known.highest, WINDOW)) & (2**WINDOW - 1)
            known.highest = number
        behind = known.highest - number
        if behind >= WINDOW or known.seen >> behind & 1:
            return False
        known.seen |= 1 << behind
        return True

    def _is_ours(self, nonce: str, realm: str, now: float) -> bool:
        read = self._read(nonce, realm)
        return read is not None and 0 <= now - read[0] <= self._life

    def _read(self, nonce: str, realm: str) -> tuple[float, bytes] | None:
        """When it was made, and its salt; None: not here."""
        try:
            packed = base64.b64decode(nonce, validate=True)
            stamp, signature = packed[:-_SIGNATURE], packed[-_SIGNATURE:]
            made, salt = _STAMP.unpack(stamp)
        except (binascii.Error, ValueError, struct.error):
            return None
        return (made, salt) if hmac.compare_digest(signature, self._signature(stamp, realm)) else None

    def _forget(self, now: float) -> None:
        while self._used:
            oldest = next(iter(self._used.values()))
            if now - oldest.made <= self._life and len(self._used) < MAX_USED:
                return
            self._floor = max(self._floor, oldest.made)
            self._used.popitem(last=False)

    def _signature(self, stamp: bytes, realm: str) -> bytes:
        text = realm.encode("utf-8", "surrogateescape")
        return hmac.digest(self._secret, stamp + text, hashlib.sha256)[:_SIGNATURE]


def _same_place(given: str, asked: str) -> bool:
    """Whether the `uri` of the answer is the Request-URI (22.4): user and host, for what else may be rewritten."""
    if given == asked:
        return True
    try:
        first, second = parse_uri(given), parse_uri(asked)
    except RemoteError:
        return False
    return (first.decoded_user, first.bare_host) == (second.decoded_user, second.bare_host)
