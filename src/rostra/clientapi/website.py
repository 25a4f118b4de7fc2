"""Serving the web app: its page for every deep link, its files, and headers that keep the browser careful."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles

from rostra.clientapi.envelope import NOT_FOUND, failure

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

NOT_BUILT = "The web app is not built: run `make web` and start again."


class Website:
    """The built web app below `root`, which need not exist yet when the node starts."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._files = StaticFiles(directory=root, check_dir=False)

    async def page(self, request: Request) -> Response:
        """The app itself, for `/` and every deep link; always asked for anew, so updates arrive."""
        index = self._root / "index.html"
        if not index.is_file():
            return Response(NOT_BUILT, 503, SECURITY_HEADERS, "text/plain")
        return FileResponse(index, headers={**SECURITY_HEADERS, "cache-control": "no-cache"})

    async def file(self, request: Request) -> Response:
        """One file of the app; the build's hashed files below `assets/` never change."""
        path = request.path_params["path"]
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
