"""The graph of the running engine: who shares what."""

from __future__ import annotations

import itertools

import msgspec

from rostra.domain.media import StreamType
from rostra.domain.scene import Scene, Tile
from rostra.media import codecs
from rostra.media.engine import graph, rungs, stage
from rostra.media.engine.graph import Graph, Kind, Node, name_of
from rostra.media.engine.gst import Gst
from rostra.media.engine.leg import Leg, LegContext
from rostra.media.engine.renditions import Renditions
from rostra.media.engine.survey import survey
from rostra.media.engine.video_feed import VideoFeed


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


class Watcher(Leg):
    """A leg with a picture and nothing below it."""

    def __init__(self, context: LegContext, leg: str, codec: str, limit: int | None) -> None:
        super().__init__(context, leg)
        self._feed = VideoFeed(context, codecs.BY_NAME[codec], Gst.ElementFactory.make("rostrasub", None))
        self._rung = rungs.pick({}, limit)

    def watch(self, view: str) -> None:
        self._feed.tune(view, self._rung)

    def feeds(self) -> list[VideoFeed]:
        return [self._feed]

    def start(self, *, early: bool = False) -> None: ...
    def request_pictures(self) -> None: ...
    def rtpbin(self) -> None: ...
    def codecs(self) -> dict[StreamType, str]:
        return {}

    def sent_rung(self) -> rungs.Rung | None:
        return self._feed.rung

    async def close(self) -> None:
        self._feed.close()


async def test_fifty_who_watch_the_same_share_an_encoder_for_each_codec_and_rung() -> None:
    stage.load()
    renditions = Renditions()
    context = LegContext(renditions, *(lambda *_: None,) * 3)  # type: ignore[arg-type]
    kinds = list(itertools.product(("H264", "VP8"), (None, 400_000)))
    legs = {f"guest{n}": Watcher(context, f"guest{n}", *kinds[n % 4]) for n in range(50)}
    views = {"guests": Scene(tiles=(Tile(source="host", x=0, y=0, width=1280, height=720),))}
    stage.set_view("guests", views["guests"])
    try:
        for leg in legs.values():
            leg.watch("guests")
        made = msgspec.convert(survey(legs, renditions.running, views, {}), Graph)
    finally:
        for leg in legs.values():
            await leg.close()
        await renditions.close()
        stage.remove_view("guests")
    encoders = {node.name: node.users for node in made.nodes if node.kind is Kind.ENCODER}
    assert sorted(encoders.values()) == [12, 12, 13, 13]
    assert {name.split()[0] for name in encoders} == {"H264", "VP8"}
    assert (made.counts["encoders"], made.counts["compositions"], made.counts["mixes"]) == (4, 4, 1)
