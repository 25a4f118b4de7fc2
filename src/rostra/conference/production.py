"""What is on air: who is seen and heard by the legs that this node carries, and the layouts of those it signals."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping

from rostra.conference.events import ConferenceEvent, LayoutChanged, StageChanged, StageEntry
from rostra.conference.picture import Program, Seat, Situation, program
from rostra.conference.presenting import presented, presenter_of
from rostra.conference.slideshow import slideshow, with_slides
from rostra.conference.state import ORDER, PRESENTER, SPEAKING, ConferenceState
from rostra.domain.look import PREFIX, Look, look
from rostra.domain.service import ServiceDescription
from rostra.domain.vocabulary import Role
from rostra.media.messages import Levels

ANNOUNCED = 6.0
"""Seconds for which the caption of the streaming indicator is out (REF-053)."""
Tell = Callable[[str, ConferenceEvent], None]
"""Tell one participant something."""


def alters_picture(register: str) -> bool:
    """Does what a register says show in the picture?"""
    return register in (ORDER, SPEAKING, PRESENTER) or register.startswith(PREFIX)


class Production:
    """Owned by the conference; computes the program anew once per turn of the event loop."""

    def __init__(
        self, state: ConferenceState, node: str, service: ServiceDescription, tell: Tell,
        want: Callable[[Program], None], faces: Callable[[], Mapping[str, str]],
    ) -> None:  # fmt: skip
        """`want` gets each new program; `faces`: images of participants that there are."""
        self._faces = faces
        self._state = state
        self._node = node
        self._service = service
        self._tell = tell
        self._want = want
        self._program: Program | None = None
        self._pending: asyncio.Handle | None = None
        self._told: LayoutChanged | None = None
        self._streaming = False
        self._announcement: asyncio.TimerHandle | None = None

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

    @property
    def look(self) -> Look:
        """How the pictures look now."""
        return look(self._service, self._state.register)

    def layout(self, participant: str) -> LayoutChanged:
        """What a participant's picture shows now."""
        known, wanted = self._state.get(participant), self.look
        view = wanted.of(known.role if known else Role.HOST).layout.name
        shown: tuple[str, ...] = ()
        if self._program:
            view, shown = self._program.layouts.get(participant, (view, shown))
        return self._layout_event(view, shown, wanted)

    @staticmethod
    def _layout_event(view: str, shown: tuple[str, ...], wanted: Look) -> LayoutChanged:
        hosts, guests = wanted.requested
        return LayoutChanged(
            view=view, participants=shown, requested_for_hosts=hosts, requested_for_guests=guests,
            overlay_text=wanted.hosts.names,
        )  # fmt: skip

    def changed(self) -> None:
        """Compute the picture anew, once for all changes of this turn of the loop."""
        if self._pending is None:
            self._pending = asyncio.get_running_loop().call_soon(self._draw)

    def close(self) -> None:
        for running in (self._pending, self._announcement):
            if running:
                running.cancel()
        self._pending = self._announcement = None

    def _draw(self) -> None:
        self._pending = None
        show = slideshow(self._state, presenter_of(self._state), presented(self._state))
        wanted, before = self.look, self._program
        self._announce(wanted)
        made = program(
            self._seats(show.mixed if show else ()), self._service,
            Situation(
                order=self._state.names(ORDER), speaking=frozenset(self._state.names(SPEAKING)), look=wanted,
                presenter=show.presenter if show else "", slides=show.source if show else "",
                announced=self._announcement is not None, seated=before.seated if before else {},
                faces=self._faces(),
            ),
        )  # fmt: skip
        here = {leg.call for known in self._state for leg in known.legs if leg.node == self._node}
        self._program = with_slides(made, show, here)
        self._want(self._program)
        event = self._layout_event("", (), wanted)
        told = before is not None and event == self._told
        self._told = event
        for participant, shown in self._program.layouts.items():
            if not told or before is None or before.layouts.get(participant) != shown:
                self._tell(participant, self._layout_event(*shown, wanted))

    def _seats(self, mixed: Collection[str]) -> list[Seat]:
        pictures = self._state.pictures
        return [
            Seat(
                participant=known, call=leg.call, has_picture=leg.call in pictures,
                here=leg.node == self._node, mixed=known.uuid in mixed,
            )
            for known in self._state
            for leg in known.legs
            if leg.content.is_main
        ]  # fmt: skip

    def _announce(self, wanted: Look) -> None:
        """The indicator's caption is out for a while when streaming or recording begins."""
        streaming = bool(wanted.streaming or wanted.recording or any(p.is_streaming for p in self._state if p.joined))
        if streaming and not self._streaming:
            if self._announcement:
                self._announcement.cancel()
            self._announcement = asyncio.get_running_loop().call_later(ANNOUNCED, self._announced)
        self._streaming = streaming

    def _announced(self) -> None:
        self._announcement = None
        self.changed()

    def debug_state(self) -> dict[str, object]:
        return {"order": self._state.names(ORDER)}
