"""Gateway calls by SIP: the caller's call rings and is answered when the other end is, and says why it is not."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from rostra.calls.switchboard import FarEnd
from rostra.domain import gateway
from rostra.domain.vocabulary import ServiceType
from rostra.sip import moving
from rostra.sip.waiting import Waiting
from tests.sip.conftest import Running
from tests.sip.fakes import FakeSession, Somebody
from tests.sip.pair import answered, call, serving
from tests.sip.test_moving import OTHER, Scene, session


@dataclasses.dataclass
class Pair:
    """A caller's service, and ours with a gateway behind it."""

    caller: Running
    ours: Running

    async def call(self, **more: object) -> tuple[FakeSession, FakeSession]:
        """The caller's session, and the one of ours once its media is set up."""
        made = call(self.caller, f"sip:55@127.0.0.1:{self.ours.port};transport=tcp", **more)
        await self.ours.until(lambda: bool(self.ours.switchboard.sessions) or made.left)
        (session,) = self.ours.switchboard.sessions
        await self.ours.until(lambda: session.did("connect"))
        return made, session

    async def tell(self, session: FakeSession, now: FarEnd) -> None:
        assert session.on_far_end is not None
        session.on_far_end(now)


@pytest.fixture
async def pair(running: Running) -> AsyncIterator[Pair]:
    running.switchboard.aliases.add("55")
    running.switchboard.kind = "gateway"
    async with serving(running.service.environment) as caller:
        yield Pair(caller, running)


@pytest.mark.spec("SVC-077", "PLAT-075")
async def test_ringing_and_the_answer_are_passed_on(pair: Pair) -> None:
    made, session = await pair.call()
    assert not made.did("ringing")
    await pair.tell(session, FarEnd.RINGING)
    await pair.caller.until(lambda: made.did("ringing"))
    assert not made.did("answered")
    await pair.tell(session, FarEnd.ANSWERED)
    await answered(pair.caller, made)
    await pair.ours.until(lambda: session.did("confirm"))
    session.listener.disconnected("Call disconnected")
    await pair.caller.until(lambda: made.left)
    assert made.reason == "Call disconnected"


@pytest.mark.spec("SVC-077", "PLAT-075")
async def test_early_media_is_passed_on(pair: Pair) -> None:
    """183 with the description that the 200 has, and its media is set up by it."""
    made, session = await pair.call()
    await pair.tell(session, FarEnd.EARLY)
    await pair.caller.until(lambda: made.did("early"))
    assert made.did("connect")
    assert not made.did("answered")
    await pair.tell(session, FarEnd.ANSWERED)
    await answered(pair.caller, made)


@pytest.mark.parametrize(
    ("answers", "now", "sdp"),
    [(True, FarEnd.EARLY, b"sdp"), (False, FarEnd.EARLY, b""), (True, FarEnd.RINGING, b"")],
)
def test_an_offer_of_ours_is_no_early_answer(answers: bool, now: FarEnd, sdp: bytes) -> None:
    said: list[bytes] = []
    line = SimpleNamespace(ring=lambda call, sdp=b"": said.append(sdp))
    waiting = Waiting(cast("Any", line), "call")
    waiting.keep(b"sdp", answers=answers)
    waiting.follow(now)
    assert said == [sdp]


@pytest.mark.spec("SVC-077")
@pytest.mark.parametrize(
    "reason", ["Called party busy", "Called party not found", "No answer", "Called party not available"]
)
async def test_a_refusal_is_passed_on(pair: Pair, reason: str) -> None:
    """What the one side reads out of a status, the other writes: it comes back as it was."""
    made, session = await pair.call()
    session.listener.disconnected(reason)
    await pair.caller.until(lambda: made.left)
    assert made.reason == reason
    await pair.ours.until(lambda: session.left)


async def test_a_caller_that_gives_up(pair: Pair) -> None:
    made, session = await pair.call()
    await pair.tell(session, FarEnd.RINGING)
    await pair.caller.until(lambda: made.did("ringing"))
    made.listener.disconnected("over")
    await pair.ours.until(lambda: session.left)
    await pair.tell(session, FarEnd.ANSWERED)  # too late, and nothing comes of it
    await pair.caller.until(lambda: made.left)


@pytest.mark.spec("CONF-028")
async def test_marks_of_gateways_are_read(pair: Pair) -> None:
    _, session = await pair.call(headers=((gateway.TRAIL, "abc,def"),), hops=9)
    assert (session.request.trail, session.request.hops) == (("abc", "def"), 9)


@pytest.mark.spec("SVC-077")
async def test_one_end_sends_the_other_on() -> None:
    scene = Scene(service_type=ServiceType.GATEWAY)
    scene.session.conference.called["other"] = Somebody("other", service_type=ServiceType.GATEWAY)
    assert await scene.wish("sip:carol@example.com") == [100, 200]
    assert scene.session.conference.sent == [("other", "carol@example.com", None)]


async def test_nobody_to_send_on() -> None:
    assert await Scene(service_type=ServiceType.GATEWAY).wish("sip:carol@example.com") == [403]


@pytest.mark.spec("SVC-077")
@pytest.mark.parametrize(("trusted", "connects", "status"), [(True, True, 200), (False, False, 503)])
async def test_one_end_sends_the_other_on_to_its_other_call(trusted: bool, connects: bool, status: int) -> None:
    """Attended: what it has in both calls is connected, and its other call ends; else both stay."""
    scene = Scene(service_type=ServiceType.GATEWAY)
    scene.line.other = session(uuid="second", service_type=ServiceType.GATEWAY)
    scene.switchboard.connects = connects
    assert await scene.wish("sip:carol@example.com", OTHER) == [100, status]
    assert scene.switchboard.connected == [("somebody", "second")]
    assert scene.line.ended == ([("other", moving.MOVED)] if connects else [])
    assert scene.session.conference.sent == []


@pytest.mark.parametrize("trusted", [True, False])
async def test_who_is_no_registered_caller_sends_nobody_as_one(trusted: bool) -> None:
    scene = Scene(service_type=ServiceType.GATEWAY, is_trusted=trusted)
    scene.session.conference.called["other"] = Somebody("other", service_type=ServiceType.GATEWAY)
    await scene.wish("sip:0900@example.com")
    assert scene.session.conference.trusted == [trusted]
