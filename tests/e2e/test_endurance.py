"""Two hundred joins and leaves in mixed order leave nothing behind: no process, thread, port, pipeline or memory."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from bench.join import Caller
from playwright.sync_api import Page, sync_playwright

from tests.e2e.people import launch
from tests.e2e.platform import Platform, wait_until
from tests.length import LONG

pytestmark = pytest.mark.e2e

WARM_UP, JOINS, BROWSERS = (24, 200, 40) if LONG else (12, 80, 16)
"""Joins before the first measurement, measured joins, and how many of those are by WebRTC."""
MOST_AT_ONCE = 6

JOIN = """
async (alias) => {
  const base = `/api/client/v2/conferences/${alias}`;
  const ask = async (path, token, body) => {
    const answer = await fetch(base + path, {
      method: 'POST', headers: {'content-type': 'application/json', ...(token ? {token} : {})},
      body: JSON.stringify(body ?? {}),
    });
    return (await answer.json()).result;
  };
  const {token, participant_uuid} = await ask('/request_token', null, {display_name: 'Endurance'});
  const own = `/participants/${participant_uuid}`;
  const canvas = document.createElement('canvas');
  canvas.width = 320; canvas.height = 180;
  const context = canvas.getContext('2d');
  const drawing = setInterval(() => { context.fillStyle = '#208040'; context.fillRect(0, 0, 320, 180); }, 50);
  const pc = new RTCPeerConnection({bundlePolicy: 'max-bundle'});
  pc.addTransceiver('audio', {direction: 'recvonly'});
  pc.addTransceiver(canvas.captureStream(20).getVideoTracks()[0]);
  const video = document.createElement('video');
  video.muted = true;
  const picture = new Promise((done) => {
    pc.ontrack = ({track}) => {
      if (track.kind !== 'video') return;
      video.srcObject = new MediaStream([track]);
      video.play();
      video.requestVideoFrameCallback(() => done(true));
    };
    setTimeout(() => done(false), 10000);
  });
  await pc.setLocalDescription();
  const call = await ask(`${own}/calls`, token, {call_type: 'WEBRTC', sdp: pc.localDescription.sdp});
  pc.onicecandidate = ({candidate}) => candidate && ask(
    `${own}/calls/${call.call_uuid}/new_candidate`, token, {candidate: candidate.candidate, mid: candidate.sdpMid});
  await pc.setRemoteDescription({type: 'answer', sdp: call.sdp});
  await ask(`${own}/calls/${call.call_uuid}/ack`, token);
  const seen = await picture;
  const leave = async () => {
    await ask('/release_token', token);
    clearInterval(drawing);
    pc.close();
    video.srcObject = null;
  };
  (window.leaving ??= []).push(leave);
  return seen;
}
"""


class State:
    """What the platform holds on to."""

    def __init__(self, platform: Platform) -> None:
        processes = platform.processes()
        self.processes = len(processes)
        self.threads = sum(len(list(Path(f"/proc/{pid}/task").iterdir())) for pid in processes)
        self.descriptors = sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in processes)
        self.memory = {pid: _memory(pid) for pid in processes}
        self.commands = processes
        ports = platform.environment.media_ports
        self.ports = sum(ports.low <= port <= ports.high for port in _bound())

    def __str__(self) -> str:
        total = sum(self.memory.values()) / 2**20
        return (
            f"{self.processes} processes, {self.threads} threads, {self.descriptors} descriptors, "
            f"{self.ports} media ports, {total:.0f} MiB"
        )


def _memory(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


def _bound() -> list[int]:
    """UDP ports bound on this machine."""
    lines = [line for name in ("udp", "udp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    return [int(line.split()[1].rsplit(":", 1)[1], 16) for line in lines]


def churn(platform: Platform, page: Page, chance: random.Random, joins: int, browsers: int) -> None:
    """Join and leave in mixed order, some by WebRTC and some by SIP, never more than a few at once."""
    kinds = ["browser"] * browsers + ["sip"] * (joins - browsers)
    chance.shuffle(kinds)
    inside: list[tuple[str, Caller | None, str, str]] = []
    for index, kind in enumerate(kinds):
        if kind == "browser":
            assert page.evaluate(JOIN, "meet.demo"), f"join {index} saw no picture"
            inside.append((kind, None, "", ""))
        else:
            caller = Caller(platform.environment.sip_port)
            name = f"endure{chance.getrandbits(48):x}"
            inside.append((kind, caller, name, caller.invite(name)))
        while len(inside) > MOST_AT_ONCE or (inside and chance.random() < 0.45):
            leave(page, inside.pop(chance.randrange(len(inside))))
    for one in inside:
        leave(page, one)


def leave(page: Page, one: tuple[str, Caller | None, str, str]) -> None:
    kind, caller, name, to = one
    if kind == "browser":
        page.evaluate("() => window.leaving.shift()()")
    else:
        assert caller is not None
        caller.hang_up(name, to)


def settled(platform: Platform) -> State:
    """The state once ended conferences have been cleared away: one idle worker, the same for a second."""

    def idle() -> list[int]:
        return platform.find("rostra.media.engine.worker")

    for _ in range(20):
        wait_until(lambda: len(idle()) == 1, 20, "workers are left")
        before = idle()
        time.sleep(1.0)
        if idle() == before:
            return _quiet(platform)
    raise AssertionError("workers come and go although nobody calls")


def test_nothing_grows_over_many_joins_and_leaves(platform: Platform) -> None:
    chance = random.Random(200)
    with sync_playwright() as playwright:
        browser = launch(playwright)
        context = browser.new_context(ignore_https_errors=True)
        page = context.new_page()
        page.goto(platform.web)
        churn(platform, page, chance, WARM_UP, WARM_UP // 3)
        before = settled(platform)
        started = time.monotonic()
        churn(platform, page, chance, JOINS, BROWSERS)
        took = time.monotonic() - started
        browser.close()
    after = settled(platform)
    print(f"{JOINS} joins in {took:.0f} s; before: {before}; after: {after}")
    assert after.processes == before.processes
    assert after.threads <= before.threads + 2
    assert after.descriptors <= before.descriptors + 4
    assert after.ports == before.ports
    for name in ("node", "management"):
        pid = platform.child(name)
        growth = after.memory[pid] - before.memory[pid]
        assert growth < 24 * 2**20, f"{name} grew by {growth / 2**20:.1f} MiB"


@pytest.mark.skipif(not LONG, reason="`bench.soak` says more of a worker")
def test_one_worker_serves_many_joins_without_growing(platform: Platform) -> None:
    """A conference that never empties: its worker's threads, descriptors and pipelines come back to where they were."""
    chance = random.Random(7)
    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_context(ignore_https_errors=True).new_page()
        page.goto(platform.web)
        with platform.client() as client:  # keeps the conference, and so its worker, until its token expires
            client.post("/api/client/v2/conferences/meet.demo/request_token", json={"display_name": "Resident"})
        churn(platform, page, chance, JOINS // 4, BROWSERS // 4)
        before = _quiet(platform)
        churn(platform, page, chance, JOINS // 2, BROWSERS // 2)
        after = _quiet(platform)
        browser.close()
    print(f"one conference, before: {before}; after: {after}")
    assert after.processes == before.processes
    assert after.threads <= before.threads + 3
    assert after.descriptors <= before.descriptors + 6
    assert after.ports == before.ports
    total = (sum(after.memory.values()) - sum(before.memory.values())) / 2**20
    assert total < 40, f"grew by {total:.1f} MiB"


def _quiet(platform: Platform) -> State:
    """The state when two looks a second apart agree on threads and descriptors."""
    last = State(platform)
    for _ in range(20):
        time.sleep(0.5)
        now = State(platform)
        if (now.threads, now.descriptors, now.ports) == (last.threads, last.descriptors, last.ports):
            return now
        last = now
    return last
