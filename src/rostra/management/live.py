"""What Live View draws (DIAG-005...DIAG-015): locations, nodes, links and conferences as plain values (pure)."""

from __future__ import annotations

from typing import Any

from rostra.domain.capacity import location_load, max_calls
from rostra.fabric.status import ConferenceStatus
from rostra.management import status_rows
from rostra.management.directory import KILO, Node
from rostra.management.status_rows import View

Json = dict[str, Any]

STALE = 120.0
"""Seconds after which a silent node is said not to report; until then it is only gone from the fabric."""


def graph(view: View) -> Json:
    """The whole platform at one moment; references are fabric ids of nodes and ids of conferences."""
    return {
        "time": view.snapshot.time,
        "locations": _locations(view),
        "nodes": [_node(view, key, node) for key, node in view.directory.nodes.items()],
        "links": _links(view),
        "conferences": [_conference(view, key, parts) for key, parts in status_rows.merged(view).items()],
    }


def _locations(view: View) -> list[Json]:
    found: list[Json] = []
    for number, name in view.directory.locations.items():
        loads = [
            status_rows.load(view, key, node) for key, node in view.directory.nodes.items() if node.location == number
        ]
        hd = sum(max_calls(one.capacity).hd for one in loads)
        found.append({"id": number, "name": name, "load": location_load(loads), "hd": hd, "nodes": len(loads)})
    return found


def _node(view: View, key: str, node: Node) -> Json:
    seen = view.snapshot.seen.get(key)
    load = status_rows.load(view, key, node)
    report = seen.report if seen else None
    alive = bool(seen and seen.alive)
    return {
        "id": key,
        "name": node.name,
        "address": node.address,
        "location": node.location,
        "role": node.node_type,
        "state": _state(view, key, node),
        "load": load.percent if alive else 0,
        "used": load.used,
        "hd": max_calls(report.capacity).hd if report else 0,
        "calls": report.participants if report and alive else 0,
        "legs": report.legs if report and alive else 0,
        "version": report.version if report else "",
        "silent": round(seen.ago) if seen and not alive else 0,
        "page": f"/admin/status/worker_vm/{node.id}/",
    }


def _state(view: View, key: str, node: Node) -> str:
    seen = view.snapshot.seen.get(key)
    if seen is None:
        return "not_reporting" if key in view.contacts else "never"
    if not seen.alive:
        return "not_reporting" if seen.ago >= STALE else "lost"
    return "maintenance" if node.maintenance_mode or seen.report.maintenance else "normal"


def _links(view: View) -> list[Json]:
    """What goes between each two nodes, both directions and all conferences together."""
    found: dict[tuple[str, str], Json] = {}
    for node, part in status_rows.shards(view):
        for link in part.media.backplanes if part.media else ():
            ends = min(node, link.peer), max(node, link.peer)
            empty: Json = {"a": ends[0], "b": ends[1], "scope": link.scope, "streams": 0, "kbps": 0, "conferences": []}
            total = found.setdefault(ends, empty)
            sent = [stream for stream in link.streams if stream.sending]
            total["streams"] += len(sent)
            total["kbps"] += sum(stream.bitrate for stream in sent) // KILO
            if part.id not in total["conferences"]:
                total["conferences"].append(part.id)
    return list(found.values())


def _conference(view: View, key: str, parts: list[tuple[str, ConferenceStatus]]) -> Json:
    first = min((part for _, part in parts), key=lambda part: part.start_time or float("inf"))
    people = [
        {
            "id": who.uuid,
            "name": who.display_name or who.source_alias or who.destination_alias,
            "role": who.role,
            "node": who.media_node,
            "signals": node,
            "marker": "presenting"
            if who.is_presenting
            else "streaming"
            if who.is_streaming
            else ""
            if who.has_media
            else "api",
        }
        for node, part in parts
        for who in part.participants
    ]
    return {
        "id": key,
        "name": first.name,
        "type": first.service_type,
        "locked": any(part.is_locked for _, part in parts),
        "start": first.start_time,
        "nodes": sorted(node for node, part in parts if part.media) or sorted(node for node, _ in parts),
        "people": people,
        "page": f"/admin/status/conference/{key}/",
        "media": f"/admin/status/media/{key}/" if any(part.media for _, part in parts) else "",
    }
