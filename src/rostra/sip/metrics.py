"""The stack's figures for Prometheus, read from the engine's own counters when scraped."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry

from rostra.sip.engine import Engine


class EngineMetrics(Collector):
    """Requests by method, responses by status, malformed messages, transactions, calls."""

    def __init__(self, engine: Engine, registry: CollectorRegistry = REGISTRY) -> None:
        self._engine = engine
        self._registry = registry
        self._registered = False

    def register(self) -> None:
        if not self._registered:
            self._registry.register(self)
            self._registered = True

    def unregister(self) -> None:
        if self._registered:
            self._registry.unregister(self)
            self._registered = False

    def collect(self) -> Iterator[Metric]:
        counters = self._engine.counters
        requests = CounterMetricFamily("rostra_sip_requests", "SIP requests received", labels=["method"])
        for method, count in counters.requests.items():
            requests.add_metric([method], count)
        yield requests
        responses = CounterMetricFamily("rostra_sip_responses", "SIP responses received", labels=["status"])
        for status, count in counters.responses.items():
            responses.add_metric([str(status)], count)
        yield responses
        yield CounterMetricFamily("rostra_sip_malformed", "Unusable SIP messages received", value=counters.malformed)
        gate = self._engine.gate
        yield CounterMetricFamily("rostra_sip_dropped", "Messages of those who are not heard", value=gate.dropped)
        refused = gate.overload.refused
        yield CounterMetricFamily("rostra_sip_overload_refused", "Requests refused under overload", value=refused)
        share = gate.overload.share
        yield GaugeMetricFamily("rostra_sip_overload_share", "Share of new requests that is taken", value=share)
        transactions, calls = self._engine.load
        yield GaugeMetricFamily("rostra_sip_transactions", "SIP transactions under way", value=transactions)
        yield GaugeMetricFamily("rostra_sip_calls", "SIP calls", value=calls)
