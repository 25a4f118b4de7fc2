"""The floor, and presentations as single pictures (section 9)."""

from __future__ import annotations

import asyncio
import io
import uuid

from PIL import Image
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from rostra.clientapi.asking import Asked
from rostra.clientapi.bodies import PresentationInMix, TakeFloor
from rostra.clientapi.envelope import DISABLED, NOT_FOUND, ApiProblem
from rostra.domain import jpeg

MOST = 10 * 1024 * 1024
"""Bytes of a picture that is presented (API-113)."""
_AROUND = 64 * 1024
"""Bytes of what may be around it in a multipart body."""


async def take_floor(asked: Asked) -> None:
    """Present; refused by 403, with which the SDK gives up presenting (API-100)."""
    body = asked.body if isinstance(asked.body, TakeFloor) else TakeFloor()
    session = asked.client.session
    if body.jpegs:
        await session.present_stills(str(uuid.uuid4()))
    elif not await session.take_floor():
        raise ApiProblem(403, DISABLED)


async def release_floor(asked: Asked) -> None:
    """Who does not hold the floor changes nothing (API-101)."""
    await asked.client.session.release_floor()


async def allow_receiving(asked: Asked) -> bool:
    await asked.conference.set_client_state(asked.target.uuid, rx_presentation_allowed=True)
    return True


async def deny_receiving(asked: Asked) -> bool:
    await asked.conference.set_client_state(asked.target.uuid, rx_presentation_allowed=False)
    return True


async def in_mix(asked: Asked) -> bool:
    """The presentation inside the main picture, or beside it."""
    state = asked.carried(PresentationInMix).state
    await asked.conference.set_client_state(asked.target.uuid, presentation_in_mix=state)
    return True


async def picture(asked: Asked) -> Response:
    return _answer(await _picture(asked, large=False), "image/jpeg")


async def lossless_picture(asked: Asked) -> Response:
    """The same picture as PNG (API-111)."""
    return _answer(await asyncio.to_thread(_as_png, await _picture(asked, large=False)), "image/png")


async def large_picture(asked: Asked) -> Response:
    return _answer(await _picture(asked, large=True), "image/jpeg")


async def _picture(asked: Asked, *, large: bool) -> bytes:
    """The frame of the event named by `id`, else the latest (API-111, API-112)."""
    if not asked.me.rx_presentation_allowed:
        raise ApiProblem(403, DISABLED)
    number = asked.client.frames.get(asked.request.query_params.get("id", ""), 0)
    found = await asked.conference.still(large=large, number=number)
    if found is None:
        raise ApiProblem(404, NOT_FOUND)
    return found


def _answer(image: bytes, kind: str) -> Response:
    return Response(image, media_type=kind, headers={"cache-control": "no-store"})


def _as_png(image: bytes) -> bytes:
    made = io.BytesIO()
    with Image.open(io.BytesIO(image), formats=["JPEG"]) as opened:
        opened.save(made, "PNG")
    return made.getvalue()


async def show_picture(asked: Asked) -> bool:
    """Replace the picture that the caller presents (API-113)."""
    if not asked.me.is_presenting:
        await _bounded(asked.request, most=0)
        raise ApiProblem(403, DISABLED)
    body = await _bounded(asked.request)
    frame = await _frame(asked.request, body) if body is not None else None
    if frame is None or not jpeg.usable(frame):
        raise ApiProblem(400, "No usable JPEG picture")
    await asked.client.session.show_still(frame)
    return True


async def _bounded(request: Request, most: int = MOST + _AROUND) -> bytes | None:
    """The body, or None when it is too big; its sender gets to read our answer all the same."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= most:
            chunks.append(chunk)
        elif size > 2 * MOST:
            break
    return b"".join(chunks) if size <= most else None


async def _frame(request: Request, body: bytes) -> bytes | None:
    """The part `frame` of a multipart body."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    try:
        async with Request(request.scope, receive).form(max_files=2, max_fields=8) as form:
            part = form.get("frame")
            if isinstance(part, UploadFile) and (part.content_type or "").startswith("image/jpeg"):
                return await part.read()
    except (MultiPartException, HTTPException):
        return None
    return None
