"""What is on air: the legs with media, who is speaking, and the picture that follows from both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from rostra.conference.director import MediaDirector
from rostra.conference.events import ConferenceEvent, LayoutChanged, StageChanged, StageEntry
from rostra.conference.picture import Program, Seat, program
from rostra.conference.state import ConferenceState
from rostra.domain import voice
from rostra.domain.layout import GEOMETRIES, ONE_MAIN_SEVEN
from rostra.domain.service import ServiceDescription
from rostra.media.messages import FirstPicture, Levels

Tell = Callable[[str, ConferenceEvent], None]
"""Tell one participant something."""


class Leg(msgspec.Struct, kw_only=True):
    """A call with media: whose it is, and what it brings."""

    participant: str
    has_picture: bool = False


class Production:
    """Owned by the conference; keeps the director's wish up to date, once per turn of the event loop."""

    def __init__(
        self, state: ConferenceState, service: ServiceDescription, director: MediaDirector, tell: Tell
    ) -> None:
        self._state = state
        self._service = service
        self._director = director
        self._tell = tell
        self._legs: dict[str, Leg] = {}
        self._prompts: dict[str, str] = {}
        self._voice = voice.Voice()
        self._program: Program | None = None
        self._pending: asyncio.Handle | None = None

    # ---- legs

    def add_leg(self, call: str, participant: str) -> None:
        self._legs.setdefault(call, Leg(participant=participant))
        self.changed()

    def drop_leg(self, call: str) -> None:
        if self._legs.pop(call, None) is not None:
            self.changed()

    def owner(self, call: str) -> str | None:
        """The participant whose call it is."""
        leg = self._legs.get(call)
        return leg.participant if leg else None

    def calls_of(self, participant: str) -> list[str]:
        return [call for call, leg in self._legs.items() if leg.participant == participant]

    def forget(self, participant: str) -> None:
        """Somebody has left."""
        for call in self.calls_of(participant):
            self.drop_leg(call)
        self._prompts.pop(participant, None)
        self._voice = voice.without(self._voice, participant)

    def prompt(self, participant: str, text: str) -> None:
        """Show a text instead of the conference; an empty one ends that."""
        if text:
            self._prompts[participant] = text
        else:
            self._prompts.pop(participant, None)
        self.changed()

    # ---- what the media tells

    def picture(self, event: FirstPicture) -> None:
        leg = self._legs.get(event.leg)
        if leg and leg.has_picture != (event.width > 0):
            leg.has_picture = event.width > 0
            self.changed()

    def lost(self) -> list[tuple[str, str]]:
        """The worker died: nothing has a picture. Returns all (call, participant)."""
        for leg in self._legs.values():
            leg.has_picture = False
        self.changed()
        return [(call, leg.participant) for call, leg in self._legs.items()]

    def hear(self, event: Levels) -> None:
        """One tick of the voice switch."""
        heard: dict[str, float] = {}
        for call, level in event.levels.items():
            leg = self._legs.get(call)
            known = self._state.get(leg.participant) if leg else None
            if known and known.joined and not known.is_muted and not known.is_on_hold:
                heard[known.uuid] = level
        before, self._voice = self._voice, voice.step(self._voice, heard)
        if self._voice.speaking != before.speaking or self._voice.order != before.order:
            stage = self.stage()
            for participant in self._state:
                if participant.joined:
                    self._tell(participant.uuid, stage)
        if self._voice.order != before.order:
            self.changed()

    # ---- what watchers see

    def stage(self) -> StageChanged:
        """Everybody with media, most recent speaker first."""
        with_media = {p.uuid for p in self._state if p.joined and p.has_media}
        order = [who for who in self._voice.order if who in with_media]
        order += [p.uuid for p in self._state if p.uuid in with_media and p.uuid not in order]
        return StageChanged(
            entries=tuple(
                StageEntry(participant=who, stage_index=index, vad=100 if who in self._voice.speaking else 0)
                for index, who in enumerate(order)
            )
        )

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

    def _draw(self) -> None:
        self._pending = None
        seats = [
            Seat(
                participant=known,
                call=call,
                has_picture=leg.has_picture,
                prompt=self._prompts.get(leg.participant, ""),
            )
            for call, leg in self._legs.items()
            if (known := self._state.get(leg.participant)) is not None
        ]
        before = self._program
        self._program = program(seats, self._voice.order, self._service, locked=self._state.flags.locked)
        if before is None or before.compose != self._program.compose:
            self._director.want(self._program.compose)
        for participant, shown in self._program.layouts.items():
            if before is None or before.layouts.get(participant) != shown:
                self._tell(participant, LayoutChanged(view=shown[0], participants=shown[1]))

    def debug_state(self) -> dict[str, object]:
        return {"legs": len(self._legs), "order": self._voice.order, "media": self._director.debug_state()}
