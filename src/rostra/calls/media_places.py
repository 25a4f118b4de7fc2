"""What policy says when one participant's media comes: of who it is, and where the media goes (POL-041, POL-060)."""

from __future__ import annotations

from typing import Protocol

import msgspec

from rostra.calls.policies import MediaPlace, Policies
from rostra.calls.reaching import check, said_of
from rostra.calls.switchboard import CallRefused
from rostra.conference.instance import ConferenceInstance
from rostra.conference.roster import Participant
from rostra.domain.service import Service
from rostra.domain.vocabulary import CallProtocol
from rostra.policy.questions import CallFacts, PersonFacts


class Caller(Protocol):
    """Whose media it is, as who that is at the moment."""

    @property
    def participant(self) -> Participant: ...

    @property
    def conference(self) -> ConferenceInstance: ...


class MediaPlaces:
    """Of one session; each is asked once for each call in each conference."""

    def __init__(self, policies: Policies, call: CallFacts, caller: Caller) -> None:
        self._policies = policies
        self._caller = caller
        self.facts = call
        self._known: dict[tuple[str, str], MediaPlace | None] = {}
        self._met: set[str] = set()

    async def of(self, call: str, service: Service, asked: int = 0) -> MediaPlace | None:
        """None: as configured. Set up again after a loss, media goes to the same locations.

        `asked`: kbit/s that the description of the call asks for; 0: it does not say. Raises CallRefused.
        """
        key = (service.description.name, call)
        if key not in self._known:
            facts = self._facts(asked)
            await self._meet(call, service, facts)
            self._known[key] = await self._policies.media_place(facts, service)
        return self._known[key]

    def _facts(self, asked: int) -> CallFacts:
        """What a browser asked by the client API it sends by WebRTC (POL-034)."""
        if self.facts.protocol is not CallProtocol.API:
            return self.facts
        return msgspec.structs.replace(
            self.facts, protocol=CallProtocol.WEBRTC, bandwidth=asked or self.facts.bandwidth
        )  # fmt: skip

    async def _meet(self, call: str, service: Service, facts: CallFacts) -> None:
        """Who has joined by the client API is asked about again with its first media (POL-041)."""
        name = service.description.name
        no_business = service.description.breakout is not None or service.onward is not None
        if facts.protocol is not CallProtocol.WEBRTC or no_business or name in self._met:
            return
        me = self._caller.participant
        verdict = await self._policies.participant(facts, service, PersonFacts(uuid=me.uuid, call=call, role=me.role))
        conference = self._caller.conference
        try:
            check(verdict, me.display_name, facts.local_alias)
        except CallRefused as problem:
            await conference.remove(me.uuid, problem.text)
            raise
        self._met.add(name)
        if members := said_of(verdict.properties):
            await conference.set_client_state(me.uuid, **members)
        if (role := verdict.properties.role) is not None and role != me.role:
            await conference.set_role(me.uuid, role)
