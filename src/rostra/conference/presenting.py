"""The floor: who presents in a conference, whatever node signals it (API-099 to API-108).

One register names the presenter, so two nodes that give the floor away at once end with the same one. Everything
else follows from the roster: a presenter that has left, or whose node is gone, presents no more without a word. Each
node lets its own participants know, and takes the floor from them when they may not hold it any longer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

import msgspec
import structlog

from rostra.conference.events import ConferenceEvent, PresentationStarted, PresentationStopped
from rostra.conference.roster import Participant
from rostra.conference.shared import Shared
from rostra.conference.state import PRESENTER, Changes, ConferenceState
from rostra.domain import presenting as rules
from rostra.domain.presenting import NOTHING, CallContent, Notice, Shown
from rostra.domain.service import ServiceDescription

logger = structlog.get_logger("rostra.conference")


def presenter_of(state: ConferenceState) -> Participant | None:
    """Who presents now."""
    found = state.get(str(state.register(PRESENTER) or ""))
    return found if found is not None and found.joined else None


def presented(state: ConferenceState) -> tuple[str, CallContent] | None:
    """The call that brings the presentation, and what kind it is; None: nobody presents, or without a call."""
    presenter = presenter_of(state)
    return rules.presented_by((leg.call, leg.content) for leg in presenter.legs) if presenter else None


class Presenting:
    """Owned by the instance. `members` are the participants signalled here."""

    def __init__(
        self, shared: Shared, service: ServiceDescription, members: Collection[str],
        tell: Callable[[str, ConferenceEvent], None], changed: Callable[[str, str], None],
        floor_lost: Callable[[str, bool], None],
    ) -> None:  # fmt: skip
        """`changed` hears of one signalled here, and of who presents as far as that one knows; `floor_lost`
        hears of one signalled here that presents no more; True: another does instead."""
        self._shared = shared
        self._state = shared.state
        self._service = service
        self._members = members
        self._tell = tell
        self._changed = changed
        self._floor_lost = floor_lost
        self._shown: dict[str, Shown] = {}
        self._pending: asyncio.Handle | None = None

    @property
    def presenter(self) -> Participant | None:
        return presenter_of(self._state)

    def may(self, participant: str, *, video: bool) -> bool:
        """May somebody present now?"""
        known, flags = self._state.get(participant), self._state.flags
        return known is not None and rules.may_present(
            role=known.role, joined=known.joined, held=known.is_on_hold, allowed=flags.presentation_allowed,
            guests_allowed=flags.guests_can_present, call_type=self._service.call_type, video=video,
        )  # fmt: skip

    def take(self, participant: str, *, video: bool = True) -> bool:
        """Somebody signalled here wants to present; False: it may not. Safe to repeat."""
        if not self.may(participant, video=video):
            return False
        if self._state.register(PRESENTER) != participant:
            logger.info("Presentation started", conference=self._service.name, participant_id=participant)
            self._shared.write(self._state.set(**{PRESENTER: participant}))
        return True

    def release(self, participant: str) -> None:
        """Somebody presents no more; who does not hold the floor changes nothing (API-101)."""
        if participant and self._state.register(PRESENTER) == participant:
            logger.info("Presentation stopped", conference=self._service.name, participant_id=participant)
            self._shared.write(self._state.set(**{PRESENTER: ""}))

    def forget(self, participant: str) -> None:
        """It is about to leave."""
        self._shown.pop(participant, None)
        self.release(participant)

    def viewers(self) -> list[str]:
        """Those signalled here who may see the presentation that runs."""
        return [uuid for uuid, shown in self._shown.items() if shown.presenter and not shown.itself]

    def snapshot(self, participant: str) -> ConferenceEvent | None:
        """What a new watcher is told, after everything else (API-044); None to the presenter itself."""
        shown = self._shown.get(participant, NOTHING)
        if shown.itself:
            return None
        return self._started(shown) if shown.presenter else PresentationStopped(initial=True)

    def follow(self, changes: Changes) -> None:
        """Something has changed: once per turn of the event loop, our own participants are let know of it."""
        if self._pending is None and (changes or PRESENTER in changes.registers):
            self._pending = asyncio.get_running_loop().call_soon(self._settle)

    def close(self) -> None:
        if self._pending:
            self._pending.cancel()
        self._pending = None

    def _settle(self) -> None:
        self._pending = None
        presenter = self.presenter
        if presenter is not None and presenter.uuid in self._members and not self._may_keep(presenter):
            self.release(presenter.uuid)
        for uuid in list(self._members):
            self._update(uuid, self.presenter)

    def _may_keep(self, presenter: Participant) -> bool:
        flags = self._state.flags
        return rules.may_keep(
            role=presenter.role, joined=presenter.joined, held=presenter.is_on_hold,
            allowed=flags.presentation_allowed, guests_allowed=flags.guests_can_present,
        )  # fmt: skip

    def _update(self, uuid: str, presenter: Participant | None) -> None:
        known = self._state.get(uuid)
        if known is None:
            return
        on = presenter is not None and presenter.uuid == uuid
        brought = presented(self._state)
        now = rules.shown_to(
            uuid, presenter.uuid if presenter else "", joined=known.joined, allowed=known.rx_presentation_allowed,
            static=brought is not None and brought[1] is CallContent.STILLS,
        )  # fmt: skip
        before = self._shown.get(uuid, NOTHING)
        self._shown[uuid] = now
        if before.presenter != now.presenter:
            self._changed(uuid, now.presenter)
        match rules.notice(before, now):
            case Notice.START:
                self._tell(uuid, self._started(now))
            case Notice.STOP:
                self._tell(uuid, PresentationStopped())
            case None:
                pass
        if known.is_presenting != on:
            self._shared.write(self._state.put(msgspec.structs.replace(known, is_presenting=on)))
        if before.itself and not on:
            self._floor_lost(uuid, presenter is not None)

    def _started(self, shown: Shown) -> PresentationStarted:
        presenter = self._state[shown.presenter]
        return PresentationStarted(
            name=presenter.overlay_text or presenter.display_name, uri=presenter.uri or presenter.display_name,
            uuid=presenter.uuid, static=shown.static,
        )  # fmt: skip
