"""Machines of one platform for tests: homes with credentials of one authority, each with a NATS server of its own."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from rostra.environment import Environment
from rostra.fabric import authority, credentials, membership, server
from rostra.fabric.authority import Authority
from rostra.fabric.bus import Bus, Unreachable
from rostra.fabric.membership import Member, Membership
from tests.ports import free_port


def site(home: Path, number: int, platform: Authority) -> tuple[Environment, Member]:
    """A home on 127.0.0.<number>, with a certificate of `platform`; it belongs to nobody yet."""
    address = f"127.0.0.{number}"
    environment = dataclasses.replace(
        Environment(), home=home / f"n{number}", address=address, nats_port=free_port(), fabric_port=free_port()
    )
    key = credentials.new_key()
    name = f"n{number}"
    credentials.of(environment.home).write(
        authority=platform.pem,
        certificate=platform.issue(key.public_key(), name, address),
        key=credentials.key_bytes(key),
    )
    member = Member(name, credentials.fingerprint(key.public_key()), address, environment.fabric_port)
    membership.store(environment.home, Membership(platform.platform, name, address).with_members([member]))
    return environment, member


def new_authority(home: Path) -> Authority:
    return authority.prepare(dataclasses.replace(Environment(), home=home))


@contextlib.asynccontextmanager
async def running(environment: Environment) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await server.start(environment)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def echo(bus: Bus, name: str) -> None:
    """Answer requests for `name`."""

    async def answer(_subject: str, payload: bytes) -> bytes:
        return payload

    await bus.subscribe(f"test.{name}", answer)


async def reaches(bus: Bus, name: str) -> bool:
    """Does a request get through to `name`?"""
    try:
        return await bus.request(f"test.{name}", b"x", timeout=1) == b"x"
    except Unreachable:
        return False


async def nobody_at(bus: Bus, name: str) -> bool:
    """Does the fabric know that nobody answers for `name`?"""
    try:
        await bus.request(f"test.{name}", b"x", timeout=0.2)
    except Unreachable as problem:
        return problem.nobody
    return False


async def until(condition: Callable[[], Awaitable[bool]], seconds: float) -> float:
    """Wait for `condition`; returns how long it took."""
    began = time.monotonic()
    while not await condition():
        assert time.monotonic() - began < seconds, f"it did not come true within {seconds} s"
        await asyncio.sleep(0.01)
    return time.monotonic() - began
