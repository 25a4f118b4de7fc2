"""Images of the conference's theme for web clients (API-143, REF-057)."""

from __future__ import annotations

from starlette.responses import Response

from rostra.clientapi.asking import Asked
from rostra.clientapi.envelope import NOT_FOUND, ApiProblem
from rostra.domain.theme import FILES, Kind

_TYPES = {Kind.JPEG: "image/jpeg", Kind.PNG: "image/png"}


async def screens(asked: Asked) -> Response:
    """Screens of calls without the platform's media, of which there are none: 204 without a body (API-143)."""
    return Response(status_code=204)


async def image(asked: Asked) -> Response:
    """An image of the theme by its name; the conference's picture is `presence_avatar_image.jpg` (REF-057)."""
    name = asked.values["path"]
    kind = FILES[name].kind if name in FILES else Kind.SETTINGS
    found = await asked.conference.theme_file(name) if kind in _TYPES else None
    if found is None:
        raise ApiProblem(404, NOT_FOUND)
    return Response(found, media_type=_TYPES[kind], headers={"cache-control": "private, max-age=300"})
