"""Direct media between two clients at two nodes, by the client API; and between two real browsers (section 18)."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from rostra.calls import direct
from rostra.clientapi import direct as link
from rostra.clientapi.app import create_app
from rostra.clientapi.serving import serve
from rostra.domain.admission import AccessRules
from rostra.environment import Environment
from rostra.tls import context_of
from tests.calls.network import Network, Node
from tests.calls.people import service, until
from tests.ports import free_port

from .driver import Api, Event, Events, User

SERVICES = {
    "pair": service("Pair", AccessRules(), direct_media="best_effort"),
    "noticed": service("Noticed", AccessRules(), direct_media="always", direct_media_notification_duration=1),
    "plain": service("Plain", AccessRules()),
}
OFFER = "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n"
ANSWER = "v=0\r\ns=answer\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n"


@contextlib.asynccontextmanager
async def served(
    network: Network, name: str, environment: Environment, certificate: tuple[Path, Path], root: Path
) -> AsyncIterator[Api]:
    node = await Node(network, name, lambda alias: SERVICES.get(alias.lower())).start()
    here = dataclasses.replace(environment, node_https_port=free_port())
    server = serve(create_app(node.exchange, here, root), here, context_of(*certificate))
    await server.start()
    async with httpx.AsyncClient(verify=False, base_url=f"https://localhost:{here.node_https_port}") as http:
        api = Api(http)
        api.exchange = node.exchange  # type: ignore[attr-defined]
        yield api
    await server.stop()
    await node.exchange.close()


@pytest.fixture
async def nodes(
    environment: Environment, certificate: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Api, Api]]:
    """Two nodes of one platform."""
    monkeypatch.setattr(direct, "CALM", 0.05)
    network = Network()
    async with (
        served(network, "n1", environment, certificate, tmp_path) as first,
        served(network, "n2", environment, certificate, tmp_path) as second,
    ):
        yield first, second


async def capable(api: Api, name: str, alias: str = "pair", **more: Any) -> User:
    return await api.join(alias, name, direct_media=True, **more)


@contextlib.asynccontextmanager
async def watching(*users: User) -> AsyncIterator[list[Events]]:
    async with contextlib.AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(user.events()) for user in users]
        for stream in streams:
            await stream.until("layout")
        yield streams


async def follow(api: Api, user: User, told: Event) -> User:
    """Leave and join anew, as clients do."""
    await user.post("release_token", {"reason": "DirectMediaTransfer"})
    return await api.join(told.data["alias"], "", token=told.data["token"], direct_media=True)


async def connected(ada: User, bob: User, to_ada: Events, node: Api) -> tuple[str, str]:
    """Both place their calls, Ada first; the calls. `node`: Bob's."""
    first = await ada.act("calls", {"call_type": "WEBRTC", "sdp": OFFER})
    assert (first["sdp"], first["offer_ignored"]) == ("", True)
    [conference] = node.exchange.conferences  # type: ignore[attr-defined]
    await until(lambda: bool((known := conference.participant(ada.uuid)) and known.direct_call))
    placing = asyncio.create_task(bob.act("calls", {"call_type": "WEBRTC", "sdp": OFFER}))
    offer = await to_ada.until("new_offer")
    assert offer.data == {"sdp": OFFER}
    assert await ada.act(f"calls/{first['call_uuid']}/ack", {"sdp": ANSWER}) is True
    second = await placing
    assert second["sdp"] == ANSWER
    assert "offer_ignored" not in second
    assert await bob.act(f"calls/{second['call_uuid']}/ack") is True
    return first["call_uuid"], second["call_uuid"]


@pytest.mark.spec("API-158", "API-159", "API-118", "API-023")
async def test_two_capable_clients_agree_through_their_nodes(nodes: tuple[Api, Api]) -> None:
    ada, bob = await capable(nodes[0], "Ada"), await capable(nodes[1], "Bob")
    for user in (ada, bob):
        assert user.granted["direct_media"] is True
        assert user.granted["pex_datachannel_id"] == 3, "chat and cameras go by this channel"
        assert user.granted["turn"] == []
        interval = user.granted["client_stats_update_interval"]
        refreshed = (await user.post("refresh_token")).json()["result"]
        assert refreshed["client_stats_update_interval"] == interval
    async with watching(ada, bob) as (to_ada, to_bob):
        state = next(event for event in to_ada.seen if event.event == "conference_update")
        assert state.data["direct_media"] is True
        await connected(ada, bob, to_ada, nodes[1])
        await to_bob.until("participant_update", uuid=ada.uuid, has_media=True, is_video_call="YES")
        await to_ada.until("participant_update", uuid=bob.uuid, has_media=True)


@pytest.mark.spec("API-160", "API-161")
async def test_renegotiation_and_candidates_go_to_the_other_one(
    nodes: tuple[Api, Api], monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bob = await capable(nodes[0], "Ada"), await capable(nodes[1], "Bob")
    async with watching(ada, bob) as (to_ada, to_bob):
        first, second = await connected(ada, bob, to_ada, nodes[1])
        updating = asyncio.create_task(ada.act(f"calls/{first}/update", {"sdp": OFFER + "a=x\r\n"}))
        assert (await to_bob.until("update_sdp")).data == {"sdp": OFFER + "a=x\r\n"}
        assert await bob.act(f"calls/{second}/ack", {"sdp": ANSWER}) is True
        assert (await updating) == {"call_uuid": first, "sdp": ANSWER}
        updating = asyncio.create_task(bob.act(f"calls/{second}/update", {"sdp": OFFER}))
        await to_ada.until("update_sdp")
        assert await ada.act(f"calls/{first}/ack", {"sdp": "offer_ignored", "offer_ignored": True}) is True
        assert (await updating)["sdp"] == ""
        candidate = {"candidate": "candidate:1 1 udp 1 abc.local 9 typ host", "mid": "0", "ufrag": "u", "pwd": "p"}
        assert await bob.act(f"calls/{second}/new_candidate", candidate) is None
        assert (await to_ada.until("new_candidate")).data == candidate
        await bob.act(f"calls/{second}/new_candidate", {"candidate": "", "mid": "1"})
        assert (await to_ada.until("new_candidate")).data == {"candidate": "", "mid": "1"}
        monkeypatch.setattr(link, "ANSWERED", 0.05)
        unheard = await ada.post(f"participants/{ada.uuid}/calls/{first}/update", {"sdp": OFFER})
        assert unheard.status_code == 503, "the client tries again"
        stray = await ada.act(f"calls/{first}/ack", {"sdp": ANSWER})
        assert stray is True
        assert not any(event.event == "new_offer" for event in to_bob.seen), "an answer to nothing goes nowhere"


@pytest.mark.spec("API-162")
async def test_a_third_one_makes_it_transcoded_and_two_alone_direct_again(nodes: tuple[Api, Api]) -> None:
    ada, bob = await capable(nodes[0], "Ada"), await capable(nodes[1], "Bob")
    async with watching(ada, bob) as (to_ada, to_bob):
        await connected(ada, bob, to_ada, nodes[1])
        cy = await nodes[0].join("pair", "Cy")
        assert cy.granted["direct_media"] is False
        sent = [await stream.until("refer") for stream in (to_ada, to_bob)]
        assert {event.data["target"] for event in sent} == {"transcoded"}
        ada, bob = await follow(nodes[0], ada, sent[0]), await follow(nodes[1], bob, sent[1])
    assert (ada.granted["direct_media"], ada.granted["display_name"]) == (False, "Ada")
    assert "pex_datachannel_id" not in bob.granted
    async with watching(ada, bob) as (to_ada, to_bob):
        await cy.post("release_token")
        sent = [await stream.until("refer") for stream in (to_ada, to_bob)]
        assert {event.data["target"] for event in sent} == {"direct"}
        ada, bob = await follow(nodes[0], ada, sent[0]), await follow(nodes[1], bob, sent[1])
    assert ada.granted["direct_media"]
    assert bob.granted["direct_media"]


@pytest.mark.spec("API-162")
async def test_who_stays_alone_is_told(nodes: tuple[Api, Api]) -> None:
    ada, bob = await capable(nodes[0], "Ada"), await capable(nodes[1], "Bob")
    async with watching(ada, bob) as (to_ada, _):
        first, second = await connected(ada, bob, to_ada, nodes[1])
        assert await bob.act(f"calls/{second}/disconnect") is None
        assert (await to_ada.until("peer_disconnect")).data is None
        await ada.act(f"calls/{first}/disconnect")
        await connected(ada, bob, to_ada, nodes[1])
        await bob.post("release_token")
        await to_ada.until("peer_disconnect")


async def test_a_locked_conference_lets_in_again_who_was_in(nodes: tuple[Api, Api]) -> None:
    ada, bob = await capable(nodes[0], "Ada"), await capable(nodes[1], "Bob")
    async with watching(ada, bob) as (_, to_bob):
        await ada.post("lock")
        await to_bob.until("conference_update", locked=True)
        cy = await nodes[0].join("pair", "Cy")
        assert cy.granted["current_service_type"] == "waiting_room"
        await ada.post(f"participants/{cy.uuid}/unlock")
        again = await follow(nodes[1], bob, await to_bob.until("refer"))
        roster = (await again.get("participants")).json()["result"]
        assert "conference" in {one["service_type"] for one in roster if one["uuid"] == again.uuid}, "no lock holds it"


async def test_who_is_put_out_comes_not_back_by_being_told_to_join_anew(nodes: tuple[Api, Api]) -> None:
    ada, bob = await capable(nodes[0], "Ada"), await capable(nodes[1], "Bob")
    async with watching(ada, bob) as (_, to_bob):
        await nodes[0].join("pair", "Cy")
        told = (await to_bob.until("refer")).data
        await ada.post(f"participants/{bob.uuid}/disconnect")
        await to_bob.until("disconnect")
        back = {"display_name": "Bob", "token": told["token"]}
        answer = await nodes[1].http.post("/api/client/v2/conferences/pair/request_token", json=back)
        assert (answer.status_code, answer.json()["result"]) == (403, "Invalid token")


@pytest.mark.spec("API-158")
async def test_others_get_no_direct_media(nodes: tuple[Api, Api]) -> None:
    assert (await capable(nodes[0], "Ada", "plain")).granted["direct_media"] is False
    phone = await nodes[0].join("pair", "Old")
    assert phone.granted["direct_media"] is False
    assert (await capable(nodes[0], "Ada")).granted["direct_media"] is False, "beside somebody who has none"
    bad = await capable(nodes[0], "Ada", "noticed")
    for sdp in ("nonsense", "v=0" + "x" * 70_000):
        answer = await bad.post(f"participants/{bad.uuid}/calls", {"call_type": "WEBRTC", "sdp": sdp})
        assert answer.status_code == 400


async def test_notice_is_given_where_it_is_configured(nodes: tuple[Api, Api]) -> None:
    ada = await capable(nodes[0], "Ada", "noticed")
    async with watching(ada) as (to_ada,):
        await nodes[0].join("noticed", "Cy")
        notice = await to_ada.until("splash_screen")
        assert notice.data == {"screen_key": "direct_media_escalate", "display_duration": 1.0}
        assert (await to_ada.until("refer")).data["target"] == "transcoded"
