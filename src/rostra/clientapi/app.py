"""The whole HTTPS application of a Conferencing Node: client API, web app, health, metrics."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from rostra.calls.switchboard import Switchboard
from rostra.clientapi.asking import Switches
from rostra.clientapi.devices import Devices
from rostra.clientapi.dispatch import ROOT, ClientApi
from rostra.clientapi.envelope import DISABLED, METHOD_NOT_ALLOWED, NOT_FOUND, failure, json_response
from rostra.clientapi.network import is_local
from rostra.clientapi.openapi import document
from rostra.clientapi.signon import consumers
from rostra.clientapi.signon.desk import SignOnDesk
from rostra.clientapi.table import TABLE
from rostra.clientapi.website import BrandingFiles, Leads, Website, nowhere_else, unbranded
from rostra.domain.abuse import Shield
from rostra.environment import Environment

logger = structlog.get_logger("rostra.clientapi")


async def _nobody_else(token: str) -> None:
    """There are no other nodes."""


def create_app(
    switchboard: Switchboard,
    environment: Environment,
    web_root: Path,
    *,
    alternatives: Callable[[], Sequence[str]] = tuple,
    switches: Callable[[], Switches] = Switches,
    release_elsewhere: Callable[[str], Awaitable[object]] = _nobody_else,
    branding: BrandingFiles = unbranded,
    desk: SignOnDesk | None = None,
    leads_here: Leads = nowhere_else,
    devices: Devices | None = None,
    shield: Shield | None = None,
) -> Starlette:
    """The application; `app.state.client_api` is the `ClientApi`, to be closed when the node stops.

    `web_root`: directory of the built web app. `alternatives` gives the other nodes clients may use should this one
    be lost (`https://host:port`, best first); `switches` what is allowed now; `release_elsewhere` is told the token of
    an earlier session that some other node issued, to be handed to `ClientApi.release` there; `branding` gives the
    files of the web app's branding for a path, by name; `leads_here` says which further paths lead to the app;
    `desk` is where users sign on, None: nowhere; `devices` are clients that register, None: none can;
    `shield` remembers who guesses.
    """
    node = environment.media_address or "node"
    desk = desk or SignOnDesk(lambda _: None, bytes)
    api = ClientApi(switchboard, TABLE, node, alternatives, switches, release_elsewhere, desk, devices, shield)
    site = Website(web_root, branding, leads_here)

    async def health(request: Request) -> Response:
        ready = switchboard.ready
        return json_response(200 if ready else 503, {"status": "ok" if ready else "not ready"})

    app = Starlette(
        routes=[
            Route(f"{ROOT}openapi.json", _openapi),
            Mount(ROOT.rstrip("/"), app=api),
            *consumers.routes(desk),
            Mount("/api", app=_not_found_app()),
            Route("/healthz", health),
            Route("/metrics", _metrics),
            *site.routes(),
        ],
        exception_handlers={404: _not_found, 405: _wrong_method, 500: _broken},
    )
    app.router.redirect_slashes = False
    app.state.client_api = api
    return app


def _not_found_app() -> ASGIApp:
    return failure(404, NOT_FOUND)


async def _openapi(request: Request) -> Response:
    return json_response(200, document(TABLE))


async def _metrics(request: Request) -> Response:
    """For a scraper on this machine only: the figures name nobody, but concern nobody else either."""
    if not is_local(request):
        return failure(403, DISABLED)
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def _not_found(request: Request, problem: Exception) -> Response:
    return failure(404, NOT_FOUND)


async def _wrong_method(request: Request, problem: Exception) -> Response:
    return failure(405, METHOD_NOT_ALLOWED)


async def _broken(request: Request, problem: Exception) -> Response:
    logger.error("Request failed", path=request.url.path, problem=repr(problem))
    return failure(500, "500 Internal Server Error")
