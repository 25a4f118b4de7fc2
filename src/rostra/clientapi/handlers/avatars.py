"""Pictures of participants, which come from policy (API-142)."""

from __future__ import annotations

from starlette.responses import Response

from rostra.clientapi.asking import Asked
from rostra.clientapi.envelope import ApiProblem
from rostra.policy.avatars import side

MISSING = "No image available"
"""The exact string the SDK's check wants."""


async def of_participant(asked: Asked) -> Response:
    """Of anybody in the conference, in the size asked for."""
    target = asked.target
    width, height = size(asked)
    found = await asked.platform.switchboard.avatar(asked.client.uuid, target.uuid, width, height)
    return picture(found)


def size(asked: Asked) -> tuple[int, int]:
    """Width and height that the query asks for."""
    query = asked.request.query_params
    return side(query.get("width", "")), side(query.get("height", ""))


def picture(found: bytes | None) -> Response:
    """The answer with a picture. Raises ApiProblem when there is none."""
    if found is None:
        raise ApiProblem(404, MISSING)
    return Response(found, media_type="image/jpeg", headers={"cache-control": "private, max-age=300"})
