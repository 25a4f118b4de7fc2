"""Gateway calls with real endpoints: whoever dials what no service answers talks to whom a rule says, and to nobody
else."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from tests.e2e.baresip import available, colour_clip
from tests.e2e.desk import Desk
from tests.e2e.network import CalledNetwork
from tests.e2e.people import launch, near, person
from tests.e2e.phone import Phone
from tests.e2e.platform import Platform
from tests.e2e.test_dialling import PAST, register, until
from tests.e2e.test_sip_meeting import MAIN, address
from tests.ports import free_port

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(not available(), reason="baresip is not installed")]

RULES = "/api/admin/configuration/v1/gateway_routing_rule/"
DEVICES = "/api/admin/configuration/v1/device/"
RED, GREEN, BLUE = (208, 32, 32), (0, 200, 0), (30, 60, 200)


def rule(platform: Platform, name: str, priority: int, match: str, replace: str = "", **more: Any) -> None:
    with platform.api() as api:
        wanted = {"name": name, "priority": priority, "match_string": match, "replace_string": replace}
        made = api.post(RULES, json={**wanted, **more})
        assert made.status_code == 201, made.text


def past(platform: Platform, alias: str) -> list[dict[str, Any]]:
    with platform.api() as api:
        return api.get(PAST, params={"remote_alias__contains": alias}).json()["objects"]


@pytest.mark.spec("SVC-077", "SVC-113", "CONF-028", "API-079", "SVC-080", "DIAG-021", "PLAT-075", "SVC-105")
def test_telephones_and_browsers_talk_without_a_room(platform: Platform, tmp_path: Path) -> None:
    port, red_clip, green_clip = free_port(), tmp_path / "red.mp4", tmp_path / "green.mp4"
    colour_clip(red_clip, "0xd02020")
    colour_clip(green_clip, "0x00c800")
    settings = {"audio_codecs": ["opus"], "video_codecs": ["H264"]}
    rule(platform, "Desk", 11, r"desk(\.ann)?@example\.com|55", rf"ann@127.0.0.1:{port}")
    rule(platform, "Nobody", 12, "nobody", f"nobody@127.0.0.1:{free_port()};transport=tcp")
    rule(platform, "Devices", 13, "wanda|absent", called_device_type="registration")
    rule(platform, "Circle", 14, "circle", f"circle@127.0.0.1:{platform.environment.sip_port};transport=tcp")
    with platform.api() as api:
        assert api.post(DEVICES, json={"alias": "wanda"}).status_code == 201
    ann = Phone(tmp_path / "ann", name="ann", port=port, answers=False, tone=900, video=green_clip, **settings)
    ben = Phone(tmp_path / "ben", name="ben", port=free_port(), tone=500, video=red_clip, **settings)
    with ann, ben:
        _from_telephone_to_telephone(platform, ann, ben)
        _why_nobody_is_there(platform, ann, ben)
        with sync_playwright() as playwright, contextlib.closing(launch(playwright)) as browser:
            blue = person(browser, "Blue", BLUE, 1400)
            _rung(ann, lambda: blue.join(platform.web, "desk.ann@example.com"))
            ann.do("accept")
            blue.until(lambda: near((blue.see(MAIN) or [None])[0], GREEN, 70), 15, "Blue does not see Ann")
            blue.until(lambda: blue.hear(900)[0] > -60, 5, "Blue does not hear Ann")
            until(lambda: ann.hear(1400)[0] > -50)
            until(lambda: near(ann.see(MAIN)[0], BLUE))
            own, other = blue.hear(1400, 900)
            assert own < other - 25, f"Blue hears itself: {own} against {other}"
            ann.hang_up()
            until(lambda: "Call disconnected" in blue.page.content() or not blue.page.get_by_test_id("stage").count())
            blue.page.close()

            wanda = person(browser, "Wanda", BLUE, 1400)
            register(wanda.page, platform.web, "wanda")
            ben.do("dial", address(platform, "wanda"))
            wanda.page.get_by_test_id("incoming-accept").click()
            wanda.until(lambda: near((wanda.see(MAIN) or [None])[0], RED, 70), 15, "Wanda does not see Ben")
            wanda.until(lambda: wanda.hear(500)[0] > -60, 5, "Wanda does not hear Ben")
            until(lambda: ben.hear(1400)[0] > -50)
            ben.hang_up()
            wanda.page.close()


@pytest.mark.spec("SVC-077", "PLAT-075", "CONF-118")
def test_a_called_network_is_heard_before_it_answers_and_calls_are_connected(
    platform: Platform, tmp_path: Path
) -> None:
    """Early media for a telephone and a browser; then a desk telephone connects two calls of its own, attended."""
    other = free_port()
    ben = Phone(tmp_path / "ben", name="ben", port=free_port(), tone=500)
    eve = Phone(tmp_path / "eve", name="eve", port=other, answers=True, tone=700)
    with CalledNetwork(900) as network, ben, eve, Desk(platform.environment.sip_port) as desk:
        rule(platform, "Network", 21, "network", f"net@127.0.0.1:{network.port}")
        rule(platform, "Colleague", 22, "colleague", f"eve@127.0.0.1:{other}")
        ben.do("dial", address(platform, "network"))
        until(lambda: ben.hear(900)[0] > -50)
        assert ben.events("CALL_ESTABLISHED") == []
        assert network.packets == 0  # the caller's own sound waits for the answer
        network.accept()
        ben.wait_for("CALL_ESTABLISHED")
        until(lambda: network.hear(500) > -50 and ben.hear(900)[0] > -50)
        ben.hang_up()
        with sync_playwright() as playwright, contextlib.closing(launch(playwright)) as browser:
            blue = person(browser, "Blue", BLUE, 1400)
            blue.join(platform.web, "network")
            blue.until(lambda: blue.hear(900)[0] > -60, 10, "Blue does not hear the network")
            assert network.packets == 0
            network.accept()
            until(lambda: network.hear(1400) > -50)
            blue.page.close()
            until(lambda: network.ended == 2)

        colleague = desk.call("colleague")
        answering = threading.Thread(target=lambda: (until(lambda: network.rings == 3), network.accept()))
        answering.start()
        calls = colleague, desk.call("network")
        answering.join()
        assert eve.hear(900)[0] < -60
        desk.connect(*calls)
        desk.until(2)
        assert b"SIP/2.0 200" in desk.fragments[-1]
        until(lambda: eve.hear(900)[0] > -50 and network.hear(700) > -50)
        eve.hang_up()
        until(lambda: network.ended == 3)


def _from_telephone_to_telephone(platform: Platform, ann: Phone, ben: Phone) -> None:
    ben.do("dial", address(platform, "55"))
    ann.wait_for("CALL_INCOMING")
    ben.wait_for("CALL_RINGING")
    assert ben.events("CALL_ESTABLISHED") == []
    ann.do("accept")
    ben.wait_for("CALL_ESTABLISHED")
    until(lambda: ann.hear(500)[0] > -50 and ben.hear(900)[0] > -50, 15)
    until(lambda: near(ann.see(MAIN)[0], RED) and near(ben.see(MAIN)[0], GREEN), 15)
    own, other = ben.hear(500, 900)
    assert own < other - 30, f"Ben hears himself: {own} against {other}"
    ben.press("7#")
    until(lambda: [one["param"] for one in ann.events("CALL_DTMF_START")] == ["7", "#"])
    ben.hang_up()
    ann.wait_for("CALL_CLOSED")


def _why_nobody_is_there(platform: Platform, ann: Phone, ben: Phone) -> None:
    for alias, said in (("nobody", "480"), ("absent", "480"), ("circle", "603"), ("unknown.alias", "404")):
        assert said in _closed(ben, lambda alias=alias: ben.do("dial", address(platform, alias)))
    _ring(platform, ann, ben)
    assert _closed(ben, ann.hang_up)[:3] in ("486", "603")
    _ring(platform, ann, ben)
    _closed(ann, ben.hang_up)


def _ring(platform: Platform, ann: Phone, ben: Phone) -> None:
    _rung(ann, lambda: ben.do("dial", address(platform, "55")))


def _rung(phone: Phone, act: Callable[[], object]) -> None:
    """It rings once more."""
    before = len(phone.events("CALL_INCOMING"))
    act()
    until(lambda: len(phone.events("CALL_INCOMING")) > before)


def _closed(phone: Phone, act: Callable[[], object]) -> str:
    """What a telephone says of the end of its call."""
    before = len(phone.events("CALL_CLOSED"))
    act()
    until(lambda: len(phone.events("CALL_CLOSED")) > before, 20)
    return phone.events("CALL_CLOSED")[-1]["param"]
