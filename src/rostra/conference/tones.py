"""Entry and exit tones: who comes or leaves is heard by those in the conference (CONF-066...CONF-068)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from rostra.conference.member import Member
from rostra.conference.roster import Participant
from rostra.conference.state import Changes, ConferenceState
from rostra.domain.theme import ENTRY_TONE, EXIT_TONE
from rostra.domain.vocabulary import ServiceType

SEATED = frozenset({ServiceType.CONFERENCE, ServiceType.LECTURE})
"""Where participants hear what all are to hear."""


def is_in(participant: Participant) -> bool:
    """In the conference, and not only to control it."""
    return participant.has_media and participant.service_type in SEATED


class Sounds:
    """Lets participants signalled here hear sounds of the theme."""

    def __init__(self, state: ConferenceState, members: Mapping[str, Member]) -> None:
        self._state = state
        self._members = members

    def play(self, participant: str, *sounds: str) -> None:
        """One of them; others are left alone."""
        member = self._members.get(participant)
        if member is not None:
            member.play_sounds(sounds)

    def ring(self, sounds: tuple[str, ...], without: str) -> None:
        """All who are in the conference, but for one participant."""
        for uuid in self._members:
            known = self._state.get(uuid)
            if known is not None and uuid != without and is_in(known):
                self.play(uuid, *sounds)


class Tones:
    """Owned by the instance; the node that signals somebody announces it, `ring` lets all others hear it."""

    def __init__(self, members: Collection[str], ring: Callable[[str, str], None]) -> None:
        """`ring` takes the sound and the participant that it is about, which does not hear it."""
        self._members = members
        self._ring = ring
        self._entered: set[str] = set()

    def follow(self, changes: Changes) -> None:
        """Somebody's media has begun, or it was let in."""
        for participant in (*changes.created, *changes.updated):
            uuid = participant.uuid
            if uuid in self._members and uuid not in self._entered and is_in(participant):
                self._entered.add(uuid)
                self._ring(ENTRY_TONE, uuid)

    def forget(self, participant: str) -> None:
        """It has left."""
        if participant in self._entered:
            self._entered.discard(participant)
            self._ring(EXIT_TONE, participant)
