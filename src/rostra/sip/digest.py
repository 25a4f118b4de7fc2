"""Digest authentication: answers to challenges (RFC 8760, 3261 22). Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

from rostra.sip.headers import quote, unquote

Credentials = Callable[[str], tuple[str, str] | None]
"""Name and password for a realm; None: there are none."""

_PARAMETER = re.compile(r'([A-Za-z][\w-]*)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,"]+)')
_HASHES = {"md5": hashlib.md5, "sha-256": hashlib.sha256, "sha-512-256": lambda data: hashlib.new("sha512_256", data)}


def challenge(value: str) -> dict[str, str] | None:
    """Parameters of a Digest challenge, names in lower case; None for another scheme."""
    scheme, _, rest = value.strip().partition(" ")
    if scheme.lower() != "digest":
        return None
    return {name.lower(): unquote(text) for name, text in _PARAMETER.findall(rest)}


def answer(value: str, method: str, uri: str, credentials: Credentials, nonce: str) -> str | None:
    """The Authorization for a challenge; None when it cannot be answered. `nonce` is ours, fresh."""
    asked = challenge(value)
    if asked is None or "realm" not in asked or "nonce" not in asked:
        return None
    make = _HASHES.get(asked.get("algorithm", "MD5").lower())
    known = credentials(asked["realm"])
    if make is None or known is None:
        return None
    name, password = known

    def digest(text: str) -> str:
        return make(text.encode("utf-8", "surrogateescape")).hexdigest()

    qop = "auth" if "auth" in re.split(r"[\s,]+", asked.get("qop", "").lower()) else ""
    if asked.get("qop") and not qop:
        return None
    secret, request = digest(f"{name}:{asked['realm']}:{password}"), digest(f"{method}:{uri}")
    middle = f"{asked['nonce']}:00000001:{nonce}:{qop}" if qop else asked["nonce"]
    given = {
        "username": quote(name),
        "realm": quote(asked["realm"]),
        "nonce": quote(asked["nonce"]),
        "uri": quote(uri),
        "response": quote(digest(f"{secret}:{middle}:{request}")),
    }
    if "algorithm" in asked:
        given["algorithm"] = asked["algorithm"]
    if qop:
        given |= {"qop": qop, "nc": "00000001", "cnonce": quote(nonce)}
    if "opaque" in asked:
        given["opaque"] = quote(asked["opaque"])
    return "Digest " + ", ".join(f"{key}={text}" for key, text in given.items())
