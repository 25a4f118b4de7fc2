"""How much of the processor a node uses, as it reports it."""

from __future__ import annotations

import os
import time

import pytest
from prometheus_client import generate_latest
from prometheus_client.registry import CollectorRegistry

from rostra.fabric.peers import NodeReport
from rostra.node.metrics import NodeMetrics
from rostra.node.usage import WINDOW, Usage, processor_seconds


class Machine:
    """Processes, and the time they have used."""

    def __init__(self) -> None:
        self.now = 0.0
        self.used: dict[int, float] = {os.getpid(): 100.0}
        self.usage = Usage(self, lambda: self.now, self.used.get)

    @property
    def processes(self) -> list[int]:
        return [process for process in self.used if process != os.getpid()]

    def run(self, seconds: int, **cores: float) -> float:
        """Let processes (`p7`: number 7, `node`) use so many cores; the last answer."""
        for _ in range(seconds):
            self.now += 1.0
            for name, share in cores.items():
                process = os.getpid() if name == "node" else int(name[1:])
                self.used[process] = self.used.get(process, 0.0) + share
            answer = self.usage.cores()
        return answer


def test_node_and_workers_are_added_up_over_the_last_seconds() -> None:
    machine = Machine()
    assert machine.usage.cores() == 0.0
    assert machine.run(5, node=0.5) == pytest.approx(0.5)
    machine.used[7] = 40.0  # a worker that had much to do before
    machine.run(1, node=0.5)
    assert machine.run(int(WINDOW) + 1, node=0.25, p7=1.0) == pytest.approx(1.25)
    del machine.used[7]
    assert machine.run(int(WINDOW) + 1, node=0.25) == pytest.approx(0.25)
    machine.used[7] = 1.0  # another process with its number
    assert machine.run(int(WINDOW) + 1, node=0.25, p7=0.5) == pytest.approx(0.75)


def test_the_kernel_counts_what_a_process_used() -> None:
    before = processor_seconds(os.getpid())
    assert before is not None
    until = time.process_time() + 0.05
    while time.process_time() < until:
        sum(range(1000))
    after = processor_seconds(os.getpid())
    assert after is not None
    assert after - before >= 0.03
    assert processor_seconds(2**22 + 1) is None, "there is no such process"


def test_figures_for_prometheus() -> None:
    registry = CollectorRegistry()
    metrics = NodeMetrics(
        lambda: NodeReport(node="n1", boot="b", capacity=120, used=60, media_load=50, cores=2.0, cores_used=0.7),
        registry,
    )
    told = generate_latest(registry).decode()
    for line in ("media_load 50.0", "media_tokens 120.0", "media_tokens_used 60.0", "cores 2.0", "cores_used 0.7"):
        assert f"rostra_node_{line}\n" in told
    metrics.close()
    assert generate_latest(registry) == b""
