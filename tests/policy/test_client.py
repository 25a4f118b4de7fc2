"""Asking a policy server over HTTP, in all the ways that it can fail (section 2.2 of the sheet)."""

from __future__ import annotations

import asyncio
import base64
import gzip
import io
import ssl
import time
import zlib
from collections.abc import AsyncIterator

import pytest
import structlog
from PIL import Image

from rostra import tls
from rostra.domain.vocabulary import Role
from rostra.policy import client as module
from rostra.policy import questions
from rostra.policy.client import LARGEST, PolicyClient
from rostra.policy.profile import Profile
from rostra.policy.questions import ServiceFacts
from tests.certificates import made
from tests.policy.fakes import CALL, NODE
from tests.policy.web import Reply, running, said

QUESTION = questions.service(NODE, CALL)


@pytest.fixture
async def asking() -> AsyncIterator[PolicyClient]:
    client = PolicyClient(ssl.create_default_context)
    yield client
    await client.close()


PACKED = {"content-type": "application/json", "content-encoding": "gzip"}
UNUSABLE: dict[str, Reply | None] = {
    "hangs": None,
    "500": said({"status": "success"}, 500),
    "404": said({"status": "success", "action": "reject"}, 404),
    "201": said({"status": "success"}, 201),
    "wrong type": said({"status": "success"}, type="text/html"),
    "no type": (200, {}, b"{}"),
    "oversize": (200, {"content-type": "application/json"}, b'{"a": "' + b"x" * LARGEST + b'"}'),
    "no JSON": (200, {"content-type": "application/json"}, b"{'a': 1}"),
    "no object": said([1]),
    "not UTF-8": (200, {"content-type": "application/json"}, b'{"a": "\xff"}'),
    "deep": (200, {"content-type": "application/json"}, b"[" * 100_000),
    "oversize once unpacked": (200, PACKED, gzip.compress(b'{"a": 1}' + b" " * LARGEST)),
    "not packed": (200, PACKED, b'{"a": 1}'),
    "half packed": (200, PACKED, gzip.compress(b'{"a": 1}')[:-9]),
    "packed otherwise": (200, PACKED | {"content-encoding": "br"}, b'{"a": 1}'),
    "cut off": (200, {"content-type": "application/json", "transfer-encoding": "chunked"}, b"zz\r\n"),
    **{
        str(status): (
            status,
            {"location": "/policy/v1/service/configuration", "content-type": "application/json"},
            b"{}",
        )
        for status in (301, 302, 303, 307, 308)
    },
}


@pytest.mark.spec("POL-011", "POL-012", "POL-013", "POL-014", "POL-020")
@pytest.mark.parametrize("name", UNUSABLE)
async def test_what_is_no_usable_answer(asking: PolicyClient, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS", 0.3)
    async with running(lambda path, parameters: UNUSABLE[name]) as server:
        with structlog.testing.capture_logs() as logs:
            assert await asking.ask(Profile(name="P", url=server.url), QUESTION) is None
        assert len(server.requests) == 1
        assert any(line["log_level"] == "warning" and line["problem"] and line["profile"] == "P" for line in logs)


async def test_an_answer_that_is_compressed_unasked(asking: PolicyClient, monkeypatch: pytest.MonkeyPatch) -> None:
    packed: dict[str, bytes] = {"gzip": gzip.compress(b'{"a": 1}'), "deflate": zlib.compress(b'{"a": 1}')}
    for coding, body in packed.items():
        async with running(lambda *_, one=(200, PACKED | {"content-encoding": coding}, body): one) as server:
            assert await asking.ask(Profile(url=server.url), QUESTION) == {"a": 1}
        assert server.requests[0][2]["accept-encoding"] == "identity"
    read: list[int] = []
    unpack = module.zlib.decompressobj

    class Counted:
        """What is unpacked at most, whatever is there."""

        def __init__(self, bits: int) -> None:
            self.eof, self._of = False, unpack(bits)

        def decompress(self, body: bytes, most: int) -> bytes:
            read.append(len(found := self._of.decompress(body, most)))
            return found

    monkeypatch.setattr(module.zlib, "decompressobj", Counted)
    bomb = gzip.compress(bytes(64 * LARGEST))
    async with running(lambda *_: (200, PACKED, bomb)) as server:
        assert await asking.ask(Profile(url=server.url), QUESTION) is None
    assert read == [LARGEST + 1]


async def test_nobody_there(asking: PolicyClient) -> None:
    for url in ("http://127.0.0.1:1", "", "ftp://a", "http://[", "http://nowhere.invalid"):
        assert await asking.ask(Profile(url=url), QUESTION) is None


@pytest.mark.spec("POL-008", "POL-009", "POL-013", "POL-020", "SYS-177")
async def test_credentials_come_at_once_and_are_in_no_log(asking: PolicyClient) -> None:
    async with running(
        lambda path, parameters: said({"status": "success", "x": 1}, type="Application/JSON; charset=utf-8")
    ) as server:
        url = server.url.replace("//", "//old:older@")
        profile = Profile(name="P", url=url, username="scott", password="tigér")
        with structlog.testing.capture_logs() as logs:
            assert await asking.ask(profile, QUESTION) == {"status": "success", "x": 1}
        ((path, parameters, headers),) = server.requests
        assert path == "/base/policy/v1/service/configuration"
        assert parameters == dict(QUESTION.parameters)
        assert headers["authorization"] == "Basic " + base64.b64encode("scott:tigér".encode()).decode()
        (line,) = logs
        assert (line["status"], line["type"], line["log_level"]) == (200, "service", "info")
        assert line["url"].startswith("http://127.0.0.1:")
        assert line["milliseconds"] >= 0
        for secret in ("tigér", "older", headers["authorization"]):
            assert secret not in repr(logs) + repr(profile)
        assert await asking.ask(Profile(url=server.url), QUESTION) is not None
        assert "authorization" not in server.requests[1][2]


@pytest.mark.spec("POL-010", "SYS-177")
async def test_a_certificate_has_to_be_trusted() -> None:
    own = made("127.0.0.1")
    trusted: list[str] = []

    def trust() -> ssl.SSLContext:
        context = ssl.create_default_context()
        for pem in trusted:
            context.load_verify_locations(cadata=pem)
        return context

    client = PolicyClient(trust)
    context = tls.server_context(own.pem, own.key_pem)
    async with running(lambda path, parameters: said({"status": "success"}), context) as server:
        profile = Profile(url=server.url)
        with structlog.testing.capture_logs() as logs:
            assert await client.ask(profile, QUESTION) is None
        assert "certificate" in logs[0]["problem"]
        trusted.append(own.pem)
        await client.renew()
        assert await client.ask(profile, QUESTION) == {"status": "success"}
    await client.close()


@pytest.mark.spec("POL-017")
async def test_a_slow_answer_delays_nobody_else(asking: PolicyClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS", 1.0)

    def answer(path: str, parameters: dict[str, str]) -> Reply | None:
        return None if parameters["local_alias"] == "slow" else said({"status": "success"})

    async with running(answer) as server:
        profile = Profile(url=server.url)
        call = questions.service(NODE, questions.CallFacts(local_alias="slow", protocol=CALL.protocol))
        slow = [asyncio.create_task(asking.ask(profile, call)) for _ in range(30)]
        begin = time.monotonic()
        answers = await asyncio.gather(*(asking.ask(profile, QUESTION) for _ in range(30)))
        assert all(answers)
        assert time.monotonic() - begin < 0.9
        assert await asyncio.gather(*slow) == [None] * 30


def jpeg(width: int, height: int, mode: str = "RGB", format: str = "JPEG") -> bytes:
    file = io.BytesIO()
    Image.new(mode, (width, height)).save(file, format)
    return file.getvalue()


@pytest.mark.spec("POL-026", "POL-064")
@pytest.mark.parametrize(
    ("body", "type", "fits"),
    [
        (jpeg(100, 80), "image/jpeg", True),
        (jpeg(80, 100), "image/jpeg", False),
        (jpeg(200, 160), "image/jpeg", False),
        (jpeg(100, 80, "CMYK"), "image/jpeg", False),
        (jpeg(100, 80, "L"), "image/jpeg", False),
        (jpeg(100, 80, format="PNG"), "image/jpeg", False),
        (jpeg(100, 80), "image/png", False),
        (jpeg(100, 80)[:10], "image/jpeg", False),
        (b"", "image/jpeg", False),
    ],
)
async def test_pictures(asking: PolicyClient, body: bytes, type: str, fits: bool) -> None:
    question = questions.avatar(NODE, "sip:bob@example.com", 100, 80, CALL, ServiceFacts(name="A"), Role.GUEST)
    async with running(lambda path, parameters: (200, {"content-type": type}, body)) as server:
        found = await asking.picture(Profile(url=server.url), question, 100, 80)
        assert found == (body if fits else None)
        assert server.requests[0][0] == "/base/policy/v1/participant/avatar/sip:bob@example.com"


async def test_whoever_waits_while_connections_are_renewed_goes_on(asking: PolicyClient) -> None:
    async with running(lambda path, parameters: None) as server:
        waiting = asyncio.create_task(asking.ask(Profile(url=server.url), QUESTION))
        while not server.requests:  # noqa: ASYNC110 - it is on its way
            await asyncio.sleep(0)
        await asking.renew()
        assert await waiting is None
