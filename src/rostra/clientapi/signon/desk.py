"""The sign-on desk of a node: sends users to a provider, takes them back, knows them by their token afterwards."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import Response

from rostra.clientapi.network import caller_address
from rostra.clientapi.signon import oidc, pages, saml, state
from rostra.clientapi.signon.fetching import Fetcher
from rostra.clientapi.signon.problems import ProviderUnreachable, SignOnFailed
from rostra.clientapi.signon.state import Pending, Seals, SignedOn, Spent
from rostra.domain.signon import Identity, Provider, allowed_target

logger = structlog.get_logger("rostra.clientapi")

LONGEST_TARGET = 2000
"""Characters of where a client wants its user sent back to."""


class Misaddressed(Exception):
    """The web app is used from an address that the provider does not send users back to."""


def page_address(request: Request) -> str:
    """Origin of the page that asks; of clients that are no pages, that of the node they talk to."""
    origin = request.headers.get("origin", "")
    return origin or f"{request.url.scheme}://{request.headers.get('host', '')}"


class SignOnDesk:
    """Of one node."""

    def __init__(
        self, find: Callable[[str], Provider | None], key: Callable[[], bytes], fetcher: Fetcher | None = None,
        ready: Callable[[], bool] = lambda: True,
    ) -> None:  # fmt: skip
        """`find`: a provider by its identity. `key`: the platform's secret; may raise SignOnFailed.
        `ready`: calls are taken."""
        self.find = find
        self._seals = Seals(key)
        self._fetcher = fetcher or Fetcher()
        self._ready = ready
        self._spent = Spent()

    def send(self, provider: Provider, alias: str, address: str, target: str) -> str:
        """Where the user goes to sign on. Raises Misaddressed, SignOnFailed."""
        redirect = provider.redirect_for(address)
        if not redirect:
            raise Misaddressed(address)
        target = "" if provider.popup else target[: LONGEST_TARGET + 1]
        if target and (len(target) > LONGEST_TARGET or not allowed_target(target, address)):
            raise Misaddressed(target)
        pending = state.begin(provider.uuid, alias, redirect, address, target)
        to = saml.request_url if provider.kind == "saml" else oidc.authorization_url
        return to(provider, pending, self._seals.seal(pending))

    def redeem(self, token: str, alias: str) -> Identity | None:
        """Whom a token stands for, once; `give_back` makes it good again. None: nobody, or for something else."""
        found, now = self._seals.open(token, SignedOn), time.time()
        if found is None or found.expires <= now or found.alias != alias.casefold():
            return None
        return found.identity if self._spent.spend(token, found.expires, now) else None

    def again(self, identity: Identity, alias: str) -> str:
        """A token for who is in already, to come in anew; not for ever, however often it does."""
        expires = identity.since + state.REJOINING
        return self._seals.seal(SignedOn(identity=identity, alias=alias.casefold(), expires=expires))

    def give_back(self, token: str) -> None:
        self._spent.give_back(token)

    async def take_back(self, request: Request, uuid: str, told: Mapping[str, str]) -> Response:
        """A user comes from a provider with parameters of the query or a form."""
        provider, pending, now = self.find(uuid), None, time.time()
        sealed = told.get("RelayState" if provider and provider.kind == "saml" else "state", "")
        if provider is not None:
            pending = self._seals.open(sealed, Pending)
        if provider is None or pending is None or pending.provider != uuid or now - pending.begun > state.PATIENCE:
            logger.info("Sign-on failed", provider=uuid, reason="nobody waits", remote_address=caller_address(request))
            return pages.refused(None)
        try:
            if not self._ready():
                raise ProviderUnreachable("the system is in maintenance mode")
            if provider.flow == "implicit" and request.method != "POST":  # an address with a token is in logs
                raise SignOnFailed("ID tokens come by POST only")
            identity = await self._identity(provider, pending, told, now)
        except SignOnFailed as problem:
            self._log("Sign-on failed", request, provider, pending, reason=str(problem))
            return pages.refused(pending)
        except ProviderUnreachable as problem:
            self._log("Sign-on not possible", request, provider, pending, reason=str(problem))
            return pages.unavailable(pending)
        self._log("Signed on", request, provider, pending)
        identity = msgspec.structs.replace(identity, since=now)
        signed = SignedOn(identity=identity, alias=pending.alias, expires=now + state.LIFETIME)
        return pages.succeeded(pending, self._seals.seal(signed))

    async def _identity(self, provider: Provider, pending: Pending, told: Mapping[str, str], now: float) -> Identity:
        if told.get("error"):
            raise SignOnFailed(f"the provider refused: {told['error'][:100]}")
        if provider.kind == "saml":
            identity, assertion = await asyncio.to_thread(
                saml.identity_in, provider, pending, told.get("SAMLResponse", ""), now
            )
            self._once(f"{provider.uuid} {assertion}", pending)
            return identity
        self._once(pending.verifier, pending)
        if provider.flow == "implicit":
            return await self._fetcher.identity_in(provider, pending, told.get("id_token", ""))
        if not told.get("code"):
            raise SignOnFailed("no code came")
        return await self._fetcher.identity(provider, pending, told["code"])

    def _once(self, what: str, pending: Pending) -> None:
        now = time.time()
        if not self._spent.spend(what, now + state.PATIENCE + oidc.LEEWAY, now):
            raise SignOnFailed("it was used before")

    @staticmethod
    def _log(event: str, request: Request, provider: Provider, pending: Pending, **more: str) -> None:
        logger.info(
            event, provider=provider.name, alias=pending.alias, remote_address=caller_address(request), **more
        )  # fmt: skip
