"""A short run of the chaos that `python -m tests.cluster.chaos` does for as long as one likes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster import chaos
from tests.cluster.net import missing
from tests.length import LONG


@pytest.mark.e2e
@pytest.mark.timeout(300)
@pytest.mark.skipif(bool(missing()), reason=missing())
@pytest.mark.skipif(not LONG, reason="`tests/calls/test_chaos` says it of the rules, `test_failure` of a partition")
@pytest.mark.spec("PLAT-022")
def test_after_healing_five_nodes_agree_and_history_is_complete(tmp_path: Path) -> None:
    result = chaos.run(tmp_path, 25.0, seed=7)
    assert result["people"] > 10
    assert result["ends"] > 5
