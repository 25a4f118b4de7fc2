"""What this node says of itself: twice a second to all, and in full when it is asked."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import time
from collections.abc import Callable
from typing import Any

import msgspec
import structlog

import rostra
from rostra import machine
from rostra.calls.exchange import Exchange
from rostra.calls.records import conference_status
from rostra.calls.registrations import Registry
from rostra.domain.capacity import Load
from rostra.domain.ledger import Ledger
from rostra.environment import Environment
from rostra.fabric import status
from rostra.fabric.bus import Bus
from rostra.fabric.outbox import Outbox
from rostra.fabric.peers import NodeReport
from rostra.fabric.replication import ConfigurationReplica
from rostra.media.selfcheck import usable_cores
from rostra.node.geography import Geography
from rostra.node.identity import NodeIdentity
from rostra.node.measuring import CapacityCheck
from rostra.node.obeying import obey
from rostra.node.usage import Usage

logger = structlog.get_logger("rostra.node")


@dataclasses.dataclass(slots=True)
class Reporter:
    """Puts the report together; `exchange` is set once there is one."""

    environment: Environment
    identity: NodeIdentity
    geography: Geography
    ledger: Ledger
    replica: ConfigurationReplica
    outbox: Outbox
    boot: str
    registry: Registry
    usage: Usage
    exchange: Exchange | None = None
    started: float = dataclasses.field(default_factory=time.time)
    cores: float = dataclasses.field(default_factory=usable_cores)

    def __call__(self) -> NodeReport:
        me, maintenance = self.geography.me, self.geography.maintenance
        exchange, figures = self.exchange, self.ledger.figures
        return NodeReport(
            node=self.identity.id,
            boot=self.boot,
            name=me.name if me else self.identity.name,
            location=self.geography.location,
            address=self.identity.address,
            https_port=self.environment.node_https_port,
            role=me.node_type if me else "CONFERENCING",
            version=rostra.__version__,
            capacity=self.ledger.capacity,
            used=self.ledger.used,
            media_load=Load(capacity=self.ledger.capacity, used=self.ledger.used, maintenance=maintenance).percent,
            max_full_hd=figures.full_hd if figures else 0,
            max_sd=figures.sd if figures else 0,
            max_audio=figures.audio if figures else 0,
            cores=self.cores,
            cores_used=round(self.usage.cores(), 3),
            maintenance=maintenance,
            takes_media=exchange is not None and exchange.takes_media,
            weight=(me.media_priority_weight or 0) if me else 0,
            conferences=len(exchange.conferences) if exchange else 0,
            participants=exchange.participants if exchange else 0,
            registrations=len(self.registry),
            legs=self.ledger.calls,
            position=self.replica.position,
            queued=self.outbox.queued,
            time=time.time(),
            started=self.started,
        )


class Answers:
    """Answers the Management Node and `rostra status`."""

    def __init__(
        self, bus: Bus, reporter: Reporter, exchange: Exchange, ledger: Ledger, capacity: CapacityCheck
    ) -> None:
        self._bus = bus
        self._reporter = reporter
        self._exchange = exchange
        self._ledger = ledger
        self._capacity = capacity
        self._stops: list[Callable[[], Any]] = []

    async def start(self) -> None:
        node = self._reporter.identity.id
        self._stops.append(await self._bus.subscribe(status.status_subject(node), self._status, concurrent=True))
        self._stops.append(await self._bus.subscribe(status.command_subject(node), self._command, concurrent=True))

    async def stop(self) -> None:
        for stop in self._stops:
            await stop()
        self._stops.clear()

    async def _status(self, _subject: str, _payload: bytes) -> bytes:
        conferences = await asyncio.gather(
            *(
                conference_status(conference, self._ledger.tokens(conference.key), self._exchange.licence)
                for conference in self._exchange.conferences
            )
        )
        return status.encode_status(
            status.NodeStatus(
                node=self._reporter.identity.id,
                boot=self._reporter.boot,
                conferences=tuple(conferences),
                cpu_count=os.cpu_count() or 0,
                cpu_model=machine.processor(),
                total_ram=machine.memory(),
            )
        )

    async def _command(self, _subject: str, payload: bytes) -> bytes:
        try:
            command = status.decode_command(payload)
        except msgspec.DecodeError as problem:
            return status.encode_reply(status.Refused(reason=f"not understood: {problem}"))
        if isinstance(command, status.CheckCapacity):
            return status.encode_reply(await self._capacity.asked())
        if not isinstance(command, status.TellStreams | status.TellRegistrations | status.TellMedia):
            logger.info("Told by an administrator", command=msgspec.to_builtins(command))
        return status.encode_reply(await obey(self._exchange, self._reporter.registry, command))
