"""What a service sets counts, also when it is more; what it leaves open is as on the platform."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from rostra.configuration.rows import GlobalRow, ServiceRow
from rostra.domain.service import ServiceDescription
from rostra.node.services import service_of


def row(kind: Any, **given: object) -> Any:
    """One with nothing in what is not given."""
    empty = {str: "", bool: False, int: 0}
    plain = {field.name: empty.get(field.type) for field in msgspec.structs.fields(kind) if field.required}
    return kind(**{**plain, **given})


def described(own: dict[str, object], platform: dict[str, object]) -> ServiceDescription:
    service = row(ServiceRow, name="s", service_type="conference", host_view="one_main_seven_pips", **own)
    return service_of(service, row(GlobalRow, **platform)).description


@pytest.mark.spec("CONF-144", "CONF-143", "SVC-034")
@pytest.mark.parametrize(
    ("own", "everywhere", "found"),
    [
        (None, None, None),
        (None, 1000, 1_000_000),
        (500, 1000, 500_000),
        (4000, 1000, 4_000_000),
        (2000, None, 2_000_000),
    ],
)
def test_a_limit_of_the_service_comes_before_that_of_the_platform(
    own: int | None, everywhere: int | None, found: int | None
) -> None:
    made = described(
        {"max_callrate_in": own, "max_callrate_out": None}, {"max_callrate_in": everywhere, "max_callrate_out": 768}
    )
    assert (made.max_callrate_in, made.max_callrate_out) == (found, 768_000)


@pytest.mark.spec("SYS-120", "SYS-121")
@pytest.mark.parametrize(
    ("own", "everywhere", "found"),
    [(None, "hd", "hd"), (None, "fullhd", "fullhd"), ("sd", "fullhd", "sd"), ("fullhd", "hd", "fullhd")],
)
def test_the_best_picture_is_that_of_the_service_or_else_of_the_platform(
    own: str | None, everywhere: str, found: str
) -> None:
    assert described({"max_pixels_per_second": own}, {"max_pixels_per_second": everywhere}).quality == found
