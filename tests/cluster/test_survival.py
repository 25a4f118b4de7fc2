"""A node that only carries media dies: every call goes on from another one, and nobody dials again."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.cluster.callers import Caller, Ear, phone, sip, until_same
from tests.cluster.cluster import Cluster
from tests.e2e.people import Person, near, person
from tests.e2e.platform import wait_until

pytestmark = pytest.mark.e2e

RED, GREEN = (208, 32, 32), (0, 200, 0)
MAIN = (640, 300)
PIN = "1357"
ALLOWED = 5.0
"""Seconds within which a call has its media again."""


@pytest.fixture(scope="module")
def site(platform: Cluster) -> Cluster:
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


@pytest.fixture
def callers() -> Iterator[Callable[..., Caller]]:
    """Makes participants without a browser; all leave in the end."""
    with contextlib.ExitStack() as leaving:

        def make(*arguments: Any, **options: Any) -> Caller:
            made = Caller(*arguments, **options)
            leaving.callback(made.leave)
            return made

        yield make


@pytest.fixture
def red_person(browser: Browser) -> Iterator[Person]:
    someone = person(browser, "Red", RED, 500)
    yield someone
    someone.page.context.close()


def test_calls_outlive_their_media_node(
    site: Cluster, callers: Callable[..., Caller], red_person: Person, green_clip: Path, tmp_path: Path
) -> None:
    """A browser and two SIP systems on `front`, carried by `big`, which is killed."""
    video = {"audio_codecs": ["opus"], "video_codecs": ["H264"], "video": green_clip, "size": "320x180"}
    host = callers(site, "front", "meet", "Host", pin=PIN)
    host.post("start_conference")
    with phone(site, tmp_path, "green", 1400, **video) as green, phone(site, tmp_path, "muted", 900) as muted:
        red = red_person.join(site.web("front"), "meet", pin=PIN)
        for who in (green, muted):
            who.call(sip(site, "front", "meet"))
            who.press(f"{PIN}#")
        names = ["Host", "Red", "green", "muted"]
        until_same(host, names=names, within=20)
        red.until(lambda: near((red.see(MAIN) or [None])[0], GREEN, 70) and red.hear(1400)[0] > -60, 20)
        wait_until(lambda: green.hear(500)[0] > -50 and muted.hear(500)[0] > -50, 20)
        host.act(host.told("muted", "uuid"), "mute")
        wait_until(lambda: host.told("muted", "is_muted") == "YES", 5)
        calls = dict.fromkeys(("Red", "green", "muted"), ("front", "big"))
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
        silent, heard = red.hear(900, 1400)
        assert silent < heard - 30, f"who was muted is heard: {silent} against {heard}"
        wait_until(lambda: near(green.see(MAIN)[0], RED, 70), 15, "Green does not see Red again")
        green.hang_up()
        muted.hang_up()


def test_people_on_a_dead_node_join_anew_through_another(
    site: Cluster, callers: Callable[..., Caller], red_person: Person, tmp_path: Path
) -> None:
    """A browser whose own node is killed comes back by itself, once, with its sound."""
    host = callers(site, "spare", "meet", "Host", pin=PIN)
    with phone(site, tmp_path, "talks", 900) as talks:
        talks.call(sip(site, "spare", "meet"))
        talks.press(f"{PIN}#")
        red = red_person.join(site.web("front"), "meet", pin=PIN)
        until_same(host, names=["Host", "Red", "talks"], within=20)
        red.until(lambda: red.hear(900)[0] > -60, 20, "Red does not hear anybody")
        known = host.told("Red", "uuid")
        started = time.monotonic()
        site.programs["front"].kill()
        red.until(lambda: host.told("Red", "uuid") not in (None, known), 40, "Red does not come back")
        back = time.monotonic() - started
        red.until(lambda: red.hear(900)[0] > -60, 20, "Red does not hear anybody again")
        print(f"joined anew after {back:.1f} s, heard the others after {time.monotonic() - started:.1f} s")
        until_same(host, names=["Host", "Red", "talks"])
        wait_until(lambda: talks.hear(500)[0] > -50, 20, "Red is not heard")
        talks.hang_up()


def _media(site: Cluster) -> dict[str, tuple[str, str]]:
    return {name: nodes for name, nodes in site.media().items() if name != "Host"}
