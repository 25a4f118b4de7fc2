"""Who of those signalled here spoke last when, and whose video counts as silent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

from rostra.conference.here import Here
from rostra.conference.state import SPEAKING, Changes, ConferenceState
from rostra.domain import silence

SILENCE = "silence"
"""Register: the rules by which video counts as silent (`domain.silence`)."""
COARSE = 5.0
"""Seconds within which a participant's last words are not told of again."""


class Silence:
    """Owned by the instance; `update` changes the entry of one signalled here."""

    def __init__(
        self, state: ConferenceState, here: Here, members: Collection[str], update: Callable[..., object]
    ) -> None:
        self._state = state
        self._here = here
        self._members = members
        self._update = update
        self._since: dict[str, tuple[bool, float]] = {}
        """Whether somebody speaks, and since when, on the clock."""
        self._timer: asyncio.TimerHandle | None = None
        self._looking = False

    def follow(self, changes: Changes) -> None:
        """Something of the conference has changed."""
        watched = self._state.register(SILENCE) is not None
        if changes.registers & {SPEAKING, SILENCE} or (watched and (changes.created or changes.updated)):
            self._look()

    def forget(self, participant: str) -> None:
        self._since.pop(participant, None)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None

    def _look(self) -> None:
        if self._looking:  # by writing we have changed it ourselves
            return
        self._looking = True
        try:
            self._judge()
        finally:
            self._looking = False

    def _judge(self) -> None:
        self.close()
        rules, speaking = silence.read(self._state.register(SILENCE)), set(self._state.names(SPEAKING))
        waits = [left for uuid in list(self._members) if (left := self._one(uuid, uuid in speaking, rules)) is not None]
        if waits:
            self._timer = asyncio.get_running_loop().call_later(min(waits) + 0.01, self._look)

    def _one(self, uuid: str, speaks: bool, rules: silence.SilenceRules | None) -> float | None:
        known, now = self._state.get(uuid), self._here.clock()
        if known is None:
            return None
        spoke, since = self._since.get(uuid, (False, now))
        if speaks != spoke:
            since = now
        self._since[uuid] = speaks, since
        members: dict[str, object] = {}
        if speaks and not spoke and self._here.now() - known.last_spoken_time > COARSE:
            members["last_spoken_time"] = self._here.now()
        silent, left = silence.judge(
            rules if known.is_video_call else None, silent=known.is_video_silent, speaking=speaks, lasted=now - since
        )
        self._update(uuid, is_video_silent=silent, **members)
        return left
