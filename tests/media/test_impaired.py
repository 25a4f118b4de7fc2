"""The bad network of the tests is as bad as it says."""

from __future__ import annotations

import itertools
import socket

from tests.media.impaired import HEADERS, Impairment, Line, Relay


def run(impairment: Impairment, count: int = 2000, spacing: float = 0.01, size: int = 972) -> list[list[float]]:
    """How much later each of these packets arrives."""
    line = Line(7)
    line.impairment = impairment
    return [[at - n * spacing for at in line.arrivals(n * spacing, size)] for n in range(count)]


def test_losses_delays_and_repetitions() -> None:
    found = run(Impairment(loss=0.2, delay=0.025, jitter=0.01, repeated=0.1))
    assert 0.17 < sum(not one for one in found) / len(found) < 0.23
    assert 0.06 < sum(len(one) == 2 for one in found) / len(found) < 0.1
    assert all(0.0249 < late < 0.0451 for one in found for late in one)
    assert found == run(Impairment(loss=0.2, delay=0.025, jitter=0.01, repeated=0.1)), "a run can be repeated"


def test_packets_stay_in_order_unless_they_are_reordered() -> None:
    for share, swapped in ((0.0, 0), (0.1, 200)):
        late = [one[0] + n * 0.01 for n, one in enumerate(run(Impairment(jitter=0.05, reordered=share, lateness=0.1)))]
        assert abs(sum(a > b for a, b in itertools.pairwise(late)) - swapped) <= 40 * (share > 0)


def test_a_bottleneck_passes_its_rate_and_queues_up_to_its_limit() -> None:
    """1000 bytes every 10 ms are 800 kbit/s; half of that passes, a full queue late."""
    found = run(Impairment(rate=400_000, queue=0.2, burst=2 * (972 + HEADERS)))
    assert 0.47 < sum(map(len, found)) / len(found) < 0.53
    assert found[0] == [0.0]
    assert 0.17 < max(late for one in found for late in one) <= 0.2


def test_a_relay_passes_packets_both_ways() -> None:
    node, far = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    with node, far, Relay() as relay:
        for one in (node, far):
            one.bind(("127.0.0.1", 0))
            one.settimeout(5)
        pipe = relay.pipe(node=node.getsockname())
        far.sendto(b"there", ("127.0.0.1", pipe.far_port))
        assert node.recvfrom(100) == (b"there", ("127.0.0.1", pipe.node_port))
        node.sendto(b"back", ("127.0.0.1", pipe.node_port))
        assert far.recvfrom(100) == (b"back", ("127.0.0.1", pipe.far_port))
        relay.impair(Impairment(loss=1.0), Impairment())
        node.sendto(b"lost", ("127.0.0.1", pipe.node_port))
        far.sendto(b"there", ("127.0.0.1", pipe.far_port))
        assert node.recv(100) == b"there"
        assert (relay.to_far.lost, relay.to_node.passed) == (1, 2)
