"""Clients that are registered at this node, to be called (section 14 of the sheet)."""

from __future__ import annotations

import functools
import uuid
from typing import Any

import structlog

from rostra.calls.registrations import Admissions, Registration, Registry
from rostra.calls.switchboard import CallOrder, NotDialled
from rostra.clientapi import steady
from rostra.clientapi.ringing import Ringing, RingStream
from rostra.clientapi.tokens import TokenMint
from rostra.domain import registration as rules
from rostra.domain.abuse import Shield
from rostra.domain.registration import CLIENT_LIFETIME, Device, Refused
from rostra.domain.vocabulary import CallProtocol

logger = structlog.get_logger("rostra.clientapi")

MAX_DEVICES = 50
"""Clients under one alias."""


class NotAdmitted(Exception):
    """The alias may not be registered by who asked."""

    def __init__(self, why: Refused) -> None:
        super().__init__(why.value)
        self.why = why


class Place:
    """What is kept for one client (`Registration.binding`)."""

    def __init__(self) -> None:
        self.stream: RingStream | None = None
        self.ringing: dict[str, Ringing] = {}
        """By their tokens."""


class Devices:
    """Implements `calls.registrations.Keeper` and `calls.switchboard.Dialler`."""

    def __init__(self, registry: Registry, admissions: Admissions, node: str, shield: Shield | None = None) -> None:
        """`shield` remembers who guesses."""
        self._shield = shield or Shield()
        self._registry = registry
        self.admissions = admissions
        self._node = node
        self._mint = TokenMint()
        self._ringing: dict[str, Ringing] = {}

    # ---- registering

    async def register(self, alias: str, credentials: tuple[str, str], address: str, vendor: str) -> Registration:
        """Let a client in under an alias (API-135). Raises NotAdmitted, NotDialled for one too many."""
        settings = self.admissions.settings()
        admitted = await self.admissions.device([alias], CallProtocol.WEBRTC, address=address, vendor=vendor)
        device = admitted.device
        why = rules.admit(settings, device, CallProtocol.WEBRTC)
        named = credentials != ("", "")
        if named and not self._shield.may_try(address, alias, self._registry.clock()):
            raise NotAdmitted(Refused.CREDENTIALS)
        if why is None and device is not None and not rules.fits(device, *credentials):
            why = Refused.CREDENTIALS
        if why is not None or device is None:
            refused = why or Refused.UNKNOWN
            logger.info(
                "Registration failed", alias=alias, protocol="WebRTC", remote_address=address, reason=refused.value
            )
            self._count(address, alias, refused, named=named)
            raise NotAdmitted(refused)
        if named and device.challenged:
            self._shield.right_password(address, alias, self._registry.clock())
        if len(self._registry) >= rules.MAX_HELD:
            logger.warning("Registration failed: too many are registered at this node", alias=alias)
            raise NotDialled(403, "Too many devices")
        if len(self._registry.of(device.alias)) >= MAX_DEVICES:
            raise NotDialled(403, "Too many devices")
        return self._add(device, address, vendor, by_policy=admitted.by_policy)

    def _count(self, address: str, alias: str, why: Refused, *, named: bool) -> None:
        now = self._registry.clock()
        if why is Refused.CREDENTIALS and named:
            self._shield.wrong_password(address, alias, now)
        elif why is Refused.UNKNOWN:
            self._shield.wrong_alias(address, alias, now, proven=True)
        self.admissions.failed(address, alias, why)

    def _add(self, device: Device, address: str, vendor: str, *, by_policy: bool) -> Registration:
        made = Registration(
            id=str(uuid.uuid4()), alias=device.alias, protocol=CallProtocol.WEBRTC, keeper=self,
            username=device.username, remote_address=address, vendor=vendor, by_policy=by_policy,
            deadline=self._registry.clock() + CLIENT_LIFETIME, binding=Place(),
        )  # fmt: skip
        self._registry.add(made)
        return made

    def token(self, registration: Registration) -> str:
        """A new one; the registration lives on for as long as it is good (API-136)."""
        self._registry.refresh(registration, self._registry.clock() + CLIENT_LIFETIME)
        return self._mint.issue(registration.id, steady.now() + CLIENT_LIFETIME)

    def holder(self, token: str, alias: str | None = None) -> Registration | None:
        """Whose token it is; None when it is none, or not of this alias."""
        read = self._mint.read(token)
        if read is None or read.expires <= steady.now():
            return None
        found = self._registry.get(read.participant)
        if found is None or found.keeper is not self:
            return None
        return found if alias is None or alias.casefold() == found.alias.casefold() else None

    def ended(self, token: str) -> bool:
        """The token is genuine, and its registration over."""
        read = self._mint.read(token)
        return read is not None and read.expires > steady.now() and self._registry.get(read.participant) is None

    def release(self, registration: Registration) -> None:
        self._registry.end(registration, rules.RELEASED)

    def registration_ended(self, registration: Registration, reason: str) -> None:
        place: Place = registration.binding
        for ringing in list(place.ringing.values()):
            ringing.gone()
        if place.stream is not None:
            place.stream.finish()
        logger.info(
            "Registration ended", alias=registration.alias, protocol="WebRTC", registration=registration.id,
            reason=reason,
        )  # fmt: skip

    def open_stream(self, registration: Registration) -> RingStream:
        """A new stream takes over; the previous one ends."""
        place: Place = registration.binding
        if place.stream is not None:
            place.stream.finish()
        place.stream = RingStream(self._node, registration.id, lambda: list(place.ringing.values()))
        return place.stream

    def close(self) -> None:
        """The node stops."""
        for registration in self._registry.all():
            if registration.keeper is self:
                self._registry.end(registration, rules.SHUTDOWN)

    # ---- being called

    def leg(self, order: CallOrder) -> Ringing:
        """Raises NotDialled."""
        found = self._registry.get(order.registration)
        if found is None or found.keeper is not self:
            raise NotDialled(404, "Called party not available")
        place: Place = found.binding
        return Ringing(
            order, found.alias, functools.partial(_tell, place), functools.partial(self._remember, found),
            lambda call: self._forget(place, call),
        )  # fmt: skip

    def ringing(self, token: str, alias: str) -> Ringing | None:
        """The call that a one-time token takes, by joining at `alias`."""
        found = self._ringing.get(token)
        return found if found is not None and found.told["conference_alias"].casefold() == alias.casefold() else None

    def _remember(self, registration: Registration, call: Ringing) -> bool:
        """Not before it is in the roster: what is never begun would ring for ever."""
        if self._registry.get(registration.id) is not registration:
            return False
        place: Place = registration.binding
        place.ringing[call.token] = self._ringing[call.token] = call
        return True

    def _forget(self, place: Place, call: Ringing) -> None:
        place.ringing.pop(call.token, None)
        self._ringing.pop(call.token, None)


def _tell(place: Place, event: str, data: Any) -> None:
    """While no stream is open, a call waits for it (API-136)."""
    if place.stream is not None:
        place.stream.tell(event, data)
