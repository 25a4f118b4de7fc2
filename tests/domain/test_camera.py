"""Commands for cameras, as H.281 says them in frames of H.224."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fuzzing import fuzzed

from rostra.domain import camera
from rostra.domain.camera import CameraCommand, Movement

LEFT, RIGHT = Movement(axis="pan", direction="left"), Movement(axis="pan", direction="right")
UP, DOWN = Movement(axis="tilt", direction="up"), Movement(axis="tilt", direction="down")
IN, OUT = Movement(axis="zoom", direction="in"), Movement(axis="zoom", direction="out")

HEAD = "0071030000000001c0"


def _spoilt(said: bytes, at: int, put: bytes) -> bytes:
    """A frame for the camera with something else at one place."""
    whole = bytes.fromhex(HEAD) + said
    return whole[:at] + put + whole[at + len(put) :]


@pytest.mark.spec("API-120")
@pytest.mark.parametrize(
    ("said", "command"),
    [
        ("018000", CameraCommand(action="start", movement=(LEFT,), timeout=800.0)),
        ("01c00f", CameraCommand(action="start", movement=(RIGHT,), timeout=750.0)),
        ("013001", CameraCommand(action="start", movement=(UP,), timeout=50.0)),
        ("01ac00", CameraCommand(action="start", movement=(LEFT, DOWN, IN), timeout=800.0)),
        ("0208", CameraCommand(action="continue", movement=(OUT,))),
        ("0320", CameraCommand(action="stop", movement=(DOWN,))),
    ],
)
def test_frames_say_what_the_recommendation_says(said: str, command: CameraCommand) -> None:
    frame = bytes.fromhex(HEAD + said)
    assert camera.command(frame) == command
    assert camera.frame(command) == frame


@pytest.mark.parametrize(
    "frame",
    ["", "00710300", HEAD, HEAD + "01", HEAD + "0100", HEAD + "010300", HEAD + "0741", "0071030000000002c0018000",
     "0071030000000001800180", "0171030000000001c0018000", "0071030000000000c001ff"],
)  # fmt: skip
def test_what_is_no_command_moves_nothing(frame: str) -> None:
    assert camera.command(bytes.fromhex(frame)) is None


@fuzzed(10_000)
@given(st.binary(max_size=32) | st.builds(_spoilt, st.binary(max_size=6), st.integers(0, 15), st.binary(max_size=3)))
def test_whatever_comes_can_be_read(frame: bytes) -> None:
    camera.asks_for_clients(frame)
    found = camera.command(frame)
    assert found is None or camera.command(camera.frame(found)) == found


def test_who_asks_is_told_of_the_camera_client() -> None:
    assert camera.asks_for_clients(bytes.fromhex("0071030000000000c001ff"))
    assert not camera.asks_for_clients(camera.CLIENTS)
    assert camera.CLIENTS.hex() == "0071030000000000c001000101"


def test_longer_than_can_be_said_is_the_longest() -> None:
    assert camera.frame(CameraCommand(action="start", movement=(LEFT,), timeout=1000.0))[-1] == 0  # 800 ms
