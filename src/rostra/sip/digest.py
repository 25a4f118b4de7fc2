"""Digest authentication: what both sides compute, and answers to challenges (RFC 3261 22, 7616, 8760). Pure."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Callable, Iterable

from rostra.sip.headers import quote, unquote

Credentials = Callable[[str], tuple[str, str] | None]
"""Name and password for a realm; None: there are none."""

STRENGTH = ("sha-512-256", "sha-256", "md5")
"""Algorithms known here, the strongest first."""

_PARAMETER = re.compile(r'(?<![\w-])([A-Za-z][\w-]*)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,"]+)')
_HASHES = {"md5": hashlib.md5, "sha-256": hashlib.sha256, "sha-512-256": lambda data: hashlib.new("sha512_256", data)}


def parameters(value: str) -> dict[str, str] | None:
    """Parameters of a Digest challenge or answer, names in lower case; None for another scheme."""
    scheme, _, rest = value.strip().partition(" ")
    if scheme.lower() != "digest":
        return None
    return {name.lower(): unquote(text) for name, text in _PARAMETER.findall(rest)}


@dataclasses.dataclass(frozen=True, slots=True)
class Proof:
    """Everything that goes into the response of a request (RFC 7616 3.4.1)."""

    algorithm: str
    name: str
    realm: str
    password: str
    method: str
    uri: str
    nonce: str
    qop: str = ""
    """`auth`, `auth-int`, or empty as in RFC 2069."""
    cnonce: str = ""
    count: str = ""
    """Eight hexadecimal digits."""
    body: bytes = b""

    def compute(self) -> str | None:
        """The response in hexadecimal digits; None: the algorithm is not known."""
        plain, session, _ = self.algorithm.lower().partition("-sess")
        make = _HASHES.get(plain)
        if make is None:
            return None

        def digest(text: str) -> str:
            return make(text.encode("utf-8", "surrogateescape")).hexdigest()

        secret = digest(f"{self.name}:{self.realm}:{self.password}")
        if session:
            secret = digest(f"{secret}:{self.nonce}:{self.cnonce}")
        request = f"{self.method}:{self.uri}"
        if self.qop == "auth-int":
            request = f"{request}:{make(self.body).hexdigest()}"
        middle = f"{self.nonce}:{self.count}:{self.cnonce}:{self.qop}" if self.qop else self.nonce
        return digest(f"{secret}:{middle}:{digest(request)}")


def strongest(values: Iterable[str]) -> list[str]:
    """Digest challenges that we can compute, the best algorithm first (RFC 8760 2.4)."""

    def rank(value: str) -> int:
        found = parameters(value)
        if found is None or "realm" not in found or "nonce" not in found:
            return len(STRENGTH)
        plain = found.get("algorithm", "MD5").lower().removesuffix("-sess")
        return STRENGTH.index(plain) if plain in STRENGTH else len(STRENGTH)

    ranked = [(rank(value), value) for value in values]
    return [value for place, value in sorted(ranked, key=lambda pair: pair[0]) if place < len(STRENGTH)]


def answer(
    value: str, method: str, uri: str, credentials: Credentials, nonce: str, *, body: bytes = b"", count: int = 1
) -> str | None:
    """The Authorization for a challenge; None when it cannot be answered.

    `nonce` is ours, fresh; `count` says how often the far end's nonce has been used, with this time."""
    asked = parameters(value)
    if asked is None or "realm" not in asked or "nonce" not in asked:
        return None
    known = credentials(asked["realm"])
    offered = {option for option in re.split(r"[\s,]+", asked.get("qop", "").lower()) if option}
    qop = next((option for option in ("auth", "auth-int") if option in offered), "")
    if known is None or (offered and not qop):
        return None
    name, password = known
    algorithm = asked.get("algorithm", "MD5")
    proof = Proof(
        algorithm, name, asked["realm"], password, method, uri, asked["nonce"], qop, nonce, f"{count:08x}", body
    ).compute()
    if proof is None:
        return None
    given = {
        "username": quote(name),
        "realm": quote(asked["realm"]),
        "nonce": quote(asked["nonce"]),
        "uri": quote(uri),
        "response": quote(proof),
    }
    if "algorithm" in asked:
        given["algorithm"] = algorithm
    if qop:
        given |= {"qop": qop, "nc": f"{count:08x}"}
    if qop or algorithm.lower().endswith("-sess"):
        given["cnonce"] = quote(nonce)
    if "opaque" in asked:
        given["opaque"] = quote(asked["opaque"])
    return "Digest " + ", ".join(f"{key}={text}" for key, text in given.items())
