"""A smaller run of `bench/placement.py`: thousands of calls, each decision as the oracle states it."""

from __future__ import annotations

import pytest
from bench.placement import AUDIO, Result, simulate


@pytest.fixture(scope="module")
def result() -> Result:
    return simulate(12_000, seed=7)


@pytest.mark.spec("PLAT-034", "PLAT-035", "PLAT-036", "PLAT-037", "POL-123", "POL-131")
def test_every_decision_is_the_oracles(result: Result) -> None:
    assert result.calls.total() == len(result.decisions) == 12_000
    assert result.disagreements == []


def test_the_run_comes_by_everything_worth_testing(result: Result) -> None:
    assert len(result.deployment.nodes) == 60
    assert len(result.deployment.locations) == 12
    assert result.refused.total() > 200
    assert result.overflowed.total() > 200
    assert result.relayed > 200
    assert set(result.reasons) >= {"room elsewhere", "limit of three"}


@pytest.mark.spec("PLAT-039")
def test_three_nodes_of_a_location_carry_an_instance_at_most(result: Result) -> None:
    assert set(result.widths) == {1, 2, 3}


@pytest.mark.spec("POL-128")
def test_everything_is_free_when_all_have_left(result: Result) -> None:
    assert [node.node for node in result.deployment.nodes.values() if node.used] == []


def test_no_rule_carries_more_than_fits(result: Result) -> None:
    assert 0 < result.carried < result.pool_carried < result.avoidable * (1 + 1e-9)
    assert result.avoidable < result.demanded * (1 + 1e-9)
    assert result.pool_refused < result.refused.total()


@pytest.mark.spec("PLAT-049", "PLAT-051")
def test_proxies_save_streams_between_locations(result: Result) -> None:
    rules, unproxied = result.wan.rules, result.wan.unproxied
    assert result.wan.conferences > 100
    assert 0 < rules[AUDIO] < unproxied[AUDIO]
    assert rules.total() < unproxied.total()


def test_another_seed_is_another_day() -> None:
    some, same, other = (simulate(500, seed) for seed in (1, 1, 2))
    assert (some.carried, some.calls) == (same.carried, same.calls)
    assert some.calls != other.calls
