"""Who watches a conference from this node, and what they are told of its changes (API-044…API-060)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

from rostra.conference.events import (
    ConferenceEvent,
    ConferenceUpdated,
    MessageReceived,
    ParticipantCreated,
    ParticipantDeleted,
    ParticipantUpdated,
    Removed,
    StageChanged,
    SyncBegan,
    SyncEnded,
)
from rostra.conference.feed import Feed
from rostra.conference.presenting import Presenting
from rostra.conference.production import Production
from rostra.conference.state import Changes, ConferenceState


class Audience:
    """The watchers of one conference."""

    def __init__(self, state: ConferenceState) -> None:
        self._state = state
        self._feed = Feed()

    def tell(self, participant: str, *events: ConferenceEvent) -> None:
        """To one participant."""
        self._feed.tell(participant, *events)

    def deliver(self, sender: str, name: str, type: str, payload: str, to: str) -> None:
        """A chat message: to everybody but the sender, or to one participant."""
        event = MessageReceived(origin=name, uuid=sender, type=type, payload=payload, direct=bool(to))
        if to:
            self.tell(to, event)
        else:
            self.tell_joined(event, without=sender)

    def tell_joined(self, event: ConferenceEvent, *, without: str = "") -> None:
        """To everybody in the conference itself."""
        self._feed.tell_all(event, (who for who in self._joined() if who != without))

    def subscribe(
        self, participant: str, production: Production, presenting: Presenting
    ) -> AsyncIterator[ConferenceEvent]:
        """The snapshot and then everything that happens, until the participant is gone."""
        if self._state.get(participant) is None:
            return self._feed.nothing(participant)
        return self._feed.subscribe(participant, self._snapshot(participant, production, presenting))

    def watches(self, participant: str) -> bool:
        """Does anybody read what the participant is told?"""
        return self._feed.watches(participant)

    def leave(self, participant: str, reason: str) -> None:
        """The last event, and the end of the stream."""
        self._feed.tell(participant, Removed(reason=reason))
        self._feed.close(participant)

    def tell_changes(self, changes: Changes) -> None:
        for participant in changes.created:
            self._tell_about(ParticipantCreated(participant=participant), participant.uuid)
        for participant in changes.updated:
            self._tell_about(ParticipantUpdated(participant=participant), participant.uuid)
        for uuid in changes.deleted:
            self._feed.tell_all(ParticipantDeleted(uuid=uuid), self._joined())
        if changes.flags:
            self._feed.tell_all(ConferenceUpdated(flags=self._state.flags), [p.uuid for p in self._state])

    def roster(self, watcher: str) -> list[ConferenceEvent]:
        """The participants a watcher may see; those who wait see nobody else (API-055)."""
        known = self._state.get(watcher)
        visible = list(self._state) if known and known.joined else [known] if known else []
        return [SyncBegan(), *(ParticipantCreated(participant=p) for p in visible), SyncEnded()]

    def _tell_about(self, event: ConferenceEvent, participant: str) -> None:
        self._feed.tell_all(event, {*self._joined(), participant})

    def _joined(self) -> Iterable[str]:
        return [p.uuid for p in self._state if p.joined]

    def _snapshot(self, watcher: str, production: Production, presenting: Presenting) -> list[ConferenceEvent]:
        events: list[ConferenceEvent] = [ConferenceUpdated(flags=self._state.flags), *self.roster(watcher)]
        inside = watcher in self._joined()
        events.append(production.stage() if inside else StageChanged(entries=()))
        events.append(production.layout(watcher))
        presentation = presenting.snapshot(watcher)
        if presentation is not None:
            events.append(presentation)
        return events

    def __len__(self) -> int:
        return len(self._feed)
