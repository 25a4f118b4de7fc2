"""A node that is full: who comes in too many is shown and told why, and those who talk do not notice."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from rostra.domain import theme
from rostra.themefiles import BASE
from tests.e2e.baresip import colour_clip
from tests.e2e.people import near
from tests.e2e.phone import Phone, colours
from tests.e2e.platform import Platform, fresh_environment, wait_until

pytestmark = pytest.mark.e2e

OFFER = Path(__file__).parents[1] / "media" / "offers" / "chromium-audio-video-inactive.sdp"
SCREEN = BASE / theme.CAPACITY_EXCEEDED_IMAGE
TONES, STRANGER = (500, 900, 1400), 3100
PHONES = {f"phone{tone}" for tone in TONES}
COUNTED = 1.5
"""Seconds over which pictures are counted."""


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """With room for three HD calls."""
    environment = dataclasses.replace(fresh_environment(tmp_path_factory.mktemp("full")), capacity=3)
    running = Platform(environment).start()
    yield running
    assert running.stop() == 0, running.logs()


def pictures(platform: Platform) -> dict[str, int]:
    """Packets of main video that the node has sent to each participant."""
    with platform.api() as api:
        status = "/api/admin/status/v1/participant/"
        found: dict[str, int] = {}
        for one in api.get(status, params={"limit": 20}).json()["objects"]:
            streams: list[dict[str, Any]] = api.get(f"{status}{one['id']}/media_stream/").json()["objects"]
            found[one["display_name"]] = sum(int(s["tx_packets_sent"]) for s in streams if s["type"] == "video")
        return found


def rates(platform: Platform) -> dict[str, float]:
    """Packets of main video per second that each phone is sent."""

    def counted() -> tuple[dict[str, int], float]:
        found: list[dict[str, int]] = []
        wait_until(
            lambda: found.append(pictures(platform)) or found[-1].keys() >= PHONES, 10, "no status of all phones"
        )
        return found[-1], time.monotonic()

    before, began = counted()
    time.sleep(COUNTED)
    after, ended = counted()
    return {name: (after[name] - before[name]) / (ended - began) for name in PHONES}


def call_by_browser(platform: Platform) -> httpx.Response:
    """The answer to a browser that has a place in the roster and wants media."""
    room = "/api/client/v2/conferences/meet.demo"
    with platform.client() as client:
        me = client.post(f"{room}/request_token", json={"display_name": "Browser"}).json()["result"]
        client.headers["token"] = me["token"]
        call = {"call_type": "WEBRTC", "sdp": OFFER.read_text()}
        answer = client.post(f"{room}/participants/{me['participant_uuid']}/calls", json=call)
        client.post(f"{room}/release_token")
        return answer


@pytest.mark.spec("POL-125", "REF-043")
def test_a_call_too_many_is_told_why_and_disturbs_nobody(platform: Platform, tmp_path: Path) -> None:
    clip = colour_clip(tmp_path / "green.mp4", "0x00c800")
    media: dict[str, Any] = {"audio_codecs": ["opus"], "video_codecs": ["H264"], "video": clip}
    address = f"sip:meet.demo@127.0.0.1:{platform.environment.sip_port}"
    with ExitStack() as stack:
        phones = [
            stack.enter_context(Phone(tmp_path / f"phone{tone}", name=f"phone{tone}", tone=tone, **media))
            for tone in TONES
        ]
        for phone in phones:
            phone.call(address)
        for number, phone in enumerate(phones):
            others = [tone for i, tone in enumerate(TONES) if i != number]
            wait_until(lambda phone=phone, others=others: min(phone.hear(*others)) > -50, 10, "they do not hear all")
        before = rates(platform)
        refused = call_by_browser(platform)
        assert refused.json()["result"] == "Out of resource"
        late = stack.enter_context(Phone(tmp_path / "late", name="late", tone=STRANGER, **media))
        late.call(address)
        points = [(640, 360), (100, 100), (640, 600)]
        wait_until(
            lambda: all(map(near, late.see(*points), colours(SCREEN, *points))), 10, "not the screen of the theme"
        )
        during = rates(platform)
        for own, phone in zip(TONES, phones, strict=True):
            others = [tone for tone in TONES if tone != own]
            heard, stranger = phone.hear(*others), phone.hear(STRANGER)[0]
            assert min(heard) > -15, "as before, without a gap in the last second"
            assert stranger < min(heard) - 30
            assert not phone.events("CALL_CLOSED")
        late.wait_for("CALL_CLOSED", 15)
        for tone in TONES:
            usual = before[f"phone{tone}"]
            assert usual > 25, before
            assert during[f"phone{tone}"] > 0.9 * usual, (before, during)
