"""Who spoke last when, and whose video counts as silent, from levels to the roster."""

from __future__ import annotations

import time

import pytest
from tests.calls.fakes import FakePool
from tests.calls.people import Guest, until

from rostra.calls.exchange import Exchange
from rostra.conference.roster import Participant
from rostra.domain.silence import SilenceRules
from rostra.domain.vocabulary import Role, ServiceType
from rostra.media.messages import Levels


async def test_last_words_and_silent_video(exchange: Exchange, pool: FakePool) -> None:
    ada, bob = await Guest(exchange).join(), await Guest(exchange).join()
    await ada.call("a")
    await bob.call("b")
    worker, conference = pool.workers[0], ada.session.conference

    def now(guest: Guest) -> Participant:
        return guest.session.participant

    assert now(ada).last_spoken_time == 0
    await until(lambda: (worker.tell(Levels(levels={"a": -10.0, "b": -90.0})), now(ada).last_spoken_time > 0)[1])
    assert time.time() - now(ada).last_spoken_time < 5
    assert now(bob).last_spoken_time == 0
    await conference.detect_silence(SilenceRules(silent_after=0.05, reactivate_after=0.05, require_no_faces=False))
    await until(lambda: (worker.tell(Levels(levels={"a": -10.0, "b": -90.0})), now(bob).is_video_silent)[1])
    assert not now(ada).is_video_silent
    await until(lambda: (worker.tell(Levels(levels={"a": -90.0, "b": -10.0})), not now(bob).is_video_silent)[1])
    await until(lambda: (worker.tell(Levels(levels={"a": -90.0, "b": -10.0})), now(ada).is_video_silent)[1])
    await conference.detect_silence(None)
    await until(lambda: not now(ada).is_video_silent)


@pytest.mark.spec("API-072", "API-071")
async def test_a_waiting_guest_has_its_call_at_once_and_keeps_it(exchange: Exchange, pool: FakePool) -> None:
    guest = await (await Guest(exchange).join("hosted", "")).call("g")
    assert guest.where is ServiceType.WAITING_ROOM
    assert guest.session.participant.has_media
    worker = pool.workers[0]
    await until(lambda: bool(worker.composed) and worker.composed[-1].watching.get("g") == "waiting")
    heard = worker.composed[-1].audio["g"]
    assert (heard.speaks, heard.hears) == (False, False)
    host = await (await Guest(exchange).join("hosted", "1234")).call("h")
    assert host.session.participant.role is Role.HOST
    await until(lambda: worker.composed[-1].watching.get("g", "waiting") != "waiting")
    heard = worker.composed[-1].audio["g"]
    assert (heard.speaks, heard.hears) == (True, True)
    assert worker.legs == {"g", "h"}
    assert guest.session.participant.is_video_call
    assert (guest.listener.lost, guest.listener.ended) == ([], [])
