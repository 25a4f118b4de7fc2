"""The floor and pictures of presentations, as clients ask for them (section 9)."""

from __future__ import annotations

import io
from typing import Any

import msgspec
import pytest
from PIL import Image

from rostra.conference.events import PresentationFrame, PresentationStarted, PresentationStopped

from .driver import Api, User
from .fakes import FakeSwitchboard

JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffc0001108002000400301220002110103110000") + bytes(40)


@pytest.mark.spec("API-100", "API-101", "API-105")
async def test_the_floor_is_taken_and_given_back(api: Api, switchboard: FakeSwitchboard) -> None:
    ada, bob = await api.join(), await api.join()
    assert await ada.act("take_floor") is None
    assert await bob.act("release_floor") is None  # it has not got it
    conference = switchboard.session(ada.uuid).conference  # type: ignore[union-attr]
    assert conference.participant(ada.uuid).is_presenting  # type: ignore[union-attr]
    assert await ada.act("release_floor") is None
    assert not conference.participant(ada.uuid).is_presenting  # type: ignore[union-attr]
    conference.flags = msgspec.structs.replace(conference.flags, presentation_allowed=False)
    answer = await ada.post(f"participants/{ada.uuid}/take_floor")
    assert (answer.status_code, answer.json()) == (403, {"status": "failed", "result": "Disabled"})


@pytest.mark.spec("API-095", "API-113")
async def test_pictures_are_posted_by_who_has_the_floor(api: Api, switchboard: FakeSwitchboard) -> None:
    ada, bob = await api.join(), await api.join()
    frame = {"frame": ("slide.jpg", JPEG, "image/jpeg")}

    async def post(user: User, files: Any) -> int:
        return (await user.post("presentation", files=files)).status_code

    assert await post(ada, frame) == 403
    begun = await ada.act("calls", {"call_type": "presentation"})
    assert list(begun) == ["call_uuid"]
    assert await post(ada, frame) == 200
    assert await post(bob, frame) == 403
    assert await post(ada, {"frame": ("slide.jpg", b"GIF89a", "image/jpeg")}) == 400
    assert await post(ada, {"frame": ("slide.png", JPEG, "image/png")}) == 400
    assert await post(ada, {"other": ("slide.jpg", JPEG, "image/jpeg")}) == 400
    assert await post(ada, {"frame": ("slide.jpg", JPEG + bytes(11 << 20), "image/jpeg")}) == 400
    conference = switchboard.session(ada.uuid).conference  # type: ignore[union-attr]
    assert conference.pictures == [JPEG]
    for path in ("presentation.jpeg", "presentation_high.jpeg"):
        answer = await bob.get(path)
        assert (answer.status_code, answer.content) == (200, JPEG)
        assert (answer.headers["content-type"], answer.headers["cache-control"]) == ("image/jpeg", "no-store")
    assert await ada.act(f"calls/{begun['call_uuid']}/disconnect") is None


@pytest.mark.spec("API-111")
async def test_a_picture_is_also_served_as_png(api: Api, switchboard: FakeSwitchboard) -> None:
    ada, bob = await api.join(), await api.join()
    made = io.BytesIO()
    Image.new("RGB", (64, 36), (200, 30, 30)).save(made, "JPEG", quality=95)
    assert (await bob.get("presentation.png")).status_code == 404
    switchboard.session(ada.uuid).conference.pictures.append(made.getvalue())  # type: ignore[union-attr]
    answer = await bob.get("presentation.png")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    with Image.open(io.BytesIO(answer.content)) as shown:
        assert (shown.format, shown.size) == ("PNG", (64, 36))
        red, green, _ = shown.convert("RGB").getpixel((30, 20))  # type: ignore[misc]
    assert red > 190 > 60 > green
    await ada.post(f"participants/{bob.uuid}/denyrxpresentation")
    assert (await bob.get("presentation.png")).status_code == 403


@pytest.mark.spec("API-108", "API-111", "API-112")
async def test_pictures_are_for_those_who_may_see_them(api: Api) -> None:
    ada, bob = await api.join(), await api.join()
    assert (await bob.get("presentation.jpeg")).status_code == 404
    assert (await ada.post(f"participants/{bob.uuid}/denyrxpresentation")).json()["result"] is True
    assert (await bob.get("presentation.jpeg")).status_code == 403
    assert (await ada.post(f"participants/{bob.uuid}/allowrxpresentation")).json()["result"] is True
    assert (await bob.get("presentation_high.jpeg")).status_code == 404
    assert (await api.http.get(f"{bob.base}/presentation.jpeg")).status_code == 403


@pytest.mark.spec("API-044", "API-102", "API-103", "API-110", "API-111")
async def test_what_the_stream_tells(live: Api, switchboard: FakeSwitchboard) -> None:
    bob = await live.join()
    conference = switchboard.session(bob.uuid).conference  # type: ignore[union-attr]
    async with bob.events() as events:
        await events.until("layout")
        conference.tell(PresentationStarted(name="Ada", uri="ada@example.org", uuid="u-1", static=True), bob.uuid)
        started = await events.until("presentation_start")
        assert started.data == {
            "presenter_name": "Ada", "presenter_uri": "ada@example.org", "presenter_uuid": "u-1",
            "presenter_source": "static",
        }  # fmt: skip
        conference.tell(PresentationFrame(number=7), bob.uuid)
        told = await events.until("presentation_frame")
        assert told.data == {}
        conference.tell(PresentationStopped(), bob.uuid)
        assert (await events.until("presentation_stop")).data == {}
