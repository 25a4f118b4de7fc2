"""Many clients that write at once, and keep a book of what they were promised."""

from __future__ import annotations

import asyncio
import dataclasses
import random
import time
from collections import Counter
from typing import Any

import httpx

BASE = "/api/admin/configuration/v1"
AGAIN = (409, 503)
"""Answers that ask a client to try again."""
CONTENDED = 12
"""Aliases that all want."""


@dataclasses.dataclass
class Book:
    """What has to be there: rooms by address, as their writers last wrote them."""

    rooms: dict[str, tuple[str, str, frozenset[str]]] = dataclasses.field(default_factory=dict)
    """Name, description and aliases."""
    answers: Counter[tuple[str, int]] = dataclasses.field(default_factory=Counter)
    times: list[float] = dataclasses.field(default_factory=list)
    """Seconds each request took."""


async def write(client: httpx.AsyncClient, writers: int, seconds: float) -> Book:
    """Let `writers` clients create, change and delete rooms for `seconds`. Any unexpected answer is an error."""
    book = Book()
    until = time.monotonic() + seconds
    await asyncio.gather(*(_Writer(client, book, number).run(until) for number in range(writers)))
    return book


class _Writer:
    def __init__(self, client: httpx.AsyncClient, book: Book, number: int) -> None:
        self._client = client
        self._book = book
        self._number = number
        self._chance = random.Random(number)
        self._own: list[str] = []
        self._count = 0

    async def run(self, until: float) -> None:
        while time.monotonic() < until:
            step = self._chance.choice((self._create, self._create, self._change, self._realias, self._delete))
            await step()

    async def _ask(self, method: str, path: str, body: Any = None) -> httpx.Response:
        while True:
            began = time.monotonic()
            response = await self._client.request(method, path, json=body)
            self._book.times.append(time.monotonic() - began)
            self._book.answers[(method, response.status_code)] += 1
            if response.status_code not in AGAIN:
                return response

    def _aliases(self) -> list[str]:
        """One that only we use, and sometimes one that everybody wants."""
        self._count += 1
        own = f"w{self._number}-{self._count}"
        return [own, f"Wanted{self._chance.randrange(CONTENDED)}"] if self._chance.random() < 0.4 else [own]

    async def _create(self) -> None:
        aliases = self._aliases()
        body = {"name": aliases[0], "aliases": [{"alias": alias} for alias in aliases]}
        response = await self._ask("POST", f"{BASE}/conference/", body)
        if self._was_taken(response, aliases):
            return
        assert response.status_code == 201, (response.status_code, response.text)
        path = httpx.URL(response.headers["Location"]).path
        assert path not in self._book.rooms, "an address is given twice"
        self._book.rooms[path] = (aliases[0], "", frozenset(aliases))
        self._own.append(path)

    async def _change(self) -> None:
        if not self._own:
            return
        path = self._chance.choice(self._own)
        text = f"change {self._count}"
        response = await self._ask("PATCH", path, {"description": text})
        assert response.status_code == 202, (response.status_code, response.text)
        name, _, aliases = self._book.rooms[path]
        self._book.rooms[path] = (name, text, aliases)

    async def _realias(self) -> None:
        if not self._own:
            return
        path = self._chance.choice(self._own)
        aliases = self._aliases()
        response = await self._ask("PATCH", path, {"aliases": [{"alias": alias} for alias in aliases]})
        if not self._was_taken(response, aliases):
            assert response.status_code == 202, (response.status_code, response.text)
            self._book.rooms[path] = (*self._book.rooms[path][:2], frozenset(aliases))

    async def _delete(self) -> None:
        if not self._own:
            return
        path = self._own.pop(self._chance.randrange(len(self._own)))
        response = await self._ask("DELETE", path)
        assert response.status_code == 204, (response.status_code, response.text)
        del self._book.rooms[path]

    def _was_taken(self, response: httpx.Response, aliases: list[str]) -> bool:
        """Refused, because of an alias that somebody else has."""
        return response.status_code == 400 and len(aliases) > 1


async def found(client: httpx.AsyncClient) -> dict[str, tuple[str, str, frozenset[str]]]:
    """The rooms of all writers as the Management Node has them; an alias two of them have is an error."""
    rooms: dict[str, tuple[str, str, frozenset[str]]] = {}
    path = f"{BASE}/conference/?name__startswith=w&limit=1000"
    owners: Counter[str] = Counter()
    while path:
        page = (await client.get(path)).raise_for_status().json()
        for room in page["objects"]:
            aliases = [alias["alias"] for alias in room["aliases"]]
            owners.update(alias.lower() for alias in aliases)
            assert room["resource_uri"] not in rooms
            rooms[room["resource_uri"]] = (room["name"], room["description"], frozenset(aliases))
        path = page["meta"]["next"]
    assert not [alias for alias, count in owners.items() if count > 1], "an alias of two rooms"
    return rooms
