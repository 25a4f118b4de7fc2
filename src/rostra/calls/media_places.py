"""Where policy wants the media of one participant's calls: asked once for each call in each conference (POL-060)."""

from __future__ import annotations

import msgspec

from rostra.calls.policies import MediaPlace, Policies
from rostra.domain.service import Service
from rostra.domain.vocabulary import CallProtocol
from rostra.policy.questions import CallFacts


class MediaPlaces:
    """Of one session."""

    def __init__(self, policies: Policies, call: CallFacts) -> None:
        self._policies = policies
        self.facts = call
        self._known: dict[tuple[str, str], MediaPlace | None] = {}

    async def of(self, call: str, service: Service) -> MediaPlace | None:
        """None: as configured. Set up again after a loss, media goes to the same locations."""
        key = (service.description.name, call)
        if key not in self._known:
            self._known[key] = await self._policies.media_place(self._facts(), service)
        return self._known[key]

    def _facts(self) -> CallFacts:
        """What a browser asked by the client API it sends by WebRTC (POL-034)."""
        if self.facts.protocol is not CallProtocol.API:
            return self.facts
        return msgspec.structs.replace(self.facts, protocol=CallProtocol.WEBRTC)
