"""Browsers and SIP systems in one room: colours and tones on every side, codec by codec, transport by transport."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.e2e.baresip import colour_clip
from tests.e2e.people import launch, near, person
from tests.e2e.phone import Phone
from tests.e2e.platform import Platform, wait_until
from tests.ports import free_port

pytestmark = pytest.mark.e2e

MAIN, THUMBNAIL = (640, 300), (90, 665)
RED, BLUE, GREEN = (208, 32, 32), (32, 48, 208), (0, 200, 0)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = launch(playwright)
        yield running
        running.close()


@pytest.fixture(scope="module")
def green_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return colour_clip(tmp_path_factory.mktemp("clips") / "green.mp4", "0x00c800")


def address(platform: Platform, alias: str, transport: str = "udp") -> str:
    port = platform.environment.sip_tls_port if transport == "tls" else platform.environment.sip_port
    return f"sip:{alias}@127.0.0.1:{port}"


@pytest.mark.spec("CONF-084")
def test_two_browsers_and_a_sip_system_meet(
    platform: Platform, browser: Browser, green_clip: Path, tmp_path: Path
) -> None:
    settings = {"audio_codecs": ["opus"], "video_codecs": ["H264"], "video": green_clip, "tone": 1400}
    with Phone(tmp_path / "green", **settings) as green:
        red = person(browser, "Red", RED, 500).join(platform.web, "meet.demo")
        red.until(lambda: red.hear(500)[0] < 0, 5)
        blue = person(browser, "Blue", BLUE, 900, volume=0).join(platform.web, "meet.demo")
        green.call(address(platform, "meet.demo"))

        def both() -> bool:
            main, thumbnail = blue.see(MAIN, THUMBNAIL) or (None, None)
            # both talk all the time: whose sound falters gives way to the other
            return (near(main, RED) and near(thumbnail, GREEN, 70)) or (near(main, GREEN, 70) and near(thumbnail, RED))

        blue.until(both, 20, "Blue does not see Red and Green")
        blue.until(lambda: min(blue.hear(500, 1400)) > -60, 5, "Blue does not hear both others")
        wait_until(lambda: near(green.see(MAIN)[0], RED), 10, "Green does not see Red")
        main, thumbnail = green.see(MAIN, THUMBNAIL)
        assert near(main, RED)
        assert near(thumbnail, BLUE)
        blue.speak(0.3)
        blue.until(lambda: red.hear(900)[0] > -60, 5)
        blue.sleep(1.2)
        heard = dict(zip(("red", "blue", "own"), green.hear(500, 900, 1400), strict=True))
        assert min(heard["red"], heard["blue"]) > -50, f"Green does not hear both: {heard}"
        assert heard["own"] < min(heard["red"], heard["blue"]) - 30, f"Green hears itself: {heard}"
        own, other, sip = red.hear(500, 900, 1400)
        assert min(other, sip) > -60
        assert own < min(other, sip) - 25, f"Red hears itself: {own} against {other} and {sip}"
        assert not near((red.see(MAIN) or [None])[0], RED)
        assert not near((red.see(THUMBNAIL) or [None])[0], RED)
        green.hang_up()
        red.until(lambda: red.hear(1400)[0] < -70, 5, "Green is still heard after hanging up")
        for someone in (red, blue):
            someone.leave()


CODECS = [
    ("PCMA", "H264", "udp", {"address": "::1"}),
    ("opus", "VP8", "tcp", {"encrypted": True, "keys": "dtls_srtp", "ice": True}),
    ("PCMU", "VP8", "udp", {"encrypted": True, "ice": True}),
    ("G722", "H264", "tls", {"encrypted": True}),
]


@pytest.mark.parametrize(("audio", "video", "transport", "security"), CODECS)
def test_every_codec_transport_and_encryption(
    platform: Platform, browser: Browser, green_clip: Path, tmp_path: Path, audio: str, video: str, transport: str,
    security: dict[str, Any],
) -> None:  # fmt: skip
    settings = {
        "audio_codecs": [audio], "video_codecs": [video], "video": green_clip, "tone": 1400, "transport": transport,
        **security,
    }  # fmt: skip
    with Phone(tmp_path / "green", **settings) as green:
        red = person(browser, "Red", RED, 500).join(platform.web, "meet.demo")
        uri = address(platform, "meet.demo", transport)
        green.call(uri.replace("127.0.0.1", "[::1]") if "address" in security else uri)
        red.until(lambda: near((red.see(MAIN) or [None])[0], GREEN, 70), 15, "Red does not see Green")
        red.until(lambda: red.hear(1400)[0] > -60, 5, "Red does not hear Green")
        wait_until(lambda: near(green.see(MAIN)[0], RED), 10, "Green does not see Red")
        wait_until(lambda: green.hear(500)[0] > -50, 10, "Green does not hear Red")
        own, other = green.hear(1400, 500)
        assert own < other - 30, f"Green hears itself: {own} against {other}"
        green.hang_up()
        red.leave()


def test_an_audio_phone_is_heard_and_hears(platform: Platform, browser: Browser, tmp_path: Path) -> None:
    with Phone(tmp_path / "phone", audio_codecs=["PCMU"], tone=1400) as phone:
        red = person(browser, "Red", RED, 500).join(platform.web, "meet.demo")
        phone.call(address(platform, "meet.demo"))
        red.until(lambda: red.hear(1400)[0] > -60, 10, "Red does not hear the phone")
        wait_until(lambda: phone.hear(500)[0] > -50, 10, "the phone does not hear Red")
        phone.hang_up()
        red.leave()


def test_a_sip_system_types_its_pin(platform: Platform, tmp_path: Path) -> None:
    with platform.api() as api:
        body = {"name": "Guarded", "service_type": "conference", "pin": "2468", "aliases": [{"alias": "guarded"}]}
        assert api.post("/api/admin/configuration/v1/conference/", json=body).status_code == 201
    with Phone(tmp_path / "phone", audio_codecs=["PCMU"], tone=1400) as phone, platform.client() as client:
        wait_until(lambda: client.post(f"{GUARDED}/request_token", json={"display_name": "a"}).status_code == 403, 5)
        phone.call(address(platform, "guarded"))
        answer = client.post(f"{GUARDED}/request_token", json={"display_name": "Ada"}, headers={"pin": "2468"})
        token = {"token": answer.json()["result"]["token"]}

        def places() -> list[str]:
            people = client.get(f"{GUARDED}/participants", headers=token).json()["result"]
            return [one["service_type"] for one in people if one["protocol"] == "sip"]

        assert places() == ["ivr"]
        phone.press("1111")
        phone.press("2468")
        wait_until(lambda: places() == ["conference"], 10, "the PIN was not taken")
        phone.hang_up()
        wait_until(lambda: places() == [], 5)


GUARDED = "/api/client/v2/conferences/guarded"


def test_an_unknown_alias_is_404_for_sip_too(platform: Platform, tmp_path: Path) -> None:
    with Phone(tmp_path / "phone", audio_codecs=["PCMU"]) as phone:
        phone._do(phone.baresip.dial(address(platform, "nobody.here")))
        assert "404" in phone.wait_for("CALL_CLOSED")["param"]


@pytest.mark.spec("CONF-106", "CONF-107", "CONF-113")
def test_a_host_calls_a_sip_system_in(platform: Platform, browser: Browser, green_clip: Path, tmp_path: Path) -> None:
    """By the form in the web app; the called party is seen and heard, and hears the tones it was to be sent."""
    port = free_port()
    settings = {"audio_codecs": ["opus"], "video_codecs": ["H264"], "video": green_clip, "tone": 1400}
    with Phone(tmp_path / "green", name="green", port=port, answers=True, **settings) as green:
        red = person(browser, "Red", RED, 500).join(platform.web, "meet.demo")
        red.page.get_by_test_id("add-participant").click()
        red.page.get_by_test_id("dial-destination").fill(f"sip:green@127.0.0.1:{port}")
        red.page.get_by_test_id("dial-protocol").select_option("sip")
        red.page.get_by_test_id("dial-name").fill("Green room")
        red.page.get_by_test_id("dial-dtmf").fill("7")
        red.page.get_by_test_id("dialog-submit").click()
        red.page.get_by_test_id("roster").get_by_text("Green room").wait_for(timeout=10_000)
        red.until(lambda: near((red.see(MAIN) or [None])[0], GREEN, 70), 15, "Red does not see Green")
        red.until(lambda: red.hear(1400)[0] > -60, 5, "Red does not hear Green")
        wait_until(lambda: near(green.see(MAIN)[0], RED), 10, "Green does not see Red")
        wait_until(lambda: green.hear(500)[0] > -60, 5, "Green does not hear Red")
        wait_until(lambda: [one["param"] for one in green.events("CALL_DTMF_START")] == ["7"], 8, "no tone")
        green.hang_up()
        red.leave()
