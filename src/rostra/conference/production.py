"""What is on air: who is seen and heard by the legs that this node carries, and the layouts of those it signals."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from rostra.conference.events import ConferenceEvent, LayoutChanged, StageChanged, StageEntry
from rostra.conference.picture import Program, Seat, program
from rostra.conference.state import ORDER, SPEAKING, ConferenceState
from rostra.domain.layout import GEOMETRIES, ONE_MAIN_SEVEN
from rostra.domain.service import ServiceDescription
from rostra.media.messages import Levels

Tell = Callable[[str, ConferenceEvent], None]
"""Tell one participant something."""


class Production:
    """Owned by the conference; computes the program anew once per turn of the event loop."""

    def __init__(
        self, state: ConferenceState, node: str, service: ServiceDescription, tell: Tell,
        want: Callable[[Program], None],
    ) -> None:  # fmt: skip
        """`want` gets each new program."""
        self._state = state
        self._node = node
        self._service = service
        self._tell = tell
        self._want = want
        self._program: Program | None = None
        self._pending: asyncio.Handle | None = None

    def voices(self, event: Levels) -> Mapping[str, float]:
        """Levels of legs as levels of those participants who may speak."""
        by_call = {
            leg.call: p.uuid
            for p in self._state
            if p.joined and not p.is_muted and not p.is_on_hold
            for leg in p.legs
            if leg.node == self._node
        }
        return {by_call[call]: level for call, level in event.levels.items() if call in by_call}

    # ---- what watchers see

    def stage(self) -> StageChanged:
        """Everybody with media, most recent speaker first."""
        with_media = {p.uuid for p in self._state if p.joined and p.has_media}
        spoken = self._state.names(ORDER)
        speaking = set(self._state.names(SPEAKING))
        order = [who for who in spoken if who in with_media]
        known = set(order)
        order += [p.uuid for p in self._state if p.uuid in with_media and p.uuid not in known]
        return StageChanged(
            entries=tuple(
                StageEntry(participant=who, stage_index=index, vad=100 if who in speaking else 0)
                for index, who in enumerate(order)
            )
        )

    def tell_stage(self) -> None:
        """The speakers have changed."""
        stage = self.stage()
        for participant in self._state:
            if participant.joined:
                self._tell(participant.uuid, stage)

    def layout(self, participant: str) -> LayoutChanged:
        """What a participant's picture shows now."""
        view = GEOMETRIES.get(self._service.host_view, ONE_MAIN_SEVEN).view
        shown: tuple[str, ...] = ()
        if self._program:
            view, shown = self._program.layouts.get(participant, (view, shown))
        return LayoutChanged(view=view, participants=shown)

    def changed(self) -> None:
        """Compute the picture anew, once for all changes of this turn of the loop."""
        if self._pending is None:
            self._pending = asyncio.get_running_loop().call_soon(self._draw)

    def close(self) -> None:
        if self._pending:
            self._pending.cancel()
        self._pending = None

    def _draw(self) -> None:
        self._pending = None
        pictures = self._state.pictures
        seats = [
            Seat(participant=known, call=leg.call, has_picture=leg.call in pictures, here=leg.node == self._node)
            for known in self._state
            for leg in known.legs
        ]
        before = self._program
        self._program = program(seats, self._state.names(ORDER), self._service, locked=self._state.flags.locked)
        self._want(self._program)
        for participant, shown in self._program.layouts.items():
            if before is None or before.layouts.get(participant) != shown:
                self._tell(participant, LayoutChanged(view=shown[0], participants=shown[1]))

    def debug_state(self) -> dict[str, object]:
        return {"order": self._state.names(ORDER)}
