"""A Proxying Edge Node: people reach it alone, and meet on transcoding nodes behind it (POL-130…POL-139)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.cluster.cluster import Cluster
from tests.cluster.net import missing, run
from tests.e2e.people import Person, near, person
from tests.e2e.phone import Phone

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(bool(missing()), reason=missing()), pytest.mark.timeout(300)]

MAIN, THUMBNAIL = (640, 300), (90, 665)
RED, BLUE, GREEN = (208, 32, 32), (32, 48, 208), (32, 176, 48)


@pytest.fixture(scope="module")
def behind(platform: Cluster) -> Iterator[Cluster]:
    """An edge node, and a transcoding node that nobody outside can reach."""
    platform.location("Inside")
    platform.location("Edge", transcoding_location=platform.locations["Inside"])
    platform.room("meet")
    platform.start("edge", platform.add("edge", "Edge", node_type="PROXYING"))
    platform.start("inner", platform.add("inner", "Inside"))
    hidden = f"{platform.address('inner')}/32"
    run("ip", "route", "add", "blackhole", hidden)
    yield platform
    run("ip", "route", "del", "blackhole", hidden, check=False)


def shown(who: Person) -> set[str]:
    """Whose colours are in the main picture and below it; who is where depends on who spoke first."""
    colours = who.see(MAIN, THUMBNAIL) or []
    named = {"red": RED, "blue": BLUE, "green": GREEN}
    return {name for seen in colours for name, colour in named.items() if near(seen, colour, 70)}


@pytest.mark.spec("POL-130", "POL-131", "POL-136", "POL-137", "POL-139")
def test_browsers_and_a_sip_system_meet_through_the_edge(
    behind: Cluster, browser: Browser, green_clip: Path, tmp_path: Path
) -> None:
    red = person(browser, "Red", RED, 500).join(behind.web("edge"), "meet")
    blue = person(browser, "Blue", BLUE, 900, volume=0).join(behind.web("edge"), "meet")
    settings = {"audio_codecs": ["opus"], "video_codecs": ["H264"], "video": green_clip, "tone": 1400}
    with Phone(tmp_path / "green", address=behind.network.gateway, **settings) as green:
        green.call(f"sip:meet@{behind.address('edge')}:5060")
        blue.until(lambda: shown(blue) == {"red", "green"}, 30, "Blue does not see both others")
        blue.until(lambda: min(blue.hear(500, 1400)) > -60, 15, "Blue does not hear both others")
        red.until(lambda: red.hear(1400)[0] > -60, 15)
        assert red.hear(500)[0] < red.hear(1400)[0] - 25, "Red hears itself"
        with behind.api() as api:
            found = api.get("/api/admin/status/v1/participant/").json()["objects"]
        addresses = {
            one["display_name"]: (one["media_node"], one["proxy_node"], one["signalling_node"]) for one in found
        }
        inner, edge = behind.address("inner"), behind.address("edge")
        assert set(addresses.values()) == {(inner, edge, edge)}, addresses
        with behind.api() as api:
            nodes = {n["name"]: n for n in api.get("/api/admin/status/v1/worker_vm/").json()["objects"]}
        assert nodes["edge"]["media_tokens_used"] == 3 * 3, "three audio units for each relayed video call"
    for someone in (red, blue):
        someone.leave()
