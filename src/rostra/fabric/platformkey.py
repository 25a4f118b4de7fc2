"""The platform's key on its way to the nodes, which need it for the secrets in their configuration.

A node keeps the key beside its database, so that it has it while the Management Node is away, and asks for it again
with every epoch of the configuration: a restored backup brings the key it was made with.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import structlog

from rostra.configuration import sealing
from rostra.configuration.changes import KeyReply
from rostra.fabric import subjects
from rostra.fabric.bus import Bus, Unreachable

logger = structlog.get_logger("rostra.fabric.platformkey")

KEY = subjects.KEY.pattern
_PATIENCE = 5.0
"""Seconds the Management Node may take to answer."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(KeyReply).decode


async def answer(_subject: str, _payload: bytes) -> bytes | None:
    """The Management Node's answer to a request on `KEY`; without a key of its own it gives none."""
    try:
        return _encode(KeyReply(sealing.platform_key()))
    except sealing.Locked:
        logger.warning("A node asks for the platform's key, which is not known here")
        return _encode(KeyReply())


class PlatformKey:
    """The node's copy in `file`."""

    def __init__(self, file: Path, bus: Bus) -> None:
        self._file = file
        self._bus = bus
        self._known: bytes | None = None
        self._epoch: str | None = None

    def open(self) -> None:
        """Use the key that was kept, if there is one. Touches the disk."""
        try:
            self._use(sealing.make_key(self._file) if self._file.exists() else None)
        except (ValueError, OSError) as problem:
            logger.warning("The kept key cannot be read; asking for it again", problem=type(problem).__name__)

    def _use(self, key: bytes | None) -> None:
        if key is not None:
            sealing.unlock(key)
            self._known = key

    def is_of(self, epoch: str) -> bool:
        """Was the key asked for since this epoch of the configuration began?"""
        return self._epoch == epoch

    async def fetch(self, epoch: str) -> bool:
        """Ask for the key of `epoch`; returns whether it is another one than before.

        Without an answer the one we have stays, and `is_of` stays false. Touches the disk only for a new key.
        """
        try:
            key = _decode(await self._bus.request(KEY, b"{}", timeout=_PATIENCE)).key
        except Unreachable as problem:
            logger.info("The platform's key cannot be had now", problem=str(problem))
            return False
        if len(key) != sealing.KEY_BYTES:
            logger.warning("The Management Node has no key for us")
            return False
        changed = key != self._known
        if changed or not self._file.exists():
            sealing.keep_key(self._file, key)
        self._use(key)
        self._epoch = epoch
        return changed
