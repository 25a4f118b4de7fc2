"""Breakout rooms on the event stream of a Host of the main conference (API-152 to API-157).

A Host is a participant of its own in every room, without media until it goes there. Those participants are clients of
their own (`Client.parent` is the Host's), made when the Host first watches; what happens in a room goes to the Host's
stream wrapped in `breakout_event`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import structlog

from rostra.calls.switchboard import CallRefused, CallRequest
from rostra.clientapi.rendering import Rendered, StreamView
from rostra.clientapi.reporting import report
from rostra.domain.rooms import Room
from rostra.domain.vocabulary import CallProtocol, Role

if TYPE_CHECKING:
    from rostra.clientapi.clients import Client

logger = structlog.get_logger("rostra.clientapi")

WRAPPED = frozenset(
    {
        "participant_sync_begin", "participant_sync_end", "participant_create", "participant_update",
        "participant_delete", "conference_update", "presentation_start", "presentation_stop", "presentation_frame",
        "message_received", "stage", "live_captions",
    }
)  # fmt: skip
"""Events of a room that its Hosts get as `breakout_event` (API-153)."""
UNWRAPPED = frozenset({"call_disconnected", "breakout_refer"})
"""Events that say themselves what they are about."""


def request_of(client: Client, room: Room) -> CallRequest:
    """A Host joins a room, to follow it."""
    me = client.session.participant
    return CallRequest(
        alias=room.alias, protocol=CallProtocol.API, display_name=me.display_name, remote_alias=me.uri,
        vendor=me.vendor, remote_address=me.remote_address, remote_port=me.remote_port, call_tag=me.call_tag,
        direct_chat=me.direct_chat, role=Role.HOST, encrypted=True, attending=True,
    )  # fmt: skip


class RoomWatch:
    """The rooms that one stream shows. `put` sends an event, `wrap` one of a room."""

    def __init__(
        self, client: Client, put: Callable[[str, Any], Awaitable[object]],
        wrap: Callable[[str, Rendered], Awaitable[object]], fail: Callable[[], None],
    ) -> None:  # fmt: skip
        self._client = client
        self._put = put
        self._wrap = wrap
        self._fail = fail
        self._watched: dict[str, asyncio.Task[None]] = {}

    async def follow(self) -> None:
        """Rooms were opened or closed, or the client is not what it was: watch those that it should."""
        wanted = {room.uuid: room for room in self._wanted()}
        for uuid in [uuid for uuid in self._client.visits if uuid not in wanted]:
            await self._client.leave_room(uuid)
        for uuid, room in wanted.items():
            running = self._watched.get(uuid)
            if running is None or running.done():
                await self._begin(room)

    def close(self) -> None:
        for task in self._watched.values():
            task.cancel()

    def _wanted(self) -> list[Room]:
        session = self._client.session
        me = session.participant
        return list(session.conference.rooms) if me.joined and me.role is Role.HOST else []

    async def _begin(self, room: Room) -> None:
        try:
            visit = await self._client.enter_room(room)
        except CallRefused as refused:
            logger.warning("Host cannot follow a room", participant=self._client.uuid, reason=refused.refusal.text)
            return
        events = visit.session.conference.subscribe(visit.uuid)
        named = {"breakout_uuid": room.uuid, "participant_uuid": visit.uuid}
        await self._put("breakout_begin", named)
        task = asyncio.get_running_loop().create_task(self._watch(visit, room.uuid, events, named))
        self._watched[room.uuid] = task

    async def _watch(self, visit: Client, room: str, events: Any, named: dict[str, str]) -> None:
        view = StreamView(visit, repeated=False)
        ended = False
        try:
            async for happened in events:
                for event, data in view.render(happened):
                    ended = ended or event == "disconnect"
                    if event in WRAPPED:
                        await self._wrap(room, (event, data))
                    elif event in UNWRAPPED:
                        await self._put(event, data)
            if ended:
                await self._put("breakout_end", named)
            else:  # cut off as too slow: all of it anew
                self._fail()
        except Exception as problem:
            report(problem, "Following a room failed", participant=visit.uuid)
            self._fail()
