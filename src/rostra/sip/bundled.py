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
        self._theirs: sdp.Session | None = None
        """The far end's last description, as an offer."""
        self._version = 0
        self._asked = False

    @property
    def taken(self) -> bool:
        """The call has such media."""
        return self._said is not None

    async def answer(self, offer: sdp.Session) -> str:
        """Take an offer of the far end."""
        theirs = connectivity.for_browsers(offer)
        answer = await self._open(theirs)
        self._said, self._theirs = connectivity.for_sip(offer, answer), theirs
        return self._numbered(self._said)

    async def offer(self, *, paused: bool, anew: bool = False) -> str:
        """Ours, with everything as it is but for who sends.

        `anew`: the media node was lost, so the connection is another one (RFC 8839 4.4.1, RFC 8842 5.5).
        """
        if self._said is None or self._theirs is None:
            raise NegotiationError("media in a bundle is offered by the far end first")
        if anew:
            answer = await self._open(connectivity.out_of_reach(self._theirs))
            self._said = connectivity.for_sip(self._theirs, answer)
        self._asked = True
        return self._numbered(connectivity.offered_again(self._said, paused=paused, anew=anew))

    async def answered(self, answer: sdp.Session) -> None:
        if not self._asked or self._said is None or len(answer.sections) != len(self._said.sections):
            raise NegotiationError("an answer that fits no offer")
        self._asked = False
        if not connectivity.wanted(answer):
            raise NegotiationError("the far end gives up its bundle within the call")
        self._theirs = connectivity.as_an_offer(answer)
        await self._open(self._theirs, answered=True)

    async def _open(self, offer: sdp.Session, *, answered: bool = False) -> str:
        kind = self._session.service.call_type
        return await self._session.open_webrtc(self._call, sdp.serialise(offer), media_type=kind, answered=answered)

    def _numbered(self, description: sdp.Session) -> str:
        self._version += 1
        return sdp.serialise(connectivity.numbered(description, self._version))
