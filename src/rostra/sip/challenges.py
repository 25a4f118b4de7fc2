"""Responses that ask for the request again: with credentials, or elsewhere (RFC 3261 8.1.3.4, 22)."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable

from rostra.sip import digest
from rostra.sip.digest import Credentials
from rostra.sip.errors import RemoteError
from rostra.sip.message import Request, Response

ROUNDS = 5
"""Challenges in a row that are answered: proxies on the way ask one after the other, and nonces go stale."""
MAX_REALMS = 4
_ANSWERS = ("Authorization", "Proxy-Authorization")
_NONCE = re.compile(r'\bnonce\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,]+)', re.IGNORECASE)


@dataclasses.dataclass(slots=True)
class _Known:
    """The last challenge of a realm, and how often its nonce was used."""

    challenge: str
    count: int = 0


class Authorization:
    """What one call says to those who ask for credentials: once asked, it is said with every request."""

    def __init__(self, credentials: Credentials, word: Callable[[], str]) -> None:
        """`word` makes fresh nonces of ours."""
        self._credentials = credentials
        self._word = word
        self._known: dict[tuple[str, str], _Known] = {}
        self._rounds = 0

    def answer(self, request: Request, response: Response) -> bool:
        """Take the challenges of a 401 or 407; True when the request is worth sending again, signed.

        A realm whose password was given is not told it again, unless only the nonce was too old.
        """
        server = response.status == 401
        asked, given = ("WWW-Authenticate", _ANSWERS[0]) if server else ("Proxy-Authenticate", _ANSWERS[1])
        told = {(digest.parameters(value) or {}).get("realm") for value in request.headers.all(given)}
        progress = False
        seen: set[str] = set()
        for value in digest.strongest(response.headers.all(asked)):
            parameters = digest.parameters(value) or {}
            realm, stale = parameters.get("realm", ""), parameters.get("stale", "").lower() == "true"
            if realm in seen or len(seen) >= MAX_REALMS or (realm in told and not stale):
                continue
            if digest.answer(value, request.method, request.uri, self._credentials, "") is None:
                continue
            seen.add(realm)
            self._known[given, realm] = _Known(value)
            progress = True
        self._rounds += 1
        return progress and self._rounds <= ROUNDS

    def sign(self, request: Request) -> None:
        """Add what is known to be asked for."""
        for (header, _), known in self._known.items():
            known.count += 1
            value = digest.answer(
                known.challenge, request.method, request.uri, self._credentials, self._word(),
                body=request.body, count=known.count,
            )  # fmt: skip
            if value is not None:
                request.headers.add(header, value)

    def accepted(self, response: Response) -> None:
        """It was let through; a nonce for the next request is remembered (RFC 7616 3.5)."""
        self._rounds = 0
        for info, header in zip(("Authentication-Info", "Proxy-Authentication-Info"), _ANSWERS, strict=True):
            found = re.search(r'nextnonce\s*=\s*"((?:[^"\\]|\\.)*)"', response.headers.get(info) or "")
            theirs = [known for (name, _), known in self._known.items() if name == header]
            if found is not None and len(theirs) == 1:
                old = theirs[0].challenge
                place = _NONCE.search(old)
                theirs[0].challenge = old.replace(place[0], f'nonce="{found[1]}"', 1) if place else old
                theirs[0].count = 0


def with_credentials_of(invite: Request, ack: Request) -> Request:
    """An ACK has those of its INVITE (22.1)."""
    for header in _ANSWERS:
        for value in invite.headers.all(header):
            ack.headers.add(header, value)
    return ack


def repeated(request: Request, fresh: Request) -> Request:
    """`fresh`, of the same dialog, made what `request` was, but for its credentials."""
    fresh.uri, fresh.body = request.uri, request.body
    for known, text in request.headers:
        if fresh.headers.get(known) is None and known not in _ANSWERS:
            fresh.headers.add(known, text)
    return fresh


def elsewhere(response: Response) -> str:
    """Where a 3xx response sends the caller; empty: nowhere."""
    try:
        contact = response.contact if 300 <= response.status < 400 else None
    except RemoteError:
        return ""
    return str(dataclasses.replace(contact, headers="")) if contact is not None and contact.is_sip else ""
