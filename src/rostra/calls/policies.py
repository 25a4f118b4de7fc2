"""What calls ask of policy, and what they are told (the interface that `node.policy` implements).

Without a policy profile every answer is that of `Unasked`: as configured.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from rostra.domain.service import Service
from rostra.domain.vocabulary import CallProtocol, Role
from rostra.policy.participants import Verdict
from rostra.policy.phonebook import NOTHING, OWN, Listing, RegistrationVerdict
from rostra.policy.questions import CallFacts, PersonFacts
from rostra.policy.services import GatewayCall


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What an alias leads to; nothing of it: nowhere, and the call is refused as not found."""

    service: Service | None = None
    call: GatewayCall | None = None
    """A call to be placed instead."""
    new_alias: str = ""
    """Of SIP: where the caller shall go instead (302)."""
    refused: bool = False
    """Policy has said no: nothing else is looked for."""


class MediaPlace(msgspec.Struct, frozen=True, kw_only=True):
    """Where the media of a call goes, by numbers of locations."""

    principal: int
    overflow: tuple[int, ...] = ()


class Policies(Protocol):
    """The policy profile of this node's location, as it is at that moment."""

    @property
    def decides_services(self) -> bool:
        """May an alias lead elsewhere than configured?"""
        ...

    async def service(
        self, call: CallFacts, configured: Callable[[], Service | None], calling: Service | None = None
    ) -> Found:
        """Where an alias leads. `configured` finds what is configured, when that is needed: a service, or the gateway
        call that a rule makes of it (which is given back as it is where it stays the same).

        `calling`: the service whose conference places the call. Raises CallRefused where it cannot be decided.
        """
        ...

    async def participant(self, call: CallFacts, service: Service, person: PersonFacts) -> Verdict:
        """What is different about somebody who is about to join. Raises CallRefused where it cannot be decided."""
        ...

    async def media_place(self, call: CallFacts, service: Service) -> MediaPlace | None:
        """Where the media of a call goes; None: as configured."""
        ...

    async def avatar(
        self, alias: str, width: int, height: int, call: CallFacts, service: Service, role: Role
    ) -> bytes | None:
        """The picture of a participant, a JPEG of that size."""
        ...

    async def contact_avatar(self, alias: str, width: int, height: int) -> bytes | None:
        """The picture of an entry of the phone book."""
        ...

    async def directory(self, searched: str, registration: str) -> Listing:
        """What a registered client finds, beside what the platform itself has."""
        ...

    async def registration(self, alias: str, protocol: CallProtocol, remote_address: str) -> RegistrationVerdict:
        """May it be registered? Asked once for each registration, not at refreshes (POL-076)."""
        ...


class Unasked:
    """No policy."""

    decides_services = False

    async def service(
        self, call: CallFacts, configured: Callable[[], Service | None], calling: Service | None = None
    ) -> Found:
        return Found(service=configured())

    async def participant(self, call: CallFacts, service: Service, person: PersonFacts) -> Verdict:
        return Verdict()

    async def media_place(self, call: CallFacts, service: Service) -> MediaPlace | None:
        return None

    async def avatar(
        self, alias: str, width: int, height: int, call: CallFacts, service: Service, role: Role
    ) -> bytes | None:
        return None

    async def contact_avatar(self, alias: str, width: int, height: int) -> bytes | None:
        return None

    async def directory(self, searched: str, registration: str) -> Listing:
        return NOTHING

    async def registration(self, alias: str, protocol: CallProtocol, remote_address: str) -> RegistrationVerdict:
        return OWN
