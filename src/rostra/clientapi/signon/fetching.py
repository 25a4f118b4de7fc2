"""What is asked of OpenID Connect providers, with limits on time and size; their keys are kept for a while."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import jwt
import msgspec

from rostra.clientapi.signon import oidc
from rostra.clientapi.signon.problems import ProviderUnreachable, SignOnFailed
from rostra.clientapi.signon.state import Pending
from rostra.domain.signon import Identity, Provider

PATIENCE = 5.0
"""Seconds a provider gets for an answer, all of it."""
MOST = 256 * 1024
"""Bytes of an answer."""
KEPT = 3600.0
"""Seconds that keys are used without asking for them again."""
PAUSE = 30.0
"""Seconds between two looks for a key that is not there."""


class Fetcher:
    """Asks providers. `trust` gives the TLS settings in force; `transport` is replaced in tests."""

    def __init__(
        self, trust: Callable[[], ssl.SSLContext] = ssl.create_default_context,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:  # fmt: skip
        self._trust = trust
        self._transport = transport
        self._keys: dict[str, tuple[float, Mapping[str, Any]]] = {}

    async def identity(self, provider: Provider, pending: Pending, code: str) -> Identity:
        """Exchange a code for what the provider says of the user. Raises SignOnFailed, ProviderUnreachable."""
        form, headers = oidc.token_request(provider, pending, code)
        async with self._client() as client:
            answer = await _ask(client, "POST", provider.token_url, data=form, headers=headers)
            token, access = answer.get("id_token"), answer.get("access_token")
            if not isinstance(token, str):
                raise SignOnFailed("the provider gives no ID token")
            claims = await self.claims(provider, pending, token, client)
            if oidc.needs_user_info(provider, claims) and isinstance(access, str):
                asking = {"authorization": f"Bearer {access}"}
                told = await _ask(client, "GET", provider.user_info_url, headers=asking)
                claims = oidc.with_user_info(claims, told)
        return oidc.identity_of(provider, claims)

    async def identity_in(self, provider: Provider, pending: Pending, token: str) -> Identity:
        """What an ID token from the user's browser says (implicit flow)."""
        async with self._client() as client:
            return oidc.identity_of(provider, await self.claims(provider, pending, token, client))

    async def claims(
        self, provider: Provider, pending: Pending, token: str, client: httpx.AsyncClient
    ) -> dict[str, Any]:
        key = None if provider.id_signature == "HS256" else await self._key(provider, token, client)
        return oidc.checked_claims(provider, pending, token, key)

    async def _key(self, provider: Provider, token: str, client: httpx.AsyncClient) -> jwt.PyJWK | None:
        """The key a token says it is signed with; one that is new to us is looked for once more."""
        name, now = oidc.key_named(token), time.monotonic()
        since, keys = self._keys.get(provider.keys_url, (-KEPT, {}))
        key = oidc.key_of(keys, name)
        if now - since >= (PAUSE if key is None else KEPT):
            keys = await _ask(client, "GET", provider.keys_url)
            self._keys[provider.keys_url] = (now, keys)
            key = oidc.key_of(keys, name)
        return key

    @asynccontextmanager
    async def _client(self) -> AsyncGenerator[httpx.AsyncClient]:
        more: dict[str, Any] = {"transport": self._transport} if self._transport else {"verify": self._trust()}
        async with httpx.AsyncClient(timeout=PATIENCE, follow_redirects=False, trust_env=False, **more) as client:
            yield client


async def _ask(client: httpx.AsyncClient, method: str, url: str, **more: Any) -> dict[str, Any]:
    """A JSON object. Raises SignOnFailed for an answer that refuses, ProviderUnreachable without a usable one."""
    body = b""
    try:
        async with asyncio.timeout(PATIENCE), client.stream(method, url, **more) as response:
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MOST:
                    raise ProviderUnreachable(f"{url} answers too much")
    except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, OSError, TimeoutError) as problem:
        raise ProviderUnreachable(f"{url}: {type(problem).__name__}") from None
    if 400 <= response.status_code < 500:
        raise SignOnFailed(f"{url} answers {response.status_code}")
    try:
        if response.status_code != 200:
            raise ProviderUnreachable(f"{url} answers {response.status_code}")
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError):
        raise ProviderUnreachable(f"{url} answers no JSON object") from None
