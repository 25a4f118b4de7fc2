"""Participants hold a licence while they have media, and what happens when there is none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.calls.fakes import ANSWER, FakeWorker
from tests.calls.network import Network, Node
from tests.calls.people import SERVICES, Guest, until

from rostra.calls.switchboard import CallRefused, Refusal
from rostra.domain import theme
from rostra.domain.capacity import CallClass
from rostra.domain.history import ParticipantEnded
from rostra.domain.licensing import LicenceKind, Shortage
from rostra.domain.media import MediaDescription, MediaKind, MediaStream
from rostra.domain.vocabulary import CallProtocol
from rostra.media import messages as m

PORT, AUDIO = LicenceKind.PORT, LicenceKind.AUDIO
VIDEO = ANSWER
"""An offer with video."""


class Counter:
    """Grants what it is told to, and remembers who has what."""

    def __init__(self) -> None:
        self.answers: list[LicenceKind | Shortage] = []
        self.wanted: list[LicenceKind] = []
        self.held: dict[str, LicenceKind] = {}
        self.open = asyncio.Event()
        self.open.set()

    async def take(self, holder: str, wanted: LicenceKind) -> LicenceKind | Shortage:
        self.wanted.append(wanted)
        await self.open.wait()
        found = self.answers.pop(0) if self.answers else wanted
        if isinstance(found, LicenceKind):
            self.held[holder] = found
        return found

    def give_back(self, holder: str) -> None:
        self.held.pop(holder, None)


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    found = await Node(Network(), "n1", lambda alias: SERVICES.get(alias.lower()), licences=Counter()).start()
    yield found
    await found.exchange.close()


def counter(node: Node) -> Counter:
    found = node.exchange._licences
    assert isinstance(found, Counter)
    return found


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Media types that workers were asked for."""
    found: list[str] = []
    carry_out = FakeWorker._carry_out

    def remember(self: FakeWorker, request: m.Request) -> Any:
        if isinstance(request, m.OpenWebRtc):
            found.append(request.media_type)
        return carry_out(self, request)

    monkeypatch.setattr(FakeWorker, "_carry_out", remember)
    return found


@pytest.mark.spec("SYS-185", "SYS-189", "API-020", "DIAG-040")
async def test_a_licence_is_held_while_there_is_media(node: Node) -> None:
    licences = counter(node)
    guest = await Guest(node.exchange).join()
    assert not licences.wanted
    uuid = guest.session.participant.uuid
    await guest.session.open_webrtc("c1", VIDEO)
    assert licences.held == {uuid: PORT}
    await guest.session.open_webrtc("c2", VIDEO, media_type="audio")
    assert licences.wanted == [PORT, AUDIO]
    await guest.session.close_call("c1")
    assert licences.held
    await guest.session.close_call("c2")
    assert not licences.held
    await guest.session.open_webrtc("c3", VIDEO)
    await guest.session.leave()
    assert not licences.held


@pytest.mark.spec("SYS-185")
async def test_who_is_removed_gives_it_back(node: Node) -> None:
    guest = await (await Guest(node.exchange).join()).call("c1")
    await guest.session.conference.remove(guest.session.participant.uuid, "enough")
    await until(lambda: not counter(node).held)
    assert guest.listener.reasons == ["enough"]


@pytest.mark.spec("SYS-195", "SYS-196", "DIAG-184", "DIAG-186", "PLAT-089")
@pytest.mark.parametrize(
    ("shortage", "refusal", "text"),
    [
        (Shortage.INSUFFICIENT, Refusal.INSUFFICIENT_LICENSES, "Insufficient licenses"),
        (Shortage.INVALID, Refusal.INVALID_LICENSE, "Invalid license"),
    ],
)
async def test_without_a_licence_there_is_no_media(node: Node, shortage: Shortage, refusal: Refusal, text: str) -> None:
    licences = counter(node)
    licences.answers = [shortage, shortage]
    guest = await Guest(node.exchange).join()
    with pytest.raises(CallRefused, match=text) as refused:
        await guest.session.open_webrtc("c1", VIDEO)
    assert refused.value.refusal is refusal
    assert not node.pool.workers
    assert node.ledger.used == 0
    caller = await Guest(node.exchange).join(protocol=CallProtocol.SIP)
    await caller.session.reserve_rtp("s1", [MediaKind.AUDIO])  # it is shown and told so (REF-044, REF-045)
    assert caller.where.value == text.lower().replace(" ", "_")
    assert caller.session.conference is not guest.session.conference
    assert not licences.held
    await caller.session.leave()
    await guest.session.open_webrtc("c1", VIDEO)
    assert licences.held == {guest.session.participant.uuid: PORT}


@pytest.mark.spec("SYS-188", "POL-126")
async def test_without_one_for_video_a_call_goes_on_with_audio_and_stays_so(node: Node, opened: list[str]) -> None:
    licences = counter(node)
    licences.answers = [AUDIO]
    guest = await Guest(node.exchange).join()
    await guest.session.open_webrtc("c1", VIDEO)
    assert opened == ["audio"]
    assert guest.session.service.call_type == "audio"
    await guest.session.open_webrtc("c1", VIDEO)
    assert opened == ["audio", "audio"]
    assert licences.wanted == [PORT, AUDIO]
    other = await Guest(node.exchange).join()
    assert other.session.service.call_type == "video"
    uuid = guest.session.participant.uuid
    assert node.exchange.licence(uuid) == "audio"
    await guest.session.leave()
    ended = [event.participant for event in node.events if isinstance(event, ParticipantEnded)]
    assert [one.license_type for one in ended] == ["audio"]


@pytest.mark.spec("SYS-188", "REF-046", "POL-126")
async def test_a_sip_call_without_one_for_video_is_heard_and_sees_why(node: Node) -> None:
    counter(node).answers = [AUDIO]
    caller = await Guest(node.exchange).join(protocol=CallProtocol.SIP)
    _, ports = await caller.session.reserve_rtp("s1", [MediaKind.AUDIO, MediaKind.VIDEO])
    assert len(ports) == 2
    assert caller.session.service.call_type == "audio"
    assert node.ledger.used == CallClass.AUDIO
    kinds = (MediaKind.AUDIO, MediaKind.VIDEO)
    both = MediaDescription(streams=tuple(MediaStream(kind=kind, port=4000) for kind in kinds))
    await caller.session.connect_rtp("s1", both, both)
    await caller.session.confirm("s1")
    me = caller.session.participant
    assert (me.no_video, me.is_video_call, me.has_media) == (True, False, True)
    worker = node.pool.workers[0]
    await until(lambda: bool(worker.composed and "unlicensed" in worker.composed[-1].views))
    composed = worker.composed[-1]
    assert composed.views[composed.watching["s1"]].tiles[0].image == theme.NO_VIDEO_LICENSE
    assert composed.audio["s1"].hears
    assert composed.audio["s1"].speaks


@pytest.mark.spec("SYS-188")
async def test_no_picture_is_told_to_who_called_a_service_of_sound(node: Node) -> None:
    counter(node).answers = [AUDIO]
    caller = await Guest(node.exchange).join("5555", protocol=CallProtocol.SIP)
    _, ports = await caller.session.reserve_rtp("s1", [MediaKind.AUDIO, MediaKind.VIDEO])
    assert (len(ports), caller.session.participant.no_video) == (1, False)


async def test_who_leaves_while_one_is_asked_for_keeps_none(node: Node) -> None:
    licences = counter(node)
    licences.open.clear()
    guest = await Guest(node.exchange).join()
    opening = asyncio.create_task(guest.session.open_webrtc("c1", VIDEO))
    await until(lambda: bool(licences.wanted))
    await guest.session.leave()
    licences.open.set()
    with pytest.raises(CallRefused, match="Invalid token"):
        await opening
    assert not licences.held
    assert not node.pool.workers
