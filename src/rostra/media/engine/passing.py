"""What can be passed on to other nodes, and the encoders kept for that alone."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from typing import Final

from rostra.domain.media import MediaKind
from rostra.domain.presenting import call_of, is_slides
from rostra.domain.scene import Fit, Scene, Tile
from rostra.media.codecs.row import CodecRow
from rostra.media.engine import backplane, direct, images, slides, stage
from rostra.media.engine.backplane_legs import BackplaneReceiver, BackplaneSender
from rostra.media.engine.leg import Leg
from rostra.media.engine.renditions import Rendition, Renditions
from rostra.media.messages import AudioRoute, Compose, Quality, SendBackplane

UNHEARD = AudioRoute(speaks=False, hears=False)
"""Sound of backplanes until Compose says which groups it belongs to: it must not come back to where it is from."""
COUNTING: Final = 1.0
"""Seconds for which a bit rate that was read is good."""


class Passing:
    """Looks for wanted streams among the legs, and keeps the views and mixes that only backplanes want.

    `legs` and `pictures` are the engine's own tables, looked at when asked.
    """

    def __init__(self, legs: Mapping[str, Leg], renditions: Renditions) -> None:
        self.routes: Mapping[str, AudioRoute] = {}
        """As composed."""
        self.pictures: Mapping[str, tuple[int, int]] = {}
        """Sizes of what is on the stage."""
        self._legs = legs
        self._renditions = renditions
        self._users: Counter[str] = Counter()
        self._fat: set[str] = set()
        self._whole: dict[str, str] = {}
        self._rates: dict[str, tuple[float, float]] = {}

    def composed(self, wanted: Compose, find: images.Find) -> None:
        """These are the views and routes from now on; `find` knows images of the theme."""
        self.routes = wanted.audio
        self._whole = {
            view: direct.whole(scene, lambda name: find(name) is not None) for view, scene in wanted.views.items()
        }

    def direct(self, view: str) -> direct.Arriving | None:
        """What alone makes up a view, as it arrives; None: nothing does, or it does not arrive encoded."""
        source = self._whole.get(view, "")
        size = self.pictures.get(source)
        leg = next((leg for leg in self._bringing(source) if leg.arriving(source)), None) if size else None
        row = leg.arriving(source) if leg else None
        if leg is None or row is None or size is None:
            return None
        channel = backplane.channel(source, Quality.FULL, row)
        return direct.Arriving(source, channel, row, size, leg.arriving_profile(source), self._rate(source, leg))

    def _bringing(self, source: str) -> list[Leg]:
        """Whoever a source arrives from in full."""
        leg = self._legs.get(call_of(source))
        remote = [one for one in self._arriving_as(source) if one.request.quality is Quality.FULL]
        return [leg, *remote] if leg is not None and _is_here(leg) else [*remote]

    def _rate(self, source: str, leg: Leg) -> float:
        """Bit/s; reading it costs something, and many may ask."""
        now = time.monotonic()
        read, rate = self._rates.get(source, (-COUNTING, 0.0))
        if now - read >= COUNTING:
            rate = leg.slides_bitrate() if is_slides(source) else leg.pictures_bitrate()
            self._rates = {one: (at, known) for one, (at, known) in self._rates.items() if one in self.pictures}
            self._rates[source] = now, rate
        return rate

    def knows(self, request: SendBackplane) -> bool:
        """Whether there is, or may come, what is asked for."""
        if request.kind is MediaKind.AUDIO or _is_here(self._legs.get(call_of(request.source))):
            return True
        wanted = {request.quality, Quality.FULL}
        return any(one.request.quality in wanted for one in self._arriving_as(request.source))

    def way(self, request: SendBackplane) -> backplane.Way:
        """How a wanted stream is come by at present."""
        if request.kind is MediaKind.AUDIO:
            route = self.routes.get(request.leg, UNHEARD)
            return backplane.mix_way(route.listens if route.hears else 0)
        size = self.pictures.get(request.source)
        fat = request.quality is Quality.THUMBNAIL and self._is_fat(request.source)
        found = backplane.picture_way(request.source, request.quality, self._at_hand(request.source), size, fat=fat)
        if found is None and size and is_slides(request.source):  # pictures, which nobody has encoded yet
            return slides.way(slides.Taker(backplane.SMALL, {}), slides.Arriving(request.source, size=size))
        return found

    def _is_fat(self, source: str) -> bool:
        """Once it was, it counts as such from then on: to and fro would cost a key frame each time."""
        leg = self._legs.get(source)
        if leg is not None and leg.pictures_bitrate() > backplane.FAT:
            self._fat.add(source)
        return source in self._fat

    def arriving(self, source: str) -> slides.Arriving:
        """A presentation as it is at hand."""
        row = self._at_hand(source).get(Quality.FULL)
        return slides.Arriving(source, row, self.pictures.get(source))

    def bitrate(self, source: str) -> float:
        """Bit/s at which a presentation arrives; 0: not known."""
        leg = self._legs.get(call_of(source))
        return leg.slides_bitrate() if leg else 0.0

    def encoder(self, way: backplane.Encode) -> Rendition:
        """The shared encoder of a hidden view or mix, which is made for its first user. Raises BadPipeline."""
        rendition = self._renditions.acquire(way.view, way.row, way.rung)
        self._users[way.view] += 1
        if self._users[way.view] == 1:
            self._set_up(way)
        return rendition

    def release(self, rendition: Rendition) -> None:
        """One user less; with the last one the view or mix goes as well."""
        view = rendition.key.view
        self._renditions.release(rendition)
        self._users[view] -= 1
        if not self._users[view]:
            del self._users[view]
            if rendition.key.rung:
                stage.remove_view(view)
            else:
                stage.remove_route(view)

    def routes_of_unheard(self) -> dict[str, AudioRoute]:
        """Sound that arrives and that nobody has said a word about."""
        arriving = (leg for leg in self._legs.values() if isinstance(leg, BackplaneReceiver))
        return {leg.request.source: UNHEARD for leg in arriving if leg.request.kind is MediaKind.AUDIO}

    def _set_up(self, way: backplane.Encode) -> None:
        rung = way.rung
        if rung is None:
            stage.set_route(way.view, AudioRoute(speaks=False, listens=way.groups))
            return
        fit = Fit.CONTAIN if way.whole else Fit.COVER
        tile = Tile(source=way.source, x=0, y=0, width=rung.width, height=rung.height, fit=fit, colour=0)
        stage.set_view(way.view, Scene(width=rung.width, height=rung.height, background=0, tiles=(tile,)))

    def _at_hand(self, source: str) -> dict[Quality, CodecRow]:
        leg = self._legs.get(call_of(source))
        found = {Quality.FULL: leg.arriving(source)} if _is_here(leg) and leg else {}
        for one in self._arriving_as(source):
            found[one.request.quality] = one.arriving(source)
        return {quality: row for quality, row in found.items() if row}

    def _arriving_as(self, source: str) -> list[BackplaneReceiver]:
        return [leg for leg in self._legs.values() if isinstance(leg, BackplaneReceiver) and leg.shows == source]


def _is_here(leg: Leg | None) -> bool:
    """A participant's own leg."""
    return leg is not None and not isinstance(leg, BackplaneReceiver | BackplaneSender)
