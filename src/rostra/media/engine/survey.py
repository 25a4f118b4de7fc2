"""Draws the graph of the running engine (see `graph`) from what its parts tell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from rostra.domain.scene import Scene
from rostra.media.engine import graph, sights
from rostra.media.engine.graph import Kind, Node, name_of
from rostra.media.engine.leg import Leg
from rostra.media.engine.renditions import Rendition
from rostra.media.messages import AudioRoute

DEFAULT = AudioRoute()
ROUNDING = 2
"""Pixels that a scaled tile may be smaller or larger."""


def survey(
    legs: Mapping[str, Leg],
    renditions: Iterable[Rendition],
    views: Mapping[str, Scene],
    routes: Mapping[str, AudioRoute],
) -> dict[str, object]:
    """What runs now: a `Graph` as plain values."""
    gates, scalings, encoders = sights.gates(), sights.scalings(), list(renditions)
    nodes: list[Node] = []
    edges: list[tuple[str, str]] = []
    nodes += [Node(name_of(Kind.INCOMING, leg), Kind.INCOMING, leg) for leg in legs]
    nodes += [Node(name_of(Kind.OUTGOING, leg), Kind.OUTGOING, leg) for leg in legs]
    owners = {source: leg.id for leg in legs.values() for source in (leg.shows, leg.presents) if source}
    for number, gate in enumerate(gates):
        key = gate.source if gate.source not in {one.source for one in gates[:number]} else f"{gate.source}#{number}"
        row = legs[owners[gate.source]].arriving(gate.source) if gate.source in owners else None
        detail: dict[str, graph.Value] = {"source": gate.source, "frames": gate.passed, "skipped": gate.dropped}
        name = f"{row.name} {gate.source}" if row else gate.source
        nodes.append(Node(name_of(Kind.DECODER, key), Kind.DECODER, name, running=not gate.idle, detail=detail))
        edges.append((name_of(Kind.INCOMING, owners.get(gate.source, "")), name_of(Kind.DECODER, key)))
    for one in scalings:
        made, size = _scaled(one), f"{one.width}x{one.height}"
        sized: dict[str, graph.Value] = {"source": one.source, "width": one.width, "height": one.height}
        nodes.append(Node(made, Kind.SCALING, f"{one.source} {size}", detail=sized))
        edges.append((name_of(Kind.DECODER, one.source), made))
    for found, joined in (_encoding(encoders, views, scalings), _sending(legs), _mixing(legs, routes)):
        nodes += found
        edges += joined
    return msgspec.to_builtins(graph.build(nodes, edges))


def _scaled(one: sights.Scaling) -> str:
    return name_of(Kind.SCALING, f"{one.source}/{one.width}x{one.height}")


Part = tuple[list[Node], list[tuple[str, str]]]


def _encoding(encoders: list[Rendition], views: Mapping[str, Scene], scalings: list[sights.Scaling]) -> Part:
    """Pictures as they are painted, and what encodes them (sound as well)."""
    nodes: dict[str, Node] = {}
    edges: list[tuple[str, str]] = []
    for encoder in encoders:
        key, rung = encoder.key, encoder.key.rung
        made = name_of(Kind.ENCODER, encoder.channel)
        detail: dict[str, graph.Value] = {"view": key.view, "codec": key.codec}
        if rung is None:
            mix = name_of(Kind.MIX, key.view)
            nodes[mix] = Node(mix, Kind.MIX, key.view)
            nodes[made] = Node(made, Kind.ENCODER, key.codec, detail=detail)
            edges.append((mix, made))
            continue
        size = {"width": rung.width, "height": rung.height, "frame_rate": rung.frame_rate}
        shape = f"{rung.width}x{rung.height}"
        painted = name_of(Kind.COMPOSITION, f"{key.view}/{encoder.channel}")  # painted right before it is encoded
        nodes[painted] = Node(painted, Kind.COMPOSITION, f"{key.view} {shape}", detail={"view": key.view, **size})
        nodes[made] = Node(
            made, Kind.ENCODER, f"{key.codec} {shape}@{rung.frame_rate}",
            detail={**detail, **size, "bitrate": rung.bitrate},
        )  # fmt: skip
        edges.append((painted, made))
        edges += _painting(key.view, views.get(key.view), rung.width, painted, scalings)
    return list(nodes.values()), edges


def _painting(
    view: str, scene: Scene | None, width: int, painted: str, scalings: list[sights.Scaling]
) -> Iterator[tuple[str, str]]:
    """To a picture from the scalings it is made of, or from a decoder: what is shown as large as it came."""
    if scene is None:
        *_, hidden = view.split(":", 2)  # of one source alone, see `backplane` and `slides`
        yield from ((_scaled(one), painted) for one in scalings if one.source == hidden and one.width == width)
        yield name_of(Kind.DECODER, hidden), painted
        return
    for tile in scene.tiles:
        wide, high = (length * width / scene.width for length in (tile.width, tile.height))
        found = [one for one in scalings if one.source == tile.source and _fills(one, wide, high)]
        yield from ((_scaled(one), painted) for one in found)
        if tile.source and not found:
            yield name_of(Kind.DECODER, tile.source), painted


def _fills(one: sights.Scaling, width: float, height: float) -> bool:
    """Is it of a tile of this size, by the rounding of painters?"""
    return abs(one.width - width) <= ROUNDING and abs(one.height - height) <= ROUNDING


def _sending(legs: Mapping[str, Leg]) -> Part:
    """What goes out, by the channels that legs are tuned to."""
    nodes: dict[str, Node] = {}
    edges: list[tuple[str, str]] = []
    for leg in legs.values():
        for feed in leg.feeds():
            channel, source, out = feed.channel, feed.forwards, name_of(Kind.OUTGOING, leg.id)
            if not source:
                edges.append((name_of(Kind.ENCODER, channel), out))
                continue
            passed = name_of(Kind.FORWARDED, channel)
            nodes[passed] = Node(passed, Kind.FORWARDED, channel, detail={"source": source})
            owner = next((one.id for one in legs.values() if source in (one.shows, one.presents)), "")
            edges += [(name_of(Kind.INCOMING, owner), passed), (passed, out)]
    return list(nodes.values()), edges


def _mixing(legs: Mapping[str, Leg], routes: Mapping[str, AudioRoute]) -> Part:
    """What legs hear: those who listen to the same groups share a sum, less themselves where they speak."""
    edges: list[tuple[str, str]] = []
    heard: set[int] = set()
    for leg in legs:
        route = routes.get(leg, DEFAULT)
        if route.hears:
            heard.add(route.listens)
            edges.append((_mix(route.listens), name_of(Kind.OUTGOING, leg)))
    for leg in legs:
        route = routes.get(leg, DEFAULT)
        edges += [
            (name_of(Kind.INCOMING, leg), _mix(groups)) for groups in heard if route.speaks and route.group & groups
        ]
    return [Node(_mix(groups), Kind.MIX, f"groups {groups:b}") for groups in sorted(heard)], edges


def _mix(groups: int) -> str:
    return name_of(Kind.MIX, f"groups-{groups}")
