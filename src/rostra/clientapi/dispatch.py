"""From an HTTP request to a handler and back: routes, tokens, rights, bodies, envelopes, counting.

Whatever happens, the answer is an envelope with a status the endpoint's clients accept (API-016, API-179).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from rostra.calls.switchboard import CallRefused, MediaRefused, Refusal, Switchboard
from rostra.clientapi import counters
from rostra.clientapi.asking import Asked, Platform, Switches
from rostra.clientapi.bodies import Body
from rostra.clientapi.clients import Client, Clients
from rostra.clientapi.cors import permit, preflight
from rostra.clientapi.devices import Devices
from rostra.clientapi.endpoints import EndpointTable, Unroutable, Who
from rostra.clientapi.envelope import (
    DISABLED,
    INVALID_ROLE,
    INVALID_TOKEN,
    METHOD_NOT_ALLOWED,
    NO_SUCH_CONFERENCE,
    NOT_FOUND,
    SHUT_OUT,
    ApiProblem,
    failure,
    success,
)
from rostra.clientapi.handlers.registrations import token_of
from rostra.clientapi.handlers.tokens import hold_back_refused_refresh, is_expected, refresh_token
from rostra.clientapi.network import caller_address
from rostra.clientapi.pins import PinGuard
from rostra.clientapi.reading import read_body
from rostra.clientapi.reporting import report
from rostra.clientapi.results import CHALLENGES
from rostra.clientapi.signon.desk import SignOnDesk
from rostra.clientapi.visitors import Visitors
from rostra.conference.shared import OwnerUnreachable
from rostra.domain.abuse import Shield
from rostra.domain.admission import may_admit
from rostra.domain.vocabulary import Role

logger = structlog.get_logger("rostra.clientapi")

ROOT = "/api/client/v2/"
STATUS = "status"
"""Is answered also where clients are refused: it tells reverse proxies that the node is there."""
_HTTP_STATUS = {Refusal.NOT_FOUND: 404, Refusal.OUT_OF_RESOURCE: 503, Refusal.MAINTENANCE: 503}


class ClientApi:
    """The API as an ASGI application for everything below `/api/client/v2/`."""

    def __init__(
        self,
        switchboard: Switchboard,
        table: EndpointTable,
        node: str,
        alternatives: Callable[[], Sequence[str]],
        switches: Callable[[], Switches],
        release_elsewhere: Callable[[str], Awaitable[object]],
        desk: SignOnDesk,
        devices: Devices | None,
        shield: Shield | None = None,
    ) -> None:
        self.clients = Clients(switchboard)
        self.table = table
        self.platform = Platform(
            switchboard, self.clients, PinGuard(), Visitors(shield or Shield()), node, alternatives, switches,
            release_elsewhere, desk, devices,
        )  # fmt: skip

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except ClientDisconnect:
            return
        permit(request, response)
        await response(scope, receive, send)

    async def release(self, token: str) -> bool:
        """End the participant of `token`, which joined anew elsewhere; False when the token is none of ours."""
        return await self.clients.release(token)

    async def close(self) -> None:
        """The node stops: participants leave, streams end."""
        if self.platform.devices is not None:
            self.platform.devices.close()
        await self.clients.close()

    async def _answer(self, request: Request) -> Response:
        if request.method == "OPTIONS":
            return preflight()
        path: bytes = request.scope.get("raw_path") or request.url.path.encode()
        try:
            route = self.table.find(request.method, path.partition(b"?")[0][len(ROOT) :])
        except Unroutable as problem:
            counters.REQUESTS.labels("unknown", "405" if problem.methods else "404").inc()
            return _unroutable(problem)
        endpoint = route.endpoint
        asked = Asked(self.platform, request, endpoint, route.values, None, _token(request))
        response = await self._guarded(asked)
        counters.REQUESTS.labels(endpoint.path, str(response.status_code)).inc()
        return response

    async def _guarded(self, asked: Asked) -> Response:
        """Run the handler; every failure becomes an answer."""
        endpoint = asked.endpoint
        try:
            async with asyncio.timeout(endpoint.within):
                return await self._handle(asked)
        except ApiProblem as problem:
            return self._failed(asked, problem.status, problem.result)
        except CallRefused as refused:
            return self._failed(asked, _HTTP_STATUS.get(refused.refusal, 403), refused.text)
        except MediaRefused as refused:
            return self._failed(asked, 400, str(refused))
        except OwnerUnreachable:
            return self._failed(asked, 503, "The participant's node cannot be reached")
        except TimeoutError:
            logger.error("Request not answered in time", endpoint=endpoint.path)
            return self._failed(asked, 504, "504 Gateway Timeout")
        except ClientDisconnect:
            raise
        except Exception as problem:
            report(problem, "Request failed", endpoint=endpoint.path)
            return self._failed(asked, 500, "500 Internal Server Error")

    def _failed(self, asked: Asked, status: int, result: object) -> Response:
        status = asked.endpoint.allowed(status)
        if result == NO_SUCH_CONFERENCE:
            self.platform.visitors.nobody_there(caller_address(asked.request), asked.values.get("alias", ""))
        if not isinstance(result, CHALLENGES):
            logger.info(
                "Request refused",
                endpoint=asked.endpoint.path,
                status=status,
                reason=str(result),
                remote_address=caller_address(asked.request),
            )
        return failure(status, result)

    async def _handle(self, asked: Asked) -> Response:
        endpoint = asked.endpoint
        asked.body = await self._body(asked)
        if not self.platform.switches().enable_application_api and endpoint.path != STATUS:
            if endpoint.handler is refresh_token:
                await hold_back_refused_refresh()
            raise ApiProblem(403, DISABLED)
        await self._look_at(asked)
        asked.holder = self._in_room(asked, self._holder(asked))
        if endpoint.who is not Who.ANYBODY:
            if asked.holder is None:
                if endpoint.handler is refresh_token:
                    await hold_back_refused_refresh()
                    raise ApiProblem(403, self.clients.ending(asked.token) or INVALID_TOKEN)
                raise ApiProblem(403, INVALID_TOKEN)
            check_rights(asked)
        await self._slow_down(asked)
        if endpoint.log:
            logger.info(endpoint.log, **_log_fields(asked))
        answer = await endpoint.handler(asked)
        return answer if isinstance(answer, Response) else success(answer)

    async def _look_at(self, asked: Asked) -> None:
        """Raises ApiProblem for who has no token, asks for conferences or to be registered, and is not heard or asks
        much too fast."""
        if not asked.values.keys() & {"alias", "registration"} or self._is_client(asked):
            return
        address, visitors = caller_address(asked.request), self.platform.visitors
        if not visitors.heard(address):
            raise ApiProblem(403, SHUT_OUT)
        delay = visitors.delay(address)
        if delay is None:
            raise ApiProblem(503, "503 Service Unavailable")
        if delay:
            await asyncio.sleep(delay)

    def _is_client(self, asked: Asked) -> bool:
        """Has it a token that is good, of a conference or of a registration?"""
        if (asked.token and self.clients.holder(asked.token) is not None) or is_expected(asked):
            return True
        devices, token = self.platform.devices, token_of(asked)
        return devices is not None and bool(token) and devices.holder(token) is not None

    async def _slow_down(self, asked: Asked) -> None:
        """Raises ApiProblem 503 for a client that asks much too fast; it may go on staying and leaving."""
        if asked.holder is None or asked.endpoint.handler is refresh_token:
            return
        delay = (asked.holder.parent or asked.holder).pace.delay(time.monotonic())
        if delay is None and asked.endpoint.who is not Who.ANYBODY:
            raise ApiProblem(503, "503 Service Unavailable")
        if delay:
            await asyncio.sleep(delay)

    async def _body(self, asked: Asked) -> Body | None:
        if asked.request.method == "GET" or asked.endpoint.raw:
            return None
        return await read_body(asked.request, asked.endpoint)

    def _in_room(self, asked: Asked, client: Client | None) -> Client | None:
        """Functions inside a breakout room are those of the Host's participant there. Raises ApiProblem."""
        if client is None or not asked.endpoint.inside_room:
            return client
        if client.session.participant.role is not Role.HOST or not client.session.participant.joined:
            raise ApiProblem(403, INVALID_ROLE)
        visit = client.visits.get(asked.values["breakout"].lower())
        if visit is None:
            raise ApiProblem(404, NOT_FOUND)
        return visit

    def _holder(self, asked: Asked) -> Client | None:
        """The client of the token, if the alias in the path is one of its service (API-004)."""
        client = self.clients.holder(asked.token) if asked.token else None
        alias = asked.values.get("alias", "").casefold()
        if client is None or alias in client.aliases:
            return client
        service = self.platform.switchboard.lookup(asked.values["alias"]) if alias else None
        if service is None and asked.endpoint.who is not Who.ANYBODY:
            raise ApiProblem(404, NO_SUCH_CONFERENCE)
        if service is None or service.id != client.session.service.id:
            return None
        client.aliases.add(alias)
        return client


def check_rights(asked: Asked) -> None:
    """Raises ApiProblem when the caller may not use the endpoint now (API-061, API-062, API-066)."""
    endpoint, me = asked.endpoint, asked.me
    named = asked.values.get("participant", me.uuid).lower()
    itself = named == me.uuid
    if not me.joined and not (endpoint.waiting and itself):
        raise ApiProblem(403, INVALID_ROLE)
    host = me.role is Role.HOST
    match endpoint.who:
        case Who.HOST:
            permitted = host
        case Who.HOST_IF_ANY:
            permitted = may_admit(me.role, joined=me.joined, hosted=asked.client.session.service.has_host_pin)
        case Who.SELF:
            permitted = itself
        case Who.HOST_OR_SELF:
            permitted = host or itself
        case Who.ANYBODY | Who.HOLDER:
            permitted = True
    if not permitted:
        raise ApiProblem(403, INVALID_ROLE)


def _token(request: Request) -> str:
    """Header or query, whichever is there (API-010)."""
    return request.headers.get("token") or request.query_params.get("token", "")


def _unroutable(problem: Unroutable) -> Response:
    if not problem.methods:
        return failure(404, NOT_FOUND)
    response = failure(405, METHOD_NOT_ALLOWED)
    response.headers["allow"] = ", ".join((*problem.methods, "OPTIONS"))
    return response


def _log_fields(asked: Asked) -> dict[str, str]:
    fields = {"conference": asked.conference.name, "requested_by": asked.client.uuid}
    if "participant" in asked.values:
        fields["participant"] = asked.values["participant"]
    digits = getattr(asked.body, "digits", None)
    if isinstance(digits, str):
        fields["digits"] = digits
    return fields
