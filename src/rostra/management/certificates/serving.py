"""The certificate the Management Node presents: the one assigned to it, exchanged as that changes (SYS-221)."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import structlog
from django.db import connections

from rostra import tls
from rostra.configuration import journal, sealing
from rostra.configuration.certificates.presenting import Material, Presenter
from rostra.configuration.models import CaCertificate, ManagementVM
from rostra.configuration.secretfield import reveal
from rostra.management.accounts import vouching

logger = structlog.get_logger("rostra.management.certificates")

INTERVAL = 1.0
"""Seconds between two looks at the configuration; the fabric, which would tell us, need not be there."""


class ManagementCertificate:
    """Keeps `live` up to date; `own`, which `again` makes anew, is presented while nothing is assigned."""

    def __init__(self, live: tls.LiveContext, own: ssl.SSLContext, again: Callable[[], ssl.SSLContext]) -> None:
        self._presenter = Presenter(live, own, again)
        self._seen: tuple[int | None, int, str] | None = None
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="certificate")

    async def keep(self) -> None:
        """Look again and again, until cancelled."""
        try:
            while True:
                await self.look()
                await asyncio.sleep(INTERVAL)
        finally:
            self._threads.submit(connections.close_all)
            self._threads.shutdown(wait=False)

    async def look(self) -> None:
        """Present what is configured now."""
        await asyncio.get_running_loop().run_in_executor(self._threads, self._look)

    def _look(self) -> None:
        try:
            assigned = ManagementVM.objects.values_list("tls_certificate", flat=True).first()
            here = (assigned, journal.position(), vouching.how())
            if here != self._seen:
                self._presenter.present(configured(), authorities() if here[2] != vouching.NO else ())
                self._seen = here
        except sealing.Locked as problem:
            self._presenter.refuse(problem)
        except Exception:
            logger.exception("The assigned TLS certificate cannot be read; trying again")
            connections.close_all()


def configured() -> Material | None:
    """The Management Node's certificate. Raises sealing.Locked."""
    row = ManagementVM.objects.select_related("tls_certificate").first()
    if row is None or row.tls_certificate is None:
        return None
    return Material(
        row.tls_certificate.certificate,
        reveal(row.tls_certificate, "private_key"),
        row.tls_certificate.parameters,
        authorities(),
    )


def authorities() -> tuple[tuple[str, bool], ...]:
    """Uploaded CA certificates (PEM), each with whether it is trusted though it is no root."""
    return tuple(CaCertificate.objects.order_by("pk").values_list("certificate", "trusted_intermediate"))
