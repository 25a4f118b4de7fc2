"""What a connection is before it gets as far as a request: what comes before its body has to be small, and to come
soon, and who is at its other end may have shown a certificate.

uvicorn waits for ever for the rest of a header, and keeps all of it in memory.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

PATIENCE = 30.0
"""Seconds from a connection, or the first byte of a further request, until the headers are complete."""
LARGEST = 256 * 1024
"""Bytes of a request line and headers."""

PEER = "peer_certificate"
"""Under which the state of a request has the certificate of its connection's other end (DER), where it showed one."""

_Base: Any = AutoHTTPProtocol


class Heads(_Base):
    """uvicorn's protocol, with an end to its patience."""

    _size = 0
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        connection = transport.get_extra_info("ssl_object")
        shown = connection.getpeercert(binary_form=True) if connection is not None else None
        if shown:
            self.app_state = {**self.app_state, PEER: shown}
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._arrived()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_waiting():
            self._size += len(data)
            self._wait()
        super().data_received(data)
        if not self._is_waiting():
            self._arrived()
        elif self._size > LARGEST:
            self._end()

    def _is_waiting(self) -> bool:
        """Is there no request that is being answered?"""
        return self.cycle is None or self.cycle.response_complete

    def _wait(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(PATIENCE, self._end)

    def _arrived(self) -> None:
        self._size = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end(self) -> None:
        self._arrived()
        if self._is_waiting() and not self.transport.is_closing():
            self.transport.abort()
