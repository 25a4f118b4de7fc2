"""Losing the node a browser is on, and what its web app does about it: the same steps for one node and for many."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from tests.e2e.people import Person

_FRAMES = "() => document.querySelector('[data-testid=main-video]')?.getVideoPlaybackQuality().totalVideoFrames ?? 0"


@dataclasses.dataclass(frozen=True)
class Rejoined:
    """Seconds from the loss of the node, and the node (origin) that is used now."""

    noticed: float
    back: float
    node: str


def node_of(who: Person) -> str:
    """Origin of the node this person's app uses."""
    return who.page.get_by_test_id("conference").get_attribute("data-node") or ""


def rejoins(who: Person, lose: Callable[[], None], *, within: float = 20.0) -> Rejoined:
    """`lose` ends the person's node; returns when its picture moves again, nobody having touched the page."""
    trouble = who.page.get_by_test_id("reconnecting")
    clock = who.page.evaluate("() => performance.now()")

    def elapsed() -> float:
        return (who.page.evaluate("() => performance.now()") - clock) / 1000

    lose()
    who.until(lambda: trouble.count() > 0, 10, f"{who.name} was not told that the connection is lost")
    noticed = elapsed()
    who.until(lambda: trouble.count() == 0, within, f"{who.name} did not get back in")
    seen = who.page.evaluate(_FRAMES)
    who.until(
        lambda: who.page.evaluate(_FRAMES) >= seen + 5, within, f"{who.name} has no picture after getting back in"
    )
    return Rejoined(noticed=noticed, back=elapsed(), node=node_of(who))
