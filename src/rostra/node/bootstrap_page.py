"""The page of a machine that is no node yet: it takes a configuration file (NODE-058)."""

from __future__ import annotations

import asyncio
import contextlib
import html
from collections.abc import Callable, Generator
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

import rostra
from rostra import heads
from rostra.environment import Environment, EnvironmentProblem
from rostra.fabric import nodefile
from rostra.node import bootstrap
from rostra.node.bootstrap import BootstrapRefused
from rostra.node.identity import NodeIdentity

_TEMPLATE = (Path(__file__).parent / "bootstrap.html").read_text()
FOR_PROGRAMS = "/configuration/bootstrap"
"""Where existing tools that deploy nodes send the file, as it is."""
_LARGEST = 2 * nodefile.LARGEST
_SWALLOWED = 64 * 1024 * 1024


def _page(state: str, title: str, text: str, status: int, *, form: bool = True) -> HTMLResponse:
    values = {"STATE": state, "TITLE": html.escape(title), "TEXT": html.escape(text), "VERSION": rostra.__version__}
    page = _TEMPLATE
    for name, value in values.items():
        page = page.replace(f"{{{{{name}}}}}", value)
    before, _, rest = page.partition("<!-- form -->")
    middle, _, after = rest.partition("<!-- /form -->")
    headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'"}
    return HTMLResponse(before + (middle if form else "") + after, status, headers)


class BootstrapPage:
    """Serves until a file has been accepted."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._one_at_a_time = asyncio.Lock()
        self.identity: asyncio.Future[NodeIdentity] = asyncio.get_running_loop().create_future()
        self.application = Starlette(
            routes=[
                Route("/", self._show, methods=["GET"]),
                Route("/", self._take, methods=["POST"]),
                Route(FOR_PROGRAMS, self._take, methods=["POST"]),
            ]
        )

    async def _show(self, _request: Request) -> Response:
        return _page("waiting", "Configure this Conferencing Node", _WELCOME, 200)

    async def _take(self, request: Request) -> Response:
        try:
            content = await _content(request)
            async with self._one_at_a_time:
                if self.identity.done():
                    raise BootstrapRefused("This machine has become a Conferencing Node already.")
                given = await bootstrap.accept(self._environment, content)
                self.identity.set_result(given)
        except BootstrapRefused as refusal:
            return _page("refused", "The file was not accepted", str(refusal), 503 if refusal.again else 400)
        where = f"https://{given.address}:{self._environment.node_https_port}/"
        text = f"This machine is now the node {given.name} ({given.id}). It starts and will be at {where} in a moment."
        return _page("accepted", "Configuration accepted", text, 200, form=False)


_WELCOME = (
    "Upload the configuration file that was downloaded from the Management Node when this node was added. "
    "The file is good for this machine only, and once."
)


async def _content(request: Request) -> bytes:
    """The uploaded file: a form's, or the body itself. Raises BootstrapRefused."""
    try:
        if int(request.headers.get("content-length") or 0) > _LARGEST:
            await _swallow(request)
            raise BootstrapRefused("This is not a Conferencing Node configuration: it is too large.")
        if not request.headers.get("content-type", "").startswith("multipart/form-data"):
            return await _body(request)
        async with request.form(max_files=1, max_fields=5) as form:
            file = form.get("file")
            if not isinstance(file, UploadFile) or not file.filename:
                raise BootstrapRefused("Choose the configuration file first.")
            return await file.read(_LARGEST)
    except (MultiPartException, HTTPException, ValueError, ClientDisconnect):
        raise BootstrapRefused("The upload is damaged or incomplete; try again.") from None


async def _swallow(request: Request) -> None:
    """Read what is sent all the same, within reason: a client that is still sending does not see the answer."""
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > _SWALLOWED:
            return


async def _body(request: Request) -> bytes:
    content = b""
    async for part in request.stream():
        content += part
        if len(content) > _LARGEST:
            raise BootstrapRefused("This is not a Conferencing Node configuration: it is too large.")
    return content


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


async def serve(environment: Environment, certificate: Path, key: Path, on_ready: Callable[[], None]) -> NodeIdentity:
    """Serve the page on every address until this machine is a node; returns which.

    `on_ready` is called once when the page can be opened. Raises EnvironmentProblem when the port is taken.
    """
    page = BootstrapPage(environment)
    web = _Server(
        uvicorn.Config(
            page.application,
            host="0.0.0.0",  # noqa: S104 - the person with the file is elsewhere
            port=environment.bootstrap_port,
            ssl_certfile=str(certificate),
            ssl_keyfile=str(key),
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=2,
            proxy_headers=False,
            http=heads.Heads,
        )
    )
    serving = asyncio.create_task(_run(web), name="bootstrap page")
    try:
        while not web.started and not serving.done():  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        if web.started:
            on_ready()
        await asyncio.wait({serving, page.identity}, return_when=asyncio.FIRST_COMPLETED)
        if not page.identity.done():
            raise EnvironmentProblem(f"ROSTRA_BOOTSTRAP_PORT: port {environment.bootstrap_port} cannot be used")
        return page.identity.result()
    finally:
        web.should_exit = True  # after the answer that says so has been sent
        await asyncio.wait({serving}, timeout=5)


async def _run(web: uvicorn.Server) -> None:
    with contextlib.suppress(SystemExit):  # uvicorn's way to say that the port is taken
        await web.serve()
