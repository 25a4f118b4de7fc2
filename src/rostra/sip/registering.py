"""REGISTER requests of a node: finds out who may, and has the registrar answer."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence

import structlog

from rostra.background import Background
from rostra.calls.registrations import Admissions, Registration, Registry
from rostra.domain.abuse import Shield
from rostra.domain.vocabulary import CallProtocol
from rostra.sip.aliases import aliases, printable
from rostra.sip.authenticating import Authenticator
from rostra.sip.dialog import respond
from rostra.sip.events import RegisterReceived
from rostra.sip.flow import Flow
from rostra.sip.message import Request, Response
from rostra.sip.registrar import RETRY_AFTER, Registrar, Way
from rostra.sip.uri import Uri

log = structlog.get_logger("rostra.sip")


MAX_ASKING = 500
"""Registrations whose judgement is waited for at once, where a policy server is asked: so many of devices that are
configured and have answered a challenge, and as many of those that only policy may know. Others are answered 503."""


class Registering:
    """Between the engine, the registrar, and what the configuration and policy say."""

    def __init__(self, registry: Registry, admissions: Admissions, secret: bytes, shield: Shield | None = None) -> None:
        """`secret` signs challenges; it need not outlive the process. `shield` remembers who guesses."""
        self._registry = registry
        self._admissions = admissions
        self.shield = shield or Shield()
        self.registrar = Registrar(registry, Authenticator(secret), admissions.settings, admissions.failed, self.shield)
        self._background = Background()
        self._asking = {True: 0, False: 0}

    def take(
        self, event: RegisterReceived, is_ours: Callable[[str], bool], respond: Callable[[str, Response], None]
    ) -> None:
        """Answer a REGISTER, by `respond`, as soon as it is known who may."""
        self._background.spawn(self._answer(event, is_ours, respond))

    async def _answer(
        self, event: RegisterReceived, is_ours: Callable[[str], bool], give: Callable[[str, Response], None]
    ) -> None:
        request = event.request
        try:
            response = await self._response(request, event.flow, is_ours)
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("sip_registration_failed")
            response = respond(request, 500, event.name)
        give(event.name, response)

    async def _response(self, request: Request, flow: Flow, is_ours: Callable[[str], bool]) -> Response:
        candidates = _candidates(request.to.uri, is_ours)
        known = self.registrar.known(request, candidates)
        if known is not None:
            return self.registrar.answer(request, flow, known.alias, known, self._registry.clock(), by_policy=True)
        own = self._admissions.own(candidates)
        challenge = self.registrar.first(request, flow, candidates[0], own, self._registry.clock())
        if challenge is not None:
            return challenge
        ours = own is not None
        if self._asking[ours] >= MAX_ASKING:
            response = respond(request, 503, secrets.token_hex(8))
            response.headers.add("Retry-After", str(RETRY_AFTER))
            return response
        self._asking[ours] += 1
        try:
            return await self._judged(request, flow, candidates)
        finally:
            self._asking[ours] -= 1

    async def _judged(self, request: Request, flow: Flow, candidates: Sequence[str]) -> Response:
        vendor = printable(request.headers.get("User-Agent") or "")
        admitted = await self._admissions.device(candidates, CallProtocol.SIP, address=flow.remote[0], vendor=vendor)
        return self.registrar.answer(
            request, flow, candidates[0], admitted.device, self._registry.clock(), by_policy=admitted.by_policy
        )

    def caller(self, uri: Uri, flow: Flow, is_ours: Callable[[str], bool]) -> Registration | None:
        """The registration a caller has who says that this is its address (CONF-029)."""
        return self.registrar.registered(_candidates(uri, is_ours), flow)

    def unproven(self, request: Request, flow: Flow, is_ours: Callable[[str], bool]) -> Response | None:
        """What a caller is answered that has to show first that it is the device it says."""
        if request.method != "INVITE":
            return None
        return self.registrar.unproven(request, flow, _candidates(request.from_.uri, is_ours), self._registry.clock())

    def way(self, id: str) -> Way | None:
        return self.registrar.way(id)


def _candidates(uri: Uri, is_ours: Callable[[str], bool]) -> Sequence[str]:
    return aliases(uri, ours=is_ours(uri.bare_host))
