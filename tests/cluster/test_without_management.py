"""The Management Node is away: calls go on, new ones work, nodes start, and what happened is told later."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.cluster.callers import Caller, Ear, history, phone, sip, until_same
from tests.cluster.cluster import Cluster
from tests.e2e.platform import wait_until

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def site(platform: Cluster) -> Cluster:
    platform.location("A")
    platform.location("B")
    platform.room("meet")
    platform.grow("one", location="A")
    platform.grow("two", location="B")
    return platform


@pytest.mark.spec("PLAT-017")
def test_a_day_without_the_management_node(site: Cluster, tmp_path: Path) -> None:
    with phone(site, tmp_path, "before", 500) as before, phone(site, tmp_path, "during", 900) as during:
        before.call(sip(site, "one", "meet"))
        witness = Caller(site, "one", "meet", "witness")
        site.programs["management"].kill()

        during.call(sip(site, "two", "meet"))
        until_same(witness, names=["before", "during", "witness"])
        wait_until(lambda: before.hear(900)[0] > -50 and during.hear(500)[0] > -50, 20)
        ear = Ear(before, 900)
        with phone(site, tmp_path, "short", 1400) as short:
            short.call(sip(site, "two", "meet"))
            until_same(witness, names=["before", "during", "short", "witness"])
            short.hang_up()
        assert ear.longest_gap() < 0.35, "a call in progress noticed"
        during.hang_up()

        site.programs["two"].stop()
        started = time.monotonic()
        site.start("two")
        print(f"a node started without the Management Node within {time.monotonic() - started:.1f} s")
        with phone(site, tmp_path, "after", 700) as after:
            after.call(sip(site, "two", "meet"))
            wait_until(lambda: before.hear(700)[0] > -50 and after.hear(500)[0] > -50, 20)
            until_same(witness, names=["before", "after", "witness"])
            after.hang_up()
        assert "queued" in site.programs["two"].log("node")

        site.start_management()
        ended = {"during": 1, "short": 1, "after": 1}
        wait_until(lambda: _ended(site) == ended, 30, "what happened meanwhile is not in history")
        wait_until(lambda: set(site.media()) == {"before", "witness"}, 20, "status does not show who is there")
        before.hang_up()
        witness.leave()
    wait_until(lambda: _ended(site) == {**ended, "before": 1, "witness": 1}, 30, str(_ended(site)))
    (conference,) = {row["conference"] for row in history(site, "meet")}
    assert conference, "the calls are not of one conference"


def _ended(site: Cluster) -> dict[str, int]:
    names = [row["display_name"] for row in history(site, "meet") if row["end_time"]]
    return {name: names.count(name) for name in names}
