"""When sound goes out twice: by tables."""

from __future__ import annotations

from rostra.media.engine.redundancy import Redundancy


def test_sound_goes_out_twice_while_packets_get_lost_and_for_a_while_after() -> None:
    redundancy = Redundancy()
    assert not any(redundancy.look(now, 0.009) for now in range(20)), "a packet now and then is no reason"
    assert redundancy.look(20, 0.05)
    assert all(redundancy.look(20 + now, 0.0) for now in range(1, int(Redundancy.CALM)))
    assert not redundancy.look(20 + Redundancy.CALM, 0.0)
    assert redundancy.look(40, 0.011)


def test_shares_are_of_what_was_sent_between_two_reports() -> None:
    redundancy = Redundancy()
    reports = [(0, 0), (1000, 7), (1050, 12), (1050, 12), (1100, 12), (1150, 11), (20, 0), (70, 10)]
    shares = [redundancy.share(*one) for one in reports]
    assert shares == [0, 0, 0.1, 0, 0, -0.02, 0, 0.2]
