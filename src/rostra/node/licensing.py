"""This node's part in licences: asks the Management Node for each call with media, when calls are counted at all.

What participants hold is kept in any case, so that the count is right from the moment a limiting licence is loaded.
Without an answer a call is permitted: a licence is assumed to be there, for the time of grace (SYS-194).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import structlog

from rostra.background import Background
from rostra.domain.licensing import FREE, Licence, LicenceKind, Shortage, permitted
from rostra.fabric import licensing
from rostra.fabric.bus import Unreachable
from rostra.fabric.licensing import Policy
from rostra.fabric.peers import Connection

logger = structlog.get_logger("rostra.node")

ANSWER = 2.0
"""Seconds the Management Node has for an answer."""


class NodeLicences:
    """Implements `calls.licences.Licences`."""

    def __init__(self, bus: Connection, node: str, boot: str, silent: Callable[[], float], file: Path) -> None:
        """`silent`: seconds since the Management Node was heard. `file` keeps what it last announced."""
        self._bus = bus
        self._node = node
        self._boot = boot
        self._silent = silent
        self._file = file
        self._policy = self._read()
        self._held: dict[str, LicenceKind] = {}
        self._told = False
        """The Management Node has asked what is held, and counts it: also before we hear that calls are counted."""
        self._background = Background()
        self._stops: list[Callable[[], Any]] = []

    async def start(self) -> None:
        """Hear announcements, answer what is held here, ask what holds now."""
        self._stops.append(await self._bus.subscribe(licensing.POLICY, self._heard))
        self._stops.append(await self._bus.subscribe(licensing.holdings_subject(self._node), self._asked))
        self._background.spawn(self._ask_policy())

    async def stop(self) -> None:
        for stop in self._stops:
            await stop()
        self._stops.clear()
        await self._background.finish(1)

    @property
    def held(self) -> Mapping[str, LicenceKind]:
        """What participants have, by their UUID."""
        return dict(self._held)

    @property
    def counted(self) -> bool:
        return self._policy.counted

    def permitted(self) -> bool:
        """May another call be placed as far as the time without the Management Node goes?"""
        return permitted(Licence(limit=self._policy.limit) if self._policy.counted else FREE, self._silent())

    async def take(self, holder: str, wanted: LicenceKind) -> LicenceKind | Shortage:
        if not self._policy.counted:
            self._held[holder] = LicenceKind.PORT
            return LicenceKind.PORT
        held = self._held.get(holder)
        if held in (wanted, LicenceKind.PORT):
            return held or wanted
        try:
            found = await self._ask(holder, wanted)
        except BaseException:  # nobody waits for it any more
            if held is None:
                self._return(holder)
            raise
        if isinstance(found, Shortage):
            return held or found
        self._held[holder] = found
        return found

    def give_back(self, holder: str) -> None:
        if self._held.pop(holder, None) is not None and (self._policy.counted or self._told):
            self._return(holder)

    async def _ask(self, holder: str, wanted: LicenceKind) -> LicenceKind | Shortage:
        request = licensing.Take(node=self._node, boot=self._boot, holder=holder, kinds=(str(wanted),))
        try:
            reply = licensing.decode_reply(
                await self._bus.request(licensing.LICENCES, licensing.encode(request), timeout=ANSWER)
            )
        except (Unreachable, msgspec.DecodeError) as problem:
            logger.warning("No answer about a license; it is assumed to be there", problem=str(problem))
            return wanted
        match reply:
            case licensing.Granted(kinds=(kind,)) if kind in set(LicenceKind):
                return LicenceKind(kind)
            case licensing.Denied(reason=reason):
                return Shortage(reason) if reason in set(Shortage) else Shortage.INSUFFICIENT
            case _:
                return wanted

    def _return(self, holder: str) -> None:
        message = licensing.encode(licensing.GiveBack(node=self._node, boot=self._boot, holder=holder))
        self._background.spawn(self._bus.publish(licensing.LICENCES, message))

    # ---- from the Management Node

    async def _asked(self, _subject: str, _payload: bytes) -> bytes:
        self._told = True
        held = {holder: (str(kind),) for holder, kind in self._held.items()}
        return licensing.encode(licensing.Holdings(node=self._node, boot=self._boot, held=held))

    async def _heard(self, _subject: str, payload: bytes) -> None:
        try:
            self._follow(licensing.decode_policy(payload))
        except msgspec.DecodeError as problem:
            logger.warning("What is said about licenses is not understood", problem=str(problem))

    async def _ask_policy(self) -> None:
        try:
            reply = licensing.decode_reply(
                await self._bus.request(
                    licensing.LICENCES, licensing.encode(licensing.AskPolicy(node=self._node)), timeout=ANSWER
                )
            )
        except (Unreachable, msgspec.DecodeError):
            return  # it is announced again and again
        if isinstance(reply, Policy):
            self._follow(reply)

    def _follow(self, policy: Policy) -> None:
        self._told = self._told and policy.counted
        if policy == self._policy:
            return
        logger.info("Licenses have changed", counted=policy.counted, limit=policy.limit)
        self._policy = policy
        try:
            self._file.write_bytes(msgspec.json.encode(policy))
        except OSError as problem:
            logger.warning("What is said about licenses is not kept", problem=str(problem))

    def _read(self) -> Policy:
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=Policy)
        except (OSError, msgspec.DecodeError):
            return Policy()
