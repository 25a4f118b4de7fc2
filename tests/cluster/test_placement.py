"""Where media goes: the two acceptance scenarios, refusal, audio, maintenance and emptying, with real nodes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.callers import Caller, Ear, Refused, phone, sip
from tests.cluster.cluster import Cluster
from tests.e2e.platform import wait_until

pytestmark = pytest.mark.e2e

HOUSES = {"mexico1": ("Mexico", 2), "canada1": ("Canada", 2), "brazil1": ("Brazil", 3)}
USA = {"usa1": ("USA", 2), "usa2": ("USA", 4), "usa3": ("USA", 3)}
"""Location and capacity in HD calls; a conference reserves one on each node."""
OVERFLOW_LOG = "Capacity reached in the location. Allocating the media node in the overflow location."


@pytest.fixture(scope="module")
def world(platform: Cluster) -> Cluster:
    """USA overflows to Mexico, then Canada; Mexico to Brazil."""
    brazil = platform.location("Brazil")
    canada = platform.location("Canada")
    mexico = platform.location("Mexico", overflow_location1=brazil)
    platform.location("USA", overflow_location1=mexico, overflow_location2=canada)
    platform.room("meet")
    platform.room("talk", call_type="audio")
    platform.room("small")
    nodes = {**USA, **HOUSES}
    files = {name: platform.add(name, location) for name, (location, _) in nodes.items()}
    for name, file in files.items():
        platform.start(name, file, wait=False, ROSTRA_CAPACITY=str(nodes[name][1]))
    for name in files:
        platform.programs[name].wait_ready()
    wait_until(lambda: len(_loads(platform)) == len(nodes) and max(_loads(platform).values()) == 0, 20)
    return platform


def _loads(site: Cluster) -> dict[str, float]:
    return {
        row["name"]: row["media_load"]
        for row in site.rows("status", "worker_vm")
        if row["max_hd_calls"] == {**USA, **HOUSES}[row["name"]][1]
    }


def place(site: Cluster, callers: list[Caller], node: str, name: str, alias: str = "meet") -> tuple[str, str]:
    """A new video caller; returns its signalling and media node, which is where its media was invited to."""
    caller = Caller(site, node, alias, name)
    callers.append(caller)
    answer = caller.call()
    wait_until(lambda: site.media().get(name, ("", ""))[1], 15, f"{name} has no media node")
    signalling, media = site.media()[name]
    assert f" {site.address(media)} " in answer, "the answer does not name the media node's address"
    return signalling, media


@pytest.fixture
def callers() -> Iterator[list[Caller]]:
    found: list[Caller] = []
    yield found
    for caller in found:
        caller.leave()


def until_empty(site: Cluster) -> None:
    wait_until(lambda: site.media() == {} and max(_loads(site).values()) == 0, 20, f"not given back: {_loads(site)}")


@pytest.mark.spec(
    "PLAT-030", "PLAT-032", "PLAT-034", "PLAT-035", "PLAT-036", "PLAT-038", "PLAT-039", "PLAT-041", "PLAT-042",
    "PLAT-044", "PLAT-061", "PLAT-062", "PLAT-063", "PLAT-064", "PLAT-065", "PLAT-066", "PLAT-067", "PLAT-068",
    "PLAT-071", "PLAT-081",
)  # fmt: skip
def test_the_acceptance_scenarios(
    world: Cluster, callers: list[Caller], green_clip: Path, tmp_path: Path
) -> None:  # fmt: skip
    """Alice to Dave in USA, then Emma, Frank and Greta in the overflow locations, then nobody."""
    video = {"audio_codecs": ["opus"], "video_codecs": ["H264"], "video": green_clip, "size": "320x180"}
    with (
        phone(world, tmp_path, "Alice", 500, **video) as alice,
        phone(world, tmp_path, "Dave", 900, **video) as dave,
    ):
        alice.call(sip(world, "usa1", "meet"))
        wait_until(lambda: world.media().get("Alice") == ("usa1", "usa2"), 15, str(world.media()))
        assert place(world, callers, "usa2", "Bob") == ("usa2", "usa2")
        assert place(world, callers, "usa3", "Carol") == ("usa3", "usa2")
        dave.call(sip(world, "usa1", "meet"))
        wait_until(lambda: world.media().get("Dave") == ("usa1", "usa3"), 15, str(world.media()))
        wait_until(lambda: dave.hear(500)[0] > -50, 15, "Dave does not hear Alice over the local backplane")
        wait_until(lambda: alice.hear(900)[0] > -50, 15, "Alice does not hear Dave over the local backplane")
        links = {(row["media_node"], row["remote_media_node"]): row for row in world.rows("status", "backplane")}
        assert links[world.address("usa2"), world.address("usa3")]["type"] == "local"

        assert place(world, callers, "usa2", "More") == ("usa2", "usa3")
        assert place(world, callers, "usa2", "Most") == ("usa2", "usa1")
        assert place(world, callers, "usa1", "Emma") == ("usa1", "mexico1")
        assert place(world, callers, "mexico1", "Frank") == ("mexico1", "brazil1")
        assert place(world, callers, "usa3", "Greta") == ("usa3", "canada1")
        logged = [line for line in world.programs["usa1"].log("node").splitlines() if OVERFLOW_LOG in line]
        assert any('"conference": "meet"' in line and '"USA"' in line and '"Mexico"' in line for line in logged)
        _nobody_else(world, callers, tmp_path)
        alice.hang_up()
        dave.hang_up()


def _nobody_else(world: Cluster, callers: list[Caller], directory: Path) -> None:
    """USA, Mexico and Canada are full: nobody gets in by any protocol, logged and noted. Brazil still takes its own."""
    late = Caller(world, "usa2", "meet", "Late")
    callers.append(late)
    with pytest.raises(Refused, match="Out of resource") as refused:
        late.call()
    print("refusal:", refused.value.status, refused.value.reason)
    with phone(world, directory, "tardy", 700, video_codecs=["H264"]) as tardy:
        tardy.dial(sip(world, "usa3", "meet"))
        closed = tardy.wait_for("CALL_CLOSED", 40)["param"]
        assert "503" in closed or tardy.events("CALL_ESTABLISHED"), closed  # told, or shown why and put out
        assert "tardy" not in world.media()
    log = world.programs["usa2"].log("node")
    assert "Call refused: insufficient capacity" in log
    assert '"reason": "resource unavailable"' in log
    wait_until(lambda: _refusals(world) >= {"usa2", "usa3"}, 15, "the refusals are not in history")
    assert place(world, callers, "brazil1", "Brasilia") == ("brazil1", "brazil1")


def _refusals(world: Cluster) -> set[str]:
    rows = world.rows("history", "workervm_status_event", event_type="capacity")
    return {row["workervm_configuration_name"] for row in rows}


@pytest.mark.spec("PLAT-043", "PLAT-078", "POL-113", "POL-118")
def test_an_audio_call_is_a_twelfth(world: Cluster, callers: list[Caller]) -> None:
    """On a node for two HD calls an audio conference reserves one audio call: 23 remain."""
    until_empty(world)
    caller = Caller(world, "canada1", "talk", "Ann")
    callers.append(caller)
    caller.call()
    wait_until(lambda: world.media().get("Ann") == ("canada1", "canada1"), 15)
    wait_until(lambda: _loads(world)["canada1"] == 100 * 2 // 24, 10, str(_loads(world)))
    shown = world.rows("status", "worker_vm", name="canada1")
    assert shown[0]["media_tokens_used"] == 2, shown


@pytest.mark.spec("NODE-127", "NODE-128")
def test_a_node_in_maintenance_takes_nothing_new_and_keeps_what_it_has(
    world: Cluster, callers: list[Caller], tmp_path: Path
) -> None:
    until_empty(world)
    with phone(world, tmp_path, "stays", 500) as stays, phone(world, tmp_path, "new", 900) as new:
        stays.call(sip(world, "usa2", "small"))
        wait_until(lambda: world.media().get("stays") == ("usa2", "usa2"), 15, str(world.media()))
        node = f"/api/admin/configuration/v1/worker_vm/{world.nodes['usa2']}/"
        world.change(node, maintenance_mode=True)
        try:
            wait_until(lambda: _loads(world)["usa2"] == 100, 10, str(_loads(world)))
            with pytest.raises(Refused, match="System in maintenance mode"):
                Caller(world, "usa2", "small", "Nobody")
            new.dial(sip(world, "usa2", "small"))
            assert "503" in new.wait_for("CALL_CLOSED", 15)["param"]
            new.baresip.events.clear()
            new.call(sip(world, "usa1", "small"))
            wait_until(lambda: world.media().get("new") == ("usa1", "usa3"), 15, str(world.media()))
            wait_until(lambda: stays.hear(900)[0] > -50, 15, "the call on the node in maintenance does not go on")
            assert not stays.events("CALL_CLOSED")
        finally:
            world.change(node, maintenance_mode=False)
        stays.hang_up()
        new.hang_up()


def test_a_node_is_emptied_without_anybody_redialling(
    world: Cluster, callers: list[Caller], tmp_path: Path
) -> None:  # fmt: skip
    until_empty(world)
    with phone(world, tmp_path, "first", 500) as first, phone(world, tmp_path, "second", 900) as second:
        first.call(sip(world, "usa1", "small"))
        second.call(sip(world, "usa3", "small"))
        wait_until(lambda: world.media() == {"first": ("usa1", "usa2"), "second": ("usa3", "usa2")}, 15)
        wait_until(lambda: first.hear(900)[0] > -50 and second.hear(500)[0] > -50, 15)
        ears = Ear(first, 900), Ear(second, 500)
        assert world.command("move_calls_away", worker_vm_id=world.nodes["usa2"]) == {"legs": 2}
        wait_until(lambda: _media_nodes(world) and "usa2" not in _media_nodes(world), 15, str(world.media()))
        wait_until(lambda: _loads(world)["usa2"] == 0, 10, str(_loads(world)))
        wait_until(lambda: min(ear.since_last_gap() for ear in ears) > 1.0, 15, "somebody does not hear the other")
        gap = max(ear.longest_gap() for ear in ears)
        print(f"while the node was emptied, somebody heard nothing for {gap:.2f} s")
        assert gap < 3
        for who in (first, second):
            assert not who.events("CALL_CLOSED"), "somebody had to dial anew"
        assert {signalling for signalling, _ in world.media().values()} == {"usa1", "usa3"}
        first.hang_up()
        second.hang_up()


def _media_nodes(world: Cluster) -> set[str]:
    return {media for _, media in world.media().values()}
