"""Tones that a called party is sent when it has answered (CONF-106)."""

from __future__ import annotations

import asyncio
from typing import Protocol

from rostra.domain import dialling


class Pressing(Protocol):
    """The session of the called party."""

    @property
    def gone(self) -> bool: ...

    def send_dtmf(self, digits: str) -> None: ...


async def send(session: Pressing, sequence: str) -> None:
    """Each at its time, as long as the call lasts."""
    clock = asyncio.get_running_loop().time
    began = clock()
    for at, tone in dialling.tones(sequence):
        await asyncio.sleep(max(0.0, began + at - clock()))
        if session.gone:
            return
        session.send_dtmf(tone)
