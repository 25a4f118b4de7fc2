from __future__ import annotations

import itertools
from collections import Counter, deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.domain.backplane import Hop, Host, Sound, audio_sources, neighbours, next_hop, proxy, quality
from rostra.media.messages import Quality

Hosts = dict[str, Host]


def hosting(**locations: str) -> Hosts:
    """`oslo="a b"`: a, then b began to carry the instance in that location."""
    numbered = enumerate(locations.values())
    return {
        name: Host(node=name, location=where, since=float(since))
        for where, names in numbered
        for since, name in enumerate(names.split())
    }


HOSTS = hosting(oslo="a b c", rome="p q", lima="x")


@pytest.mark.spec("PLAT-048", "PLAT-050")
def test_the_first_media_node_of_a_location_is_its_proxy() -> None:
    assert [proxy(where, HOSTS) for where in range(4)] == ["a", "p", "x", None]
    without = {name: host for name, host in HOSTS.items() if name != "a"}
    assert proxy(0, without) == "b"
    alike = {name: Host(node=name, location=0, since=1.0) for name in "cab"}
    assert proxy(0, alike) == "a"


@pytest.mark.spec("PLAT-042", "PLAT-047", "PLAT-049", "REF-074")
def test_only_proxies_have_neighbours_elsewhere() -> None:
    same, other = Hop.SAME_LOCATION, Hop.OTHER_LOCATION
    assert neighbours("a", HOSTS) == {"b": same, "c": same, "p": other, "x": other}
    assert neighbours("b", HOSTS) == {"a": same, "c": same}
    assert neighbours("x", HOSTS) == {"a": other, "p": other}
    assert neighbours("stranger", HOSTS) == {}
    assert neighbours("a", hosting(oslo="a")) == {}


@pytest.mark.spec("PLAT-049")
@pytest.mark.parametrize(
    ("me", "origin", "expected"),
    [
        ("b", "c", "c"),
        ("b", "q", "a"),
        ("a", "q", "p"),
        ("p", "q", "q"),
        ("x", "c", "a"),
        ("a", "a", None),
        ("a", "stranger", None),
        ("stranger", "a", None),
    ],
)
def test_whom_to_ask_for_a_stream(me: str, origin: str, expected: str | None) -> None:
    assert next_hop(me, origin, HOSTS) == expected


def test_what_is_mixed_for_whom() -> None:
    assert audio_sources("a", "b", HOSTS) == {Sound.PARTICIPANTS, Sound.OTHER_LOCATION}
    assert audio_sources("b", "a", HOSTS) == {Sound.PARTICIPANTS}
    assert audio_sources("b", "c", HOSTS) == {Sound.PARTICIPANTS}
    assert audio_sources("a", "p", HOSTS) == {Sound.PARTICIPANTS, Sound.SAME_LOCATION}
    assert audio_sources("b", "p", HOSTS) == frozenset()
    assert audio_sources("a", "q", HOSTS) == frozenset()
    assert audio_sources("a", "a", HOSTS) == frozenset()
    assert audio_sources("stranger", "a", HOSTS) == frozenset()


@pytest.mark.parametrize(("width", "expected"), [(1280, "full"), (638, "full"), (425, "thumbnail"), (160, "thumbnail")])
def test_a_large_tile_needs_the_full_picture(width: int, expected: str) -> None:
    assert quality(width) == expected
    assert Quality(quality(width)) == expected


# ---- properties -------------------------------------------------------------------------------------------


@st.composite
def host_sets(draw: st.DrawFn) -> Hosts:
    names = draw(st.lists(st.sampled_from([f"n{i}" for i in range(12)]), unique=True, min_size=1, max_size=12))
    return {
        name: Host(
            node=name, location=draw(st.integers(0, 3)), since=draw(st.sampled_from([0.0, 1.0, 2.5]) | st.floats(0, 9))
        )
        for name in names
    }


def path(me: str, origin: str, hosts: Hosts) -> list[str]:
    """The nodes a stream passes from `me` back to `origin`."""
    passed = [me]
    while (hop := next_hop(passed[-1], origin, hosts)) is not None:
        passed.append(hop)
        assert len(passed) <= 4, passed
    return passed


@pytest.mark.spec("PLAT-049")
@given(host_sets())
def test_every_stream_is_found_without_a_loop_in_three_hops(hosts: Hosts) -> None:
    for me in hosts:
        for origin in hosts:
            passed = path(me, origin, hosts)
            assert passed[-1] == origin
            assert len(set(passed)) == len(passed)
            assert all(hop in neighbours(asker, hosts) for asker, hop in itertools.pairwise(passed))


@pytest.mark.spec("PLAT-051")
@given(host_sets())
def test_a_stream_enters_each_other_location_once(hosts: Hosts) -> None:
    for origin, source in hosts.items():
        links = set[tuple[str, str]]()
        for me in hosts:
            passed = path(me, origin, hosts)
            links |= set(zip(passed[1:], passed, strict=False))
        entered = Counter(
            hosts[receiver].location for sender, receiver in links if hosts[sender].location != hosts[receiver].location
        )
        others = {host.location for host in hosts.values()} - {source.location}
        assert entered == dict.fromkeys(others, 1)


def heard(origin: str, hosts: Hosts) -> Counter[str]:
    """How often the sound of a participant on `origin` arrives at each node, by what the nodes mix for each other."""
    arrived = Counter[str]()
    waiting = deque([(origin, Sound.PARTICIPANTS)])
    while waiting:
        at, kind = waiting.popleft()
        for neighbour, hop in neighbours(at, hosts).items():
            if kind in audio_sources(at, neighbour, hosts):
                arrived[neighbour] += 1
                assert arrived.total() <= 100, "it goes round in circles"
                waiting.append((neighbour, Sound(neighbours(neighbour, hosts)[at])))
                assert neighbours(neighbour, hosts)[at] is hop
    return arrived


@pytest.mark.spec("PLAT-042", "PLAT-049")
@given(host_sets())
def test_everybody_hears_everybody_else_exactly_once(hosts: Hosts) -> None:
    for origin in hosts:
        assert heard(origin, hosts) == dict.fromkeys(hosts.keys() - {origin}, 1)


@pytest.mark.spec("PLAT-050")
@given(host_sets())
def test_whoever_joins_later_changes_no_proxy(hosts: Hosts) -> None:
    latest = max(host.since for host in hosts.values()) + 1
    for location in range(4):
        before = proxy(location, hosts)
        joined = hosts | {"late": Host(node="late", location=location, since=latest)}
        assert proxy(location, joined) == (before or "late")
