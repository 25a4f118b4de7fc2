"""Requests on a guarded fabric: the first answer that may be given counts, whatever else arrives before it."""

from __future__ import annotations

import asyncio
import secrets

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from rostra.fabric.guard import Guard, Heard, Refused, row
from rostra.fabric.subjects import Who

NOBODY = "503"
"""Status by which a NATS server says that nobody listens."""
GRACE = 0.05
"""Seconds for which such a word is doubted where somebody should be: any member's server could have said it."""


class Unreachable(Exception):
    """Nobody answered a request, or the fabric is down. `nobody`: the fabric knows that nobody listens there."""

    def __init__(self, reason: str, *, nobody: bool = False) -> None:
        super().__init__(reason)
        self.nobody = nobody


class _Question:
    def __init__(self, subject: str) -> None:
        self.subject = subject
        self.answer: asyncio.Future[Heard] = asyncio.get_running_loop().create_future()

    def nobody(self) -> None:
        if not self.answer.done():
            self.answer.set_exception(Unreachable(f"no answer on {self.subject}: nobody listens", nobody=True))


class Inbox:
    """Where the answers to the requests of one connection arrive."""

    def __init__(self, client: Client, guard: Guard) -> None:
        self._client = client
        self._guard = guard
        self._address = client.new_inbox()
        self._questions: dict[str, _Question] = {}

    async def open(self) -> None:
        await self._client.subscribe(f"{self._address}.*", cb=self._receive)

    async def ask(self, subject: str, payload: bytes, timeout: float) -> Heard:
        """Raises Unreachable after `timeout` seconds, or when nobody listens."""
        inbox = f"{self._address}.{secrets.token_urlsafe(15)}"
        question = self._questions[inbox] = _Question(subject)
        sealed = self._guard.seal(subject, inbox, payload)
        try:
            async with asyncio.timeout(timeout):
                await self._client.publish(subject, sealed, reply=inbox)
                return await question.answer
        except (nats.errors.Error, TimeoutError) as problem:
            raise Unreachable(f"no answer on {subject}: {type(problem).__name__}") from problem
        finally:
            del self._questions[inbox]
            question.answer.cancel()

    async def _receive(self, message: Msg) -> None:
        question = self._questions.get(message.subject)
        if question is None or question.answer.done():
            return
        if not message.data and message.headers and message.headers.get("Status") == NOBODY:
            on = row(question.subject)
            grace = 0.0 if on.hears is Who.MEMBER and on.fresh else GRACE
            asyncio.get_running_loop().call_later(grace, question.nobody)
            return
        try:
            question.answer.set_result(self._guard.open_answer(question.subject, message.subject, message.data))
        except Refused as problem:
            self._guard.note(question.subject, problem)
