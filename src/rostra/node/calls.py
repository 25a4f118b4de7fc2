"""The part of a Conferencing Node that takes calls: capacity, history, the other nodes, and the exchange on top."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import secrets
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack

import structlog

from rostra.calls.exchange import Exchange
from rostra.calls.registrations import Admissions, Registry
from rostra.conference.here import Here
from rostra.configuration.queries import Lookup
from rostra.domain.abuse import Shield
from rostra.domain.history import AlarmChanged, NodeEvent
from rostra.domain.ledger import Ledger
from rostra.domain.registration import SHUTDOWN
from rostra.environment import Environment
from rostra.fabric.bus import Bus
from rostra.fabric.outbox import Outbox
from rostra.fabric.peers import Peers
from rostra.fabric.refusals import ALARM, Refusals
from rostra.fabric.replication import ConfigurationReplica
from rostra.media.pool import WorkerPool
from rostra.media.selfcheck import estimate, usable_cores
from rostra.node.abuse import Defence
from rostra.node.contact import Contact
from rostra.node.geography import Geography
from rostra.node.identity import NodeIdentity
from rostra.node.licensing import NodeLicences
from rostra.node.measuring import CapacityCheck
from rostra.node.metrics import NodeMetrics
from rostra.node.outward import ConfiguredPlan
from rostra.node.policy import NodePolicies
from rostra.node.registrar import ConfiguredAdmissions, Review
from rostra.node.reporting import Answers, Reporter
from rostra.node.services import finder
from rostra.node.signon import trust
from rostra.node.themes import ThemeStore
from rostra.node.usage import Usage
from rostra.node.ways import ConfiguredServers

logger = structlog.get_logger("rostra.node")


@dataclasses.dataclass(frozen=True, slots=True)
class Calls:
    """What takes calls, running."""

    exchange: Exchange
    peers: Peers
    geography: Geography
    registry: Registry
    admissions: Admissions
    shield: Shield


async def start(
    environment: Environment,
    identity: NodeIdentity,
    bus: Bus,
    replica: ConfigurationReplica,
    lookup: Lookup,
    stack: AsyncExitStack,
) -> Calls:
    """Start what takes calls; `stack` ends it in reverse."""
    pool = await _workers(environment, identity, bus, lookup, stack)

    themes = _themes(environment, replica, lookup, stack)
    geography = Geography(lookup, identity.key)
    replica.on_change(geography.changed)
    ledger = Ledger(estimate(usable_cores()).tokens)
    boot = secrets.token_hex(8)
    outbox = await _outbox(environment, identity, bus, boot, stack)
    registry = Registry(identity.id, record=outbox.record, location=lambda: geography.location)
    capacity = CapacityCheck(environment.capacity, ledger)
    reporter = Reporter(environment, identity, geography, ledger, replica, outbox, boot, registry, Usage(pool))
    peers = Peers(bus, reporter)
    here = Here(
        node=identity.id, boot=boot, bus=bus, pool=pool, ledger=ledger, address=identity.address,
        location=lambda: geography.location, record=outbox.record, themes=themes.directories,
        ice=ConfiguredServers(lookup, lambda: geography.location).of_calls,
    )  # fmt: skip
    licences = await _licences(environment, identity, bus, boot, replica, stack)
    policies = _policies(identity, geography, themes, replica, lookup, outbox, stack)
    exchange = Exchange(
        here, peers, geography, finder(lookup, themes), environment=environment,
        configured=lambda: replica.position > 0 or replica.synchronised.is_set(),
        takes_calls=lambda: not geography.maintenance, licensed=licences.permitted, licences=licences,
        plan=ConfiguredPlan(lookup, registry, themes), policies=policies,
    )  # fmt: skip
    reporter.exchange = exchange
    stack.callback(NodeMetrics(reporter).close)
    await exchange.start()
    stack.push_async_callback(exchange.close)
    await peers.start()
    stack.push_async_callback(peers.stop)
    await registry.start(bus, peers)
    stack.push_async_callback(registry.stop, SHUTDOWN)
    replica.on_change(Review(lookup, registry, policies).changed)
    _defend(identity, here, exchange, registry, replica, lookup, stack)
    answers = Answers(bus, reporter, exchange, ledger, capacity)
    await answers.start()
    stack.push_async_callback(answers.stop)
    measuring = asyncio.create_task(capacity.run(), name="capacity check")
    stack.push_async_callback(_ended, measuring)
    return Calls(exchange, peers, geography, registry, ConfiguredAdmissions(lookup, policies), here.shield)


def _defend(
    identity: NodeIdentity,
    here: Here,
    exchange: Exchange,
    registry: Registry,
    replica: ConfigurationReplica,
    lookup: Lookup,
    stack: AsyncExitStack,
) -> None:
    """Those who guess are shut out as configured."""
    present = functools.partial(_present, exchange, registry)
    defence = Defence(identity.key, lookup, here.shield, here.record, present)
    replica.on_change(defence.changed)
    stack.callback(defence.start().stop)


def _present(exchange: Exchange, registry: Registry) -> Iterator[str]:
    """Addresses of everybody who is in a conference with a part here, or registered here."""
    for conference in exchange.conferences:
        yield from (one.remote_address for one in conference.participants if one.joined)
    yield from (one.remote_address for one in registry.all())


def _refused(outbox: Outbox, member: str, details: str, up: bool) -> None:
    outbox.record(AlarmChanged(time=time.time(), name=ALARM, up=up, instance=member, details=details))


DISK_ALARM = "disk_not_writable"
"""Name of the alarm."""


async def _outbox(
    environment: Environment, identity: NodeIdentity, bus: Bus, boot: str, stack: AsyncExitStack
) -> Outbox:
    """What the Management Node is to know of us, from now on; also who was refused at the fabric."""

    def disk(fails: bool, problem: str) -> None:
        outbox.record(AlarmChanged(time=time.time(), name=DISK_ALARM, up=fails, details=problem))

    outbox = Outbox(environment.node_home / "events.db", bus, identity.id, boot, on_disk=disk)
    await outbox.start()
    stack.push_async_callback(outbox.stop)
    outbox.record(NodeEvent(time=time.time(), kind="started"))
    stack.callback(lambda: outbox.record(NodeEvent(time=time.time(), kind="stopped")))
    refusals = Refusals(functools.partial(_refused, outbox))
    bus.on_refused(refusals.heard)
    stack.callback(refusals.close)
    return outbox


async def _workers(
    environment: Environment, identity: NodeIdentity, bus: Bus, lookup: Lookup, stack: AsyncExitStack
) -> WorkerPool:
    pool = WorkerPool(environment, bus, identity.id, lambda: lookup.media_dscp(identity.key))
    await pool.start()
    stack.push_async_callback(pool.close)
    return pool


def _themes(
    environment: Environment, replica: ConfigurationReplica, lookup: Lookup, stack: AsyncExitStack
) -> ThemeStore:
    themes = ThemeStore(environment.node_home / "themes", lookup)
    replica.on_change(themes.changed)
    stack.push_async_callback(themes.stop)
    return themes


def _policies(
    identity: NodeIdentity,
    geography: Geography,
    themes: ThemeStore,
    replica: ConfigurationReplica,
    lookup: Lookup,
    outbox: Outbox,
    stack: AsyncExitStack,
) -> NodePolicies:
    policies = NodePolicies(lookup, geography, themes, identity.address, lambda: trust(lookup), outbox.record)
    replica.on_change(policies.changed)
    stack.push_async_callback(policies.close)
    return policies


async def _licences(
    environment: Environment,
    identity: NodeIdentity,
    bus: Bus,
    boot: str,
    replica: ConfigurationReplica,
    stack: AsyncExitStack,
) -> NodeLicences:
    contact = Contact(environment.node_home / "contact", lambda: replica.silence)
    licences = NodeLicences(bus, identity.id, boot, contact.silent, environment.node_home / "licensing")
    await licences.start()
    stack.push_async_callback(licences.stop)
    return licences


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
