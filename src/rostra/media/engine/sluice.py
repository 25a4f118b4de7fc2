"""Pictures that nobody sees go no further than the session they came by (native/sluice.c, decision 0049)."""

from __future__ import annotations

import ctypes
from typing import Any

from rostra.media.engine import stage


class Sluice:
    """What leaves one RTP session by a pad. Methods may be called in media threads."""

    def __init__(self, pad: Any) -> None:
        """Before anybody else looks at what is asked for again by that pad (`feedback.ask_at_once`)."""
        self._pad = pad
        stage.load().rostra_sluice(_address(pad))

    def join(self, source: int, payload_type: int, gate: Any, channel: str) -> None:
        """Of an RTP source, keep back what neither a gate of pictures nor who is tuned to a channel wants."""
        number, kind = ctypes.c_uint32(source), ctypes.c_uint32(payload_type)
        stage.load().rostra_sluice_join(_address(self._pad), number, kind, _address(gate), channel.encode())

    def leave(self, gate: Any) -> None:
        """Keep back nothing that is for this gate any more."""
        stage.load().rostra_sluice_leave(_address(self._pad), _address(gate))

    @property
    def dropped(self) -> int:
        """Packets that went no further so far."""
        library = stage.load()
        library.rostra_sluice_dropped.restype = ctypes.c_uint64
        return int(library.rostra_sluice_dropped(_address(self._pad)))


def _address(made: Any) -> ctypes.c_void_p:
    return ctypes.c_void_p(hash(made))
