"""A media worker is killed: its calls get their media back by themselves, and nobody else notices."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.e2e.baresip import colour_clip
from tests.e2e.people import Person, launch, near, person
from tests.e2e.phone import Phone
from tests.e2e.platform import Platform, wait_until

pytestmark = pytest.mark.e2e

MAIN = (640, 300)
RED, BLUE, GREEN = (208, 32, 32), (32, 48, 208), (0, 200, 0)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = launch(playwright)
        yield running
        running.close()


def frames(who: Person) -> int:
    """Frames decoded by the page's main picture since it was opened."""
    script = "() => document.querySelector('[data-testid=main-video]').getVideoPlaybackQuality().totalVideoFrames"
    return int(who.page.evaluate(script))


def workers(platform: Platform) -> set[int]:
    return set(platform.find("rostra.media.engine.worker"))


def test_the_kernel_would_take_a_worker_and_neither_the_node_nor_its_fabric(platform: Platform) -> None:
    """When memory runs out (proc_pid_oom_score_adj(5)): the spare one too, as it may be given to a conference."""

    def badness(process: int) -> int:
        return int(Path(f"/proc/{process}/oom_score_adj").read_text())

    ours = [platform.process.pid, platform.child("node"), platform.child("management"), *platform.find("nats-server")]
    wait_until(lambda: len(workers(platform)) == 1, 10)
    assert len(ours) >= 4
    assert min(map(badness, workers(platform))) >= min(1000, max(map(badness, ours)) + 500)


def test_media_comes_back_after_the_worker_was_killed(platform: Platform, browser: Browser, tmp_path: Path) -> None:
    with platform.api() as api:
        body = {"name": "Other", "service_type": "conference", "aliases": [{"alias": "other"}]}
        assert api.post("/api/admin/configuration/v1/conference/", json=body).status_code == 201
    clip = colour_clip(tmp_path / "green.mp4", "0x00c800")
    node = platform.child("node")
    wait_until(lambda: len(workers(platform)) == 1, 10)
    with Phone(tmp_path / "green", audio_codecs=["opus"], video_codecs=["H264"], video=clip, tone=1400) as green:
        bystander = person(browser, "Bystander", BLUE, 900).join(platform.web, "other")
        bystander.until(lambda: bystander.see(MAIN) is not None, 10)
        (other_worker,) = _of_conference(platform, set())
        red = person(browser, "Red", RED, 500, volume=0).join(platform.web, "meet.demo")
        green.call(f"sip:meet.demo@127.0.0.1:{platform.environment.sip_port}")
        red.until(lambda: near((red.see(MAIN) or [None])[0], GREEN, 70), 15)
        wait_until(lambda: near(green.see(MAIN)[0], RED), 10)
        (victim,) = _of_conference(platform, {other_worker})
        before, calm = frames(red), frames(bystander)
        os.kill(victim, signal.SIGKILL)
        started = time.monotonic()
        red.until(lambda: frames(red) == before or time.monotonic() - started > 0.3, 2)
        red.until(lambda: red.hear(1400)[0] > -60 and _moving(red), 10, "the browser's media did not come back")
        browser_back = time.monotonic() - started
        red.until(
            lambda: near((red.see(MAIN) or [None])[0], GREEN, 70), 15, "the SIP system's picture did not come back"
        )
        wait_until(lambda: near(green.see(MAIN)[0], RED), 10, "the SIP system does not see Red again")
        sip_back = time.monotonic() - started
        print(f"media back after the worker was killed: browser {browser_back:.1f} s, SIP system {sip_back:.1f} s")
        assert browser_back < 5
        assert not green.events("CALL_CLOSED")
        assert platform.child("node") == node, "the node process has been replaced"
        assert other_worker in workers(platform)
        red.until(lambda: time.monotonic() - started > 4, 5)
        elapsed = time.monotonic() - started
        assert frames(bystander) - calm > 20 * elapsed, "another conference noticed"
        green.hang_up()
        red.leave()
        bystander.leave()
    wait_until(lambda: len(workers(platform)) == 1, 15, "workers of ended conferences are still there")


def _moving(who: Person) -> bool:
    """New frames are arriving."""
    before = frames(who)
    who.sleep(0.2)
    return frames(who) > before


def _of_conference(platform: Platform, known: set[int]) -> set[int]:
    """The busy worker that is not in `known`: the one that uses the processor more than an idle one does."""
    use = {pid: _ticks(pid) for pid in workers(platform) - known}
    time.sleep(1.0)
    busiest = max(use, key=lambda pid: _ticks(pid) - use[pid])
    return {busiest}


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])
