"""The media side of one call: its offers, answers and ports, from SDP text to the platform's session and back."""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Callable, Sequence

import msgspec

from rostra.calls import offers
from rostra.calls.switchboard import Session
from rostra.domain.media import Content, Direction, MediaDescription, MediaKind, MediaStream
from rostra.media import certificate, floors, negotiation, offering
from rostra.media.codecs import CAMERAS
from rostra.media.encryption import KEY_OCTETS, Encryption
from rostra.media.negotiation import Agreement, Limits, Ports
from rostra.sdp.reading import read
from rostra.sdp.session import Session as Description
from rostra.sdp.session import parse
from rostra.sdp.writing import write
from rostra.sip import connectivity
from rostra.sip.bundled import BundledMedia
from rostra.sip.checked import CheckedMedia
from rostra.sip.content import FloorLine, NoPort


def fresh_key(suite: str) -> str:
    """Random SDES key material; what the suite needs fills Base64 without rest, or is padded (RFC 4568 6.1)."""
    return base64.b64encode(secrets.token_bytes(KEY_OCTETS[suite])).decode()


def limits_of(session: Session) -> Limits:
    """What the service allows."""
    unseen = session.participant.no_video
    sound = session.service.call_type == "audio" and not unseen
    kinds = {MediaKind.AUDIO} if sound else {MediaKind.AUDIO, MediaKind.VIDEO}
    slides = session.service.call_type == "video"
    return Limits(
        kinds=frozenset(kinds),
        bandwidth=session.service.max_callrate_in,
        slides=slides,
        disabled=frozenset((*session.service.disabled_codecs, *((CAMERAS.name,) if unseen else ()))),
        encryption=Encryption(session.service.crypto_mode),
    )


_PORT = re.compile(rb"(?m)^(m=\S+ )[0-9]+ ")


def capabilities(address: str, *, encrypt: bool) -> bytes:
    """What we can do, as SDP without ports (RFC 3264 9)."""
    kinds = (MediaKind.AUDIO, MediaKind.VIDEO)
    made = offering.make_offer(kinds, Ports(address, (9, 9)), fresh_key if encrypt else None)
    made = msgspec.structs.replace(made, session_id=1, version=1)
    return _PORT.sub(rb"\g<1>0 ", write(made).encode())


def check_offer(sdp: bytes) -> None:
    """Refuse early what can never be agreed. Raises SdpError, NoCommonCodec."""
    negotiation.usable_streams(read(sdp), Limits(disabled=frozenset()))


def _last(kinds: Sequence[MediaKind], kind: MediaKind) -> int:
    return len(kinds) - 1 - list(reversed(kinds)).index(kind)


def _media_of(description: MediaDescription) -> MediaDescription:
    """Without floor control, which runs where the call is signalled."""
    return msgspec.structs.replace(
        description, streams=tuple(stream for stream in description.streams if stream.control is None)
    )


class CallMedia:
    """Negotiated media of one call. Every method raises SdpError, NegotiationError or CallRefused."""

    def __init__(
        self, session: Session, call: str, *, encrypt: bool, floor: Callable[[str], FloorLine] | None = None,
        ipv6: bool = False,
    ) -> None:  # fmt: skip
        """`floor` makes the floor control of the call, with our address, when the far end offers it. `ipv6`: of our
        first offer; answers follow what is offered."""
        self.announce: Callable[[str], str] = lambda address: address
        """Our address as the far end reaches it."""
        self._address = ""
        self.ipv6 = self._reserved_ipv6 = ipv6
        """Of our offers, until the far end has made one."""
        self._make_floor = floor
        self.floor: FloorLine | None = None
        self._session = session
        self._call = call
        self.encrypt = encrypt
        """Offer keys; only where signalling is encrypted as well."""
        self._limits = limits_of(session)
        self._kinds: tuple[MediaKind, ...] = ()
        self._full_hd = True
        """The far end takes 1080p; who is called may yet say so."""
        self._booked_full_hd = False
        self._ports = Ports("", ())
        self._local: MediaDescription | None = None
        self._offered: MediaDescription | None = None
        self._bundled = BundledMedia(session, call)
        self._held = False
        self._paused = False
        """We hold the call: the far end is not to send."""
        self._checks = CheckedMedia(session, call)
        self._certificate: certificate.Certificate | None = None
        self._early = b""
        """The answer that media runs by already, before the call is answered."""
        self.agreement: Agreement | None = None

    @property
    def brings_slides(self) -> bool:
        """There is a stream for slides, whichever way it goes now: without one the far end has nothing to present."""
        streams = self._local.streams if self._local is not None else ()
        return any(one.content is Content.SLIDES and not one.refused for one in streams)

    def pause(self, paused: bool) -> bool:
        """A Host holds the participant, or does no longer; False: the far end need not be told by an offer."""
        if paused == self._paused or (paused and self._held):
            return False
        self._paused = paused
        return True

    async def early(self, sdp: bytes) -> None:
        """What the far end sends before it has answered our offer, where it says so."""
        if self._offered is not None and not self._early:
            await self._run(self._checks.answered(offering.agree(self._offered, read(sdp))))
            self._early = sdp

    async def answer(self, sdp: bytes) -> bytes:
        """Take an offer: media runs as agreed, the answer is returned."""
        session = parse(sdp)
        offer = read(session)
        unencrypted = self._limits.encryption is Encryption.OFF
        if self._bundled.taken or (self._local is None and not unencrypted and connectivity.wanted(session)):
            return await self._bundle(session)
        used = negotiation.usable_streams(offer, self._limits)
        kinds = negotiation.kinds_of(offer, used)
        self._full_hd = offers.full_hd_of(offer)
        self.ipv6 = ":" in (offer.streams[used[0]].address or offer.address)
        await self._reserve(kinds)
        floor = await self._floor_of(offer, kinds)
        agreement = negotiation.answer(
            offer, self._ports, fresh_key, identity=self._identity, limits=self._limits, previous=self._local,
            floor=floor,
        )  # fmt: skip
        used = negotiation.usable_streams(offer, self._limits)  # by what the service allows now
        agreement = await self._checks.answer(offer, agreement, used, self.announce)
        agreement = Agreement(self._directed(self._numbered(agreement.local)), agreement.remote)
        await self._run(agreement)
        return write(agreement.local, answering=session).encode()

    async def _bundle(self, session: Description) -> bytes:
        answer = await self._bundled.answer(session)
        await self._tell_hold(connectivity.on_hold(session))
        return answer.encode()

    async def _tell_hold(self, held: bool) -> None:
        if held != self._held:
            self._held = held
            await self._session.hold(self._call, held)

    async def _floor_of(self, offer: MediaDescription, kinds: Sequence[MediaKind]) -> tuple[int, MediaStream] | None:
        """Our side of the section for floor control, where there are slides to control."""
        index = floors.floor_section(offer)
        if index is None or kinds.count(MediaKind.VIDEO) < 2 or self._make_floor is None:
            return None
        if self.floor is None:
            self.floor = self._make_floor(self._ports.address)
        try:
            return index, await self.floor.answer(offer.streams[index])
        except NoPort:
            return None

    async def offer(self, *, new_ports: bool = False) -> bytes:
        """Our offer: at first everything we can do, later the streams in use again."""
        if self._bundled.taken:
            return (await self._bundled.offer(paused=self._paused, anew=new_ports)).encode()
        fresh = self._local is None
        kinds = self._kinds or self._everything()
        await self._reserve(kinds, again=new_ports)
        kinds = self._kinds
        encrypted = self._local is not None and any(stream.crypto for stream in self._local.streams)
        wanted = self.encrypt or encrypted or self._limits.encryption is Encryption.ON
        keys = fresh_key if wanted else None
        floor = await self._floor_offer() if fresh and kinds.count(MediaKind.VIDEO) > 1 else None
        offer = offering.make_offer(kinds, self._ports, keys, limits=self._limits, previous=self._local, floor=floor)
        if self._local is not None:
            offer = offering.keeping_keys(offer, self._local)
        offer = await self._checks.offer(offer, self.announce, restart=new_ports)
        self._offered = self._directed(self._numbered(offer))
        return write(self._offered).encode()

    async def answered(self, sdp: bytes) -> None:
        """The far end's answer to our last offer."""
        if self._bundled.taken:
            await self._bundled.answered(parse(sdp))
            return
        if self._offered is None:
            raise negotiation.NegotiationError("an answer without an offer")
        agreement = self._checks.answered(offering.agree(self._offered, read(sdp)))
        for ours, theirs in zip(agreement.local.streams, agreement.remote.streams, strict=False):
            if ours.control is not None and self.floor is not None:
                self.floor.agreed(theirs)
            slides = ours.content is Content.SLIDES and self._kinds.count(MediaKind.VIDEO) > 1
            cameras = ours.kind is MediaKind.APPLICATION and ours.control is None and ours.kind in self._kinds
            if ours.refused and (slides or cameras):
                self._not_again(_last(self._kinds, ours.kind))
        if sdp != self._early:
            await self._run(agreement)
        self._offered, self._early = None, b""

    def _everything(self) -> tuple[MediaKind, ...]:
        """What we offer at first; the second video stream is for slides."""
        kinds = [kind for kind in (MediaKind.AUDIO, MediaKind.VIDEO) if kind in self._limits.kinds]
        if MediaKind.VIDEO in kinds and self._limits.slides and self._make_floor is not None:
            kinds.append(MediaKind.VIDEO)
        if self._limits.has(MediaKind.APPLICATION):
            kinds.append(MediaKind.APPLICATION)
        return tuple(kinds)

    def _not_again(self, index: int) -> None:
        """A stream that was refused is not offered again."""
        self._kinds = (*self._kinds[:index], *self._kinds[index + 1 :])
        ports = self._ports.ports
        self._ports = Ports(self._ports.address, (*ports[:index], *ports[index + 1 :]))

    async def _floor_offer(self) -> MediaStream | None:
        if self._make_floor is None:
            return None
        self.floor = self.floor or self._make_floor(self._ports.address)
        try:
            return await self.floor.offer()
        except NoPort:
            return None

    def _identity(self) -> tuple[str, str]:
        """The same for all streams and offers of the call: a new one would begin a new association (RFC 8842 4)."""
        if self._certificate is None:
            self._certificate = certificate.make()
        return self._certificate.pem, self._certificate.fingerprint

    async def close(self) -> None:
        if self.floor is not None:
            await self.floor.close()

    async def _reserve(self, kinds: Sequence[MediaKind], *, again: bool = False) -> None:
        kinds = tuple(kinds)
        dearer = self._full_hd and not self._booked_full_hd
        if again or dearer or (kinds, self.ipv6) != (self._kinds, self._reserved_ipv6):
            self._address, ports = await self._session.reserve_rtp(
                self._call, kinds, full_hd=self._full_hd, ipv6=self.ipv6
            )
            self._reserved_ipv6, self._booked_full_hd = self.ipv6, self._full_hd or self._booked_full_hd
            self._limits = limits_of(self._session)
            had = kinds if len(ports) == len(kinds) else [kind for kind in kinds if self._limits.has(kind)]
            kept = [(kind, port) for kind, port in zip(had, ports, strict=False) if self._limits.has(kind)]
            if not self._limits.slides and sum(kind is MediaKind.VIDEO for kind, _ in kept) > 1:
                del kept[_last([kind for kind, _ in kept], MediaKind.VIDEO)]
            self._ports = Ports(self._address, tuple(port for _, port in kept))
            self._kinds = tuple(kind for kind, _ in kept)
        self._ports = Ports(self.announce(self._address), self._ports.ports)

    async def _run(self, agreement: Agreement) -> None:
        await self._session.connect_rtp(self._call, _media_of(agreement.local), _media_of(agreement.remote))
        brought = self.brings_slides
        self.agreement = agreement
        self._local = agreement.local
        if brought and not self.brings_slides:
            await self._session.release_floor()
        await self._tell_hold(negotiation.on_hold(agreement.remote))

    def _directed(self, description: MediaDescription) -> MediaDescription:
        """While we hold the call, nothing is wanted of the far end (RFC 3264 8.4), and no picture of who has no
        licence for it."""
        no_video = self._session.participant.no_video
        if not self._paused and not no_video:
            return description
        streams = tuple(
            one
            if one.refused or one.control is not None or not (self._paused or one.kind is MediaKind.VIDEO)
            else msgspec.structs.replace(one, direction=Direction.of(one.direction.sends, False))
            for one in description.streams
        )
        return msgspec.structs.replace(description, streams=streams)

    def _numbered(self, description: MediaDescription) -> MediaDescription:
        """The o= line's session id, chosen once (RFC 8866 5.2)."""
        if description.session_id:
            return description
        return msgspec.structs.replace(description, session_id=secrets.randbits(62) + 1, version=1)
