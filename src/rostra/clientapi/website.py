"""Serving the web app: its page for every deep link, its files, and headers that keep the browser careful."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles

from rostra.clientapi.envelope import NOT_FOUND, failure, json_response

SECURITY_HEADERS = {
    "content-security-policy": "; ".join(
        (
            "default-src 'self'",
            "connect-src 'self' https: wss:",  # other nodes of the platform serve the same API
            "img-src 'self' data: blob:",
            "media-src 'self' data: blob: mediastream:",
            "style-src 'self' 'unsafe-inline'",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'self'",
        )
    ),
    "permissions-policy": "camera=(self), microphone=(self), display-capture=(self), autoplay=(self)",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin-allow-popups",
}

BRANDING_TYPES = {
    ".css": "text/css",
    ".json": "application/json",
    ".js": "text/plain",  # read as settings, never run
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
}
"""Files of a branding package that are given to browsers."""

_BRANDING = "branding/"
NOT_BUILT = "The web app is not built: run `make web` and start again."


BrandingFiles = Callable[[str], Mapping[str, bytes]]
Leads = Callable[[str], bool | None]


def unbranded(slug: str) -> Mapping[str, bytes]:
    """The app looks as it was shipped."""
    return {}


def nowhere_else(slug: str) -> None:
    """The app is found at its own paths only."""


class Website:
    """The built web app below `root`, which need not exist yet when the node starts.

    `branding` gives the files for a path (empty: the default one), `leads_here` whether a path can be used
    (None: there is none of that name).
    """

    def __init__(self, root: Path, branding: BrandingFiles = unbranded, leads_here: Leads = nowhere_else) -> None:
        self._root = root
        self._branding = branding
        self._leads_here = leads_here
        self._files = StaticFiles(directory=root, check_dir=False)

    def routes(self) -> list[Route]:
        """Everything that nothing else is found at; to be the last ones."""
        return [
            Route("/", self.page),
            Route("/webapp", self.page),
            Route("/webapp/{rest:path}", self.below),
            Route("/webapp{number:int}/{rest:path}", self.below),
            Route("/conference/{rest:path}", self.page),
            Route("/m/{rest:path}", self.page),
            Route("/branding/{path:path}", self.branded),
            Route("/{path:path}", self.file),
        ]

    async def page(self, request: Request) -> Response:
        """The app itself, for `/` and every deep link; always asked for anew, so updates arrive."""
        index = self._root / "index.html"
        if not index.is_file():
            return Response(NOT_BUILT, 503, SECURITY_HEADERS, "text/plain")
        return FileResponse(index, headers={**SECURITY_HEADERS, "cache-control": "no-cache"})

    async def file(self, request: Request) -> Response:
        """One file of the app; the build's hashed files below `assets/` never change."""
        path: str = request.path_params["path"]
        slug, _, rest = path.partition("/")
        if slug and not (self._root / slug).exists() and await asyncio.to_thread(self._leads_here, slug):
            return await self._below(request, slug, rest)
        try:
            response = await self._files.get_response(path, request.scope)
        except Exception as problem:
            status = getattr(problem, "status_code", None)
            if not isinstance(status, int):
                raise
            return failure(status if status == 405 else 404, NOT_FOUND)
        for name, value in SECURITY_HEADERS.items():
            response.headers[name] = value
        lasting = path.startswith("assets/")
        response.headers["cache-control"] = "public, max-age=31536000, immutable" if lasting else "no-cache"
        return response

    async def below(self, request: Request) -> Response:
        """What is found below `/webapp` and `/webapp1`…"""
        number = request.path_params.get("number", "")
        return await self._below(request, f"webapp{number}", request.path_params["rest"])

    async def _below(self, request: Request, slug: str, rest: str) -> Response:
        """The page, or the branding of this very path."""
        if await asyncio.to_thread(self._leads_here, slug) is False:
            return failure(404, NOT_FOUND)
        if rest.startswith(_BRANDING):
            return await self._branded(request, slug, rest.removeprefix(_BRANDING))
        return await self.page(request)

    async def branded(self, request: Request) -> Response:
        """One file of the branding package, or the list of all (`index.json`); empty when there is none."""
        return await self._branded(request, "", request.path_params["path"])

    async def _branded(self, request: Request, slug: str, path: str) -> Response:
        found = await asyncio.to_thread(self._branding, slug)
        if path == "index.json":
            files = sorted(name for name in found if _type_of(name))
            return json_response(200, {"files": files}, {**SECURITY_HEADERS, "cache-control": "no-cache"})
        kind = _type_of(path)
        if path not in found or not kind:
            return failure(404, NOT_FOUND)
        tag = f'"{hashlib.sha256(found[path]).hexdigest()[:32]}"'
        headers = {**SECURITY_HEADERS, "cache-control": "no-cache", "etag": tag}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(found[path], headers=headers, media_type=kind)


def _type_of(name: str) -> str | None:
    return BRANDING_TYPES.get(PurePosixPath(name).suffix.lower())
