"""Whether the proxies that calls of ours go through are there: asked by OPTIONS, and remembered from calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Protocol

import structlog

from rostra.sip.flow import Flow, host_text
from rostra.sip.headers import Headers
from rostra.sip.locating import Place, Unreachable, Wanted
from rostra.sip.message import MAGIC_COOKIE, Request, Response
from rostra.sip.transactions import ClientTransaction

log = structlog.get_logger("rostra.sip")

INTERVAL = 30.0
"""Seconds between two questions to a proxy."""
WAIT = 8.0
"""Seconds it has for an answer."""
AVOIDED = 60.0
"""Seconds for which a place that failed is tried after all others."""
MOST_PLACES = 8
"""Of one proxy."""


class Asking(Protocol):
    """What is needed of the service."""

    def ways(self, wanted: Wanted) -> AsyncIterator[Place]:
        """Raises Unreachable."""
        ...

    async def ask(self, place: Place) -> int:
        """Status of the answer to OPTIONS; 0 without one."""
        ...


class Unwell:
    """Places that have failed lately."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._until: dict[tuple[str, str, int], float] = {}

    def failed(self, place: Place) -> None:
        now = self._clock()
        self._until = {key: until for key, until in self._until.items() if until > now}
        self._until[place.transport, place.address, place.port] = now + AVOIDED

    def well(self, place: Place) -> None:
        self._until.pop((place.transport, place.address, place.port), None)

    def __contains__(self, place: Place) -> bool:
        return self._until.get((place.transport, place.address, place.port), 0.0) > self._clock()


async def well_first(ways: AsyncIterator[Place], unwell: Unwell) -> AsyncIterator[Place]:
    """The same places, those that failed lately last."""
    held: list[Place] = []
    async for place in ways:
        if place in unwell:
            held.append(place)
        else:
            yield place
    for place in held:
        yield place


class Liveness:
    """From `start` to `stop` asks the proxies given last."""

    def __init__(self, asking: Asking, unwell: Unwell) -> None:
        self._asking = asking
        self._unwell = unwell
        self._proxies: tuple[Wanted, ...] = ()
        self._task: asyncio.Task[None] | None = None
        self.up: dict[str, bool] = {}
        """By host and port; those not asked yet are missing."""
        self._found: dict[Wanted, frozenset[str]] = {}

    @property
    def addresses(self) -> frozenset[str]:
        """Where the proxies are, as far as that is known."""
        return frozenset[str]().union(*(self._at(proxy) for proxy in self._proxies))

    def vouches(self, flow: Flow) -> bool:
        """A proxy is at the other end, and it is no forger of datagrams: those count for proxies by UDP alone."""
        there = (proxy for proxy in self._proxies if flow.remote[0] in self._at(proxy))
        return any(flow.transport.reliable or proxy.transport is flow.transport for proxy in there)

    def _at(self, proxy: Wanted) -> frozenset[str]:
        return self._found.get(proxy, frozenset()) | {proxy.host}

    def watch(self, proxies: Sequence[Wanted]) -> None:
        """Ask these from now on; the first time at once."""
        if tuple(proxies) == self._proxies:
            return
        self._proxies = tuple(proxies)
        self.stop()
        self.up = {}
        self._found = {}
        if self._proxies:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="sip proxies")

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _run(self) -> None:
        while True:
            await asyncio.gather(*(self._look(proxy) for proxy in self._proxies))
            await asyncio.sleep(INTERVAL)

    async def _look(self, proxy: Wanted) -> None:
        found: list[Place] = []
        try:
            async for place in self._asking.ways(proxy):
                found.append(place)
                if len(found) >= MOST_PLACES:
                    break
        except Unreachable as problem:
            self._told(proxy, up=False, why=str(problem))
            return
        self._found[proxy] = frozenset(place.address for place in found)
        statuses = await asyncio.gather(*(self._one(place) for place in found))
        self._told(proxy, up=any(statuses), why="" if any(statuses) else "no answer to OPTIONS")

    async def _one(self, place: Place) -> bool:
        """Whether it is there: whatever it says, but that it cannot take more."""
        try:
            async with asyncio.timeout(WAIT):
                status = await self._asking.ask(place)
        except TimeoutError:
            status = 0
        there = status not in (0, 503)
        if there:
            self._unwell.well(place)
        else:
            self._unwell.failed(place)
        return there

    def _told(self, proxy: Wanted, *, up: bool, why: str) -> None:
        name = f"{host_text(proxy.host)}:{proxy.port}" if proxy.port else proxy.host
        before = self.up.get(name)
        self.up[name] = up
        if not up and before is not False:
            log.warning("sip_proxy_down", proxy=name, reason=why)
        elif up and before is False:
            log.info("sip_proxy_up", proxy=name)


class Inquiry:
    """Waits for what one request of ours is answered. Implements `transactions.ClientUser`."""

    def __init__(self) -> None:
        self._status: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def status(self) -> int:
        return await self._status

    def responded(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        del transaction, now
        if response.is_final and not self._status.done():
            self._status.set_result(response.status)

    def unanswered(self, transaction: ClientTransaction, reason: str, now: float) -> None:
        del transaction, reason, now
        if not self._status.done():
            self._status.set_result(0)


def options(place: Place, own: str, word: Callable[[], str]) -> Request:
    """OPTIONS to a place; `own` is our address with port."""
    host = host_text(place.name)
    parameter = "" if place.transport == "UDP" else f";transport={place.transport.lower()}"
    return Request(
        Headers(
            [
                ("Via", f"SIP/2.0/{place.transport} {own};branch={MAGIC_COOKIE}{word()};rport"),
                ("Max-Forwards", "70"),
                ("From", f"<sip:{own}>;tag={word()}"),
                ("To", f"<sip:{host}>"),
                ("Call-ID", word()),
                ("CSeq", "1 OPTIONS"),
                ("Contact", f"<sip:{own}{parameter}>"),
                ("Accept", "application/sdp"),
            ]
        ),
        method="OPTIONS",
        uri=f"sip:{host}:{place.port}{parameter}",
    )
