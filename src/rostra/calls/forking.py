"""Several devices called at once: the first that answers comes in, and the calls to the others end (CONF-025).

Each device is a participant of its own from the start (API-127), on the node that holds its registration. What joins
them is `Participant.fork`; the roster, which all nodes have, says who was first, so nobody has to be in charge.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence

import msgspec
import structlog

from rostra.background import Background
from rostra.calls.switchboard import NotDialled
from rostra.conference.instance import ConferenceInstance
from rostra.dialplan.outward import Route
from rostra.domain import dialling

logger = structlog.get_logger("rostra.calls")

OUTRUN = "Call answered elsewhere"


async def call_all(ways: Sequence[Route], place: Callable[[Route], Awaitable[tuple[str, ...]]]) -> tuple[str, ...]:
    """Place every call; the uuids of all who are called. Raises NotDialled when none can be placed."""
    if len(ways) == 1:
        return await place(ways[0])
    fork = uuid.uuid4().hex
    placed = await asyncio.gather(
        *(place(msgspec.structs.replace(way, fork=fork)) for way in ways), return_exceptions=True
    )
    called: list[str] = []
    problems: list[NotDialled] = []
    for outcome in placed:
        if isinstance(outcome, NotDialled):
            problems.append(outcome)
        elif isinstance(outcome, BaseException):
            raise outcome
        else:
            called += outcome
    if not called:
        raise problems[0]
    return tuple(called)


class Forking:
    """Ends this node's calls that were outrun."""

    def __init__(self, node: str, background: Background) -> None:
        self._node = node
        self._background = background

    def follow(self, conference: ConferenceInstance) -> None:
        """Its roster has changed."""
        if not any(one.fork for one in conference.own):
            return
        for one in dialling.outrun(roster(conference), self._node):
            logger.info("Another device has answered", conference=conference.name, participant_id=one)
            self._background.spawn(conference.remove(one, OUTRUN))


def roster(conference: ConferenceInstance) -> list[dialling.Here]:
    """Those of a conference, as the rules for calls see them."""
    return [
        dialling.Here(
            uuid=one.uuid, node=one.node, since=one.start_time, where=one.service_type, alias=one.uri,
            automatic=one.automatic, fork=one.fork,
        )
        for one in conference.participants
    ]  # fmt: skip
