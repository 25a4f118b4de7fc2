"""Relays with real sockets: what passes, who may use them, what harms nothing."""

from __future__ import annotations

import dataclasses
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rostra import machine
from rostra.environment import Environment, PortRange
from rostra.media import relay
from rostra.media.relay import OutOfPorts, RelayFailure, Relays, Shape
from rostra.media.relay_sdp import Place

ELSEWHERE = "127.0.0.2"
REQUEST, SUCCESS, ERROR = 0x0001, 0x0101, 0x0111
SILENCE = 3.0
"""Seconds after which another source may be the endpoint (native/relay.h)."""


def rtp(number: int = 0, size: int = 160) -> bytes:
    return struct.pack("!BBHII", 0x80, 0, number & 0xFFFF, number * 160, 7) + bytes([number & 255]) * size


def stun(kind: int, transaction: int = 1, *, nominates: bool = False) -> bytes:
    attributes = struct.pack("!HH4s", 0x8022, 4, b"test") + (struct.pack("!HH", 0x0025, 0) if nominates else b"")
    return struct.pack("!HHI12s", kind, len(attributes), 0x2112A442, transaction.to_bytes(12)) + attributes


class Party:
    """A socket of an endpoint or a worker."""

    def __init__(self, address: str = "127.0.0.1", port: int = 0) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, port))
        self.place = Place(*self.socket.getsockname())

    def send(self, data: bytes, to: Place) -> None:
        self.socket.sendto(data, to)

    def receive(self, seconds: float = 5) -> tuple[bytes, Place]:
        self.socket.settimeout(seconds)
        data, source = self.socket.recvfrom(65536)
        return data, Place(*source)

    def waiting(self) -> list[bytes]:
        """What has arrived by now."""
        self.socket.setblocking(False)
        found: list[bytes] = []
        try:
            while True:
                found.append(self.socket.recv(65536))
        except BlockingIOError:
            return found


class Bench:
    """Relays of a test, and parties that are closed with them."""

    def __init__(self, relays: Relays) -> None:
        self.relays = relays
        self.parties: list[Party] = []

    def party(self, address: str = "127.0.0.1") -> Party:
        self.parties.append(Party(address))
        return self.parties[-1]

    def join(self, shape: Shape, call: str = "call") -> tuple[Party, Place, Place]:
        """A worker behind a new relay: it, the relay's outside and inside."""
        worker = self.party()
        (outside,) = self.relays.open(call, (shape,))
        (inside,) = self.relays.aim(call, (worker.place,))
        return worker, outside, inside

    def prove(self, party: Party, outside: Place, worker: Party, transaction: int = 1, **how: bool) -> None:
        """A party passes the worker's check."""
        party.send(stun(REQUEST, transaction, **how), outside)
        _, inside = worker.receive()
        worker.send(stun(SUCCESS, transaction), inside)
        assert party.receive() == (stun(SUCCESS, transaction), outside)


@pytest.fixture(scope="session", autouse=True)
def _library() -> None:
    native = Path(relay.__file__).parent / "native"
    built = native.parents[3] / "build" / "native" / relay.LIBRARY
    subprocess.run(["make", "-s", "-C", str(native), str(built)], check=True, timeout=60)


@pytest.fixture
def here() -> Iterator[Bench]:
    with Relays(dataclasses.replace(Environment(), media_address="127.0.0.1")) as relays:
        made = Bench(relays)
        yield made
        for party in made.parties:
            party.socket.close()


def until(condition: Callable[[], object], seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.005)


def descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def threads() -> int:
    return sum(1 for _ in Path("/proc/self/task").iterdir())


# ---- without ICE ------------------------------------------------------------------------------------------


@pytest.mark.spec("POL-130", "POL-139")
def test_media_and_its_control_pass_both_ways_untouched(here: Bench) -> None:
    worker, outside, inside = here.join(Shape.RTP)
    assert outside.port % 2 == inside.port % 2 == 0
    endpoint = here.party()
    endpoint.send(rtp(1), outside)
    assert worker.receive() == (rtp(1), inside)
    worker.send(rtp(2, 1400), inside)
    assert endpoint.receive() == (rtp(2, 1400), outside)
    beside = Party(worker.place.address, worker.place.port + 1)
    here.parties.append(beside)
    control, report = here.party(), bytes([0x81, 201]) + bytes(30)
    control.send(report, Place(outside.address, outside.port + 1))
    assert beside.receive() == (report, Place(inside.address, inside.port + 1))
    beside.send(report, Place(inside.address, inside.port + 1))
    assert control.receive() == (report, Place(outside.address, outside.port + 1))
    media, reports = here.relays.statistics("call")
    assert (media.inward.packets, media.inward.bytes) == (1, len(rtp(1)))
    assert (media.outward.packets, media.outward.bytes) == (1, len(rtp(2, 1400)))
    assert (reports.control, reports.inward.packets, reports.outward.packets) == (True, 1, 1)
    assert media.endpoint == endpoint.place


def test_only_the_first_to_send_media_is_the_endpoint(here: Bench) -> None:
    worker, outside, inside = here.join(Shape.RTP)
    endpoint, stranger = here.party(), here.party()
    for garbage in (b"", b"x", bytes(100), b"\xff" * 100, stun(REQUEST), bytes([0x80]) * 7):
        stranger.send(garbage, outside)
    endpoint.send(rtp(1), outside)
    assert worker.receive() == (rtp(1), inside)
    stranger.send(rtp(2), outside)
    endpoint.send(rtp(3), outside)
    assert worker.receive() == (rtp(3), inside)
    endpoint.send(b"whatever the endpoint says", outside)
    assert worker.receive()[0] == b"whatever the endpoint says"
    worker.send(rtp(4), inside)
    assert endpoint.receive()[0] == rtp(4)
    assert stranger.waiting() == []
    (state, _) = here.relays.statistics("call")
    assert state.inward.strangers == 6  # the empty one is nobody's
    assert state.inward.dropped == 1


def test_an_endpoint_whose_address_changes_is_found_again_when_the_old_one_is_silent(here: Bench) -> None:
    worker, outside, inside = here.join(Shape.RTP)
    before, after = here.party(), here.party()
    before.send(rtp(1), outside)
    worker.receive()
    silent_since = time.monotonic()
    number = 2
    while not worker.waiting():
        after.send(rtp(number), outside)
        number += 1
        assert time.monotonic() < silent_since + SILENCE + 5
        time.sleep(0.02)
    assert time.monotonic() - silent_since > SILENCE - 0.2
    worker.send(rtp(9), inside)
    assert after.receive()[0] == rtp(9)
    before.send(rtp(1000), outside)
    until(lambda: here.relays.statistics("call")[0].inward.strangers > number - 3)
    assert rtp(1000) not in worker.waiting()


def test_the_announced_address_is_sent_to_at_once_and_cannot_be_kept_out(here: Bench) -> None:
    worker, outside, inside = here.join(Shape.RTP)
    endpoint, other_port, thief = here.party(), here.party(), here.party(ELSEWHERE)
    here.relays.announce("call", [(endpoint.place, endpoint.place)])
    worker.send(rtp(1), inside)
    assert endpoint.receive() == (rtp(1), outside)
    thief.send(rtp(2), outside)
    assert worker.receive()[0] == rtp(2)
    other_port.send(rtp(3), outside)
    assert worker.receive()[0] == rtp(3)
    worker.send(rtp(4), inside)
    assert other_port.receive()[0] == rtp(4)
    thief.send(rtp(5), outside)
    other_port.send(rtp(6), outside)
    assert worker.receive()[0] == rtp(6)
    here.relays.announce("call", [None])
    here.relays.announce("call", [(endpoint.place, endpoint.place)])  # nothing new: it stays where it was found
    worker.send(rtp(7), inside)
    assert other_port.receive()[0] == rtp(7)


def test_another_worker_takes_over_and_the_endpoint_notices_nothing(here: Bench) -> None:
    first, outside, inside = here.join(Shape.RTP)
    endpoint, second = here.party(), here.party(machine.primary_address())
    endpoint.send(rtp(1), outside)
    first.receive()
    (now,) = here.relays.aim("call", (second.place,))
    assert now == Place(second.place.address, inside.port)  # this machine reaches its addresses from themselves
    endpoint.send(rtp(2), outside)
    assert second.receive() == (rtp(2), now)
    first.send(rtp(3), inside)
    second.send(rtp(4), now)
    assert endpoint.receive() == (rtp(4), outside)
    assert first.waiting() == endpoint.waiting() == []


def test_only_the_worker_sends_to_the_endpoint(here: Bench) -> None:
    (outside,) = here.relays.open("call", (Shape.RTP,))
    worker, endpoint, stranger = here.party(), here.party(), here.party()
    endpoint.send(rtp(1), outside)
    until(lambda: here.relays.statistics("call")[0].inward.dropped == 1)  # no worker yet
    (inside,) = here.relays.aim("call", (worker.place,))
    endpoint.send(rtp(2), outside)
    assert worker.receive()[0] == rtp(2)
    stranger.send(rtp(3), inside)
    worker.send(rtp(4), inside)
    assert endpoint.receive()[0] == rtp(4)


def test_nothing_comes_from_inside_before_there_is_a_worker() -> None:
    ports = PortRange(38010, 38013)
    with Relays(dataclasses.replace(Environment(), media_address="127.0.0.1", media_ports=ports)) as relays:
        (outside,) = relays.open("call", (Shape.RTP,))
        endpoint, stranger, worker = Party(), Party(), Party()
        relays.announce("call", [(endpoint.place, endpoint.place)])
        stranger.send(rtp(1), Place("127.0.0.1", 38010 + 38012 - outside.port))  # the other pair is the inside one
        until(lambda: relays.statistics("call")[0].outward.strangers == 1)
        (inside,) = relays.aim("call", (worker.place,))
        worker.send(rtp(2), inside)
        assert endpoint.receive()[0] == rtp(2)
        for party in (endpoint, stranger, worker):
            party.socket.close()


# ---- with ICE ---------------------------------------------------------------------------------------------


def test_answers_to_checks_go_to_who_asked_and_nothing_else_does(here: Bench) -> None:
    worker, outside, inside = here.join(Shape.ICE)
    endpoint, stranger = here.party(), here.party()
    worker.send(rtp(1), inside)  # there is no endpoint yet
    worker.send(stun(SUCCESS, 99), inside)  # nobody asked
    stranger.send(rtp(2), outside)
    stranger.send(stun(REQUEST, 5), outside)
    assert worker.receive() == (stun(REQUEST, 5), inside)
    worker.send(stun(ERROR, 5), inside)
    assert stranger.receive() == (stun(ERROR, 5), outside)
    stranger.send(rtp(3), outside)
    here.prove(endpoint, outside, worker)
    endpoint.send(rtp(4), outside)
    assert worker.receive() == (rtp(4), inside)
    worker.send(stun(SUCCESS, 5), inside)  # an answer counts once
    worker.send(rtp(5), inside)
    assert endpoint.receive() == (rtp(5), outside)
    assert stranger.waiting() == []
    (state,) = here.relays.statistics("call")
    assert (state.inward.strangers, state.outward.dropped) == (2, 3)


def test_packets_follow_nomination_and_the_endpoints_own(here: Bench) -> None:
    worker, outside, inside = here.join(Shape.ICE)
    first, second = here.party(), here.party()
    here.prove(first, outside, worker, 1)
    here.prove(second, outside, worker, 2)
    worker.send(rtp(1), inside)
    assert first.receive()[0] == rtp(1)
    here.prove(second, outside, worker, 3, nominates=True)
    worker.send(rtp(2), inside)
    assert second.receive()[0] == rtp(2)
    first.send(rtp(3), outside)
    worker.receive()
    worker.send(rtp(4), inside)
    assert first.receive()[0] == rtp(4)
    here.prove(second, outside, worker, 4)  # a check without nomination: it only stays alive
    worker.send(rtp(5), inside)
    assert first.receive()[0] == rtp(5)


def test_the_endpoint_cannot_be_made_to_jump(here: Bench) -> None:
    worker, outside, _ = here.join(Shape.ICE)
    parties = here.party(), here.party()
    for number, party in enumerate(parties):
        here.prove(party, outside, worker, number)
    began = time.monotonic()
    for number in range(200):
        parties[number % 2].send(rtp(number), outside)
        worker.receive()
    (state,) = here.relays.statistics("call")
    assert state.moves <= 9 + time.monotonic() - began


def test_strangers_cannot_flood_a_worker_with_checks(here: Bench) -> None:
    worker, outside, _ = here.join(Shape.ICE)
    endpoint, stranger = here.party(), here.party()
    here.prove(endpoint, outside, worker, 1)
    began = time.monotonic()
    for number in range(1000):
        stranger.send(stun(REQUEST, 1000 + number), outside)
        if number % 50 == 0:
            until(lambda number=number: sum_of(here) > number)
    until(lambda: sum_of(here) > 1000)
    assert len(worker.waiting()) <= 21 + 50 * (time.monotonic() - began)
    here.prove(endpoint, outside, worker, 2)  # who is known is not held up


def sum_of(here: Bench) -> int:
    (state,) = here.relays.statistics("call")
    return state.inward.packets + state.inward.strangers


def test_a_new_worker_has_to_be_convinced_anew(here: Bench) -> None:
    first, outside, inside = here.join(Shape.ICE)
    endpoint, second = here.party(), here.party()
    here.prove(endpoint, outside, first)
    assert here.relays.aim("call", (first.place,)) == (inside,)  # the same again changes nothing
    endpoint.send(rtp(1), outside)
    assert first.receive()[0] == rtp(1)
    here.relays.aim("call", (second.place,))
    endpoint.send(rtp(2), outside)
    here.prove(endpoint, outside, second, 7)
    endpoint.send(rtp(3), outside)
    assert second.receive()[0] == rtp(3)
    assert second.waiting() == first.waiting() == []


# ---- what harms nothing -----------------------------------------------------------------------------------


def test_large_datagrams_are_dropped_whole(here: Bench) -> None:
    worker, outside, inside = here.join(Shape.RTP)
    endpoint = here.party()
    endpoint.send(rtp(1, 2048 - 12), outside)
    assert worker.receive()[0] == rtp(1, 2048 - 12)
    for size in (2049, 9000, 65000):
        endpoint.send(rtp(2, size - 12), outside)
        worker.send(rtp(3, size - 12), inside)
    endpoint.send(rtp(4), outside)
    assert worker.receive()[0] == rtp(4)
    until(lambda: here.relays.statistics("call")[0].outward.dropped == 3)
    assert here.relays.statistics("call")[0].inward.dropped == 3
    assert endpoint.waiting() == []


def test_a_flood_at_one_relay_holds_up_no_other(here: Bench) -> None:
    _, flooded, _ = here.join(Shape.RTP, "flooded")
    worker, outside, inside = here.join(Shape.RTP, "other")
    endpoint, flooder, ended = here.party(), here.party(), threading.Event()

    def flood() -> None:
        while not ended.is_set():
            for _ in range(50):
                flooder.send(b"\xff" * 1200, flooded)

    thread = threading.Thread(target=flood)
    thread.start()
    try:
        for number in range(300):
            endpoint.send(rtp(number), outside)
            assert worker.receive(2) == (rtp(number), inside)
            worker.send(rtp(number), inside)
            assert endpoint.receive(2) == (rtp(number), outside)
    finally:
        ended.set()
        thread.join()
    assert here.relays.statistics("flooded")[0].inward.strangers > 300


def test_a_worker_that_is_away_for_a_while_is_no_problem(here: Bench) -> None:
    worker, outside, inside = here.join(Shape.RTP)
    endpoint = here.party()
    worker.socket.close()
    for number in range(20):
        endpoint.send(rtp(number), outside)
        until(lambda number=number: sum_of_media(here) == number + 1)
    back = Party(*worker.place)
    here.parties.append(back)
    number = 100
    while not back.waiting():
        endpoint.send(rtp(number), outside)
        number += 1
        assert number < 200
        time.sleep(0.01)
    back.send(rtp(1), inside)
    assert endpoint.receive()[0] == rtp(1)


def sum_of_media(here: Bench) -> int:
    state = here.relays.statistics("call")[0]
    return state.inward.packets + state.inward.dropped


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=1500), st.sampled_from(Shape), st.booleans(), st.booleans())
def test_no_datagram_breaks_a_relay(here: Bench, data: bytes, shape: Shape, outwards: bool, cookie: bool) -> None:
    if cookie and len(data) >= 20:  # looks like STUN
        data = bytes([data[0] & 1, data[1] & 1]) + (len(data) - 20).to_bytes(2) + b"\x21\x12\xa4\x42" + data[8:]
    call = shape.name
    if call not in here.relays.calls:
        here.join(shape, call)
        here.party()
    worker, endpoint = (here.parties[here.relays.calls.index(call) * 2 + i] for i in (0, 1))
    (outside,), (inside,) = here.relays.open(call, (shape,)), here.relays.aim(call, (worker.place,))
    if shape is Shape.ICE:
        here.prove(endpoint, outside, worker, int.from_bytes(os.urandom(11)), nominates=True)
    (worker if outwards else endpoint).send(data, inside if outwards else outside)
    endpoint.send(rtp(7), outside)
    while worker.receive()[0] != rtp(7):
        pass
    worker.send(rtp(8), inside)
    while endpoint.receive()[0] != rtp(8):
        pass


# ---- many, and none ---------------------------------------------------------------------------------------


def test_closing_gives_everything_back() -> None:
    environment = dataclasses.replace(Environment(), media_address="127.0.0.1")
    before, running = descriptors(), threads()
    with Relays(environment) as relays:
        (outside,) = relays.open("one", (Shape.RTP,))
        relays.open("two", (Shape.ICE, Shape.RTP))
        full = descriptors()
        relays.close("one")
        relays.close("one")
        assert descriptors() == full - 4
        assert relays.statistics("one") == ()
        with pytest.raises(RelayFailure):
            relays.aim("one", (outside,))
        Party("127.0.0.1", outside.port).socket.close()  # free again
    assert descriptors() == before
    assert threads() == running
    with pytest.raises(RelayFailure):
        relays.open("three", (Shape.ICE,))


def test_what_was_meant_for_a_closed_relay_does_not_reach_its_successor(here: Bench) -> None:
    here.join(Shape.ICE, "first")
    (handle,) = here.relays._calls["first"][0].handles
    here.relays.close("first")
    here.join(Shape.ICE, "second")
    with pytest.raises(RelayFailure):
        here.relays._do("close", handle)
    assert here.relays.statistics("second")


def test_a_hundred_calls_each_keep_to_themselves(here: Bench) -> None:
    joined = [here.join(Shape.RTP, f"call {number}") for number in range(100)]
    endpoints = [here.party() for _ in joined]
    for _ in range(3):
        for number, (endpoint, (_, outside, _)) in enumerate(zip(endpoints, joined, strict=True)):
            endpoint.send(rtp(number), outside)
        for number, (worker, _, inside) in enumerate(joined):
            assert worker.receive() == (rtp(number), inside)
            worker.send(rtp(number + 1), inside)
        for number, (endpoint, (_, outside, _)) in enumerate(zip(endpoints, joined, strict=True)):
            assert endpoint.receive() == (rtp(number + 1), outside)
    assert all(here.relays.statistics(call)[0].inward.packets == 3 for call in here.relays.calls)
    for number in range(0, 100, 2):
        here.relays.close(f"call {number}")
    _, outside, _ = joined[1]
    endpoints[1].send(rtp(5), outside)
    assert joined[1][0].receive()[0] == rtp(5)
    worker, outside, _ = here.join(Shape.RTP, "again")  # in the place of one that was closed
    endpoints[0].send(rtp(6), outside)
    assert worker.receive()[0] == rtp(6)


def test_opening_again_keeps_what_is_there_and_adds(here: Bench) -> None:
    (first,) = here.relays.open("call", (Shape.RTP,))
    again = here.relays.open("call", (Shape.RTP, Shape.RTP))
    assert again[0] == first
    assert again[1] != first
    assert here.relays.open("call", (Shape.RTP,)) == (first,)
    with pytest.raises(RelayFailure):
        here.relays.open("call", (Shape.ICE,))


def test_a_range_that_is_used_up_is_told_and_nothing_is_left_half_open() -> None:
    environment = dataclasses.replace(Environment(), media_address="127.0.0.1", media_ports=PortRange(38001, 38008))
    with Relays(environment) as relays:
        before = descriptors()
        with pytest.raises(OutOfPorts):
            relays.open("call", (Shape.RTP, Shape.RTP))
        assert descriptors() == before
        assert relays.calls == ()
        (outside,) = relays.open("call", (Shape.RTP,))
        assert outside.port in (38002, 38004, 38006)


def test_calls_without_packets_are_reported(here: Bench) -> None:
    worker, outside, _ = here.join(Shape.RTP, "busy")
    here.join(Shape.ICE, "idle")
    endpoint = here.party()
    assert here.relays.idle(0.3) == ()

    def only_one_is_idle() -> bool:
        endpoint.send(rtp(1), outside)
        return here.relays.idle(0.3) == ("idle",)

    until(only_one_is_idle)
    until(lambda: here.relays.idle(0.3) == ("busy", "idle"))
    assert worker.waiting()


def test_a_target_that_cannot_be_reached_is_refused(here: Bench) -> None:
    here.relays.open("call", (Shape.ICE,))
    for target in (Place("fd00::1", 5000), Place("worker.example", 5000), Place("127.0.0.1", 0)):
        with pytest.raises(RelayFailure):
            here.relays.aim("call", (target,))


def test_a_node_that_relays_loads_no_media_engine() -> None:
    code = "import sys, rostra.media.relay, rostra.media.relay_sdp; assert 'gi' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
