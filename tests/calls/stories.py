"""What happens on several nodes of one network, in time that passes at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from tests.calls.network import Network, Node
from tests.calls.people import SERVICES
from tests.calls.virtual import clock, run, unix

from rostra.domain.service import Service

Story = Callable[[Network, list[Node]], Awaitable[None]]


def on_nodes(story: Story, *, count: int = 3, services: Mapping[str, Service] = SERVICES, **more: Any) -> None:
    """Tell it on nodes `n0`, `n1`, … (`more`: of each); those that still live close at the end."""

    async def begin() -> None:
        network = Network(3)
        nodes = [
            await Node(network, f"n{i}", lambda alias: services.get(alias), now=unix, clock=clock, **more).start()
            for i in range(count)
        ]
        await story(network, nodes)
        for node in list(network.nodes.values()):
            await node.exchange.close()

    run(begin())
