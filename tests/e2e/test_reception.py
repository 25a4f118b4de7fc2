"""By keypad from real SIP systems: a reception, PINs, locks, and the test call."""

from __future__ import annotations

import io
import json
import time
import wave
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
from PIL import Image

from rostra.domain import theme
from tests.e2e.baresip import colour_clip
from tests.e2e.people import near
from tests.e2e.phone import Phone
from tests.e2e.platform import Platform, wait_until
from tests.policy.web import PolicyServer, Reply, in_thread, said

pytestmark = pytest.mark.e2e

GREEN = (0, 200, 0)
ASKS, ENDS = 700, 2300
"""Hz of the test call's prompts in the theme below, which is brief."""
URI = "/api/admin/configuration/v1"
VAULT = "/api/client/v2/conferences/1234"
SERVICES = (
    {"name": "Vault", "service_type": "conference", "pin": "2468", "aliases": [{"alias": "1234"}]},
    {
        "name": "Desk", "service_type": "two_stage_dialing", "match_string": r"(\d{4})", "replace_string": r"\1",
        "aliases": [{"alias": "desk"}],
    },
)  # fmt: skip


def hum(frequency: int) -> bytes:
    """1.5 s of a tone as WAV."""
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setparams((1, 2, 48000, 0, "NONE", ""))
        file.writeframes((9000 * np.sin(np.arange(72000) * 2 * np.pi * frequency / 48000)).astype("<i2").tobytes())
    return made.getvalue()


def brief_theme() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(theme.TEST_CALL, hum(ASKS))
        archive.writestr(theme.TEST_CALL_DISCONNECT, hum(ENDS))
        archive.writestr(theme.CONFIG, json.dumps({"test_call_service_disconnect_timeout": 5}))
    return made.getvalue()


@pytest.fixture(scope="module")
def platform(common_platform: Platform) -> Platform:
    return common_platform


@pytest.fixture(scope="module")
def services(platform: Platform) -> None:
    with platform.api() as api:
        made = api.post(f"{URI}/ivr_theme/", data={"name": "Brief"}, files={"package": ("brief.zip", brief_theme())})
        assert made.status_code == 201, made.text
        brief = urlsplit(made.headers["Location"]).path
        test = {"name": "Try", "service_type": "test_call", "aliases": [{"alias": "try"}], "ivr_theme": brief}
        for body in (*SERVICES, test):
            answer = api.post(f"{URI}/conference/", json=body)
            assert answer.status_code == 201, answer.text


@pytest.fixture(scope="module")
def green_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return colour_clip(tmp_path_factory.mktemp("clips") / "green.mp4", "0x00c800")


def address(platform: Platform, alias: str) -> str:
    return f"sip:{alias}@127.0.0.1:{platform.environment.sip_port}"


def call(phone: Phone, uri: str) -> None:
    """A conference that begins may have to wait for its media process on a busy machine."""
    phone._do(phone.baresip.dial(uri))
    phone.wait_for("CALL_ESTABLISHED", 25)


class Host:
    """Somebody who only controls."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        wait_until(self._join, 10, "the Vault cannot be joined")

    def _join(self) -> bool:
        answer = self.client.post(f"{VAULT}/request_token", json={"display_name": "Host"}, headers={"pin": "2468"})
        if answer.status_code == 200:
            self.headers = {"token": answer.json()["result"]["token"]}
        return answer.status_code == 200

    def places(self) -> list[str]:
        """Where the SIP systems are, in order of joining."""
        people = self.client.get(f"{VAULT}/participants", headers=self.headers).json()["result"]
        return [one["service_type"] for one in people if one["protocol"] == "sip"]


@pytest.fixture
def host(platform: Platform, services: None) -> Iterator[Host]:
    with platform.client() as client:
        yield Host(client)


@pytest.mark.spec("SVC-048", "SVC-053", "CONF-049", "CONF-131", "CONF-134", "CONF-055")
def test_through_the_reception_into_the_vault_and_a_lock(
    platform: Platform, host: Host, green_clip: Path, tmp_path: Path
) -> None:
    settings = {"audio_codecs": ["opus"], "video_codecs": ["H264"], "video": green_clip}
    with Phone(tmp_path / "one", tone=1400, **settings) as one, Phone(tmp_path / "two", tone=900, **settings) as two:
        call(two, address(platform, "1234**2468"))
        wait_until(lambda: host.places() == ["conference"], 5, "the PIN dialled along was not taken")
        call(one, address(platform, "desk"))
        wait_until(lambda: loudness(one) > -45, 10, "the reception says nothing")
        one.press("1234#")
        wait_until(lambda: host.places() == ["conference", "ivr"], 15, "the reception did not lead into the Vault")
        wait_until(lambda: has_media(host), 10, "its media did not follow")
        one.press("2468")
        wait_until(lambda: host.places() == ["conference", "conference"], 10, "the PIN was not taken")
        admitted = time.monotonic()
        wait_until(lambda: near(two.see((640, 300))[0], GREEN, 70), 3, "who came through the reception is not seen")
        print(f"seen {time.monotonic() - admitted:.2f} s after the PIN was taken")
        wait_until(lambda: two.hear(1400)[0] > -50, 5, "who came through the reception is not heard")
        wait_until(lambda: one.hear(900)[0] > -50, 5, "who came through the reception does not hear")
        one.press("*7")
        wait_until(lambda: _locked(host), 5, "the keypad did not lock")
        two.press("*7")
        wait_until(lambda: not _locked(host), 5, "the keypad did not unlock")
        one.press("##")
        for phone in (one, two):
            phone.wait_for("CALL_CLOSED", 10)


def has_media(host: Host) -> bool:
    """Do all SIP systems have media where they are now?"""
    people = host.client.get(f"{VAULT}/participants", headers=host.headers).json()["result"]
    return all(one["has_media"] for one in people if one["protocol"] == "sip")


def _locked(host: Host) -> bool:
    state = host.client.get(f"{VAULT}/conference_status", headers=host.headers).json()["result"]
    return bool(state["locked"])


@pytest.mark.spec("CONF-132", "CONF-133", "CONF-135", "API-147", "API-148")
def test_a_knock_is_heard_and_who_knocked_is_let_in(platform: Platform, services: None, tmp_path: Path) -> None:
    room = "/api/client/v2/conferences/meet.demo"
    with platform.client() as client, Phone(tmp_path / "in", tone=900) as inside, Phone(tmp_path / "late") as late:
        answer = client.post(f"{room}/request_token", json={"display_name": "Host"})
        token = {"token": answer.json()["result"]["token"]}

        def people() -> dict[str, str]:
            found = client.get(f"{room}/participants", headers=token).json()["result"]
            return {one["uuid"]: one["service_type"] for one in found if one["protocol"] == "sip"}

        call(inside, address(platform, "meet.demo"))
        wait_until(lambda: list(people().values()) == ["conference"], 5)
        wait_until(lambda: loudness(inside) < -55, 15, "the welcome does not end")
        assert client.post(f"{room}/lock", headers=token).json()["result"] is True
        call(late, address(platform, "meet.demo"))
        wait_until(lambda: "waiting_room" in people().values(), 5, "the lock does not hold")
        wait_until(lambda: loudness(inside) > -45, 5, "no knock is heard")
        (waiting,) = [uuid for uuid, where in people().items() if where == "waiting_room"]
        assert client.post(f"{room}/participants/{waiting}/unlock", headers=token).json()["result"] is True
        wait_until(lambda: set(people().values()) == {"conference"}, 5, "who knocked was not let in")
        wait_until(lambda: late.hear(900)[0] > -50, 10)
        inside.hang_up()
        late.hang_up()


def loudness(phone: Phone) -> float:
    """Of the last second, in dB, between 100 and 4000 Hz."""
    return max(phone.hear(*range(100, 4000, 8)))


@pytest.mark.spec("SVC-116", "SVC-117", "SVC-118", "SVC-119", "SVC-120")
def test_a_test_call_returns_what_it_hears_and_ends(
    platform: Platform, services: None, green_clip: Path, tmp_path: Path
) -> None:
    settings = {"audio_codecs": ["opus"], "video_codecs": ["H264"], "video": green_clip, "tone": 1400}
    with Phone(tmp_path / "phone", **settings) as phone:
        call(phone, address(platform, "try"))
        wait_until(lambda: phone.hear(ASKS)[0] > -45, 10, "it is not told what happens")
        assert phone.hear(1400)[0] < -60, "it hears itself at once"
        wait_until(lambda: phone.hear(1400)[0] > -45, 10, "it does not hear itself")
        began = time.monotonic()
        wait_until(lambda: near(phone.see((640, 360))[0], GREEN, 70), 5, "it does not see itself")
        wait_until(lambda: phone.hear(ENDS)[0] > -45, 10, "it is not told that this is the end")
        wait_until(lambda: phone.hear(1400)[0] < -60, 5, "it hears itself for ever")
        phone.wait_for("CALL_CLOSED", 10)
        assert 6 < time.monotonic() - began < 15


PICTURE = (100, 100)
CLOSED = '{% if "closed" in call_info.local_alias %}{"action": "reject"}{% else %}{}{% endif %}'


def decide(path: str, parameters: dict[str, str]) -> Reply | None:
    """Two aliases lead into one conference that nobody has configured; everybody has a red picture."""
    if "/avatar/" in path:
        made = io.BytesIO()
        Image.new("RGB", PICTURE, (208, 32, 32)).save(made, "JPEG")
        return 200, {"content-type": "image/jpeg"}, made.getvalue()
    if any(name in parameters.get("local_alias", "") for name in ("town", "hall", "closed")):
        return said({"status": "success", "result": {"service_type": "conference", "name": "Town", "service_tag": "t"}})
    return said({"status": "fail"}, 404)


@pytest.fixture
def policy(platform: Platform) -> Iterator[PolicyServer]:
    """A policy server that the platform's location asks."""
    with in_thread(decide) as server, platform.api() as api:
        made = api.post(
            f"{URI}/policy_server/",
            json={
                "name": "Town", "url": server.url, "enable_service_lookup": True, "enable_avatar_lookup": True,
                "enable_internal_service_policy": True, "internal_service_policy_template": CLOSED,
            },
        )  # fmt: skip
        assert made.status_code == 201, made.text
        location = api.get(f"{URI}/system_location/").json()["objects"][0]["resource_uri"]
        answer = api.patch(location, json={"policy_server": urlsplit(made.headers["Location"]).path})
        assert answer.status_code < 300, answer.text
        yield server
        api.patch(location, json={"policy_server": None})


@pytest.mark.spec("POL-024", "POL-032", "POL-064", "API-142", "SVC-075")
def test_a_conference_that_only_a_policy_server_knows(
    platform: Platform, policy: PolicyServer, green_clip: Path, tmp_path: Path
) -> None:
    base = "/api/client/v2/conferences/town"
    settings = {"audio_codecs": ["opus"], "video_codecs": ["H264"], "video": green_clip}
    with platform.client() as web, Phone(tmp_path / "one", tone=1400, **settings) as one, Phone(
        tmp_path / "two", tone=900, **settings
    ) as two:  # fmt: skip
        asked = {"display_name": "Web"}
        wait_until(lambda: web.post(f"{base}/request_token", json=asked).status_code == 200, 10, "policy is not asked")
        token = {"token": web.post(f"{base}/request_token", json=asked).json()["result"]["token"]}
        call(one, address(platform, "town"))
        call(two, address(platform, "hall"))
        wait_until(lambda: two.hear(1400)[0] > -50, 15, "they do not hear each other")
        wait_until(lambda: near(two.see((640, 300))[0], GREEN, 70), 10, "they do not see each other")
        people = web.get(f"{base}/participants", headers=token).json()["result"]
        (phone, *_) = [person["uuid"] for person in people if person["protocol"] == "sip"]
        found = web.get(f"{base}/participants/{phone}/avatar.jpg?width=100&height=100", headers=token)
        assert (found.status_code, Image.open(io.BytesIO(found.content)).size) == (200, PICTURE)
        assert web.get(f"{base}/participants/{phone}/avatar.jpg?width=50&height=50", headers=token).status_code == 404
        assert web.post("/api/client/v2/conferences/closed/request_token", json=asked).status_code == 404
    told = [parameters for path, parameters, _ in policy.requests if path.endswith("/service/configuration")]
    assert {one["protocol"] for one in told} == {"api", "sip"}
    called = next(one for one in told if one["protocol"] == "sip")
    assert called["local_alias"].startswith("sip:town@127.0.0.1")
    assert (called["trigger"], called["call_direction"], called["registered"]) == ("invite", "dial_in", "False")
