"""Breakout rooms in registers, and when their time is over."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rostra.domain.rooms import PREFIX, Room, due, open_rooms, read

ROOMS = st.builds(
    Room, uuid=st.uuids().map(str), name=st.text(min_size=1), description=st.text(),
    end_time=st.one_of(st.just(0.0), st.floats(1, 4e9)), end_action=st.sampled_from(["transfer", "disconnect"]),
    guests_may_leave=st.booleans(), main_alias=st.text(min_size=1),
)  # fmt: skip


@given(ROOMS)
def test_a_register_tells_of_the_room(room: Room) -> None:
    assert read(room.register, room.value) == room
    assert read("look:layout", room.value) is None


@given(st.lists(ROOMS, unique_by=lambda room: room.uuid), st.randoms())
def test_open_rooms_are_the_same_in_any_order_and_without_closed_ones(rooms: list[Room], random: object) -> None:
    registers: dict[str, object] = {room.register: room.value for room in rooms}
    shuffled = list(registers.items())
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert open_rooms(dict(shuffled)) == open_rooms(registers)
    assert {room.uuid for room in open_rooms({**registers, PREFIX + "closed": ()})} == {room.uuid for room in rooms}


@given(st.lists(ROOMS), st.floats(0, 4e9))
def test_what_is_over_is_told_and_when_to_look_again(rooms: list[Room], now: float) -> None:
    over, seconds = due(rooms, now)
    assert all(0 < room.end_time <= now for room in over)
    left = [room for room in rooms if room.end_time and room not in over]
    assert seconds == min((room.end_time - now for room in left), default=None)
