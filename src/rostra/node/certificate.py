"""The certificate this node presents and the name it goes by, as the configuration has them now (SYS-221, NODE-073)."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable

import structlog

from rostra import tls
from rostra.configuration import sealing
from rostra.configuration.certificates.presenting import Material, Presenter
from rostra.configuration.queries import Lookup
from rostra.fabric.replication import ConfigurationReplica
from rostra.waiting import in_time

logger = structlog.get_logger("rostra.node.certificate")

AGAIN = 10.0
"""Seconds until a key that cannot be opened is tried again: the platform's key comes by another way."""
_COLUMN = "configuration_tlscertificate.private_key"
_RESOURCES = ("worker_vm", "tls_certificate", "ca_certificate")


class NodeCertificate:
    """From `start` to `stop` keeps `live` up to date; `own` is presented while nothing is assigned."""

    def __init__(
        self,
        key: int,
        lookup: Lookup,
        replica: ConfigurationReplica,
        live: tls.LiveContext,
        own: ssl.SSLContext,
        *,
        on_name: Callable[[str], None],
    ) -> None:
        """`key` is the id of the node in the configuration; `on_name` is told the name it goes by, may be often."""
        self._key = key
        self._lookup = lookup
        self._presenter = Presenter(live, own)
        self._on_name = on_name
        self._due = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        replica.on_change(self._changed)

    async def start(self) -> None:
        """Present what the local database says; follow it from now on."""
        self._look()
        self._task = asyncio.create_task(self._run(), name="node certificate")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def _changed(self, resource: str, _key: int) -> None:
        if resource in _RESOURCES:
            self._due.set()

    async def _run(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await in_time(self._due.wait(), AGAIN)
            self._due.clear()
            self._look()

    def _look(self) -> None:
        try:
            self._on_name(self._lookup.tls_name(self._key))
            self._presenter.present(self._configured())
        except sealing.Locked as problem:
            self._presenter.refuse(problem)
        except Exception:
            logger.exception("The assigned TLS certificate cannot be read; trying again")

    def _configured(self) -> Material | None:
        row = self._lookup.certificate(self._key)
        if row is None:
            return None
        return Material(
            row.certificate,
            sealing.unseal(_COLUMN, row.private_key),
            row.parameters,
            tuple(self._lookup.authorities()),
        )
