"""A theme on its way: uploaded by the API, replicated, unpacked on the node, seen and heard by a SIP system."""

from __future__ import annotations

import io
import wave
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image

from rostra.domain import theme
from tests.e2e.people import near
from tests.e2e.phone import Phone
from tests.e2e.platform import Platform, wait_until
from tests.e2e.test_sip_meeting import address

pytestmark = pytest.mark.e2e

RED, TONE = (200, 40, 40), 1300
URI = "/api/admin/configuration/v1"


@pytest.fixture(scope="module")
def platform(common_platform: Platform) -> Platform:
    return common_platform


def package() -> bytes:
    sound, picture, out = io.BytesIO(), io.BytesIO(), io.BytesIO()
    hum = 9000 * np.sin(np.arange(48000 * 4) * 2 * np.pi * TONE / 48000)
    with wave.open(sound, "wb") as file:
        file.setparams((1, 2, 48000, 0, "NONE", ""))
        file.writeframes(hum.astype("<i2").tobytes())
    Image.new("RGB", theme.SCREEN, RED).save(picture, "JPEG")
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(f"red/{theme.ENTRY_TONE}", sound.getvalue())
        archive.writestr(f"red/{theme.NO_OTHERS}", picture.getvalue())
    return out.getvalue()


@pytest.mark.spec("REF-001", "REF-008", "CONF-066", "CONF-074", "REF-035")
def test_a_theme_is_seen_and_heard(platform: Platform, tmp_path: Path) -> None:
    with platform.api() as api:
        made = api.post(f"{URI}/ivr_theme/", data={"name": "Red"}, files={"package": ("red.zip", package())})
        assert made.status_code == 201, made.text
        room = {
            "name": "Themed", "service_type": "conference", "aliases": [{"alias": "themed"}],
            "ivr_theme": urlsplit(made.headers["Location"]).path,
        }  # fmt: skip
        assert api.post(f"{URI}/conference/", json=room).status_code == 201
    with platform.client() as client:
        known = "/api/client/v2/conferences/themed/request_token"
        wait_until(lambda: client.post(known, json={"display_name": "a"}).status_code == 200, 10)
    video = {"audio_codecs": ["opus"], "video_codecs": ["H264"], "tone": 500}
    with Phone(tmp_path / "one", **video) as one, Phone(tmp_path / "two", audio_codecs=["PCMU"], tone=700) as two:
        one.call(address(platform, "themed"))
        wait_until(lambda: near(one.see((640, 600))[0], RED), 15, "the image of the theme is not seen")
        assert one.hear(TONE)[0] < -60
        two.call(address(platform, "themed"))
        wait_until(lambda: one.hear(TONE)[0] > -50, 10, "the entry tone is not heard")
        two.hang_up()
        one.hang_up()
