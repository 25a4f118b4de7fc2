"""Media of one call whose offers bring ICE and DTLS in a bundle: that of browsers, on their kind of leg."""

from __future__ import annotations

from rostra.calls.switchboard import Session
from rostra.media.negotiation import NegotiationError
from rostra.sdp import session as sdp
from rostra.sip import connectivity


class BundledMedia:
    """Exists from the first offer on. Every method raises SdpError, NegotiationError or CallRefused."""

    def __init__(self, session: Session, call: str) -> None:
        self._session = session
        self._call = call
        self._said: sdp.Session | None = None
        """Our last answer."""
        self._version = 0
        self._asked = False

    @property
    def taken(self) -> bool:
        """The call has such media."""
        return self._said is not None

    async def answer(self, offer: sdp.Session) -> str:
        """Take an offer of the far end."""
        answer = await self._open(connectivity.for_browsers(offer))
        self._said = connectivity.for_sip(offer, answer)
        return self._numbered(self._said)

    def offer(self, *, paused: bool) -> str:
        """Ours, with everything as it is but for who sends."""
        if self._said is None:
            raise NegotiationError("media in a bundle is offered by the far end first")
        self._asked = True
        return self._numbered(connectivity.offered_again(self._said, paused=paused))

    async def answered(self, answer: sdp.Session) -> None:
        if not self._asked or self._said is None or len(answer.sections) != len(self._said.sections):
            raise NegotiationError("an answer that fits no offer")
        self._asked = False
        if not connectivity.wanted(answer):
            raise NegotiationError("the far end gives up its bundle within the call")
        await self._open(connectivity.as_an_offer(answer))

    async def _open(self, offer: sdp.Session) -> str:
        kind = self._session.service.call_type
        return await self._session.open_webrtc(self._call, sdp.serialise(offer), media_type=kind)

    def _numbered(self, description: sdp.Session) -> str:
        self._version += 1
        return sdp.serialise(connectivity.numbered(description, self._version))
