"""Does this node still belong to the platform, and to this machine alone?

Follows the configuration: lets exactly the configured members through our NATS server, and notices that we were
deleted. Cut off from the Management Node, it asks over HTTPS instead: a deleted node finds no other door open. It
leaves when others say that it is a copy of a node that is there already.
"""

from __future__ import annotations

import asyncio
import secrets
import ssl
import time
from collections.abc import Awaitable, Callable

import httpx
import msgspec
import structlog
from cryptography import x509

from rostra.configuration.queries import Lookup
from rostra.environment import Environment
from rostra.fabric import credentials, server
from rostra.fabric.bus import Bus
from rostra.fabric.claims import INTERVAL, Claim, Verdict, claim_subject, judge, verdict_subject
from rostra.fabric.credentials import NotOurs
from rostra.fabric.enrolment import MEMBER_PATH, MemberAnswer, MemberQuestion, Signed
from rostra.fabric.membership import Member, node_name
from rostra.fabric.replication import ConfigurationReplica
from rostra.fabric.speaking import speaker
from rostra.node.identity import NodeIdentity

logger = structlog.get_logger("rostra.node.belonging")

AGAIN = 1.0
"""Seconds until what failed is tried again."""

DELETED = "This Conferencing Node was deleted from the platform"
COPIED = "Another machine runs with this node's identity, and it was there first"

AGREEING = 10.0
"""Seconds within which two members have to say that, unless the Management Node does."""
_SILENCE = 15.0
"""Seconds without the Management Node after which it is asked over HTTPS, and between two questions."""


class Belonging:
    """Watches from `start` to `stop`; tells `on_end` once why this node has to end."""

    def __init__(
        self,
        environment: Environment,
        identity: NodeIdentity,
        bus: Bus,
        replica: ConfigurationReplica,
        lookup: Lookup,
        on_end: Callable[[str], None],
    ) -> None:
        self._environment = environment
        self._identity = identity
        self._bus = bus
        self._replica = replica
        self._lookup = lookup
        self._on_end = on_end
        self._boot = secrets.token_hex(8)
        self._started = time.monotonic()
        self._tasks: list[asyncio.Task[None]] = []
        self._stops: list[Callable[[], Awaitable[None]]] = []
        self._ended = False
        self._judges: dict[str, float] = {}
        self._due = asyncio.Event()

    async def start(self) -> None:
        self._replica.on_change(self._changed)
        self._stops.append(await self._bus.subscribe(verdict_subject(self._identity.id), self._judged))
        self._stops.append(await judge(self._bus))
        work = (self._keep_looking(), self._claim(), self._ask_when_silent())
        self._tasks = [asyncio.create_task(one, name="belonging") for one in work]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for stop in self._stops:
            await stop()

    def _end(self, why: str) -> None:
        if not self._ended:
            self._ended = True
            logger.error(why, node=self._identity.id, name=self._identity.name)
            self._on_end(why)

    # ---- what the configuration says

    async def _keep_looking(self) -> None:
        """After every change; what fails, as on a full disk, is tried again."""
        await self._replica.synchronised.wait()
        while True:
            self._due.clear()
            try:
                self._look()
            except Exception:
                logger.exception("The members of the fabric could not be updated; trying again")
                await asyncio.sleep(AGAIN)
                continue
            await self._due.wait()

    def _changed(self, resource: str, _key: int) -> None:
        if resource in ("worker_vm", "fabric_member"):
            self._due.set()

    def _look(self) -> None:
        if not self._lookup.has_node(self._identity.key):
            return self._end(DELETED)
        if not self._identity.management:
            return None  # the Management Node is on this machine and keeps the gate
        rows = self._lookup.fabric_members()
        members = [Member(node_name(row.node), row.fingerprint, row.address, row.port) for row in rows]
        if any(member.name == self._identity.id for member in members):
            server.update(self._environment, members)
        return None

    # ---- somebody else with our identity

    async def _claim(self) -> None:
        subject = claim_subject(self._identity.id)
        while True:
            if self._bus.connected:
                claim = Claim(self._identity.id, self._boot, time.monotonic() - self._started)
                await self._bus.publish(subject, msgspec.json.encode(claim))
            await asyncio.sleep(INTERVAL)

    async def _judged(self, _subject: str, payload: bytes) -> None:
        if msgspec.json.decode(payload, type=Verdict).boot != self._boot:
            return
        who, now = speaker(), time.monotonic()
        self._judges = {name: at for name, at in self._judges.items() if now - at < AGREEING}
        if who is not None:
            self._judges[who] = now
        if who in (None, node_name(None)) or len(self._judges) > 1:
            self._end(COPIED)

    # ---- nobody tells us anything

    async def _ask_when_silent(self) -> None:
        if not self._identity.management:
            return
        while True:
            await asyncio.sleep(_SILENCE)
            if self._replica.silence > _SILENCE and await self._is_deleted():
                self._end(DELETED)

    async def _is_deleted(self) -> bool:
        """Only a signed no is one; no answer means nothing."""
        own = credentials.of(self._environment.home)
        certificate = x509.load_pem_x509_certificate(own.certificate.read_bytes())
        fingerprint = credentials.fingerprint(certificate.public_key())
        question = MemberQuestion(self._identity.key, fingerprint, secrets.token_hex(16))
        for address in self._identity.management:
            try:
                signed = await ask(f"{address}{MEMBER_PATH}", question)
                content = signed.content.encode()
                credentials.check_signature(content, bytes.fromhex(signed.signature), own.authority.read_bytes())
                answer = msgspec.json.decode(content, type=MemberAnswer)
            except (httpx.HTTPError, msgspec.DecodeError, ValueError, NotOurs) as problem:
                logger.info("The Management Node could not be asked", problem=type(problem).__name__)
                continue
            if answer.question == question:
                return not answer.member
        return False


async def ask(address: str, question: msgspec.Struct) -> Signed:
    """Put `question` to the Management Node. Raises httpx.HTTPError or msgspec.DecodeError.

    Its HTTPS certificate is not checked, because it may be any: the answer carries the authority's signature.
    """
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    async with httpx.AsyncClient(verify=context, trust_env=False, timeout=10.0) as client:
        response = await client.post(address, content=msgspec.json.encode(question))
        response.raise_for_status()
        return msgspec.json.decode(response.content, type=Signed)
