"""How `rostra node` comes by its identity: it has one, is given a file, or waits for one on a page."""

from __future__ import annotations

import asyncio
from pathlib import Path

from rich.console import Console

from rostra import machine
from rostra.environment import Environment
from rostra.fabric import nodefile
from rostra.fabric.nodefile import NodeFileProblem
from rostra.node import bootstrap, bootstrap_page, identity
from rostra.node.bootstrap import BootstrapRefused
from rostra.node.identity import NodeIdentity
from rostra.tls import Identity

_RETRY = 5.0
"""Seconds between attempts while the Management Node does not answer."""


async def node(environment: Environment, file: Path | None, own: Identity, console: Console) -> NodeIdentity:
    """The identity of this machine; returns when it has one. Raises BootstrapRefused for a `file` it cannot have.

    With a file it goes on asking while the Management Node is away; a file that was used here before is ignored.
    """
    content = await asyncio.to_thread(_read, file) if file is not None else None
    present = identity.load(environment.home)
    if present is not None:
        if content is not None:
            _same(present, content)
        _check(present)
        return present
    if content is not None:
        return await _unattended(environment, content, console)
    address = environment.own_address

    def say() -> None:
        console.print(f"Waiting for a configuration file at https://{address}:{environment.bootstrap_port}/")

    return await bootstrap_page.serve(environment, own.certificate, own.key, say)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as problem:
        raise BootstrapRefused(f"{file} cannot be read: {problem.strerror}") from None


def _same(present: NodeIdentity, content: bytes) -> None:
    try:
        given = nodefile.read(content)
    except NodeFileProblem as problem:
        raise BootstrapRefused(str(problem)) from None
    if (given.platform, given.node) != (present.platform, present.key):
        raise BootstrapRefused(
            f"This machine is the node {present.name} already; to make it {given.name}, set another ROSTRA_HOME."
        )


def _check(present: NodeIdentity) -> None:
    """A copied disk makes no second node (NODE-006): the identity is good where its address is."""
    if not machine.has_address(present.address):
        raise BootstrapRefused(
            f"The identity in this home is that of the node {present.name} at {present.address}, which is not an"
            " address of this machine. Add a node of its own for this machine."
        )


async def _unattended(environment: Environment, content: bytes, console: Console) -> NodeIdentity:
    while True:
        try:
            return await bootstrap.accept(environment, content)
        except BootstrapRefused as refusal:
            if not refusal.again:
                raise
            console.print(str(refusal))
        await asyncio.sleep(_RETRY)
