"""What is under way when a worker dies, a call is closed or a conference ends; and waits that take too long."""

from __future__ import annotations

import asyncio

import pytest
from tests.calls.fakes import FakePool
from tests.calls.people import Guest, settle, until

from rostra.calls.exchange import Exchange
from rostra.calls.switchboard import CallRefused, Refusal
from rostra.conference.events import ParticipantCreated, SyncBegan
from rostra.conference.messages import Transfer
from rostra.domain.media import MediaDescription, MediaKind, MediaStream
from rostra.domain.vocabulary import CallProtocol, Role, ServiceType
from rostra.media.messages import Failure, FirstPicture

AUDIO = MediaDescription(streams=(MediaStream(kind=MediaKind.AUDIO, port=4000),))


async def nothing_left(exchange: Exchange, pool: FakePool) -> None:
    await until(lambda: {w.id for w in pool.workers if w.alive} == {w.id for w in pool.released})
    state = exchange.debug_state()
    assert (state["sessions"], state["conferences"]) == (0, [])


async def test_no_worker_to_be_had_is_out_of_resource(exchange: Exchange, pool: FakePool) -> None:
    guest = await Guest(exchange).join()
    pool.broken = True
    with pytest.raises(CallRefused) as refused:
        await guest.session.open_webrtc("c1", "offer")
    assert refused.value.refusal is Refusal.OUT_OF_RESOURCE
    with pytest.raises(CallRefused):
        await guest.session.reserve_rtp("c2", [MediaKind.AUDIO])
    pool.broken = False
    await guest.call("c3")
    assert guest.session.participant.has_media


async def test_an_engine_that_cannot_is_out_of_resource_not_a_bad_offer(exchange: Exchange, pool: FakePool) -> None:
    await (await Guest(exchange).join()).call("c1")
    pool.workers[0].refuse = Failure.Kind.INTERNAL
    with pytest.raises(CallRefused) as refused:
        await (await Guest(exchange).join()).session.open_webrtc("c2", "offer")
    assert refused.value.refusal is Refusal.OUT_OF_RESOURCE


async def test_workers_dying_in_a_row_are_followed(exchange: Exchange, pool: FakePool) -> None:
    pool.doomed = 2
    guest = await (await Guest(exchange).join()).call("c1")
    assert [worker.alive for worker in pool.workers] == [False, False, True]
    assert pool.workers[2].started == {"c1"}
    await guest.session.leave()
    await nothing_left(exchange, pool)


async def test_a_confirmation_after_the_loss_negotiates_anew(exchange: Exchange, pool: FakePool) -> None:
    caller = await Guest(exchange).join(protocol=CallProtocol.SIP)
    await caller.session.reserve_rtp("s1", [MediaKind.AUDIO])
    await caller.session.connect_rtp("s1", AUDIO, AUDIO)
    pool.workers[0].kill()
    caller.listener.lost.clear()  # told while the far end could not yet be asked anew
    await caller.session.confirm("s1")
    assert caller.listener.lost == ["s1"]
    assert len(pool.workers) == 1, "there is nothing to do for a worker yet"
    await caller.session.reserve_rtp("s1", [MediaKind.AUDIO])
    await caller.session.connect_rtp("s1", AUDIO, AUDIO)
    assert pool.workers[1].started == {"s1"}


async def test_ports_of_a_dead_worker_do_not_refuse_the_call(exchange: Exchange, pool: FakePool) -> None:
    caller = await Guest(exchange).join(protocol=CallProtocol.SIP)
    await caller.session.reserve_rtp("s1", [MediaKind.AUDIO])
    pool.workers[0].kill()
    await caller.session.connect_rtp("s1", AUDIO, AUDIO)
    assert caller.listener.lost == ["s1"]


async def test_closing_needs_no_worker(exchange: Exchange, pool: FakePool) -> None:
    one, two = await (await Guest(exchange).join()).call("c1"), await (await Guest(exchange).join()).call("c2")
    pool.workers[0].kill()
    pool.stocked.clear()
    async with asyncio.timeout(1):
        await one.session.close_call("c1")
        await one.session.leave()
        await two.session.request_keyframe("c2")
        await two.session.leave()
    assert len(pool.workers) == 1
    await nothing_left(exchange, pool)


async def test_a_request_given_up_leaves_no_leg(exchange: Exchange, pool: FakePool) -> None:
    await (await Guest(exchange).join()).call("c1")
    guest = await Guest(exchange).join()
    asked = asyncio.create_task(guest.session.open_webrtc("c2", "offer"))
    await asyncio.sleep(0)
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)
    await until(lambda: pool.workers[0].legs == {"c1"} and exchange.conferences[0].media.hosting.calls == ["c1"])


async def test_leaving_while_media_is_set_up_leaves_no_leg(exchange: Exchange, pool: FakePool) -> None:
    other = await Guest(exchange).join()
    guest = await Guest(exchange).join()
    pool.stocked.clear()
    asked = asyncio.create_task(guest.session.open_webrtc("c2", "offer"))
    await settle()
    await guest.session.leave()
    pool.stocked.set()
    with pytest.raises(CallRefused):
        await asked
    await settle()
    assert pool.workers[0].legs == set()
    with pytest.raises(CallRefused):
        await guest.session.open_webrtc("c3", "offer")
    await other.session.leave()
    await nothing_left(exchange, pool)


async def test_a_conference_that_ends_while_it_waits_for_a_worker_gives_it_back(
    exchange: Exchange, pool: FakePool
) -> None:
    guest = await Guest(exchange).join()
    pool.stocked.clear()
    asked = asyncio.create_task(guest.session.open_webrtc("c1", "offer"))
    await settle()
    await guest.session.leave()
    await settle()
    pool.stocked.set()
    with pytest.raises(CallRefused):
        await asked
    await nothing_left(exchange, pool)
    await until(lambda: not any("_compose" in repr(task) for task in asyncio.all_tasks()))


async def test_a_picture_that_did_not_arrive_is_sent_again(
    exchange: Exchange, pool: FakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rostra.conference.director.COMPOSE_AGAIN", 0.0)
    await (await Guest(exchange).join()).call("c1")
    worker = pool.workers[0]
    await until(lambda: bool(worker.composed))
    worker.composed.clear()
    worker.alive = False  # not reached, but nobody says that it is gone
    worker.tell(FirstPicture(leg="c1", width=640, height=360))
    await (await Guest(exchange).join()).session.leave()
    await settle()
    worker.alive = True
    await until(lambda: bool(worker.composed))


async def test_an_adapter_that_fails_does_not_hide_the_loss_from_others(exchange: Exchange, pool: FakePool) -> None:
    one, two = await (await Guest(exchange).join()).call("c1"), await (await Guest(exchange).join()).call("c2")

    def fail(call: str) -> None:
        raise RuntimeError(call)

    one.listener.media_lost = fail  # type: ignore[method-assign]
    pool.workers[0].kill()
    assert two.listener.lost == ["c2"]


async def test_a_failed_renegotiation_before_the_ack_keeps_the_call(exchange: Exchange, pool: FakePool) -> None:
    guest = await Guest(exchange).join()
    await guest.session.open_webrtc("c1", "offer")
    pool.workers[0].refuse = Failure.Kind.BAD_DESCRIPTION
    with pytest.raises(Exception, match="refused"):
        await guest.session.open_webrtc("c1", "nonsense")
    pool.workers[0].refuse = None
    await guest.session.confirm("c1")
    assert guest.session.participant.has_media


@pytest.mark.spec("API-150")
async def test_waiting_ends_after_its_timeout(exchange: Exchange) -> None:
    guest = await Guest(exchange).join("hasty", pin="none")
    await until(lambda: bool(guest.listener.reasons))
    assert guest.listener.reasons == [
        "Timeout waiting for conference host to join or permit access to locked conference"
    ]
    assert not exchange.conferences


async def test_the_pin_prompt_ends_after_its_timeout(exchange: Exchange) -> None:
    caller = await Guest(exchange).join("swift", protocol=CallProtocol.SIP)
    assert caller.where is ServiceType.IVR
    await until(lambda: bool(caller.listener.reasons))
    assert not exchange.conferences


async def test_who_was_let_in_in_time_stays(exchange: Exchange) -> None:
    guest = await Guest(exchange).join("hasty", pin="none")
    host = await (await Guest(exchange).join("hasty", pin="1234")).call("c1")
    await asyncio.sleep(0.1)
    assert guest.where is ServiceType.CONFERENCE
    assert not guest.listener.reasons
    await host.session.leave()


@pytest.mark.spec("CONF-062", "CONF-160")
async def test_a_host_who_comes_back_gives_guests_the_whole_time_again(exchange: Exchange) -> None:
    guest = await Guest(exchange).join("brief", pin="none")
    for call in ("c1", "c2"):
        host = await (await Guest(exchange).join("brief", pin="1234")).call(call)
        await host.session.leave()
        await asyncio.sleep(0.12)
        assert not guest.listener.reasons
    await until(lambda: bool(guest.listener.reasons))


@pytest.mark.spec("CONF-160")
async def test_a_host_without_media_does_not_keep_guests(exchange: Exchange) -> None:
    watching = await Guest(exchange).join("short", pin="1234")
    host = await (await Guest(exchange).join("short", pin="1234")).call("c1")
    guest = await Guest(exchange).join("short", pin="none")
    await host.session.leave()
    await until(lambda: bool(guest.listener.reasons))
    assert watching.listener.reasons == guest.listener.reasons, "it is over for who only looked on, too"


async def test_who_types_a_pin_is_not_sent_away_with_the_guests(exchange: Exchange) -> None:
    host = await (await Guest(exchange).join("parting", pin="1234")).call("c1")
    caller = await Guest(exchange).join("parting", protocol=CallProtocol.SIP)
    guest = await Guest(exchange).join("parting", pin="5678")
    await host.session.leave()
    await until(lambda: bool(guest.listener.reasons))
    assert not caller.listener.reasons


@pytest.mark.spec("API-055")
async def test_a_waiting_guest_made_host_gets_the_roster(exchange: Exchange) -> None:
    host = await Guest(exchange).join("hosted", pin="1234")
    guest = await Guest(exchange).join("hosted", pin="none")
    conference = host.session.conference
    events = aiter(conference.subscribe(guest.session.participant.uuid))
    await conference.set_role(guest.session.participant.uuid, Role.HOST)
    await conference.remove(guest.session.participant.uuid, "enough")
    seen = [event async for event in events]
    begins = [index for index, event in enumerate(seen) if isinstance(event, SyncBegan)]
    assert len(begins) == 2
    created = {e.participant.uuid for e in seen[begins[1] :] if isinstance(e, ParticipantCreated)}
    assert host.session.participant.uuid in created


async def test_three_wrong_pins_are_final(exchange: Exchange) -> None:
    caller = await Guest(exchange).join("hosts", protocol=CallProtocol.SIP)
    caller.session.dtmf("c1", "1111222233331234")
    assert caller.where is ServiceType.IVR
    await until(lambda: caller.listener.reasons == ["Participant exceeded PIN entry retries"])


async def test_watching_after_leaving_ends_at_once(exchange: Exchange) -> None:
    one, two = await Guest(exchange).join(), await Guest(exchange).join()
    uuid = two.session.participant.uuid
    await two.session.leave()
    async with asyncio.timeout(1):
        assert [event async for event in one.session.conference.subscribe(uuid)] == []


async def test_who_is_on_hold_is_not_shown(exchange: Exchange, pool: FakePool) -> None:
    for index in range(2):
        await (await Guest(exchange).join()).call(f"c{index}")
    worker = pool.workers[0]
    for index in range(2):
        worker.tell(FirstPicture(leg=f"c{index}", width=640, height=360))
    conference = exchange.conferences[0]

    def sees(viewer: str) -> list[str]:
        last = worker.composed[-1]
        return [tile.source for tile in last.views[last.watching[viewer]].tiles if tile.source]

    await until(lambda: sees("c0") == ["c1"])
    await conference.hold(conference.participants[1].uuid, True)
    await until(lambda: "c1" not in sees("c0"))


async def test_closing_is_finished_though_nobody_waits_for_it(exchange: Exchange, pool: FakePool) -> None:
    await (await Guest(exchange).join()).call("c0")
    one, two = await (await Guest(exchange).join()).call("c1"), await (await Guest(exchange).join()).call("c2")
    for closing in (asyncio.create_task(one.session.close_call("c1")), asyncio.create_task(two.session.leave())):
        await asyncio.sleep(0)
        closing.cancel()
    await settle()
    assert pool.workers[0].legs == {"c0"}


async def test_who_leaves_before_its_media_has_followed_leaves_no_leg(exchange: Exchange, pool: FakePool) -> None:
    stays = await (await Guest(exchange).join()).call("c1")
    goes = await (await Guest(exchange).join(protocol=CallProtocol.SIP)).call("c2")
    assert await exchange.transfers.transfer_to(goes.session, Transfer(alias="hosted", role=Role.HOST))
    await settle()
    assert pool.workers[0].legs == {"c1", "c2"}, "until it has followed"
    await goes.session.leave()
    await until(lambda: pool.workers[0].legs == {"c1"}, 1)
    await stays.session.leave()
    await nothing_left(exchange, pool)
