"""Asking a policy server over HTTP, in all the ways that it can fail (section 2.2 of the sheet)."""

from __future__ import annotations

import asyncio
import base64
import functools
import gzip
import io
import ipaddress
import ssl
import zlib
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import structlog
from PIL import Image

from rostra import tls
from rostra.domain.vocabulary import CallProtocol, Role
from rostra.policy import client as module
from rostra.policy import destinations, questions
from rostra.policy.client import LARGEST, PolicyClient
from rostra.policy.destinations import Unreachable, destination
from rostra.policy.profile import Profile
from rostra.policy.questions import ServiceFacts
from tests.certificates import made
from tests.policy.fakes import CALL, NODE
from tests.policy.web import PolicyServer, Reply, running, said

QUESTION = questions.service(NODE, CALL)


trusting = functools.cache(ssl.create_default_context)
"""Making one takes long."""


@pytest.fixture
async def asking() -> AsyncIterator[PolicyClient]:
    client = PolicyClient(trusting)
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
    "JSON in another charset": (200, {"content-type": "application/json; charset=utf-16"}, '{"a": 1}'.encode("utf-16")),
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
    if UNUSABLE[name] is None:
        monkeypatch.setattr(module, "SECONDS", 0.3)
        await asking.ask(Profile(url="http://127.0.0.1:1"), QUESTION)  # it has all it needs from here on
    async with running(lambda path, parameters: UNUSABLE[name]) as server:
        with structlog.testing.capture_logs() as logs:
            assert await asking.ask(Profile(name="P", url=server.url), QUESTION) is None
        assert len(server.requests) == 1
        assert any(line["log_level"] == "warning" and line["problem"] and line["profile"] == "P" for line in logs)


@pytest.mark.spec("POL-014", "POL-074")
@pytest.mark.parametrize(("status", "heard"), [(404, {}), (500, None)])
async def test_a_server_that_leaves_a_registration_to_us(asking: PolicyClient, status: int, heard: object) -> None:
    """That is no server which does not answer."""
    question = questions.registration(NODE, "ann", CallProtocol.SIP, "192.0.2.7")
    async with running(lambda *_: (status, {}, b"")) as server:
        assert await asking.ask(Profile(name="P", url=server.url), question) == heard


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


LINES = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


async def test_a_body_without_end_is_not_read_to_it(asking: PolicyClient) -> None:
    sent: list[int] = []

    def drip(head: bytes, part: bytes) -> Iterator[bytes]:
        yield head
        for _ in range(100 * LARGEST // len(part)):  # 100 MB
            sent.append(len(part))
            yield part

    block = b" " * 32768
    for head, part in (
        (LINES + b"transfer-encoding: chunked\r\n\r\n", b"8000\r\n" + block + b"\r\n"),
        (LINES + b"content-length: 104857600\r\n\r\n", block),
        (LINES.replace(b"1.1", b"1.0") + b"\r\n", block),
        (LINES, b"x: " + block + b"\r\n"),  # of headers
    ):
        sent.clear()
        reply = drip(head, part)
        async with running(lambda *_, one=reply: one) as server:
            assert await asking.ask(Profile(url=server.url), QUESTION) is None
        assert sum(sent) < 16 * LARGEST, "what the sockets hold, beside what was read"


@pytest.mark.spec("POL-013")
async def test_old_and_odd_ways_to_say_the_same(asking: PolicyClient) -> None:
    old = LINES.replace(b"1.1", b"1.0") + b"\r\n"
    for reply in (
        iter([old, b'{"a"', b": 1}"]),  # HTTP/1.0, without a length
        iter([b"HTTP/1.1 100 Continue\r\n\r\n", LINES + b'content-length: 8\r\n\r\n{"a": 1}']),
        (200, {"content-type": "application/json; charset=iso-8859-1"}, b'{"a": 1}'),
        (200, {"content-type": "application/json"}, b'\xef\xbb\xbf{"a": 1}'),
    ):
        async with running(lambda *_, one=reply: one) as server:
            assert await asking.ask(Profile(url=server.url), QUESTION) == {"a": 1}


async def test_requests_carry_nothing_from_one_to_the_next(asking: PolicyClient) -> None:
    async with running(lambda *_: (200, {"content-type": "application/json", "set-cookie": "a=b"}, b"{}")) as server:
        for _ in range(2):
            assert await asking.ask(Profile(url=server.url), QUESTION) == {}
        assert all("cookie" not in headers for *_, headers in server.requests)


@pytest.mark.spec("POL-010", "SYS-177")
async def test_a_certificate_has_to_be_trusted() -> None:
    own, other = made("127.0.0.1"), made("policy.example.com")
    old = made("127.0.0.1", since=-10, days=-1)
    trusted: list[str] = []

    def trust() -> ssl.SSLContext:
        context = ssl.create_default_context()
        for pem in trusted:
            context.load_verify_locations(cadata=pem)
        return context

    client = PolicyClient(trust)

    async def asked(server: PolicyServer) -> tuple[object, str]:
        with structlog.testing.capture_logs() as logs:
            found = await client.ask(Profile(url=server.url), QUESTION)
        return found, logs[0].get("problem", "")

    async with running(lambda *_: said({"status": "success"}), tls.server_context(own.pem, own.key_pem)) as server:
        found, problem = await asked(server)
        assert found is None
        assert "certificate" in problem
        trusted.append(own.pem)
        await client.renew()
        assert await asked(server) == ({"status": "success"}, "")
    trusted.extend((other.pem, old.pem))
    await client.renew()
    for wrong, why in ((other, "127.0.0.1"), (old, "expired")):
        async with running(lambda *_: said({}), tls.server_context(wrong.pem, wrong.key_pem)) as server:
            found, problem = await asked(server)
            assert found is None
            assert why in problem
            assert not server.requests
    await client.close()


@pytest.mark.spec("POL-017")
async def test_a_slow_answer_delays_nobody_else(asking: PolicyClient) -> None:
    def answer(path: str, parameters: dict[str, str]) -> Reply | None:
        return None if parameters["local_alias"] == "slow" else said({"status": "success"})

    async with running(answer) as server:
        profile = Profile(url=server.url)
        call = questions.service(NODE, questions.CallFacts(local_alias="slow", protocol=CALL.protocol))
        slow = [asyncio.create_task(asking.ask(profile, call)) for _ in range(30)]
        assert all(await asyncio.gather(*(asking.ask(profile, QUESTION) for _ in range(30))))
        assert not any(one.done() for one in slow)
        for one in slow:
            one.cancel()
        await asyncio.gather(*slow, return_exceptions=True)


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


async def test_what_is_asked_while_trust_changes_comes_to_its_end(asking: PolicyClient) -> None:
    go = asyncio.Event()

    class Slow(PolicyServer):
        async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            self.requests.append(("", {}, {}))
            await go.wait()
            writer.write(LINES + b"content-length: 2\r\n\r\n{}")

    slow = Slow(lambda *_: None)
    server = await asyncio.start_server(slow.serve, "127.0.0.1", 0)
    profile = Profile(url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    waiting = [asyncio.create_task(asking.ask(profile, QUESTION)) for _ in range(2)]
    while len(slow.requests) < 2:  # noqa: ASYNC110 - they are on their way
        await asyncio.sleep(0)
    await asking.renew()
    go.set()
    assert await asyncio.gather(*waiting) == [{}, {}]
    assert not asking._connections._former, "closed with the last of them"
    assert await asking.ask(profile, QUESTION) == {}
    server.close()


async def test_who_is_asked_for_much_is_asked_by_so_many_at_once(
    asking: PolicyClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SECONDS", 0.2)
    asking._calls = asyncio.Semaphore(1)
    pictures = questions.contact_avatar(NODE, "a", 10, 10)
    async with running(lambda path, _: (404, {}, b"") if "avatar" in path else said({"status": "success"})) as server:
        profile = Profile(url=server.url)
        async with asking._calls:
            with structlog.testing.capture_logs() as logs:
                assert await asyncio.gather(*(asking.ask(profile, QUESTION) for _ in range(3))) == [None] * 3
                assert await asking.picture(profile, pictures, 10, 10) is None
        assert [line["problem"] for line in logs] == ["too many others are asking within 0.2 s"] * 3 + ["status 404"]
        assert [path for path, *_ in server.requests] == ["/base/policy/v1/participant/avatar/a"]
        monkeypatch.undo()
        assert await asking.ask(profile, QUESTION)


async def test_a_profile_whose_password_is_locked_asks_nobody(asking: PolicyClient) -> None:
    async with running(lambda *_: said({"status": "success"})) as server:
        profile = Profile(name="P", url=server.url, username="u", locked=True, enable_service_lookup=True)
        with structlog.testing.capture_logs() as logs:
            assert await asking.ask(profile, QUESTION) is None
            assert await asking.picture(profile, QUESTION, 10, 10) is None
        assert not server.requests
    assert [(line["log_level"], "password" in line["problem"]) for line in logs] == [("error", True)] * 2
    assert profile.decides_services, "it still counts"


@pytest.mark.parametrize(
    ("url", "leads", "found"),
    [
        ("http://pictures.example/me.jpg?a=b", "192.0.2.7", "http://192.0.2.7/me.jpg?a=b"),
        ("https://u:p@pictures.example:8443/x", "2001:db8::1", "https://u:p@[2001:db8::1]:8443/x"),
        ("http://127.0.0.1:8080/x", "", "http://127.0.0.1:8080/x"),  # as it was written
        ("http://10.0.0.7/x", "", "http://10.0.0.7/x"),
        ("http://pictures.example/", "127.0.0.1", ""),
        ("http://pictures.example/", "169.254.169.254", ""),
        ("http://pictures.example/", "::ffff:127.0.0.1", ""),
        ("http://pictures.example/", "fe80::1%eth0", ""),
        ("http://pictures.example/", "::1", ""),
        ("http://pictures.example/", "0.0.0.0", ""),
        ("http://pictures.example/", "", ""),
        ("http://169.254.169.254/latest/meta-data", "", ""),
        ("http://[::ffff:169.254.169.254]/", "", ""),
        ("http://224.0.0.1/", "", ""),
        ("file:///etc/passwd", "", ""),
        ("http://", "", ""),
        ("http://a:port/", "", ""),
        ("http://[/", "", ""),
    ],
)
async def test_where_pictures_of_users_come_from(
    url: str, leads: str, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def resolved(name: str, port: int, **_: object) -> list[object]:
        if not leads:
            raise OSError("no such name")
        return [(2, 1, 6, "", (leads, port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolved)
    if not found:
        with pytest.raises(Unreachable):
            await destination(url)
        return
    where = await destination(url)
    assert where.url == found
    assert where.host == httpx.URL(url).netloc.decode()
    assert where.name == httpx.URL(url).host


async def test_a_name_is_asked_by_its_address_and_leads_nowhere_else(
    asking: PolicyClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(destinations, "_is_no_server", lambda _: False)
    monkeypatch.setattr(ipaddress.IPv4Address, "is_loopback", False)
    body = jpeg(30, 30)
    replies: dict[str, Reply] = {
        "/me": (200, {"content-type": "image/jpeg"}, body), "/moved": (302, {"location": "/me"}, b""),
    }  # fmt: skip
    own = made("localhost")
    client = PolicyClient(lambda: ssl.create_default_context(cadata=own.pem))
    async with running(lambda path, _: replies[path], tls.server_context(own.pem, own.key_pem)) as server:
        port = server.url.removesuffix("/base").rpartition(":")[2]
        assert await client.users_picture(Profile(), f"https://localhost:{port}/me") == body
        assert server.requests[0][2]["host"] == f"localhost:{port}"
        assert await client.users_picture(Profile(), f"https://localhost:{port}/moved") is None
        assert len(server.requests) == 2
        assert await client.users_picture(Profile(), f"https://localhost:{port}/me") == body
        monkeypatch.setattr(destinations, "_address", _here)
        with structlog.testing.capture_logs() as logs:
            assert await client.users_picture(Profile(), f"https://other.example:{port}/me") is None
        assert "other.example" in logs[0]["problem"], "who was asked before at that address counts for nothing"
    await client.close()


async def _here(name: str, port: int) -> str:
    return "127.0.0.1"
