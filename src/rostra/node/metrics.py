"""How full and how busy this node is, for Prometheus; read when it is scraped."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry

from rostra.fabric.peers import NodeReport

_FIGURES = (
    ("rostra_node_media_load", "Percent of the capacity that is booked", "media_load"),
    ("rostra_node_media_tokens", "Capacity in tokens", "capacity"),
    ("rostra_node_media_tokens_used", "Tokens in use and reserved", "used"),
    ("rostra_node_cores", "Processors the node may use", "cores"),
    ("rostra_node_cores_used", "Processors in use by the node and its media workers, on average", "cores_used"),
)


class NodeMetrics(Collector):
    """Registers itself, until `close`."""

    def __init__(self, report: Callable[[], NodeReport], registry: CollectorRegistry = REGISTRY) -> None:
        self._report = report
        self._registry = registry
        registry.register(self)

    def close(self) -> None:
        self._registry.unregister(self)

    def describe(self) -> Iterator[Metric]:
        """What there will be, without asking for it yet."""
        for name, text, _ in _FIGURES:
            yield GaugeMetricFamily(name, text)

    def collect(self) -> Iterator[Metric]:
        report = self._report()
        for name, text, member in _FIGURES:
            yield GaugeMetricFamily(name, text, value=getattr(report, member))
