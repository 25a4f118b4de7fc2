"""Asks policy servers over HTTP (section 2.2 of the sheet)."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
import zlib
from collections.abc import AsyncGenerator, Callable

import httpx
import msgspec
import structlog

from rostra.policy import avatars, destinations
from rostra.policy.connections import MOST, PICTURES, Connections
from rostra.policy.destinations import Unreachable
from rostra.policy.profile import Profile
from rostra.policy.questions import Kind, Question

logger = structlog.get_logger("support.policy")

SECONDS = 5.0
"""For one request in all (POL-011)."""
LARGEST = 1024 * 1024
"""Bytes of an answer that are read."""
_EITHER = 32 + zlib.MAX_WBITS
"""To zlib: with the header of gzip, or its own."""
_JSON = "application/json"
_JPEG = "image/jpeg"
_MARK = b"\xef\xbb\xbf"
"""That a text is UTF-8: some servers begin with it (RFC 8259 8.1)."""
_LEFT_TO_US = b"{}"
"""What 404 says (POL-014) where an answer is more than none: a server that is away unregisters nobody."""
_LOCKED = "the password of the profile cannot be opened, so its server is not asked"


class _Unusable(Exception):
    """The answer is none; the text says why."""


class PolicyClient:
    """Of one node. Requests run side by side, and keep connections open between them."""

    def __init__(self, trust: Callable[[], ssl.SSLContext]) -> None:
        """`trust`: whom we trust now; asked anew after `renew`."""
        self._connections = Connections(trust, SECONDS)
        self._strangers = Connections(trust, SECONDS, idle=0)
        """To servers of users' own pictures: each proves its name anew, whoever else is at its address."""
        self._calls = asyncio.Semaphore(MOST)
        self._pictures = asyncio.Semaphore(PICTURES)

    async def ask(self, profile: Profile, question: Question) -> object:
        """What the JSON of the answer says; None for everything that is no usable answer (POL-013)."""
        body = await self._ask(profile, question, _JSON)
        if body is None:
            return None
        try:
            found = msgspec.json.decode(body.removeprefix(_MARK))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
            logger.warning("Policy answer is no JSON", profile=profile.name, problem=str(problem))
            return None
        if not isinstance(found, dict):
            logger.warning("Policy answer is no JSON", profile=profile.name, problem="no object")
            return None
        return found  # type: ignore[reportUnknownVariableType] - checked by who reads it

    async def picture(self, profile: Profile, question: Question, width: int, height: int) -> bytes | None:
        """A JPEG of exactly this size (POL-064)."""
        body = await self._ask(profile, question, _JPEG)
        if body is None:
            return None
        if not avatars.fits(body, width, height):
            logger.warning("Policy picture does not fit", profile=profile.name, wanted=f"{width}x{height}")
            return None
        return body

    async def users_picture(self, profile: Profile, address: str) -> bytes | None:
        """What is at the address that is configured for a user (POL-068): a JPEG of any size, asked for as anybody."""
        body = await self._get(profile, Kind.AVATAR, address, None, _JPEG, anywhere=False)
        if body is None or avatars.usable(body):
            return body
        logger.warning("Picture of a user cannot be used", profile=profile.name, url=_plain(address))
        return None

    async def renew(self) -> None:
        """Whom we trust has changed: new requests heed it, those under way come to their end."""
        await self._connections.renew()
        await self._strangers.renew()

    async def close(self) -> None:
        await self._connections.close()
        await self._strangers.close()

    async def _ask(self, profile: Profile, question: Question, type: str) -> bytes | None:
        address = question.address(profile.url)
        if profile.locked:
            _log(logger.error, profile, question.kind, address, 0, time.monotonic(), _LOCKED)
            return None
        return await self._get(profile, question.kind, address, _credentials(profile), type)

    async def _get(
        self, profile: Profile, kind: Kind, address: str, credentials: httpx.BasicAuth | None, type: str, *,
        anywhere: bool = True,
    ) -> bytes | None:  # fmt: skip
        """The body of a usable answer. Each outcome is logged, without credentials (POL-020).

        `anywhere`: the administrator has said where to ask, so no place is wrong.
        """
        begin = time.monotonic()
        status, waiting = 0, True
        places = self._pictures if kind is Kind.AVATAR else self._calls
        try:
            async with asyncio.timeout(SECONDS), places:
                waiting = False
                async with self._asked(address, credentials, anywhere=anywhere) as response:
                    status = response.status_code
                    body = await _body(response, type)
        except TimeoutError:
            problem = f"{'too many others are asking' if waiting else 'no answer'} within {SECONDS:g} s"
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, ValueError, OSError, RuntimeError) as failure:
            problem = str(failure) or failure.__class__.__name__
        except (_Unusable, Unreachable) as unusable:
            problem = str(unusable)
        else:
            _log(logger.info, profile, kind, address, status, begin, "")
            return body
        _log(logger.warning, profile, kind, address, status, begin, problem)
        return _LEFT_TO_US if kind is Kind.REGISTRATION and status == 404 else None

    @contextlib.asynccontextmanager
    async def _asked(
        self, address: str, credentials: httpx.BasicAuth | None, *, anywhere: bool
    ) -> AsyncGenerator[httpx.Response]:
        """The answer, of which the body is still to be read. Raises Unreachable, and whatever httpx does."""
        headers: dict[str, str] = {}
        extensions: dict[str, str] = {}
        connections = self._connections
        if not anywhere:
            connections = self._strangers
            found = await destinations.destination(address)
            address, headers, extensions = found.url, {"host": found.host}, {"sni_hostname": found.name}
        async with (
            connections.used() as client,
            client.stream("GET", address, auth=credentials, headers=headers, extensions=extensions) as response,
        ):
            yield response


async def _body(response: httpx.Response, type: str) -> bytes:
    """Raises _Unusable; then what there is of a body is not read."""
    if response.status_code != 200:
        raise _Unusable(f"status {response.status_code}")
    given = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != type:
        raise _Unusable(f"content type {given or 'missing'}")
    parts: list[bytes] = []
    size = 0
    async for part in response.aiter_raw():
        size += len(part)
        if size > LARGEST:
            raise _Unusable(f"larger than {LARGEST} bytes")
        parts.append(part)
    return _plain_body(b"".join(parts), response.headers.get("content-encoding", "").strip().lower())


def _plain_body(body: bytes, coding: str) -> bytes:
    """A body as it was before it was compressed: a few bytes may become any number, so no more than may be read.

    Raises _Unusable.
    """
    if coding in ("", "identity"):
        return body
    if coding not in ("gzip", "x-gzip", "deflate"):
        raise _Unusable(f"content coding {coding}")
    unpacking = zlib.decompressobj(_EITHER)
    try:
        plain = unpacking.decompress(body, LARGEST + 1)
    except zlib.error as problem:
        raise _Unusable(f"content coding {coding}: {problem}") from None
    if len(plain) > LARGEST:
        raise _Unusable(f"larger than {LARGEST} bytes")
    if not unpacking.eof:
        raise _Unusable(f"content coding {coding}: the body is not complete")
    return plain


def _credentials(profile: Profile) -> httpx.BasicAuth | None:
    """Sent at once, without being asked for (POL-009)."""
    return httpx.BasicAuth(profile.username, profile.password) if profile.username else None


def _log(
    tell: Callable[..., object], profile: Profile, kind: Kind, address: str, status: int, begin: float, problem: str,
) -> None:  # fmt: skip
    elapsed = round((time.monotonic() - begin) * 1000)
    more = {"problem": problem} if problem else {}
    tell(
        "Policy request", profile=profile.name, type=Kind(kind).name.lower(), url=_plain(address),
        status=status, milliseconds=elapsed, **more,
    )  # fmt: skip


def _plain(address: str) -> str:
    """An address without the credentials that an administrator put into it."""
    scheme, separator, rest = address.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{separator}{host.rpartition('@')[2]}{slash}{path}"
