"""Direct media: when two clients send to each other, past the platform (API-158, API-162). Pure."""

from __future__ import annotations

import enum
from collections.abc import Sequence

import msgspec

MOST = 2
"""Participants that fit."""


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """A participant that is in the conference, as far as this matters."""

    capable: bool
    direct: bool
    """It joined for direct media."""
    leaving: bool = False
    """It was told to join anew."""


class Way(enum.Enum):
    """How media goes from now on."""

    AS_IT_IS = enum.auto()
    DIRECT = enum.auto()
    """All should join anew for direct media, if it stays like this for a while."""
    TRANSCODED = enum.auto()
    """Those with direct media have to join anew, at once."""


def joins_direct(others: Sequence[Party], *, capable: bool) -> bool:
    """Does somebody who comes in now get direct media? Not beside somebody whose media goes through the platform."""
    staying = [one for one in others if not one.leaving]
    return capable and len(staying) < MOST and all(one.direct for one in staying)


def way(parties: Sequence[Party]) -> Way:
    """What is to become of those who are in."""
    staying = [one for one in parties if not one.leaving]
    direct = [one for one in staying if one.direct]
    fits = len(parties) <= MOST and all(one.capable for one in parties)
    if direct and (not fits or len(direct) < len(staying)):
        return Way.TRANSCODED
    if not direct and fits and len(staying) == len(parties) == MOST:
        return Way.DIRECT
    return Way.AS_IT_IS
