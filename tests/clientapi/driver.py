"""A small client of the API for the tests: joining, acting, watching."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import dataclasses
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import httpx

from rostra.clientapi.serving import Server

ROOT = "/api/client/v2"


@dataclasses.dataclass(frozen=True)
class Event:
    id: str
    event: str
    data: Any

    @property
    def counter(self) -> int:
        return int(base64.b64decode(self.id).decode().rpartition("_")[2])


class Events:
    """An open event stream; reads by condition with a deadline."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.seen: list[Event] = []
        self._lines = response.aiter_lines()

    async def next(self, within: float = 5.0) -> Event:
        async with asyncio.timeout(within):
            block: dict[str, str] = {}
            async for line in self._lines:
                if line:
                    name, _, value = line.partition(": ")
                    block[name] = value
                elif block:
                    event = Event(block["id"], block["event"], json.loads(block["data"]))
                    self.seen.append(event)
                    return event
        raise EOFError("the stream ended")

    async def until(self, name: str, within: float = 5.0, **members: Any) -> Event:
        """The next event called `name` whose data has these members."""
        async with asyncio.timeout(within):
            while True:
                event = await self.next(within)
                if event.event == name and all(event.data.get(key) == value for key, value in members.items()):
                    return event

    async def end(self, within: float = 5.0) -> list[Event]:
        """Everything up to the end of the stream."""
        rest: list[Event] = []
        with contextlib.suppress(EOFError):
            while True:
                rest.append(await self.next(within))
        return rest


@dataclasses.dataclass
class User:
    """A joined participant."""

    http: httpx.AsyncClient
    alias: str
    token: str
    uuid: str
    granted: dict[str, Any]

    @property
    def base(self) -> str:
        return f"{ROOT}/conferences/{quote(self.alias, safe='')}"

    async def post(self, path: str, body: Any = None, **more: Any) -> httpx.Response:
        headers = {"token": self.token}
        if body is not None:
            more["json"] = body
        return await self.http.post(f"{self.base}/{path}", headers=headers, **more)

    async def get(self, path: str, **more: Any) -> httpx.Response:
        return await self.http.get(f"{self.base}/{path}", headers={"token": self.token}, **more)

    async def act(self, path: str, body: Any = None) -> Any:
        """POST on oneself, which must succeed; the result."""
        response = await self.post(f"participants/{self.uuid}/{path}", body)
        assert response.status_code == 200, response.text
        return response.json()["result"]

    async def call(self, sdp: str = "v=0\r\n") -> str:
        return (await self.act("calls", {"call_type": "WEBRTC", "sdp": sdp}))["call_uuid"]

    @contextlib.asynccontextmanager
    async def events(self) -> AsyncIterator[Events]:
        async with self.http.stream("GET", f"{self.base}/events?token={self.token}") as response:
            assert response.status_code == 200, await response.aread()
            yield Events(response)


class Api:
    """Entry to the API."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def request_token(self, alias: str, pin: str | None = None, **body: Any) -> httpx.Response:
        headers = {} if pin is None else {"pin": pin}
        body.setdefault("display_name", "Ada")
        path = f"{ROOT}/conferences/{quote(alias, safe='')}/request_token"
        return await self.http.post(path, json=body, headers=headers)

    async def join(self, alias: str = "meet.demo", name: str = "Ada", pin: str | None = None, **body: Any) -> User:
        response = await self.request_token(alias, pin, display_name=name, **body)
        assert response.status_code == 200, response.text
        granted = response.json()["result"]
        return User(self.http, alias, granted["token"], granted["participant_uuid"], granted)


def break_streams(server: Server) -> None:
    """End every event stream; the participants stay."""
    for client in server._api.clients:
        if client.stream:
            client.stream.finish()
