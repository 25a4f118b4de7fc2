"""What stands for our addresses outside a static NAT, and whose own address can be believed."""

from __future__ import annotations

import pytest

from rostra.domain.natting import NattedNode, Translation, believable, networks

NODE = NattedNode(frozenset({"10.1.0.5"}), "203.0.113.5", networks([("10.1.0.5", "255.255.0.0"), (None, None)]))


@pytest.mark.spec("PLAT-177", "PLAT-178", "NODE-023")
@pytest.mark.parametrize(
    ("address", "peer", "seen"),
    [
        ("10.1.0.5", "198.51.100.7", "203.0.113.5"),
        ("10.1.0.5", "192.168.7.7", "203.0.113.5"),
        ("10.1.0.5", "conf.example.org", "203.0.113.5"),
        ("10.1.0.5", "10.1.200.9", "10.1.0.5"),
        ("10.1.0.5", "127.0.0.1", "10.1.0.5"),
        ("10.1.0.5", "2001:db8::1", "10.1.0.5"),
        ("10.1.0.6", "198.51.100.7", "10.1.0.6"),
    ],
)
def test_which_address_of_ours_is_written(address: str, peer: str, seen: str) -> None:
    assert Translation([NODE]).seen_from(address, peer) == seen


@pytest.mark.parametrize(
    ("claimed", "source", "believed"),
    [
        ("198.51.100.7", "203.0.113.9", True),
        ("192.168.1.5", "203.0.113.9", False),
        ("192.168.1.5", "192.168.1.5", True),
        ("10.0.0.5", "192.168.1.1", True),
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "10.0.0.1", False),
        ("0.0.0.0", "10.0.0.1", False),
        ("169.254.1.1", "10.0.0.1", False),
        ("::ffff:127.0.0.1", "10.0.0.1", False),
        ("::ffff:10.0.0.9", "203.0.113.9", False),
        ("::ffff:198.51.100.7", "203.0.113.9", True),
        ("fe80::1", "2001:4860::1", False),
        ("phone.example.org", "10.0.0.1", False),
    ],
)
def test_whose_word_is_taken(claimed: str, source: str, believed: bool) -> None:
    assert believable(claimed, source) is believed
