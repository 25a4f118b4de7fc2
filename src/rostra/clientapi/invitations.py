"""One-time tokens: with one, somebody who was sent to another conference comes in there (API-027, API-131)."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

import msgspec

from rostra.domain.vocabulary import Role

LIFETIME = 60.0
"""Seconds (API-027)."""
MOST = 10_000


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """What a one-time token stands for."""

    alias: str
    role: Role | None
    """Decided when it was given; None: its holder comes as anybody else would."""
    display_name: str
    call_tag: str
    room: str
    """Alias of the breakout room it leads to, in place of `alias`; empty: to none."""
    expires: float
    inside: bool = False
    """Its holder was in, and joins anew because its media takes another way."""


class Invitations:
    """Those of one node that have been given and not been used."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._given: dict[str, Invitation] = {}

    def give(
        self, alias: str, role: Role | None, *, display_name: str, call_tag: str, room: str = "", inside: bool = False
    ) -> str:
        now = self._clock()
        for token in [token for token, given in self._given.items() if given.expires <= now]:
            del self._given[token]
        while len(self._given) >= MOST:
            del self._given[next(iter(self._given))]
        token = secrets.token_urlsafe(24)
        self._given[token] = Invitation(
            alias=alias,
            role=role,
            display_name=display_name,
            call_tag=call_tag,
            room=room,
            expires=now + LIFETIME,
            inside=inside,
        )
        return token

    def find(self, token: str, alias: str) -> Invitation | None:
        """A token that can be used for an alias; it stays good until `use`."""
        given = self._given.get(token)
        fits = given is not None and given.expires > self._clock() and given.alias.casefold() == alias.casefold()
        return given if fits else None

    def use(self, token: str) -> None:
        """It is good no more: its holder comes in, or need not come."""
        self._given.pop(token, None)

    def give_back(self, token: str, given: Invitation) -> None:
        """Its holder did not come in after all, as a PIN is wanted."""
        self._given[token] = given

    def __len__(self) -> int:
        return len(self._given)
