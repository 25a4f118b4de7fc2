"""WebRTC calls (section 8)."""

from __future__ import annotations

import asyncio

import pytest

from rostra.calls.switchboard import CallRefused, Refusal
from rostra.clientapi import clients, table

from .driver import Api, User
from .fakes import ANSWER, FakeSession, FakeSwitchboard

OFFER = {"call_type": "WEBRTC", "sdp": "v=0\r\n"}


@pytest.fixture
async def ada(api: Api) -> User:
    return await api.join()


@pytest.fixture
def session(ada: User, switchboard: FakeSwitchboard) -> FakeSession:
    found = switchboard.session(ada.uuid)
    assert found
    return found


@pytest.mark.spec("API-067", "API-068")
async def test_the_answer_is_complete_and_has_no_turn(ada: User) -> None:
    result = await ada.act("calls", OFFER)
    assert set(result) == {"call_uuid", "sdp"}
    assert result["sdp"] == ANSWER


@pytest.mark.spec("API-070")
async def test_ack_starts_media_and_may_be_repeated(ada: User, session: FakeSession) -> None:
    call = await ada.call()
    assert session.confirmed == []
    for body in (None, {}, {"sdp": "", "offer_ignored": False}, [1], "x"):
        assert await ada.act(f"calls/{call}/ack", body) is True
    assert set(session.confirmed) == {call}


@pytest.mark.spec("API-016")
async def test_an_unknown_call_is_403_and_a_gone_one_is_fine(ada: User) -> None:
    for path, body in (("ack", None), ("update", {"sdp": "v=0"}), ("dtmf", {"digits": "1"})):
        answer = await ada.post(f"participants/{ada.uuid}/calls/unknown/{path}", body)
        assert (answer.status_code, answer.json()["status"]) == (403, "failed")
    call = await ada.call()
    for _ in range(2):
        assert await ada.act(f"calls/{call}/disconnect", {}) is None
    assert await ada.act(f"calls/{call}/ack") is True


@pytest.mark.spec("API-070")
async def test_without_ack_the_call_is_dropped(
    live: Api, switchboard: FakeSwitchboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients, "ACK_TIMEOUT", 0.05)
    ada = await live.join()
    async with ada.events() as events:
        await events.until("layout")
        call = await ada.call()
        assert (await events.until("call_disconnected")).data["call_uuid"] == call
    session = switchboard.session(ada.uuid)
    assert session
    assert session.closed == [call]


@pytest.mark.spec("API-073")
async def test_update_keeps_the_call(ada: User, session: FakeSession) -> None:
    call = await ada.call()
    await ada.act(f"calls/{call}/ack")
    assert await ada.act(f"calls/{call}/update", {"sdp": "v=0 again"}) == {"call_uuid": call, "sdp": ANSWER}
    assert [opened[:2] for opened in session.opened] == [(call, "v=0\r\n"), (call, "v=0 again")]


async def test_media_lost_is_told_and_update_brings_it_back(live: Api, switchboard: FakeSwitchboard) -> None:
    ada = await live.join()
    async with ada.events() as events:
        await events.until("layout")
        call = await ada.call()
        session = switchboard.session(ada.uuid)
        assert session
        session.listener.media_lost("another")
        session.listener.media_lost(call)
        assert (await events.until("media_lost")).data == {"call_uuid": call}
        assert (await ada.act(f"calls/{call}/update", {"sdp": "v=0"}))["call_uuid"] == call


@pytest.mark.spec("API-076", "API-077")
async def test_echoes_are_never_sent(live: Api, switchboard: FakeSwitchboard) -> None:
    ada = await live.join()
    async with ada.events() as events:
        await events.until("layout")
        first, second = await ada.call(), await ada.call()
        session = switchboard.session(ada.uuid)
        assert session
        assert session.closed == [first]
        session.listener.call_ended(first, "replaced")
        await ada.act(f"calls/{second}/disconnect")
        session.listener.call_ended(second, "hung up")
        third = await ada.call()
        session.listener.call_ended(third, "Media process disconnected")
        event = await events.until("call_disconnected")
        assert event.data == {"call_uuid": third, "reason": "Media process disconnected"}
    assert [e.event for e in events.seen].count("call_disconnected") == 1


CANDIDATE = "candidate:1 1 udp 2122260223 192.0.2.1 40000 typ host"
CANDIDATES = [
    ({"candidate": CANDIDATE, "mid": "1", "ufrag": "uf"}, ("1", CANDIDATE, "uf")),
    ({"candidate": "", "mid": "0"}, ("0", "", "")),
    ({"candidate": ""}, ("0", "", "")),
    ({"candidate": CANDIDATE.replace("udp", "tcp"), "mid": "0"}, None),
    ({"candidate": CANDIDATE.replace("192.0.2.1", "5e0a.local"), "mid": "0"}, None),
    ({"candidate": "rubbish", "mid": "0"}, None),
]


@pytest.mark.spec("API-069")
@pytest.mark.parametrize(("body", "handed"), CANDIDATES)
async def test_candidates(
    ada: User, session: FakeSession, body: dict[str, str], handed: tuple[str, str, str] | None
) -> None:
    call = await ada.call()
    assert await ada.act(f"calls/{call}/new_candidate", body) is None
    assert session.candidates == ([(call, *handed)] if handed else [])


MEDIA = [
    ("meet.demo", None, "video"),
    ("meet.demo", "audio", "audio"),
    ("meet.demo", "video-only", "video-only"),
    ("narrow", "video", "audio"),
    ("watching", "video", "video-only"),
]


@pytest.mark.spec("API-078")
@pytest.mark.parametrize(("alias", "wanted", "used"), MEDIA)
async def test_media_type(api: Api, switchboard: FakeSwitchboard, alias: str, wanted: str | None, used: str) -> None:
    user = await api.join(alias)
    await user.act("calls", OFFER | ({"media_type": wanted} if wanted else {}))
    session = switchboard.session(user.uuid)
    assert session
    assert session.opened[0][2] == used


BAD_OFFERS = [
    ({"call_type": "WEBRTC"}, 400),
    ({"call_type": "WEBRTC", "sdp": ""}, 400),
    ({"call_type": "WEBRTC", "sdp": "nonsense"}, 400),
    ({"call_type": "WEBRTC", "sdp": 5}, 400),
    ({"call_type": "OTHER", "sdp": "v=0"}, 400),
    ({}, 400),
    ([], 400),
    ({"call_type": "RTMP", "streaming": "true"}, 403),
    ({**OFFER, "present": "both"}, 400),
]


@pytest.mark.spec("API-016")
@pytest.mark.parametrize(("body", "status"), BAD_OFFERS)
async def test_bad_offers_leave_the_running_call_alone(
    ada: User, session: FakeSession, body: object, status: int
) -> None:
    call = await ada.call()
    answer = await ada.post(f"participants/{ada.uuid}/calls", body)
    assert (answer.status_code, answer.json()["status"]) == (status, "failed")
    assert session.closed == []
    assert await ada.act(f"calls/{call}/ack") is True


FAILURES = [
    (CallRefused(Refusal.OUT_OF_RESOURCE), 500, 503),
    (RuntimeError("a bug"), 500, 500),
    (TimeoutError(), 504, 503),
]


@pytest.mark.parametrize(("failure", "calls", "update"), FAILURES)
async def test_failures_have_statuses_clients_tolerate(
    ada: User, session: FakeSession, failure: Exception, calls: int, update: int
) -> None:
    call = await ada.call()
    session.failure = failure
    assert (await ada.post(f"participants/{ada.uuid}/calls", OFFER)).status_code == calls
    assert (await ada.post(f"participants/{ada.uuid}/calls/{call}/update", {"sdp": "v=0"})).status_code == update


@pytest.mark.spec("API-013")
async def test_calls_are_answered_in_time(api: Api, switchboard: FakeSwitchboard) -> None:
    queued = [e for e in table.CALLS if e.path.rpartition("/")[2] in ("calls", "ack", "update", "new_candidate")]
    assert len(queued) == 4
    assert all(endpoint.within < 5 for endpoint in queued)
    ada = await api.join()
    session = switchboard.session(ada.uuid)
    assert session
    session.delay = asyncio.Event()
    answer = await ada.post(f"participants/{ada.uuid}/calls", OFFER)
    assert (answer.status_code, answer.json()["status"]) == (504, "failed")
    session.delay = None
    assert await ada.call()


async def test_leaving_during_call_setup_leaves_no_call(ada: User, session: FakeSession) -> None:
    session.delay = asyncio.Event()
    pending = asyncio.create_task(ada.post(f"participants/{ada.uuid}/calls", OFFER))
    await asyncio.sleep(0)
    await ada.post("release_token")
    session.delay.set()
    assert (await pending).status_code == 403


@pytest.mark.spec("API-066")
async def test_calls_of_others_are_refused(api: Api, ada: User) -> None:
    call = await ada.call()
    bob = await api.join(name="Bob")
    for path in ("calls", f"calls/{call}/ack", f"calls/{call}/disconnect"):
        answer = await bob.post(f"participants/{ada.uuid}/{path}", OFFER)
        assert (answer.status_code, answer.json()["result"]) == (403, "Invalid role")


async def test_statistics_are_taken(ada: User) -> None:
    assert await ada.act("calls/of-some-room/statistics", {"audio": {"rx_bitrate": 1.5}, "video": {}}) is None
