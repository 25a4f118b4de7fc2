"""A look at the whole platform: who is there, and what each says it carries."""

from __future__ import annotations

import asyncio
import time

import msgspec
import structlog

from rostra.fabric import status
from rostra.fabric.bus import Unreachable
from rostra.fabric.peers import Connection, NodeReport, Peers

logger = structlog.get_logger("rostra.fabric.survey")

ANSWER = 1.0
"""Seconds a node has to say what it carries; who does not is left out."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A node as the fabric knows it."""

    report: NodeReport
    alive: bool
    ago: float
    """Seconds since it was heard."""


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The platform at one moment; nodes by fabric id."""

    time: float
    """Unix seconds, our clock."""
    seen: dict[str, Seen] = {}
    statuses: dict[str, status.NodeStatus] = {}


async def look(bus: Connection, peers: Peers) -> Snapshot:
    """Ask every live node at once what it carries."""
    seen = {node: Seen(report=report, alive=alive, ago=ago) for node, (report, alive, ago) in peers.known.items()}
    alive = [node for node, one in seen.items() if one.alive]
    answers = await asyncio.gather(*(_ask(bus, node) for node in alive))
    statuses = {node: answer for node, answer in zip(alive, answers, strict=True) if answer is not None}
    return Snapshot(time=time.time(), seen=seen, statuses=statuses)


async def _ask(bus: Connection, node: str) -> status.NodeStatus | None:
    try:
        answer = status.decode_status(await bus.request(status.status_subject(node), b"", timeout=ANSWER))
    except (Unreachable, msgspec.DecodeError) as problem:
        logger.info("A node does not say what it carries", node=node, problem=str(problem))
        return None
    return answer if answer.node == node else None
