"""The connections that policy requests go through, while whom we trust may change."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import AsyncGenerator, Callable
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

MOST = 256
"""Requests under way that calls wait for."""
PICTURES = 16
"""The same for pictures, which so take nothing from calls."""
IDLE = 20
"""Connections that are kept for the next request."""
_IDLE_FOR = 30.0


class _Trusting:
    """Those that began under one idea of whom to trust; closed with the last of them."""

    def __init__(self, trust: ssl.SSLContext, seconds: float, idle: int) -> None:
        limits = httpx.Limits(
            max_connections=MOST + PICTURES, max_keepalive_connections=idle, keepalive_expiry=_IDLE_FOR
        )  # fmt: skip
        self.client = httpx.AsyncClient(
            verify=trust, trust_env=False, follow_redirects=False, timeout=seconds, limits=limits,
            headers={"accept-encoding": "identity"},  # some compress all the same
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # each request stands for itself
        )  # fmt: skip
        self.used_by = 0


class Connections:
    """Of one node."""

    def __init__(self, trust: Callable[[], ssl.SSLContext], seconds: float, idle: int = IDLE) -> None:
        """`trust`: whom we trust now, asked anew after `renew`; `seconds`: for one request; `idle`: as IDLE."""
        self._trust = trust
        self._seconds = seconds
        self._idle = idle
        self._current: _Trusting | None = None
        self._former: set[_Trusting] = set()

    @contextlib.asynccontextmanager
    async def used(self) -> AsyncGenerator[httpx.AsyncClient]:
        """For one request. Raises ssl.SSLError, OSError for what we cannot trust by."""
        if self._current is None:
            self._current = _Trusting(self._trust(), self._seconds, self._idle)
        used = self._current
        used.used_by += 1
        try:
            yield used.client
        finally:
            used.used_by -= 1
            if used in self._former and not used.used_by:
                self._former.remove(used)
                await used.client.aclose()

    async def renew(self) -> None:
        """Whom we trust has changed: from now on, new connections. What is being asked meanwhile goes on."""
        current, self._current = self._current, None
        if current is not None and current.used_by:
            self._former.add(current)
        elif current is not None:
            await current.client.aclose()

    async def close(self) -> None:
        """End all, whatever is being asked."""
        former, self._former = self._former, set()
        current, self._current = self._current, None
        for one in (*former, *([current] if current else [])):
            await one.client.aclose()
