"""A node that only carries media dies: every call goes on from another one, and nobody dials again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.cluster.callers import Caller, Ear, phone, sip, until_same
from tests.cluster.cluster import Cluster
from tests.e2e.people import near, person
from tests.e2e.platform import wait_until

pytestmark = pytest.mark.e2e

RED, BLUE, GREEN = (208, 32, 32), (32, 48, 208), (0, 200, 0)
MAIN = (640, 300)
PIN = "1357"
ALLOWED = 3.0
"""Seconds within which a call has its media again."""


@pytest.fixture(scope="module")
def site(platform: Cluster) -> Iterator[Cluster]:
    """Calls arrive on `front`; `big` has the most room, then `spare`."""
    platform.location("A")
    platform.room("meet", pin=PIN, allow_guests=True, max_callrate_in=1700, max_callrate_out=384)
    sizes = {"front": 2, "big": 12, "spare": 8}
    files = {name: platform.add(name, "A") for name in sizes}
    for name, file in files.items():
        platform.start(name, file, wait=False, ROSTRA_CAPACITY=str(sizes[name]))
    for name in files:
        platform.programs[name].wait_ready()
    wait_until(
        lambda: {r["name"]: r["max_hd_calls"] for r in platform.rows("status", "worker_vm")} == sizes, 20
    )  # fmt: skip
    return platform


def test_calls_outlive_their_media_node(site: Cluster, browser: Browser, green_clip: Path, tmp_path: Path) -> None:
    """A browser and two SIP systems on `front`, carried by `big`, which is killed."""
    video = {"audio_codecs": ["opus"], "video_codecs": ["H264"], "video": green_clip, "size": "320x180"}
    host = Caller(site, "front", "meet", "Host", pin=PIN)
    host.post("start_conference")
    with phone(site, tmp_path, "green", 1400, **video) as green, phone(site, tmp_path, "muted", 900) as muted:
        red = person(browser, "Red", RED, 500).join(site.web("front"), "meet", pin=PIN)
        for who in (green, muted):
            who.call(sip(site, "front", "meet"))
            who.press(f"{PIN}#")
        names = ["Host", "Red", "green", "muted"]
        until_same(host, names=names, within=20)
        red.until(lambda: near((red.see(MAIN) or [None])[0], GREEN, 70) and red.hear(1400)[0] > -60, 20)
        wait_until(lambda: green.hear(500)[0] > -50 and muted.hear(500)[0] > -50, 20)
        host.act(host.told("muted", "uuid"), "mute")
        wait_until(lambda: host.told("muted", "is_muted") == "YES", 5)
        calls = {name: ("front", "big") for name in ("Red", "green", "muted")}
        wait_until(lambda: _media(site) == calls, 10, str(site.media()))
        before = {one["display_name"]: (one["uuid"], one["role"], one["is_muted"]) for one in host.roster.values()}

        started = time.monotonic()
        site.programs["big"].kill()
        took: dict[str, float] = {}
        ears = {who.baresip.name: Ear(who, 500) for who in (green, muted)}
        moved = wait_until(lambda: set(_media(site).values()) == {("front", "spare")}, 15, str(site.media()))
        took["placed"] = moved
        red.until(lambda: red.hear(1400)[0] > -60, 15, "Red does not hear Green again")
        took["Red hears"] = time.monotonic() - started
        red.until(lambda: near((red.see(MAIN) or [None])[0], GREEN, 70), 15, "Red does not see Green again")
        took["Red sees"] = time.monotonic() - started
        wait_until(lambda: min(ear.since_last_gap() for ear in ears.values()) > 1.0, 15, "a SIP system hears nothing")
        took |= {f"{name} hears": ear.longest_gap() for name, ear in ears.items()}
        print("after the media node was killed:", {name: f"{seconds:.1f} s" for name, seconds in took.items()})
        assert max(seconds for what, seconds in took.items() if "hears" in what) < ALLOWED
        after = {one["display_name"]: (one["uuid"], one["role"], one["is_muted"]) for one in host.roster.values()}
        assert after == before, "the roster has changed"
        for who in (green, muted):
            assert not who.events("CALL_CLOSED"), "somebody had to dial again"
        assert red.hear(900)[0] < -70, "who was muted is heard"
        wait_until(lambda: near(green.see(MAIN)[0], RED, 70), 15, "Green does not see Red again")
        red.leave()
        green.hang_up()
        muted.hang_up()
    host.leave()


def _media(site: Cluster) -> dict[str, tuple[str, str]]:
    return {name: nodes for name, nodes in site.media().items() if name != "Host"}
