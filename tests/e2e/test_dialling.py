"""Calls from a conference: a Host calls a telephone in, tones are sent, it is taken to another room."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.e2e.baresip import available, colour_clip
from tests.e2e.people import launch, person
from tests.e2e.phone import Phone
from tests.e2e.platform import Platform
from tests.e2e.recorder import Picture, Recorder
from tests.ports import free_port

pytestmark = pytest.mark.skipif(not available(), reason="baresip is not installed")


CONFERENCES = "/api/admin/configuration/v1/conference/"
AUTOMATIC = "/api/admin/configuration/v1/automatic_participant/"
COMMAND = "/api/admin/command/v1/participant/dial/"
PAST = "/api/admin/history/v1/participant/"
DEVICES = "/api/admin/configuration/v1/device/"
RULES = "/api/admin/configuration/v1/gateway_routing_rule/"
PROXIES = "/api/admin/configuration/v1/sip_proxy/"
CREDENTIALS = "/api/admin/configuration/v1/sip_credential/"
REGISTRATIONS = "/api/admin/status/v1/registration_alias/"


class Host:
    """Somebody with a token and no media."""

    def __init__(self, platform: Platform, alias: str = "meet.demo", **headers: str) -> None:
        self._http = httpx.Client(verify=False, base_url=platform.web, timeout=10)
        self._base = f"/api/client/v2/conferences/{alias}"
        asked = {"display_name": "Hostess"}
        granted = until(lambda: self._ask(asked, headers))
        self.uuid = granted["participant_uuid"]
        self._headers = {"token": granted["token"]}

    def _ask(self, asked: dict[str, str], headers: dict[str, str]) -> Any:
        """A service that has just been made may not be known to the node yet."""
        answer = self._http.post(f"{self._base}/request_token", json=asked, headers=headers)
        return answer.json()["result"] if answer.status_code == 200 else None

    def do(self, path: str, **body: Any) -> Any:
        response = self._http.post(f"{self._base}/{path}", headers=self._headers, json=body)
        assert response.status_code == 200, response.text
        return response.json()["result"]

    def refused(self, path: str, **body: Any) -> tuple[int, str]:
        response = self._http.post(f"{self._base}/{path}", headers=self._headers, json=body)
        return response.status_code, response.json()["result"]

    def others(self) -> list[dict[str, Any]]:
        found = self._http.get(f"{self._base}/participants", headers=self._headers).json()["result"]
        return [one for one in found if one["uuid"] != self.uuid]

    def close(self) -> None:
        self._http.post(f"{self._base}/release_token", headers=self._headers)
        self._http.close()


@pytest.fixture
def host(platform: Platform) -> Iterator[Host]:
    found = Host(platform)
    yield found
    found.close()


def until(condition: Callable[[], Any], seconds: float = 10.0) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError(f"did not happen within {seconds:g} s")


def joined(host: Host, uuid: str) -> Callable[[], dict[str, Any] | None]:
    return lambda: next(
        (one for one in host.others() if one["uuid"] == uuid and one["service_type"] == "conference"), None
    )


@pytest.mark.spec(
    "PLAT-099", "CONF-106", "CONF-107", "CONF-109", "CONF-113", "CONF-117", "API-059", "API-127", "API-129", "API-130"
)
def test_telephones_are_called_in_and_one_is_sent_on(platform: Platform, host: Host, tmp_path: Path) -> None:
    with platform.api() as api:
        made = api.post(CONFERENCES, json={"name": "Other", "aliases": [{"alias": "other.room"}]})
        assert made.status_code == 201, made.text
    first, second = free_port(), free_port()
    bob = Phone(tmp_path / "bob", name="bob", port=first, answers=True, tone=500)
    eve = Phone(tmp_path / "eve", name="eve", port=second, answers=True, tone=900, transport="tcp")
    with bob, eve:
        (called,) = host.do(
            "dial", destination=f"sip:bob@127.0.0.1:{first}", protocol="sip", role="GUEST",
            remote_display_name="Bob in the hall", dtmf_sequence="6#",
        )  # fmt: skip
        assert [(one["uuid"], one["display_name"]) for one in host.others()] == [(called, "Bob in the hall")]
        with platform.api() as api:
            wanted = {"conference_alias": "meet.demo", "destination": f"eve@127.0.0.1:{second};transport=tcp"}
            told = api.post(COMMAND, json={**wanted, "role": "chair"})
        other = told.json()["data"]["participant_id"]
        for phone in (bob, eve):
            phone.wait_for("CALL_ESTABLISHED")
        seen = until(joined(host, called))
        assert (seen["role"], seen["call_direction"], seen["protocol"]) == ("guest", "out", "sip")
        assert seen["vendor"].startswith("baresip")
        assert until(joined(host, other))["role"] == "chair"
        until(lambda: bob.hear(900)[0] > -40 and eve.hear(500)[0] > -40)
        until(lambda: [one["param"] for one in bob.events("CALL_DTMF_START")] == ["6", "#"], 8)

        assert host.do(f"participants/{called}/transfer", conference_alias="nowhere") is False
        assert host.do(f"participants/{called}/transfer", conference_alias="other.room", role="guest")
        until(lambda: [one["uuid"] for one in host.others()] == [other])
        there = Host(platform, "other.room")
        moved = until(lambda: next((one for one in there.others() if one["has_media"]), None))
        assert (moved["display_name"], moved["service_type"]) == ("Bob in the hall", "conference")
        until(lambda: bob.hear(900)[0] < -60 and eve.hear(500)[0] < -60)
        assert there.do(f"participants/{moved['uuid']}/disconnect")
        bob.wait_for("CALL_CLOSED")
        there.close()
        assert host.do(f"participants/{other}/disconnect")
        eve.wait_for("CALL_CLOSED")
        until(lambda: host.others() == [])


@pytest.mark.spec("CONF-097", "CONF-098", "CONF-099", "CONF-100", "CONF-101")
def test_a_conference_calls_its_own(platform: Platform, tmp_path: Path) -> None:
    port = free_port()
    automatic = {"alias": f"carol@127.0.0.1:{port}", "role": "chair", "remote_display_name": "Carol's office"}
    with platform.api() as api:
        made = api.post(
            CONFERENCES, json={"name": "Weekly", "pin": "1234", "allow_guests": True, "aliases": [{"alias": "weekly"}]}
        )
        assert made.status_code == 201, made.text
        made = api.post(AUTOMATIC, json=automatic | {"conference": [made.headers["location"]]})
        assert made.status_code == 201, made.text
    with Phone(tmp_path / "carol", name="carol", port=port, answers=True) as carol:
        guest = _waiting(platform)
        carol.wait_for("CALL_ESTABLISHED")
        seen = until(lambda: next(iter(guest.others()), None))  # she is a Host: the Guest is in now
        assert (seen["display_name"], seen["role"], seen["service_type"]) == ("Carol's office", "chair", "conference")
        guest.close()
        carol.wait_for("CALL_CLOSED")  # nobody is left who came by himself


def _waiting(platform: Platform) -> Host:
    return Host(platform, "weekly", pin="none")


@pytest.mark.spec("CONF-113", "API-127", "API-128")
def test_nobody_there(platform: Platform, host: Host) -> None:
    dial = {"destination": f"sip:nobody@127.0.0.1:{free_port()};transport=tcp", "protocol": "sip"}
    (called,) = host.do("dial", **dial)
    until(lambda: host.others() == [])
    with platform.api() as api:
        past = until(lambda: api.get(PAST, params={"id": called}).json()["objects"])
    assert past[0]["disconnect_reason"] == "Destination cannot be reached"
    assert host.refused("dial", destination="alice@example.test", protocol="auto")[0] == 404
    assert host.refused("dial", destination="sip:@", protocol="sip")[0] == 400
    assert host.refused("dial", **dial, source="somebody.else") == (400, "Invalid source")
    assert host.refused("dial", **dial, dtmf_sequence="a")[0] == 400


@pytest.mark.spec(
    "CONF-011", "CONF-013", "CONF-014", "CONF-016", "CONF-023", "CONF-025", "CONF-032", "PLAT-093", "PLAT-204",
)  # fmt: skip
def test_registered_devices_are_called(platform: Platform, host: Host, tmp_path: Path) -> None:
    """A telephone and a browser ring together and the browser takes the call; a telephone with a password does too."""
    registrar = f"127.0.0.1:{platform.environment.sip_port}"
    with platform.api() as api:
        for device in ({"alias": "dora"}, {"alias": "eric", "username": "eric", "password": "sesame"}):
            assert api.post(DEVICES, json=device).status_code == 201
    settings = {"registrar": registrar, "tone": 500}
    phone = Phone(tmp_path / "dora", name="dora", port=free_port(), **settings)
    eric = Phone(tmp_path / "eric", name="eric", port=free_port(), transport="tcp", answers=True, password="sesame",
                 **settings)  # fmt: skip
    fool = Phone(tmp_path / "fool", name="eric", port=free_port(), password="open", **settings)

    def listed() -> list[tuple[str, str]]:
        with platform.api() as api:
            found = api.get(REGISTRATIONS).json()["objects"]
        return sorted((row["alias"], row["protocol"]) for row in found)

    with sync_playwright() as playwright, contextlib.closing(launch(playwright)) as browser:
        dora = person(browser, "Dora", (30, 60, 200), 900)
        with phone, eric, fool:
            register(dora.page, platform.web, "dora")
            until(lambda: "403 Forbidden" in fool.baresip.log)
            until(lambda: listed() == [("dora", "WebRTC"), ("sip:dora", "SIP"), ("sip:eric", "SIP")])
            ringing = host.do("dial", destination="dora", protocol="sip", role="GUEST")
            assert len(ringing) == 2
            phone.wait_for("CALL_INCOMING")
            expect(dora.page.get_by_test_id("incoming")).to_contain_text("is calling")
            dora.page.get_by_test_id("incoming-accept").click()
            phone.wait_for("CALL_CLOSED")
            (seen,) = until(lambda: others if len(others := host.others()) == 1 and others[0]["has_media"] else None)
            assert (seen["protocol"], seen["service_type"], seen["display_name"]) == ("api", "conference", "dora")
            assert seen["uuid"] in ringing
            (other,) = host.do("dial", destination="sip:eric@127.0.0.1", protocol="h323", role="GUEST")
            eric.wait_for("CALL_ESTABLISHED")
            assert until(joined(host, other))["protocol"] == "sip"
            until(lambda: eric.hear(900)[0] > -40)
            assert host.refused("dial", destination="dora", protocol="auto")[0] == 404
        until(lambda: listed() == [("dora", "WebRTC")])
        dora.page.close()
        until(lambda: listed() == [])
    until(lambda: host.others() == [])


def register(page: Page, web: str, alias: str) -> None:
    """As somebody does who wants to be called by the web app."""
    page.goto(f"{web}/webapp/")
    page.get_by_test_id("open-settings").click()
    page.get_by_test_id("reachable-alias").fill(alias)
    page.get_by_test_id("reachable-submit").click()
    expect(page.get_by_test_id("reachable-state")).to_have_attribute("data-phase", "registered")


RED = numpy.array([190, 30, 40])


def red(frame: Picture) -> bool:
    """The main picture is the red one: seen left of the middle, where nothing is drawn over it."""
    return bool(abs(frame[30:60, 20:60].reshape(-1, 3).mean(axis=0) - RED).max() < 50)


KAMAILIO = Path(__file__).parents[1] / "sip" / "kamailio" / "registrar.cfg"


@contextlib.contextmanager
def telephone_system(directory: Path, platform_port: int) -> Iterator[int]:
    """Kamailio as the registrar of its own telephones, running: its port."""
    port = free_port()
    text = KAMAILIO.read_text().replace("CALLED_PORT", str(platform_port)).replace("PORT", str(port))
    (directory / "registrar.cfg").write_text(text)
    command = ["kamailio", "-f", directory / "registrar.cfg", "-DD", "-E", "-m", "64", "-M", "8", "-Y", directory]
    with (directory / "kamailio.log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        bound = f":{port:04X}"
        until(lambda: process.poll() is not None or bound in Path("/proc/net/udp").read_text())
        assert process.poll() is None, (directory / "kamailio.log").read_text()[-3000:]
        yield port
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.skipif(shutil.which("kamailio") is None, reason="kamailio is not installed")
@pytest.mark.spec("SYS-146", "SYS-249", "PLAT-096")
def test_telephones_of_another_system_by_a_trunk(platform: Platform, host: Host, tmp_path: Path) -> None:
    """Both are registered there: one is called by a rule, the other calls; and they hear each other."""
    with telephone_system(tmp_path, platform.environment.sip_port) as port:
        with platform.api() as api:
            trunk = {"name": "Trunk", "address": "127.0.0.1", "port": port, "transport": "udp"}
            made = api.post(PROXIES, json=trunk)
            assert made.status_code == 201, made.text
            known = {"realm": "trunk.test", "username": "platform", "password": "sesame"}
            assert api.post(CREDENTIALS, json=known).status_code == 201
            rule = {
                "name": "Trunk", "priority": 40, "match_string": r"8(7\d)", "replace_string": r"\1",
                "match_outgoing_calls": True, "outgoing_protocol": "sip",
                "sip_proxy": "/api/" + made.headers["location"].partition("/api/")[2],
            }  # fmt: skip
            ruled = api.post(RULES, json=rule)
            assert ruled.status_code == 201, ruled.text
        there = {"registrar": f"127.0.0.1:{port}", "password": "sesame"}
        called = Phone(tmp_path / "71", name="71", port=free_port(), answers=True, tone=500, **there)
        caller = Phone(tmp_path / "72", name="72", port=free_port(), tone=900, **there)
        with called, caller:
            until(lambda: all("1 binding" in phone.baresip.log for phone in (called, caller)))
            uuids = until(lambda: _dialled(host, "871"))
            called.wait_for("CALL_ESTABLISHED")
            assert until(joined(host, uuids[0]))["vendor"].startswith("baresip")
            caller.call(f"sip:meet.demo@127.0.0.1:{port}")
            until(lambda: called.hear(900)[0] > -40 and caller.hear(500)[0] > -40)
            other = next(one for one in host.others() if one["uuid"] not in uuids)
            assert (other["call_direction"], other["protocol"]) == ("in", "sip")
            caller.hang_up()
            assert host.do(f"participants/{uuids[0]}/disconnect")
            called.wait_for("CALL_CLOSED")
            until(lambda: host.others() == [])


def _dialled(host: Host, alias: str) -> list[str] | None:
    """A rule that has just been made may not be known to the node yet."""
    try:
        return host.do("dial", destination=alias, role="GUEST", protocol="auto")
    except AssertionError:
        return None


@pytest.mark.spec("CONF-122", "CONF-124", "CONF-126", "CONF-127", "CONF-075", "SYS-105", "PLAT-120")
def test_a_conference_is_recorded(platform: Platform, host: Host, tmp_path: Path) -> None:
    clip = colour_clip(tmp_path / "red.mp4", "0xBE1E28")
    file = tmp_path / "recording.mkv"
    phone = Phone(tmp_path / "phone", name="ann", port=free_port(), video=clip, video_codecs=["H264"], tone=700)
    with phone, Recorder(file, free_port()) as recorder:
        phone.call(f"sip:meet.demo@127.0.0.1:{platform.environment.sip_port}")
        (called,) = host.do("dial", destination=recorder.url, protocol="rtmp", role="GUEST", streaming="yes")
        seen = until(joined(host, called))
        assert (seen["display_name"], seen["protocol"], seen["uri"]) == ("127.0.0.1", "rtmp", recorder.url)
        assert seen["is_streaming_conference"] is True
        until(lambda: recorder.seconds > 4, 20)
        recorder.kill()  # the server goes away, and comes back
        before = recorder.frames()
        recorder.file = tmp_path / "again.mkv"
        recorder.start()
        until(lambda: recorder.file.exists() and recorder.seconds > 3, 20)
        assert host.do(f"participants/{called}/disconnect")
        recorder.wait()
        after = recorder.frames()
        for frames in (before, after):
            shown = [red(frame) for frame in frames]
            first = shown.index(True)
            assert first < 60
            assert all(shown[first:]), f"{shown.count(False)} of {len(shown)} frames are not red"
            assert len(shown) - first > 45
        loud, other = recorder.hear(700, 1100)
        assert loud > -40
        assert loud - other > 15
        phone.hang_up()
