"""Who is speaking, and who spoke when: the voice switch (CONF-084, POL-151). Pure.

Fed with the level of every participant ten times a second. Somebody is *speaking* (indicator) after 0.2 s of
voice; to take the main picture it takes half a second of voice in which the present speaker is silent, or one
second of being clearly louder: a cough or a closing door is too short for either.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

TICK = 0.1
"""Seconds between two steps."""
VOICE_LEVEL = -45.0
"""dBov above which a participant is taken to make a sound on purpose."""
SPEAKING_SCORE = 2
TAKE_OVER_SCORE = 5
"""Half a second of voice."""
INTERRUPT_SCORE = 10
"""A second of voice, needed against somebody who goes on speaking."""
INTERRUPT_MARGIN = 6.0
"""dB by which an interrupter must be louder."""
TOP_SCORE = 12
PAUSE_SCORE = 9
"""A speaker whose score has fallen to this has been silent for about 0.3 s."""


class Voice(msgspec.Struct, frozen=True, kw_only=True):
    """State of the voice switch."""

    scores: dict[str, int] = {}
    levels: dict[str, float] = {}
    """Smoothed level of each participant, dBov."""
    speaking: frozenset[str] = frozenset()
    order: tuple[str, ...] = ()
    """Everybody who has ever held the main picture, most recent first."""


def step(voice: Voice, levels: Mapping[str, float]) -> Voice:
    """Advance by one tick. `levels` lists those who may speak (muted ones left out), dBov."""
    scores: dict[str, int] = {}
    smoothed: dict[str, float] = {}
    for who, level in levels.items():
        before = voice.scores.get(who, 0)
        scores[who] = min(before + 1, TOP_SCORE) if level > VOICE_LEVEL else max(before - 1, 0)
        smoothed[who] = voice.levels.get(who, level) * 0.8 + level * 0.2
    speaking = frozenset(
        who
        for who, score in scores.items()
        if score >= SPEAKING_SCORE + 2
        or (score >= SPEAKING_SCORE and levels[who] > VOICE_LEVEL)
        or (score > 0 and who in voice.speaking)
    )
    order = tuple(who for who in voice.order if who in levels or who in voice.scores)
    taker = _taker(order[0] if order else None, scores, smoothed)
    if taker is not None:
        order = (taker, *(who for who in order if who != taker))
    return Voice(scores=scores, levels=smoothed, speaking=speaking, order=order)


def _taker(holder: str | None, scores: Mapping[str, int], levels: Mapping[str, float]) -> str | None:
    """Who takes the main picture now, if anybody."""
    challengers = [who for who, score in scores.items() if score >= TAKE_OVER_SCORE and who != holder]
    if not challengers:
        return None
    best = max(challengers, key=lambda who: (scores[who], levels[who]))
    if holder is None or scores.get(holder, 0) <= PAUSE_SCORE - TAKE_OVER_SCORE:
        return best
    falling = scores.get(holder, 0) <= PAUSE_SCORE and levels.get(holder, -127.0) < VOICE_LEVEL
    louder = levels[best] > levels.get(holder, -127.0) + INTERRUPT_MARGIN
    if falling or (scores[best] >= INTERRUPT_SCORE and louder):
        return best
    return None


def without(voice: Voice, who: str) -> Voice:
    """The state after somebody left."""
    return Voice(
        scores={k: v for k, v in voice.scores.items() if k != who},
        levels={k: v for k, v in voice.levels.items() if k != who},
        speaking=voice.speaking - {who},
        order=tuple(k for k in voice.order if k != who),
    )
