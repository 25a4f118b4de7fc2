"""Who can be sent out of the platform."""

from __future__ import annotations

import pytest

from rostra.domain.referral import goes_itself
from rostra.domain.vocabulary import CallProtocol


@pytest.mark.parametrize(
    ("alias", "goes"),
    [
        ("sip:dan@example.com", True),
        ("SIPS:dan@example.com;transport=tcp", True),
        ("dan@example.com", False),
        ("sip:example.com", False),
        ("sip:a b@example.com", False),
        ("sip:<a>@example.com", False),
        ("tel:+49301", False),
        ("", False),
    ],
)
def test_a_sip_endpoint_goes_where_sip_can(alias: str, goes: bool) -> None:
    assert goes_itself(alias, CallProtocol.SIP) == goes
    assert not goes_itself(alias, CallProtocol.API)
