"""Machines on addresses of loopback; in a module of its own, because the nodes of another would run beside it."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.cluster import net
from tests.cluster.callers import phone, sip
from tests.cluster.cluster import cluster
from tests.cluster.loopback import loopback
from tests.e2e.people import near, person
from tests.e2e.platform import wait_until
from tests.length import LONG

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not LONG and not net.missing(), reason="machines in namespaces say it in `test_meeting`"),
]

MAIN = (640, 300)
RED, GREEN = (208, 32, 32), (0, 200, 0)


def test_a_meeting_on_addresses_of_loopback(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory, green_clip: Path
) -> None:
    """Two nodes as on machines of their own, where namespaces cannot be made."""
    directory = tmp_path_factory.mktemp("loopback")
    with loopback() as network, cluster(directory, network) as site:
        site.location("A")
        site.location("B")
        site.room("meet", max_callrate_in=1700, max_callrate_out=384)
        site.grow("one", location="A")
        site.grow("two", location="B")
        settings = {"audio_codecs": ["opus"], "video_codecs": ["H264"], "video": green_clip, "size": "320x180"}
        with phone(site, directory, "green", 1400, **settings) as green:
            red = person(browser, "Red", RED, 500).join(site.web("one"), "meet")
            green.call(sip(site, "two", "meet"))
            red.until(lambda: near((red.see(MAIN) or [None])[0], GREEN, 70), 40, "Red does not see Green")
            red.until(lambda: red.hear(1400)[0] > -60, 20, "Red does not hear Green")
            wait_until(lambda: near(green.see(MAIN)[0], RED), 20, "Green does not see Red")
            wait_until(lambda: green.hear(500)[0] > -50, 20, "Green does not hear Red")
            own, other = green.hear(1400, 500)
            assert own < other - 30, f"Green hears itself: {own} against {other}"
            assert site.media() == {"Red": ("one", "one"), "green": ("two", "two")}
            red.leave()
            green.hang_up()
