"""Codecs: one module and one row each.

A row says everything the rest of the platform needs: names and numbers for negotiation, GStreamer factories
for the engine, the cost in the same unit for placement. Nothing outside this package names a codec.
No `gi` import here: rows are plain values, used by signalling and engine alike.
"""

from __future__ import annotations

from rostra.media.codecs import g722, h264, opus, pcma, pcmu, telephone_event, vp8
from rostra.media.codecs.row import CodecRow

ROWS: tuple[CodecRow, ...] = (opus.ROW, g722.ROW, pcma.ROW, pcmu.ROW, telephone_event.ROW, h264.ROW, vp8.ROW)
"""In our order of preference within each kind."""

BY_NAME: dict[str, CodecRow] = {row.name: row for row in ROWS}

EVENTS: CodecRow = telephone_event.ROW
"""Digits beside audio: not a codec, but negotiated like one."""

__all__ = ["BY_NAME", "EVENTS", "ROWS", "CodecRow"]
