"""What a client needs that lost its node: other nodes to go to, and only one of itself in the roster."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from rostra.calls.switchboard import CallRequest, Former, SessionListener
from rostra.clientapi.app import create_app
from rostra.clientapi.serving import Server
from rostra.clientapi.tokens import TokenMint
from rostra.environment import Environment

from .driver import ROOT, Api
from .fakes import FakeSession, FakeSwitchboard
from .test_sdk import eventually


async def test_other_nodes_are_told_at_joining_and_at_every_refresh(api: Api, alternatives: list[str]) -> None:
    ada = await api.join()
    assert ada.granted["node_urls"] == alternatives
    alternatives[:] = ["https://192.0.2.7:8443", "https://192.0.2.8:8443"]
    assert (await ada.post("refresh_token")).json()["result"]["node_urls"] == alternatives


async def test_who_joins_anew_is_in_the_roster_once(
    live: Api, switchboard: FakeSwitchboard, released_elsewhere: list[str]
) -> None:
    bob, ada = await live.join(name="Bob"), await live.join(name="Ada")
    async with bob.events() as seen:
        await seen.until("layout")
        again = await live.join(name="Ada", replaces=ada.token)
        await seen.until("participant_create", uuid=again.uuid)
        await seen.until("participant_delete", uuid=ada.uuid)
    names = [participant.display_name for participant in switchboard.conference("Demo").participants]
    assert sorted(names) == ["Ada", "Bob"]
    assert (await ada.post("refresh_token")).status_code == 403
    assert (await again.get("conference_status")).status_code == 200
    assert released_elsewhere == []


async def test_who_joins_anew_shows_who_it_was_also_on_another_node(api: Api, switchboard: FakeSwitchboard) -> None:
    """By any of its tokens; the mark in the roster does not make one."""
    ada = await api.join()
    first = switchboard.requests[-1]
    assert first.former is None
    assert len(first.mark) == 64
    later = (await ada.post("refresh_token")).json()["result"]["token"]
    for token in (ada.token, later):
        await api.join(replaces=token)
        assert switchboard.requests[-1].former == Former(ada.uuid, first.mark)
        assert switchboard.requests[-1].mark != first.mark
    for other in (first.mark, ada.uuid, "é", TokenMint().issue(ada.uuid, 1e12)):
        await api.join(replaces=other)
        known = switchboard.requests[-1].former
        assert known is None or known.mark != first.mark


async def test_no_token_lets_in_whom_it_does_not_end(api: Api, switchboard: FakeSwitchboard) -> None:
    """What another node cannot see to be forged must not be a way to be there twice."""
    ada = await api.join()
    raw = bytearray(base64.urlsafe_b64decode(ada.token))
    raw[0] ^= 1
    again = await api.join(replaces=base64.urlsafe_b64encode(raw).decode())
    assert switchboard.requests[-1].former == Former(ada.uuid, switchboard.requests[0].mark)
    await eventually(lambda: [one.uuid for one in switchboard.conference("Demo").participants] == [again.uuid])


@pytest.mark.parametrize("forge", ["{uuid}", "{token}x", "x{token}", "", "none", "é"])
async def test_nobody_is_ended_by_who_does_not_have_the_token(
    api: Api, switchboard: FakeSwitchboard, released_elsewhere: list[str], forge: str
) -> None:
    ada = await api.join()
    forged = forge.format(uuid=ada.uuid, token=ada.token)
    await api.join(name="Eve", replaces=forged)
    await eventually(lambda: released_elsewhere == ([forged] if forged else []))
    assert len(switchboard.conference("Demo").participants) == 2


async def test_a_token_of_another_node_is_handed_on_and_ends_the_session_there(
    api: Api,
    app: Starlette,
    switchboard: FakeSwitchboard,
    environment: Environment,
    web_root: Path,
    released_elsewhere: list[str],
) -> None:
    other_switchboard = FakeSwitchboard(*switchboard.services)
    other = create_app(other_switchboard, environment, web_root)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(other), base_url="https://other.test") as http:
        ada = await Api(http).join()
        await api.join(replaces=ada.token)
        await eventually(lambda: released_elsewhere == [ada.token])
        assert await app.state.client_api.release(ada.token) is False
        assert await other.state.client_api.release(ada.token) is True
        assert other_switchboard.conference("Demo").participants == []
        assert await other.state.client_api.release(ada.token) is False
        await other.state.client_api.close()


async def test_a_failing_neighbour_hinders_nobody(
    switchboard: FakeSwitchboard, environment: Environment, web_root: Path
) -> None:
    async def broken(token: str) -> None:
        raise ConnectionError("no fabric")

    app = create_app(switchboard, environment, web_root, release_elsewhere=broken)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://node.test") as http:
        ada = await Api(http).join(replaces="of-another-node")
        assert ada.granted["node_urls"] == []
    await app.state.client_api.close()


@pytest.mark.parametrize("reason", ["Disconnected by another participant", "API initiated conference termination"])
async def test_a_refused_refresh_says_why_the_participant_was_ended(
    api: Api, switchboard: FakeSwitchboard, reason: str
) -> None:
    """Its stream may have been broken when that was said; not knowing, it would join again."""
    ada, gone = await api.join(), await api.join()
    await switchboard.conference("Demo").remove(ada.uuid, reason)
    answer = await ada.post("refresh_token")
    assert (answer.status_code, answer.json()["result"]) == (403, reason)
    await gone.post("release_token")
    assert (await gone.post("refresh_token")).json()["result"] == "Invalid token"


async def test_who_gave_up_waiting_leaves_no_participant_behind(
    live: Api, server: Server, switchboard: FakeSwitchboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_in = asyncio.Event()
    join = switchboard.join

    async def slowly(request: CallRequest, listener: SessionListener) -> FakeSession:
        await let_in.wait()
        return await join(request, listener)

    monkeypatch.setattr(switchboard, "join", slowly)
    path = f"{ROOT}/conferences/meet.demo/request_token"
    with pytest.raises(httpx.ReadTimeout):
        await live.http.post(path, json={"display_name": "Ada"}, timeout=0.3)
    await eventually(lambda: server.debug_state()["connections"] == 0)
    let_in.set()
    await eventually(lambda: "Demo" in switchboard.running)
    await eventually(lambda: not switchboard.conference("Demo").participants)
