"""What a far end says too often is forgotten before anybody else's news has to wait for it."""

from __future__ import annotations

from rostra.domain.camera import CameraCommand, Movement, frame
from rostra.media.engine import branches, stage
from rostra.media.engine.gst import Gst
from rostra.media.engine.pace import AT_ONCE, PER_SECOND, Pace


def test_a_flood_is_thinned_and_a_hand_is_not() -> None:
    pace = Pace()
    assert all(pace.allows(second / 10) for second in range(1000))
    assert sum(pace.allows(100 + n / 1000) for n in range(10_000)) <= AT_ONCE + 10 * PER_SECOND
    assert pace.allows(200)


def test_few_frames_that_move_cameras_are_passed_on() -> None:
    stage.load()
    made, bus = branches.receive_frames("frames-of-one"), Gst.Bus.new()
    made.set_bus(bus)
    sink = made.get_by_name("frames")
    left = frame(CameraCommand(action="start", movement=(Movement(axis="pan", direction="left"),)))
    for _ in range(1000):
        sink.emit(
            "handoff", Gst.Buffer.new_wrapped(bytes([0x80, 0x64, *bytes(10)]) + left), sink.get_static_pad("sink")
        )
    messages = []
    while (message := bus.pop()) is not None:
        structure = message.get_structure()
        if structure is not None and structure.get_name() == branches.FRAME:
            messages.append(bytes.fromhex(structure.get_string("octets")[1:]))
    assert 1 <= len(messages) <= 2 * AT_ONCE
    assert set(messages) == {left}
