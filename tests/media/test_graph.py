"""The graph of the running engine: who shares what."""

from __future__ import annotations

from rostra.media.engine import graph
from rostra.media.engine.graph import Kind, Node, name_of


def test_users_are_counted_by_edges_and_kinds_by_what_runs() -> None:
    encoder, shown, hidden = (name_of(Kind.ENCODER, "h264-1"), name_of(Kind.DECODER, "a"), name_of(Kind.DECODER, "b"))
    legs = [name_of(Kind.OUTGOING, f"leg{number}") for number in range(50)]
    nodes = [
        Node(shown, Kind.DECODER, "a"),
        Node(hidden, Kind.DECODER, "b", running=False),
        Node(encoder, Kind.ENCODER, "H264"),
        *(Node(leg, Kind.OUTGOING, leg) for leg in legs),
    ]
    edges = [(shown, encoder), (shown, encoder), *((encoder, leg) for leg in legs), (encoder, "out:gone")]
    made = graph.build(nodes, edges)
    assert {node.id: node.users for node in made.nodes if node.users} == {shown: 1, encoder: 50}
    assert len(made.edges) == 51, "each once, and none to what is not there"
    assert (made.counts["decoders"], made.counts["decoders_idle"], made.counts["encoders"]) == (1, 1, 1)
