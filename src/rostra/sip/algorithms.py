"""By which algorithms a device is asked for its password (RFC 8760): the strongest and MD5, or MD5 alone.

Telephones should leave aside challenges that they do not understand (RFC 3261 22.1), and many do not: they give up at
two, or look at the first alone, and ask again without a password. Those are asked by MD5 from then on.
"""

from __future__ import annotations

import collections
import re
from collections.abc import Sequence

from rostra.sip import digest
from rostra.sip.message import Request

OFFERED = ("SHA-256", "MD5")
"""The strongest first (RFC 8760 2.3)."""
OLD = ("MD5",)
PENDING = 600.0
"""Seconds within which somebody who asks again without a password has not understood us."""
MOST = 20_000
"""Devices remembered; beyond, those that were quiet longest are forgotten, and asked by both again."""
_KNOWN = re.compile(r"baresip v?(?:[0-2]|3\.(?:\d|1[01]))\.", re.IGNORECASE)
"""Products that give up at the first algorithm they do not know, and try again only after half a minute."""

Asked = tuple[str, str]
"""Where a request came from, and for which alias."""


class Offers:
    """Remembers who does not cope with two challenges."""

    def __init__(self, offered: Sequence[str] = OFFERED) -> None:
        self._offered = tuple(offered)
        self._seen: collections.OrderedDict[Asked, tuple[float, bool]] = collections.OrderedDict()
        """When both were offered, and whether MD5 alone has worked since."""

    def to(self, request: Request, asked: Asked, now: float) -> tuple[str, ...]:
        """The algorithms to offer to who sent this."""
        used = used_by(request)
        if used:
            return OLD if used == "md5" else self._offered
        if _KNOWN.match(request.headers.get("User-Agent") or ""):
            return OLD
        when, settled = self._seen.get(asked, (0.0, False))
        if asked in self._seen and (settled or now - when <= PENDING):
            return OLD
        self._note(asked, now, settled=False)
        return self._offered

    def answered(self, request: Request, asked: Asked, now: float) -> None:
        """The password was right."""
        if used_by(request) != "md5":
            self._seen.pop(asked, None)
        elif asked in self._seen:
            self._note(asked, now, settled=True)

    def _note(self, asked: Asked, now: float, *, settled: bool) -> None:
        self._seen[asked] = now, settled
        self._seen.move_to_end(asked)
        if len(self._seen) > MOST:
            self._seen.popitem(last=False)


def used_by(request: Request) -> str:
    """The algorithm of the answer that a request brings, in lower case; empty without one."""
    given = [found for value in request.headers.all("Authorization") if (found := digest.parameters(value))]
    return given[0].get("algorithm", "MD5").lower() if given else ""
