"""What the platform itself shows and tells a caller on its way in: prompts, refusals, the test call (sheet 06).

One for each session. It follows where its participant is; arriving at a station starts what happens there (a script,
cancelled when the participant goes on). What is typed meanwhile is `calls.keypad`'s business.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

import structlog

from rostra.calls.switchboard import Refusal
from rostra.conference.instance import ConferenceInstance
from rostra.conference.roster import Participant
from rostra.domain import greeting, theme
from rostra.domain.admission import AccessRules, may_key_host_pin
from rostra.domain.greeting import Station
from rostra.domain.vocabulary import CallProtocol, ServiceType

logger = structlog.get_logger("rostra.calls")

TEST_CALL_FINISHED = "Test call finished"
"""API-017."""
PARTING = 5.0
"""Seconds between the end of a test and the end of its call (SVC-119)."""
SHOWN = 3.0
"""Seconds a refusal or a notice stays at least."""
BRIEFLY = 1.5
"""Seconds it is shown that a PIN was right."""
KEYPADS = frozenset({CallProtocol.SIP, CallProtocol.H323, CallProtocol.MSSIP})
"""Protocols of those who answer by keypad, and see and hear what others read in their client."""
REASONS = {
    ServiceType.INSUFFICIENT_CAPACITY: "Participant limit reached",
    ServiceType.INSUFFICIENT_LICENSES: "Insufficient licenses",
    ServiceType.INVALID_LICENSE: "Invalid license",
}


class Caller(Protocol):
    """The session, as seen from here."""

    @property
    def conference(self) -> ConferenceInstance: ...

    @property
    def participant(self) -> Participant: ...

    @property
    def rules(self) -> AccessRules:
        """By which its PIN is judged: as they were when it came, however long the conference has run (SVC-008)."""
        ...

    @property
    def out_of_resource(self) -> bool:
        """It is refused because nothing is left for its media."""
        ...

    async def play(self, *sounds: str) -> float: ...

    async def stop_playing(self) -> None: ...

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]: ...


class Attendant:
    """Follows one participant."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._station = Station.NOWHERE
        self._script: asyncio.Task[None] | None = None
        self._fading: asyncio.TimerHandle | None = None

    def follow(self, participant: Participant) -> None:
        """It may have come to another station; without media nothing is told."""
        reception = self._caller.conference.service.description.service_type == "two_stage_dialing"
        where = participant.service_type
        now = greeting.station(where, reception=reception) if participant.has_media else Station.NOWHERE
        if now is self._station:
            return
        before, self._station = self._station, now
        script = self._scripts().get(now)
        self.stop()
        if script is not None:
            self._script = self._caller.spawn(self._run(script, interrupts=before is not Station.NOWHERE))

    def stop(self) -> None:
        """Nothing more of what is under way."""
        if self._script is not None:
            self._script.cancel()
        self._script = None

    def close(self) -> None:
        self.stop()
        if self._fading is not None:
            self._fading.cancel()

    def perform(self, script: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do this instead of what is under way."""
        self.stop()
        self._script = self._caller.spawn(self._run(script, interrupts=True))

    def hush(self) -> None:
        """A key was pressed: prompts are heard no further."""
        self._caller.spawn(self._caller.stop_playing())

    def show(self, splash: str = "", text: str = "") -> None:
        """Another image, until the next."""
        if self._fading is not None:
            self._fading.cancel()
        self._fading = None
        self._caller.conference.show(self._caller.participant.uuid, splash, text)

    def flash(self, splash: str, then: str = "", seconds: float = BRIEFLY) -> None:
        """An image for a moment."""
        self.show(splash)
        self._fading = asyncio.get_running_loop().call_later(seconds, self.show, then)

    async def say(self, *sounds: str) -> None:
        """Play, and return when it was heard."""
        await asyncio.sleep(await self._caller.play(*sounds))

    async def part(self, reason: str, *sounds: str) -> None:
        """Tell why, and end the participant."""
        seconds = await self._caller.play(*sounds)
        if seconds or self._caller.participant.has_media:
            await asyncio.sleep(max(SHOWN, seconds))
        await self._caller.conference.remove(self._caller.participant.uuid, reason)

    async def _run(self, script: Callable[[], Coroutine[Any, Any, None]], *, interrupts: bool) -> None:
        if interrupts:
            await self._caller.stop_playing()
        await script()

    # ---- what happens at each station

    def _scripts(self) -> dict[Station, Callable[[], Coroutine[Any, Any, None]]]:
        return {
            Station.PIN: self._ask_pin,
            Station.RECEPTION: self._receive,
            Station.WAITING: self._keep_waiting,
            Station.INSIDE: self._welcome,
            Station.TEST: self._test,
            Station.REFUSED: self._refuse,
        }

    async def _ask_pin(self) -> None:
        await self._caller.play(greeting.ask_pin(self._caller.rules.host_pin))

    async def _keep_waiting(self) -> None:
        access, me = self._caller.rules, self._caller.participant
        may_key = me.protocol in KEYPADS and may_key_host_pin(access, me.role)
        await self._caller.play(greeting.waiting(access.host_pin, may_key=may_key))

    async def _welcome(self) -> None:
        """Those with a client of ours read it there."""
        if self._caller.participant.protocol in KEYPADS:
            others = [one for one in self._caller.conference.participants if one.joined]
            await self._caller.play(*greeting.welcome(alone=len(others) < 2))

    async def _refuse(self) -> None:
        where = self._caller.participant.service_type
        reason = Refusal.OUT_OF_RESOURCE.text if self._caller.out_of_resource else REASONS[where]
        await self.part(reason, *greeting.REFUSALS[where].sounds)

    def ask_again(self, *sounds: str) -> None:
        """At a reception: these, then the question once more."""
        self.perform(lambda: self._receive(*sounds))

    async def _receive(self, *first: str) -> None:
        """Ask for a number; whoever gives none in time is told, and goes (REF-040)."""
        await self._caller.play(*first, theme.ASK_NUMBER)
        await asyncio.sleep(self._caller.conference.service.description.pin_entry_timeout)
        self.show(theme.TIMED_OUT)
        await self._caller.stop_playing()
        logger.info("No valid number was entered.", participant_id=self._caller.participant.uuid)
        await self.part("Timeout waiting for a conference number", theme.NO_NUMBER)

    async def _test(self) -> None:
        """Ask, return the caller's own sound and picture for a while, take leave (SVC-116…SVC-119)."""
        settings = self._caller.conference.service.description.theme
        self.show(theme.TEST_CALL_IMAGE)
        await self.say(theme.TEST_CALL)
        self.show()  # from now on the caller sees and hears itself
        await asyncio.sleep(settings.test_call_service_disconnect_timeout)
        self.show(theme.TEST_CALL_DISCONNECT_IMAGE)
        told = await self._caller.play(theme.TEST_CALL_DISCONNECT)
        await asyncio.sleep(max(PARTING, told))
        await self._caller.conference.remove(self._caller.participant.uuid, TEST_CALL_FINISHED)
