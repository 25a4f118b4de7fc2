"""Joining, waiting, PINs, locks, media loss: the exchange with a media pool that only remembers."""

from __future__ import annotations

import asyncio

import pytest
from tests.calls.fakes import FakePool
from tests.calls.people import Guest, settle, until

from rostra.calls.exchange import Exchange
from rostra.calls.switchboard import CallRefused, MediaRefused, PinRequired, Refusal
from rostra.conference.events import (
    LayoutChanged,
    MessageReceived,
    ParticipantCreated,
    Removed,
    StageChanged,
    SyncBegan,
    SyncEnded,
)  # fmt: skip
from rostra.domain.vocabulary import CallProtocol, Role, ServiceType
from rostra.media.messages import Failure, FirstPicture, LegFailed, Levels


async def test_an_unknown_alias_is_refused(exchange: Exchange) -> None:
    with pytest.raises(CallRefused) as refused:
        await Guest(exchange).join("nobody")
    assert refused.value.refusal is Refusal.NOT_FOUND
    assert not exchange.conferences


async def test_two_callers_of_one_alias_meet(exchange: Exchange) -> None:
    one, two = await Guest(exchange).join(), await Guest(exchange).join("OPEN")
    assert one.session.conference is two.session.conference
    await one.session.leave()
    assert [p.uuid for p in two.session.conference.participants] == [two.session.participant.uuid]
    await two.session.leave()
    assert not exchange.conferences


async def test_a_conference_ends_whose_caller_went_before_it_was_there(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rostra.calls.exchange.UNCLAIMED", 0.0)
    joining = asyncio.get_running_loop().create_task(Guest(exchange).join())
    while not exchange._opening:  # noqa: ASYNC110 - it is there for a few turns of the loop only
        await asyncio.sleep(0)
    joining.cancel()
    await until(lambda: not exchange._opening)
    assert exchange.conferences, "it was not begun"
    await until(lambda: not exchange.conferences)


@pytest.mark.spec("API-031", "API-032")
async def test_a_pin_is_asked_for_and_judged(exchange: Exchange) -> None:
    with pytest.raises(PinRequired) as asked:
        await Guest(exchange).join("hosted")
    assert (asked.value.host_pin, asked.value.guest_pin) == (True, False)
    with pytest.raises(CallRefused) as refused:
        await Guest(exchange).join("hosted", pin="9999")
    assert refused.value.refusal is Refusal.INVALID_PIN
    assert (await Guest(exchange).join("hosted", pin="1234")).session.participant.role is Role.HOST


@pytest.mark.spec("CONF-059", "CONF-060")
async def test_guests_wait_for_a_host_with_media(exchange: Exchange) -> None:
    guest = await Guest(exchange).join("hosted", pin="none")
    assert guest.where is ServiceType.WAITING_ROOM
    host = await Guest(exchange).join("hosted", pin="1234")
    assert guest.where is ServiceType.WAITING_ROOM
    await host.call("c1")
    assert guest.where is ServiceType.CONFERENCE


@pytest.mark.spec("CONF-050", "CONF-065")
async def test_sip_callers_type_their_pin(exchange: Exchange) -> None:
    caller = await Guest(exchange).join("hosts", protocol=CallProtocol.SIP)
    assert (caller.where, caller.session.participant.role) == (ServiceType.IVR, Role.UNKNOWN)
    caller.session.dtmf("c1", "1235")
    assert caller.where is ServiceType.IVR
    caller.session.dtmf("c1", "1234")
    assert (caller.where, caller.session.participant.role) == (ServiceType.CONFERENCE, Role.HOST)
    wrong = await Guest(exchange).join("hosts", protocol=CallProtocol.SIP)
    wrong.session.dtmf("c2", "111122223333")
    await until(lambda: bool(wrong.listener.reasons))
    assert wrong.listener.reasons == ["Participant exceeded PIN entry retries"]


@pytest.mark.spec("CONF-055")
async def test_a_pin_can_be_dialled_along(exchange: Exchange) -> None:
    caller = await Guest(exchange).join("hosts**1234", protocol=CallProtocol.SIP)
    assert caller.session.participant.role is Role.HOST


async def test_the_participant_limit_holds(exchange: Exchange) -> None:
    await Guest(exchange).join("small")
    with pytest.raises(CallRefused) as refused:
        await Guest(exchange).join("small")
    assert refused.value.refusal is Refusal.PARTICIPANT_LIMIT


async def test_a_lock_holds_newcomers_until_admitted(exchange: Exchange) -> None:
    host = await Guest(exchange).join()
    await host.session.conference.lock(True)
    late, later = await Guest(exchange).join(), await Guest(exchange).join()
    assert late.where is ServiceType.WAITING_ROOM
    await host.session.conference.admit(late.session.participant.uuid)
    assert (late.where, later.where) == (ServiceType.CONFERENCE, ServiceType.WAITING_ROOM)
    await host.session.conference.lock(False)
    assert later.where is ServiceType.CONFERENCE


@pytest.mark.spec("CONF-062")
async def test_guests_alone_are_sent_away_after_the_timeout(exchange: Exchange) -> None:
    host = await (await Guest(exchange).join("short", pin="1234")).call("c1")
    guest = await Guest(exchange).join("short", pin="none")
    await host.session.leave()
    await until(lambda: bool(guest.listener.reasons))
    assert guest.listener.reasons == ["All conference hosts departed hosted conference"]
    assert not exchange.conferences


async def test_each_test_call_is_alone_and_hears_itself(exchange: Exchange, pool: FakePool) -> None:
    one, two = await Guest(exchange).join("test"), await Guest(exchange).join("test")
    assert one.session.conference is not two.session.conference
    await one.call("c1")
    composed = pool.workers[0].composed
    await until(lambda: bool(composed) and composed[-1].audio["c1"].loopback > 0)
    assert any(tile.source == "c1" for tile in composed[-1].views[composed[-1].watching["c1"]].tiles)


@pytest.mark.spec("CONF-084", "CONF-080")
async def test_pictures_appear_and_follow_the_voice(exchange: Exchange, pool: FakePool) -> None:
    people = [await (await Guest(exchange).join()).call(f"c{i}") for i in range(3)]
    worker = pool.workers[0]
    for i in range(3):
        worker.tell(FirstPicture(leg=f"c{i}", width=640, height=360))

    def sees(viewer: int) -> list[str]:
        if not worker.composed:
            return []
        compose = worker.composed[-1]
        return [tile.source for tile in compose.views[compose.watching[f"c{viewer}"]].tiles if tile.source]

    await until(lambda: sees(0) == ["c1", "c2"])
    for _ in range(8):
        worker.tell(Levels(levels={"c0": -90.0, "c1": -90.0, "c2": -20.0}))
    await until(lambda: sees(0) == ["c2", "c1"])
    assert sees(2) == ["c0", "c1"]
    await people[1].session.conference.mute(people[1].session.participant.uuid, True)
    for _ in range(20):
        worker.tell(Levels(levels={"c0": -90.0, "c1": -10.0, "c2": -90.0}))
    await settle()
    assert sees(0) == ["c2", "c1"], "a muted participant does not take the picture"
    assert worker.composed[-1].audio["c1"].speaks is False


async def test_a_lost_worker_is_replaced_and_legs_come_back(exchange: Exchange, pool: FakePool) -> None:
    guest = await (await Guest(exchange).join()).call("c1")
    pool.workers[0].kill()
    assert guest.listener.lost == ["c1"]
    await guest.session.open_webrtc("c1", "offer with new ICE")
    assert len(pool.workers) == 2
    assert pool.workers[1].started == {"c1"}, "no second ack is needed after an update (API-073)"
    await until(lambda: bool(pool.workers[1].composed))


async def test_media_is_freed_when_somebody_leaves_or_is_removed(exchange: Exchange, pool: FakePool) -> None:
    one, two = await (await Guest(exchange).join()).call("c1"), await (await Guest(exchange).join()).call("c2")
    await one.session.leave()
    assert pool.workers[0].legs == {"c2"}
    await two.session.conference.remove(two.session.participant.uuid, "Disconnected by another participant")
    assert two.listener.reasons == ["Disconnected by another participant"]
    await until(lambda: pool.released == pool.workers)


async def test_a_failed_leg_ends_its_call_only(exchange: Exchange, pool: FakePool) -> None:
    one, two = await (await Guest(exchange).join()).call("c1"), await (await Guest(exchange).join()).call("c2")
    pool.workers[0].tell(LegFailed(leg="c1", reason="Ice failure"))
    await until(lambda: one.listener.ended == [("c1", "Ice failure")])
    await until(lambda: not one.session.participant.has_media)
    assert two.session.participant.has_media


async def test_a_new_main_call_replaces_the_old_one(exchange: Exchange, pool: FakePool) -> None:
    guest = await (await Guest(exchange).join()).call("c1")
    await guest.call("c2")
    await until(lambda: pool.workers[0].legs == {"c2"})
    assert guest.session.participant.has_media


@pytest.mark.parametrize("kind", [Failure.Kind.BAD_DESCRIPTION, Failure.Kind.NO_COMMON_CODEC])
async def test_unusable_offers_are_refused_and_leave_nothing(
    exchange: Exchange, pool: FakePool, kind: Failure.Kind
) -> None:
    guest = await (await Guest(exchange).join()).call("c1")
    pool.workers[0].refuse = kind
    other = await Guest(exchange).join()
    with pytest.raises(MediaRefused) as refused:
        await other.session.open_webrtc("c9", "nonsense")
    assert refused.value.no_common_codec is (kind is Failure.Kind.NO_COMMON_CODEC)
    assert guest.session.participant.has_media
    assert not other.session.participant.has_media


@pytest.mark.spec("API-044", "API-055")
async def test_the_snapshot_then_every_event_in_order(exchange: Exchange) -> None:
    host = await Guest(exchange).join()
    conference = host.session.conference
    events = aiter(conference.subscribe(host.session.participant.uuid))
    kinds = [type(await anext(events)).__name__ for _ in range(7)]
    assert kinds == [
        "ConferenceUpdated", "SyncBegan", "ParticipantCreated", "SyncEnded", "StageChanged", "LayoutChanged",
        "PresentationStopped",
    ]  # fmt: skip
    late = await Guest(exchange).join()
    created = await anext(events)
    assert isinstance(created, ParticipantCreated)
    assert created.participant.uuid == late.session.participant.uuid
    await conference.message(late.session.participant.uuid, "text/plain", "hello")
    seen = [await anext(events) for _ in range(1)]
    assert isinstance(seen[0], MessageReceived)
    await conference.remove(host.session.participant.uuid, "bye")
    rest = [event async for event in events]
    assert isinstance(rest[-1], Removed)


@pytest.mark.spec("API-055")
async def test_who_waits_sees_only_itself_and_the_roster_on_admission(exchange: Exchange) -> None:
    guest = await Guest(exchange).join("hosted", pin="none")
    host = await Guest(exchange).join("hosted", pin="1234")
    events = aiter(host.session.conference.subscribe(guest.session.participant.uuid))
    await host.session.conference.start()
    seen = []
    async with asyncio.timeout(5):
        while not (
            seen and isinstance(seen[-1], StageChanged) and len([e for e in seen if isinstance(e, SyncEnded)]) == 2
        ):
            seen.append(await anext(events))
    first, second = [index for index, event in enumerate(seen) if isinstance(event, SyncBegan)]
    before = [event.participant.uuid for event in seen[first:second] if isinstance(event, ParticipantCreated)]
    after = [event.participant.uuid for event in seen[second:] if isinstance(event, ParticipantCreated)]
    assert before == [guest.session.participant.uuid]
    assert set(after) == {guest.session.participant.uuid, host.session.participant.uuid}


async def test_a_reader_that_does_not_read_is_cut_off_alone(exchange: Exchange) -> None:
    slow, fast = await Guest(exchange).join(), await Guest(exchange).join()
    conference = fast.session.conference
    stalled = conference.subscribe(slow.session.participant.uuid)
    for index in range(1500):
        await conference.message(fast.session.participant.uuid, "text/plain", str(index))
    rest = [event async for event in stalled]
    assert len(rest) < 1000
    again = aiter(conference.subscribe(slow.session.participant.uuid))
    assert not isinstance(await anext(again), LayoutChanged)
