"""Who is speaking, and who spoke when: the voice switch (CONF-084, POL-151). Pure.

Fed with the level of every participant ten times a second. Somebody is *speaking* (indicator) after 0.2 s of
voice; to take the main picture it takes half a second of voice in which the present speaker is silent, or one
second of being clearly louder: a cough or a closing door is too short for either. A steady noise, such as a fan, is
learned within seconds and no longer taken for a voice.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

TICK = 0.1
"""Seconds between two steps."""
VOICE_LEVEL = -45.0
"""dBov above which a participant is taken to make a sound on purpose."""
NOISE_MARGIN = 8.0
"""dB by which a voice exceeds the noise of its room."""
NOISE_RISE = 0.2
"""dB a tick by which the noise taken to be there grows; it falls at once, as in every pause between words."""
QUIET_ROOM, LOUD_ROOM = -60.0, -38.0
"""Limits of the noise taken to be there, dBov: what is far louder than the second is never noise."""
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
    noise: dict[str, float] = {}
    """Level of the steady noise behind each participant, dBov."""
    speaking: frozenset[str] = frozenset()
    order: tuple[str, ...] = ()
    """Everybody who has ever held the main picture, most recent first."""


def step(voice: Voice, levels: Mapping[str, float]) -> Voice:
    """Advance by one tick. `levels` lists those who may speak, dBov.

    Who is not listed (muted, on hold, or its media coming back) loses the floor to the next speaker, not its place.
    """
    scores: dict[str, int] = {}
    smoothed: dict[str, float] = {}
    noise: dict[str, float] = {}
    voiced: set[str] = set()
    for who, level in levels.items():
        before = voice.scores.get(who, 0)
        noise[who] = _noise(voice.noise.get(who, QUIET_ROOM), level)
        if level > max(VOICE_LEVEL, noise[who] + NOISE_MARGIN):
            voiced.add(who)
        scores[who] = min(before + 1, TOP_SCORE) if who in voiced else max(before - 1, 0)
        smoothed[who] = voice.levels.get(who, level) * 0.8 + level * 0.2
    speaking = frozenset(
        who
        for who, score in scores.items()
        if score >= SPEAKING_SCORE + 2
        or (score >= SPEAKING_SCORE and who in voiced)
        or (score > 0 and who in voice.speaking)
    )
    order = voice.order
    taker = _taker(order[0] if order else None, {who: scores[who] for who in voiced}, scores, smoothed)
    if taker is not None:
        order = (taker, *(who for who in order if who != taker))
    return Voice(scores=scores, levels=smoothed, noise=noise, speaking=speaking, order=order)


def _noise(before: float, level: float) -> float:
    return max(QUIET_ROOM, min(before + NOISE_RISE, level, LOUD_ROOM))


def _taker(
    holder: str | None, voiced: Mapping[str, int], scores: Mapping[str, int], levels: Mapping[str, float]
) -> str | None:
    """Who takes the main picture now, if anybody: one of those with a voice at this moment."""
    challengers = [who for who, score in voiced.items() if score >= TAKE_OVER_SCORE and who != holder]
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
        noise={k: v for k, v in voice.noise.items() if k != who},
        speaking=voice.speaking - {who},
        order=tuple(k for k in voice.order if k != who),
    )
