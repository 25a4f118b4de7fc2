"""The media of a conference as this node has part in it: the calls it signals, the legs it carries, who is on air.

Calls signalled here may be carried on any node, and legs carried here may be signalled anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from uuid import uuid4

import msgspec

from rostra.conference.faces import Faces
from rostra.conference.floor import Floor
from rostra.conference.here import Here
from rostra.conference.hosting import Hosting
from rostra.conference.picture import Program
from rostra.conference.presenting import presented
from rostra.conference.production import Production, Tell, alters_picture
from rostra.conference.roster import Leg, Participant
from rostra.conference.shared import Shared
from rostra.conference.state import ORDER, PRESENTER, SPEAKING, Changes, Owner, Value
from rostra.conference.streams import stream_records
from rostra.conference.surcharge import Surcharge
from rostra.domain.backplane import Host
from rostra.domain.gateway import GATEWAY
from rostra.domain.history import BackplaneEnded, MediaEnded
from rostra.domain.presenting import CallContent, call_of
from rostra.domain.service import ServiceDescription
from rostra.media.client import Worker
from rostra.media.messages import Levels
from rostra.media.replies import LegReport, LegTold

UNCARRIED = 4.0
"""Seconds after which a call is taken for lost whose node does not say that it carries the conference."""


class ConferenceMedia:
    """Owned by the instance. `told` hears of legs signalled here, `lost` of those to be set up again."""

    def __init__(
        self, here: Here, key: str, shared: Shared, service: ServiceDescription, tell: Tell, *,
        told: Callable[[LegTold], None], lost: Callable[[str, bool, str], None],
        idle: Callable[[], None],
    ) -> None:  # fmt: skip
        self._here = here
        self._key = key
        self._shared = shared
        self._state = shared.state
        self._name = service.name
        self._service = service
        self._tag = service.tag
        self._told = told
        self._lost = lost
        self._idle = idle
        self.faces = Faces(lambda: self.production.changed())
        self.production = Production(
            shared.state, here.node, service, tell, self._want, lambda: self.faces.names
        )  # fmt: skip
        self.floor = Floor(
            shared.state, here.node, self._write, shared.hear, here.clock
        )  # fmt: skip
        self.hosting: Hosting | None = None
        ahead = service.service_type == GATEWAY
        self.surcharge = Surcharge(shared.state, here, key, self._no_room, ahead=ahead)
        self._calls: dict[str, str] = {}
        self._uncarried: dict[str, float] = {}
        self._carried: tuple[Host | None, frozenset[str]] = (None, frozenset())
        self._origins: dict[str, str] | None = None

    # ---- calls signalled here

    def add_leg(
        self, call: str, participant: str, node: str, proxy: str = "", *,
        content: CallContent = CallContent.MAIN, slides: bool = False,
    ) -> None:  # fmt: skip
        """A call's media is set up on a node; known already: it is there from now on."""
        known = self._state.get(participant)
        if known is None:
            return
        self._calls[call] = participant
        before = next((leg for leg in known.legs if leg.call == call), None)
        leg = msgspec.structs.replace(
            before or Leg(call=call, node=node), node=node, proxy=proxy, content=content, slides=slides
        )  # fmt: skip
        if leg != before:
            self._put(known, [*(other for other in known.legs if other.call != call), leg])

    def drop_leg(self, call: str) -> None:
        """A call's media has ended."""
        known = self._state.get(self._calls.pop(call, ""))
        if known is not None:
            self._put(known, [leg for leg in known.legs if leg.call != call])

    def confirmed(self, call: str) -> None:
        """The far end has acknowledged."""
        known = self._state.get(self._calls.get(call, ""))
        if known is not None:
            legs = [msgspec.structs.replace(leg, confirmed=leg.confirmed or leg.call == call) for leg in known.legs]
            self._put(known, legs)

    def participant_of(self, call: str) -> str | None:
        """Whose call it is, of those signalled here."""
        return self._calls.get(call)

    def forget(self, participant: str) -> None:
        """Somebody signalled here has left."""
        self._calls = {call: who for call, who in self._calls.items() if who != participant}

    def _put(self, known: Participant, legs: list[Leg]) -> None:
        dual = any(leg.slides for leg in legs)
        changed = msgspec.structs.replace(known, legs=tuple(legs), presentation_supported=dual)
        self._shared.write(self._state.put(changed))

    # ---- legs carried here

    async def place(self, call: str, owner: Owner, ticket: str) -> Worker:
        """Carry a leg. Raises MediaFailure, WorkerLost."""
        hosting = self.hosting
        if hosting is None:
            hosting = self.hosting = Hosting(self._here, self._key, self._service, self)
            self.production.changed()
        return await hosting.place(call, owner, ticket)

    def release(self, call: str, ticket: str) -> None:
        if self.hosting is not None:
            self.hosting.release(call, ticket)
        self._charge()

    def _charge(self) -> None:
        self.surcharge.follow(self.hosting.calls if self.hosting else ())

    def _no_room(self, call: str) -> None:
        """Whoever presents in this call does so no more (POL-129)."""
        found = presented(self._state)
        if found is not None and found[0] == call:
            self._write({PRESENTER: ""})

    # ---- following the state

    def follow(self, changes: Changes) -> None:
        """Something of the conference has changed."""
        self._origins = None
        for uuid in changes.deleted:
            self.floor.without(uuid)
        if changes.registers & {ORDER, SPEAKING}:
            self.production.tell_stage()
        if changes.hosts:
            self._correct()
            if self.hosting is not None:
                self.hosting.hosts_changed()
        if changes or any(alters_picture(name) for name in changes.registers):
            self.production.changed()
        if changes or PRESENTER in changes.registers:
            self._charge()

    def _correct(self) -> None:
        """Others may know of this node what was so before it let go of the conference."""
        host, pictures = self._carried
        if self._state.hosts.get(self._here.node) != host or self._state.pictures_of(self._here.node) != pictures:
            self._shared.write(self._state.carry(host, pictures))

    def heard(self, node: str, levels: dict[str, float]) -> None:
        """Another node tells how loud those are whom it carries."""
        self.floor.heard(node, levels)

    def lose(self, node: str) -> None:
        """A node is gone: what it carried has to be set up again."""
        for call in self.calls_on(node):
            self._lost(call, False, node)

    def calls_on(self, node: str) -> list[str]:
        """Calls signalled here and carried or relayed there."""
        return [
            leg.call
            for uuid in set(self._calls.values())
            if (known := self._state.get(uuid)) is not None
            for leg in known.legs
            if node in (leg.node, leg.proxy)
        ]

    def look(self) -> None:
        """Notice calls whose node has let go of the conference without our hearing of it."""
        now, hosts = self._here.clock(), self._state.hosts
        gone = {
            leg.call: leg.node
            for uuid in set(self._calls.values())
            if (known := self._state.get(uuid)) is not None
            for leg in known.legs
            if leg.confirmed and leg.node not in hosts
        }
        self._uncarried = {call: self._uncarried.get(call, now) for call in gone}
        for call, since in list(self._uncarried.items()):
            if now - since > UNCARRIED:
                del self._uncarried[call]
                self._lost(call, False, gone[call])

    def _write(self, values: dict[str, Value]) -> None:
        self._shared.write(self._state.set(**values))

    def _want(self, program: Program) -> None:
        if self.hosting is not None:
            self.faces.follow(known for uuid in program.listeners if (known := self._state.get(uuid)) is not None)
            self.hosting.want(program, self.faces.pictures)

    def end_hosting(self) -> Hosting | None:
        """Carry no media any more; what is returned has yet to be closed."""
        hosting, self.hosting = self.hosting, None
        if hosting is not None:
            self._charge()
            self.carry(None, frozenset())
        return hosting

    async def close(self) -> None:
        hosting = self.end_hosting()
        self.production.close()
        self.floor.close()
        self.faces.close()
        if hosting is not None:
            await hosting.close()

    # ---- told by the hosting (HostingListener)

    @property
    def hosts(self) -> Mapping[str, Host]:
        return self._state.hosts

    def origin(self, source: str) -> str | None:
        if self._origins is None:
            self._origins = {leg.call: leg.node for known in self._state for leg in known.legs}
        return self._origins.get(call_of(source))

    def lists(self, call: str) -> bool:
        return self.origin(call) == self._here.node

    def present(self, owner: Owner) -> bool:
        return self._shared.present(owner)

    def carry(self, host: Host | None, pictures: frozenset[str]) -> None:
        if (host, pictures) != self._carried:
            self._carried = host, pictures
            self._shared.write(self._state.carry(host, pictures))

    def levels(self, event: Levels) -> None:
        self.floor.levels(self.production.voices(event))

    def leg_event(self, event: LegTold) -> None:
        self._told(event)

    def legs_lost(self, calls: tuple[str, ...], *, moving: bool, node: str) -> None:
        for call in calls:
            self._lost(call, moving, node)

    def leg_counted(self, call: str, report: LegReport) -> None:
        """Who signals the call cannot know it any more."""
        who = next((one.uuid for one in self._state if any(leg.call == call for leg in one.legs)), None)
        if who is not None:
            now = self._here.now()
            streams = stream_records(self._here.node, now, [report])
            self._here.record(
                MediaEnded(time=now, participant=who, call=call, streams=streams, quality=report.quality)
            )  # fmt: skip

    def backplane_ended(self, peer: str, began: float, reports: Sequence[LegReport]) -> None:
        now, host = self._here.now(), self._state.hosts.get(peer)
        elsewhere = host is not None and host.location != self._here.location()
        self._here.record(
            BackplaneEnded(
                time=now, id=str(uuid4()), conference_id=self._shared.identity, conference_name=self._name,
                service_tag=self._tag, start_time=now - began, media_node=self._here.node, remote_media_node=peer,
                scope="geo" if elsewhere else "local", location=self._here.location(),
                disconnect_reason="Conference ended here" if self.hosting is None else "No longer wanted",
                streams=stream_records(self._here.node, now, reports),
            )
        )  # fmt: skip

    def idle(self) -> None:
        self._idle()

    def debug_state(self) -> dict[str, object]:
        hosting = self.hosting.debug_state() if self.hosting else None
        return {"calls": len(self._calls), "hosting": hosting, **self.production.debug_state()}
