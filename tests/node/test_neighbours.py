"""Where clients may go, and sessions that went on elsewhere, also while their node is cut off."""

from __future__ import annotations

import asyncio

import pytest

from rostra.fabric.peers import NodeReport
from rostra.node.neighbours import REMEMBERED, Neighbours
from tests.calls.network import Network


class FewPeers:
    """Nodes as the test says."""

    def __init__(self, *reports: NodeReport) -> None:
        self.alive = {report.node: report for report in reports}
        self.listeners: list[object] = []

    def on_change(self, listener: object) -> None:
        self.listeners.append(listener)


def node(name: str, **members: object) -> NodeReport:
    return NodeReport(node=name, boot="b", address=f"10.0.0.{name[1:]}", https_port=8443, **members)  # type: ignore[arg-type]


def neighbours(network: Network, *reports: NodeReport, now: list[float] | None = None) -> Neighbours:
    clock = now or [0.0]
    return Neighbours(network.bus("n1"), FewPeers(*reports), "n1", lambda: 1, lambda: clock[0])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("reports", "expected"),
    [
        ([node("n1", location=1)], []),
        ([node("n1", location=1), node("n2", location=2), node("n3", location=1)], ["10.0.0.3", "10.0.0.2"]),
        ([node("n1"), node("n2", media_load=50), node("n3", media_load=10)], ["10.0.0.3", "10.0.0.2"]),
        ([node("n1"), node("n2", maintenance=True)], []),
        ([node("n1", role="PROXYING"), node("n2"), node("n3", role="PROXYING")], ["10.0.0.3"]),
    ],
)
def test_nodes_of_our_kind_the_nearest_and_least_loaded_first(reports: list[NodeReport], expected: list[str]) -> None:
    found = neighbours(Network(), *reports).alternatives()
    assert found == [f"https://{address}:8443" for address in expected]


def test_an_address_of_six_is_bracketed() -> None:
    other = NodeReport(node="n2", boot="b", address="fd00::2", https_port=8443)
    assert neighbours(Network(), node("n1"), other).alternatives() == ["https://[fd00::2]:8443"]


async def test_a_release_reaches_a_node_that_was_cut_off_when_it_is_back() -> None:
    network, now, ended = Network(), [0.0], list[str]()
    here = neighbours(network, node("n1"), now=now)
    await here.start(_never)

    async def end(token: str) -> bool:
        ended.append(token)
        return True

    there = Neighbours(network.bus("n2"), FewPeers(), "n2", lambda: 1)  # type: ignore[arg-type]
    await there.start(end)
    network.sides["n2"] = 1
    await here.release("token-1")
    await asyncio.sleep(0.01)
    assert ended == []
    network.sides["n2"] = 0
    here._peer_changed("n2", True)
    await asyncio.sleep(0.01)
    assert ended == ["token-1"]
    now[0] += REMEMBERED + 1
    here._peer_changed("n2", True)
    await asyncio.sleep(0.01)
    assert ended == ["token-1"]


async def _never(_token: str) -> bool:
    return False
