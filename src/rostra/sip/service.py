"""SIP on a Conferencing Node: listens, and gives every call its agent."""

from __future__ import annotations

import asyncio
import dataclasses
import ipaddress
import random
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterable

import structlog
from prometheus_client import REGISTRY, CollectorRegistry

from rostra.calls.switchboard import CallOrder, NotDialled, Session, Switchboard
from rostra.environment import Environment
from rostra.sip.agent import FOCI, CallAgent
from rostra.sip.dialog import respond
from rostra.sip.engine import Engine
from rostra.sip.errors import LocalError, RemoteError
from rostra.sip.events import CallReceived, FlowLost, Happening, RegisterReceived
from rostra.sip.flow import Flow, Transport, host_text
from rostra.sip.liveness import Inquiry, Liveness, Unwell, options, well_first
from rostra.sip.locating import Place, Wanted, places
from rostra.sip.media import capabilities
from rostra.sip.message import Request, Response
from rostra.sip.metrics import EngineMetrics
from rostra.sip.outgoing import CalledAgent
from rostra.sip.registering import Registering
from rostra.sip.replacing import Replaces
from rostra.sip.settings import SipSettings
from rostra.sip.switching import Switching
from rostra.sip.targets import Target, registered, target
from rostra.sip.transport.connection import local_address_towards
from rostra.sip.transport.driver import Driver, Listening
from rostra.sip.trust import names_it
from rostra.sip.uri import Uri

log = structlog.get_logger("rostra.sip")

FAREWELL = 2.0
"""Seconds calls have to be ended when the service stops."""


class SipService:
    """Takes and places SIP calls, as its settings say."""

    def __init__(
        self,
        switchboard: Switchboard,
        environment: Environment,
        *,
        settings: SipSettings | None = None,
        names: Iterable[str] = (),
        clock: Callable[[], float] | None = None,
        generator: random.Random | None = None,
        registering: Registering | None = None,
        registry: CollectorRegistry = REGISTRY,
    ) -> None:
        """`settings` are those to begin with; see `apply`.

        `names` are further host names of this node: with one of its names or an address as host, the user part
        alone is an alias. `registering` lets devices register; None: none can."""
        self._switchboard = switchboard
        self._environment = environment
        self._clock = clock
        self._names = frozenset(name.lower() for name in names) | {"localhost", socket.gethostname().lower()}
        ports = {
            Transport.UDP: Listening(Transport.UDP, environment.sip_port, "ROSTRA_SIP_PORT"),
            Transport.TCP: Listening(Transport.TCP, environment.sip_port, "ROSTRA_SIP_PORT"),
            Transport.TLS: Listening(Transport.TLS, environment.sip_tls_port, "ROSTRA_SIP_TLS_PORT"),
        }
        self._ports = {transport: listening.port for transport, listening in ports.items()}
        self._generator = generator or random.SystemRandom()
        self._engine = Engine(self._generator, self._ports)
        self._engine.address_for = lambda flow: self.announced(flow.local[0], flow.remote[0])
        self._engine.objection = self._objection
        self._engine.capabilities = self._capabilities
        self._engine.gate.trusted = self.knows
        self._switching = Switching(self._engine, ports, settings or SipSettings())
        self._registering = registering
        if registering is not None:
            self._engine.keeps = registering.registrar.uses
            self._engine.gate.hearing = registering.shield
        self._metrics = EngineMetrics(self._engine, registry)
        self._unwell = Unwell(clock or time.monotonic)
        self._liveness = Liveness(self, self._unwell)
        self._driver: Driver | None = None
        self._agents: dict[str, CallAgent] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def start(self) -> None:
        """Listen. Raises PortTaken, naming port and variable."""
        switching = self._switching
        driver = Driver(self._engine, self._event, tls_server=switching.live, clock=self._clock)
        driver.ways = self.ways
        try:
            await switching.start(driver)
        except BaseException:
            switching.stop()
            await driver.close()
            raise
        self._driver = driver
        self._metrics.register()
        self._liveness.watch(switching.settings.proxies)

    async def apply(self, settings: SipSettings) -> None:
        """Go by these settings from now on; calls that run are not cut."""
        await self._switching.apply(settings)
        if self._driver is not None:
            self._liveness.watch(settings.proxies)

    async def stop(self) -> None:
        """End every call and close the ports. Safe to repeat."""
        driver, self._driver = self._driver, None
        self._switching.stop()
        self._liveness.stop()
        if driver is None:
            return
        for call in list(self._agents):
            self._engine.hang_up(call, driver.now, "shutdown")
        driver.pump()
        tasks = list(self._tasks.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=FAREWELL)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await driver.close()
        self._metrics.unregister()

    def go_by(self, name: str) -> None:
        """Over TLS, calls to come know us by this DNS name; empty: by our address (NODE-073, NODE-074)."""
        self._engine.tls_name = name

    def debug_state(self) -> dict[str, object]:
        """Figures for people."""
        own = {"agents": len(self._agents), "tasks": len(self._tasks)}
        errors = self._driver.internal_errors if self._driver is not None else 0
        return {**self._engine.debug_state(), **own, "internal_errors": errors, "proxies": dict(self._liveness.up)}

    # ---- calls.switchboard.Dialler, outgoing.Trunk ---------------------------------------------------------------

    def leg(self, order: CallOrder) -> CalledAgent:
        try:
            found = self._device(order.registration) if order.registration else target(order.destination, order.hop)
        except RemoteError:
            raise NotDialled(400, "Invalid destination") from None
        if order.hops < 1:
            raise NotDialled(483, "Too many hops")
        named = Transport.TLS if found.wanted.secure else found.wanted.transport
        if named is not None and named not in self._settings.outgoing:
            raise NotDialled(403, "Disabled")
        return CalledAgent(order, found, self._switchboard, self)

    def _device(self, registration: str) -> Target:
        """A device that is registered here. Raises NotDialled, RemoteError."""
        way = self._registering.way(registration) if self._registering is not None else None
        if way is None:
            raise NotDialled(404, "Called party not available")
        return registered(way)

    def run(self, agent: CalledAgent) -> None:
        name = f"sip call to be placed {id(agent)}"
        self._run(name, agent)

    def places(self, found: Target) -> AsyncIterator[Place]:
        return well_first(self.ways(found.wanted), self._unwell)

    def knows(self, address: str) -> bool:
        return address in self._liveness.addresses

    def failed(self, place: Place) -> None:
        self._unwell.failed(place)

    async def invite(self, agent: CalledAgent, found: Target, place: Place, order: CallOrder, sdp: bytes) -> str:
        await self._switching.use(place.transport)
        flow = found.flow or self._flow(place)
        source = order.source
        if "@" not in source:
            name = self._engine.tls_name if flow.transport is Transport.TLS else ""
            host = name or host_text(self.announced(flow.local[0], flow.remote[0]))
            source = f"{source}@{host}" if source else host
        call = self._engine.invite(
            found.uri, f"sip:{source}", flow, sdp, self._now, local_name=order.source_name,
            credentials=order.credentials, routes=found.routes, behind_nat=found.behind_nat,
            headers=order.headers, hops=order.hops, focus=order.service_type in FOCI,
        )  # fmt: skip
        self._agents[call] = agent
        self._pump()
        return call

    def _flow(self, place: Place) -> Flow:
        local = local_address_towards(place.address), self._ports[place.transport]
        return Flow(place.transport, (place.address, place.port), local, name=place.name)

    def heard(self, call: str) -> bool:
        return self._engine.heard(call)

    def abandon(self, call: str) -> None:
        self._agents.pop(call, None)
        self.hang_up(call, "tried elsewhere")

    def avoided(self, place: Place) -> bool:
        return place in self._unwell

    # ---- liveness.Asking ----------------------------------------------------------------------------------------

    async def ways(self, wanted: Wanted) -> AsyncIterator[Place]:
        settings = self._settings
        usable = settings.outgoing
        async for place in places(wanted, settings.resolver, usable, lambda n: self._generator.randint(0, n)):
            yield place if Transport.TCP in usable else dataclasses.replace(place, chosen=True)

    async def ask(self, place: Place) -> int:
        await self._switching.use(place.transport)
        flow = self._flow(place)
        host = host_text(self.announced(flow.local[0], flow.remote[0]))
        inquiry = Inquiry()
        request = options(place, f"{host}:{flow.local[1]}", self._engine.word)
        self._engine.ask(request, flow, inquiry, self._now)
        self._pump()
        return await inquiry.status()

    # ---- agent.Line -------------------------------------------------------------------------------------------

    def ring(self, call: str, sdp: bytes = b"") -> None:
        self._engine.ring(call, self._now, sdp)
        self._pump()

    def focus(self, call: str) -> None:
        self._engine.focus(call)

    def nobody_there(self, event: CallReceived) -> None:
        if not self.trusts(event.flow):
            address, proven = event.flow.remote[0], event.flow.transport.reliable
            self._engine.gate.hearing.wrong_alias(
                address, event.request.target.address, time.monotonic(), proven=proven
            )

    def report(self, call: str, name: str, status: int) -> None:
        if self._driver is not None:
            self._engine.report(call, name, status, self._driver.now)
            self._driver.pump()

    def refer(self, call: str, uri: str, by: str) -> bool:
        sent = self._engine.takes(call, "REFER") and self._engine.refer(call, uri, by, self._now)
        self._pump()
        return sent

    def replaced(self, replaces: Replaces) -> str | None:
        return self._engine.replaced(replaces)

    def session_of(self, call: str) -> Session | None:
        agent = self._agents.get(call)
        return agent.session if agent is not None else None

    def trusts(self, flow: Flow) -> bool:
        return self._liveness.vouches(flow)

    def answer(self, call: str, sdp: bytes) -> None:
        self._engine.answer(call, sdp, self._now)
        self._pump()

    def refuse(self, call: str, status: int, reason: str, elsewhere: str = "") -> None:
        try:
            self._engine.refuse(call, status, self._now, reason, elsewhere)
        except LocalError as problem:
            log.info("sip_call_too_late", call=call, problem=str(problem))
        self._pump()

    def offer(self, call: str, sdp: bytes) -> None:
        self._engine.offer(call, sdp, self._now)
        self._pump()

    def hang_up(self, call: str, reason: str) -> None:
        self._engine.hang_up(call, self._now, reason)
        self._pump()

    def inform(self, call: str, content_type: str, body: bytes) -> None:
        if self._driver is not None:
            self._engine.inform(call, content_type, body, self._now)
            self._pump()

    def announced(self, address: str, peer: str) -> str:
        return self._settings.translation.seen_from(address, peer)

    @property
    def environment(self) -> Environment:
        return self._environment

    def registered(self, uri: Uri, flow: Flow) -> str:
        found = self._registering.caller(uri, flow, self.is_ours) if self._registering is not None else None
        return found.alias if found is not None else ""

    def is_ours(self, host: str) -> bool:
        """A host part that means this machine rather than somebody's domain."""
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return host.lower() in self._names or host.lower() == self._engine.tls_name.lower()
        return True

    # ---- inside -----------------------------------------------------------------------------------------------

    @property
    def _settings(self) -> SipSettings:
        return self._switching.settings

    def _objection(self, request: Request, flow: Flow) -> Response | None:
        """A peer over TLS has to be who it says (SYS-225): the host it sends from, or the domain it calls for; and a
        device that calls by UDP has to prove it."""
        if self._settings.verify and flow.transport is Transport.TLS and self._driver is not None:
            known = self._driver.identities(flow)
            said = (request.via.host, request.from_.uri.bare_host)
            if not any(names_it(known, host) for host in said):
                return respond(request, 403, self._engine.word())
        return self._registering.unproven(request, flow, self.is_ours) if self._registering is not None else None

    def _capabilities(self, flow: Flow) -> bytes:
        return capabilities(self.announced(flow.local[0], flow.remote[0]), encrypt=flow.transport is Transport.TLS)

    @property
    def _now(self) -> float:
        if self._driver is None:
            raise LocalError("the service has stopped")
        return self._driver.now

    def _pump(self) -> None:
        if self._driver is not None:
            self._driver.pump()

    def _event(self, event: Happening) -> None:
        if isinstance(event, RegisterReceived):
            self._register(event)
            return
        if isinstance(event, FlowLost):
            if self._registering is not None:
                self._registering.registrar.disconnected(event.flow)
            return
        if isinstance(event, CallReceived):
            agent = CallAgent(event.call, self._switchboard, self)
            self._agents[event.call] = agent
            self._run(event.call, agent)
        agent = self._agents.get(event.call)
        if agent is not None:
            agent.put(event)

    def _register(self, event: RegisterReceived) -> None:
        if self._registering is None:
            self._respond(event.name, respond(event.request, 405, event.name))
        else:
            self._registering.take(event, self.is_ours, self._respond)

    def _respond(self, name: str, response: Response) -> None:
        if self._driver is not None:
            self._engine.respond(name, response, self._driver.now)
            self._driver.pump()

    def _run(self, name: str, agent: CallAgent) -> None:
        task = asyncio.get_running_loop().create_task(agent.run(), name=f"sip call {name}")
        self._tasks[name] = task
        task.add_done_callback(lambda _: self._forget(name, agent))

    def _forget(self, name: str, agent: CallAgent) -> None:
        for call in [call for call, known in self._agents.items() if known is agent]:
            del self._agents[call]
        task, call = self._tasks.pop(name, None), agent.call
        if task is not None and not task.cancelled() and task.exception() is not None:
            log.error("sip_agent_failed", call=call, exc_info=task.exception())
            if self._driver is not None:
                self.hang_up(call, "")
