"""From what legs were over their life to the streams that history keeps. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from rostra.domain.history import StreamRecord
from rostra.domain.quality import loss
from rostra.media.replies import LegReport, StreamStatistics

KEPT = 200
"""Streams kept of one link or call: pictures come and go with who speaks, the last ones tell most."""


def stream_records(node: str, end: float, reports: Iterable[LegReport]) -> tuple[StreamRecord, ...]:
    """Streams of legs that end now: of each leg and kind, both directions in one. `node`: who carried them."""
    pairs: list[dict[bool, StreamStatistics]] = []
    for report in reports:
        kinds: dict[str, dict[bool, StreamStatistics]] = {}
        for stream in report.streams:
            kinds.setdefault(stream.kind, {})[stream.sending] = stream
        pairs.extend(kinds.values())
    return tuple(_record(str(number), node, end, pair) for number, pair in enumerate(pairs[-KEPT:]))


def _record(identity: str, node: str, end: float, pair: dict[bool, StreamStatistics]) -> StreamRecord:
    first = next(iter(pair.values()))
    nothing = StreamStatistics(leg=first.leg, kind=first.kind, sending=first.sending)
    rx, tx = pair.get(False, nothing), pair.get(True, nothing)
    return StreamRecord(
        id=identity,
        type=str(first.kind),
        node=node,
        start_time=min(stream.since for stream in pair.values()),
        end_time=end,
        rx_codec=rx.codec,
        rx_bitrate=int(rx.mean_bitrate),
        rx_resolution=resolution(rx),
        rx_fps=rx.frame_rate,
        rx_packets_received=rx.packets,
        rx_packets_lost=rx.lost,
        rx_packet_loss=round(loss(rx.packets, rx.lost, sending=False), 2),
        tx_codec=tx.codec,
        tx_bitrate=int(tx.mean_bitrate),
        tx_resolution=resolution(tx),
        tx_fps=tx.frame_rate,
        tx_packets_sent=tx.packets,
        tx_packets_lost=tx.lost,
        tx_packet_loss=round(loss(tx.packets, tx.lost, sending=True), 2),
    )


def resolution(stream: StreamStatistics) -> str:
    """Width and height as status and history write them; empty without a picture."""
    return f"{stream.width}x{stream.height}" if stream.width else ""
