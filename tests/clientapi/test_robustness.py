"""Requests that are not what they should be: always an envelope, always an allowed status, never a 5xx."""

from __future__ import annotations

import asyncio
import json
import random
import ssl
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY

from rostra.clientapi.endpoints import Endpoint, EndpointTable, Unroutable
from rostra.clientapi.serving import MAX_HEADERS
from rostra.clientapi.table import TABLE
from rostra.environment import Environment
from tests.length import LONG

from .driver import ROOT, Api, User
from .fakes import FakeSwitchboard

POSTS = [endpoint for endpoint in TABLE.endpoints if endpoint.method == "POST"]
ENVELOPE_STATUSES = {200, 400, 401, 403, 404, 405, 415}


def path_of(endpoint: Endpoint, user: User, call: str) -> str:
    values = {"alias": user.alias, "participant": user.uuid, "call": call}
    values |= dict.fromkeys(("breakout", "mix", "path", "registration"), "x")
    return f"{ROOT}/{endpoint.path.format(**values)}"


RUBBISH: list[bytes] = [
    b"[]",
    b'"text"',
    b"17",
    b"{",
    b"\xff\xfe{}",
    b'{"sdp":"\xc3\x28"}',
    b"[" * 200_000,
    b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
    b'{"sdp":"' + b"x" * 1_000_000 + b'"}',
    json.dumps([{"display_name": "x" * 100}] * 8000).encode(),
    json.dumps({key: [{}] for key in ("display_name", "sdp", "type", "payload", "digits", "role", "text")}).encode(),
    json.dumps(dict.fromkeys(("sdp", "call_type", "candidate", "role", "type", "digits"), "\u0000\ud800")).encode(),
]


def assert_envelope(answer: httpx.Response, endpoint: Endpoint | None = None) -> None:
    assert answer.headers["content-type"] == "application/json"
    content = answer.json()
    assert set(content) == {"status", "result"}
    assert (content["status"] == "success") is (answer.status_code == 200 or isinstance(content["result"], dict))
    assert "Traceback" not in answer.text
    if endpoint:
        assert answer.status_code in (200, *endpoint.errors)
        assert answer.status_code < 500


@pytest.mark.spec("API-179")
@pytest.mark.parametrize("endpoint", POSTS, ids=lambda e: e.path)
async def test_bodies_that_are_rubbish(endpoint: Endpoint, api: Api) -> None:
    ada = await api.join()
    call = await ada.call()
    path = path_of(endpoint, ada, call)
    for body in RUBBISH:
        answer = await api.http.post(path, content=body, headers={"token": ada.token})
        if endpoint.path.endswith("request_token"):
            assert answer.status_code in (403, 415), body[:40]
        assert_envelope(answer, endpoint)
        if endpoint.path.endswith("release_token") and answer.status_code == 200:
            ada = await api.join()


async def test_unreadable_bodies_are_counted(api: Api) -> None:
    name, labels = "rostra_clientapi_malformed_total", {"kind": "body"}
    before = REGISTRY.get_sample_value(name, labels) or 0
    answer = await api.http.post(f"{ROOT}/conferences/meet.demo/request_token", content=b"[")
    assert answer.status_code == 415
    assert REGISTRY.get_sample_value(name, labels) == before + 1


PATHS = [
    "conferences/%zz/request_token",
    "conferences/%/request_token",
    "conferences/%e4/request_token",
    "conferences/%ff%fe/request_token",
    "conferences/a%00b/request_token",
    "conferences//request_token",
    "conferences/meet.demo/request_token/",
    "conferences/meet.demo%2frequest_token",
    "conferences/../../../etc/passwd",
    "conferences/meet.demo/participants/x/y/z/w/v",
    "",
    "%",
]


@pytest.mark.spec("API-179")
@pytest.mark.parametrize("path", PATHS)
async def test_paths_that_lead_nowhere(path: str, api: Api) -> None:
    url = httpx.URL(f"https://node.test{ROOT}/").copy_with(raw_path=f"{ROOT}/{path}".encode())
    for method in ("GET", "POST"):
        answer = await api.http.request(method, url)
        assert answer.status_code in (404, 405)
        assert_envelope(answer)


@pytest.mark.spec("API-003")
async def test_aliases_are_decoded_exactly_once(api: Api, switchboard: FakeSwitchboard) -> None:
    for alias in ("MEET%2EDEMO", "demo%40example.com", "DEMO@example.com"):
        url = httpx.URL("https://node.test/").copy_with(raw_path=f"{ROOT}/conferences/{alias}/request_token".encode())
        assert (await api.http.post(url)).status_code == 200
    twice = httpx.URL("https://node.test/").copy_with(
        raw_path=f"{ROOT}/conferences/demo%2540example.com/request_token".encode()
    )
    assert (await api.http.post(twice)).status_code == 404
    assert switchboard.requests[-1].alias == "demo%40example.com"


def test_an_encoded_slash_stays_inside_its_segment() -> None:
    route = TABLE.find("POST", b"conferences/a%2Fb/lock")
    assert route.values == {"alias": "a/b"}
    with pytest.raises(Unroutable):
        EndpointTable(()).find("GET", b"conferences/a/lock")


@pytest.mark.spec("API-012")
@pytest.mark.parametrize("path", ["conferences/meet.demo/request_token", "nowhere/at/all", "status"])
async def test_other_origins(path: str, api: Api) -> None:
    origin = "https://app.example.org"
    asked = {"origin": origin, "access-control-request-method": "POST", "access-control-request-headers": "token"}
    answer = await api.http.options(f"{ROOT}/{path}", headers=asked)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-methods"] == "GET, POST, OPTIONS"
    allowed = {header.strip() for header in answer.headers["access-control-allow-headers"].split(",")}
    assert allowed >= {"content-type", "token", "pin", "authorization", "x-pexip-authorization"}
    assert "access-control-max-age" in answer.headers
    for actual in (answer, await api.http.get(f"{ROOT}/{path}", headers={"origin": origin})):
        assert actual.headers["access-control-allow-origin"] == origin
        assert actual.headers["access-control-allow-credentials"] == "true"
        assert "Origin" in actual.headers["vary"]


async def test_unreadable_http_gets_an_envelope(live: Api, environment: Environment) -> None:
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    requests = [
        b"GARBAGE\r\n\r\n",
        b"\x16\x03\x01\x00\xff\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\nx: " + b"y" * (MAX_HEADERS + 1),  # and no end in sight
        b"GET /" + b"z" * (MAX_HEADERS + 1),
        b"POST /api/client/v2/status HTTP/1.1\r\nhost: x\r\ncontent-length: -4\r\n\r\n",
    ]
    for request in requests:
        reader, writer = await asyncio.open_connection("127.0.0.1", environment.node_https_port, ssl=trust)
        writer.write(request)
        answer = await asyncio.wait_for(reader.read(), 5)
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400"), request[:20]
        assert b"content-type: application/json" in head
        assert json.loads(body)["status"] == "failed"
        writer.close()
    assert (await live.http.get("/healthz")).status_code == 200


async def test_a_big_body_over_https_is_answered(live: Api) -> None:
    answer = await live.http.post(f"{ROOT}/conferences/meet.demo/request_token", content=b"x" * 1_500_000)
    assert answer.status_code == 415
    assert_envelope(answer)
    assert (await live.join()).token


def mutate(chance: random.Random, value: Any) -> Any:
    """Something like `value`, but wrong somewhere."""
    choices: list[Any] = [None, True, -1, 1e400, "", "\u0000", "x" * 5000, [], {}, [[]], {"a": {"b": []}}]
    if isinstance(value, dict) and value and chance.random() < 0.8:
        key = chance.choice(sorted(value))
        return {**value, key: mutate(chance, value[key])}
    if isinstance(value, str) and value and chance.random() < 0.5:
        place = chance.randrange(len(value))
        return value[:place] + chr(chance.randrange(0x10000) & ~0xD800) + value[place + 1 :]
    return chance.choice(choices)


SAMPLES: dict[str, Any] = {
    "request_token": {"display_name": "Ada", "call_tag": "x", "conference_extension": "1", "token": ""},
    "calls": {"call_type": "WEBRTC", "sdp": "v=0", "present": "main", "media_type": "video"},
    "update": {"sdp": "v=0", "media_type": "audio"},
    "new_candidate": {"candidate": "candidate:1 1 udp 1 192.0.2.1 1 typ host", "mid": "0", "ufrag": "x"},
    "message": {"type": "text/plain", "payload": "x"},
    "dtmf": {"digits": "12"},
    "overlaytext": {"text": "x"},
    "role": {"role": "chair"},
    "fecc": {"action": "start", "movement": [{"axis": "pan", "direction": "left"}], "timeout": 5},
    "transfer": {"conference_alias": "both", "role": "host", "pin": "1"},
    "dial": {"destination": "x", "protocol": "sip", "role": "HOST"},
    "ack": {"sdp": "", "offer_ignored": False},
}


@pytest.mark.spec("API-179")
async def test_mutated_bodies(api: Api) -> None:
    chance = random.Random(179)
    endpoints = [e for e in POSTS if e.path.rpartition("/")[2] in SAMPLES]
    ada = await api.join()
    for _ in range(2000 if LONG else 400):
        endpoint = chance.choice(endpoints)
        call = await ada.call()
        body = json.dumps(mutate(chance, SAMPLES[endpoint.path.rpartition("/")[2]])).encode()
        if chance.random() < 0.1:
            body = body[: chance.randrange(len(body) + 1)]
        answer = await api.http.post(path_of(endpoint, ada, call), content=body, headers={"token": ada.token})
        assert_envelope(answer, endpoint)
