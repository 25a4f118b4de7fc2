"""What a client's request to call somebody asks for (section 12)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from rostra.clientapi.bodies import Dial
from rostra.clientapi.envelope import ApiProblem
from rostra.clientapi.handlers.dialling import wanted_of
from rostra.domain.dialling import Wanted
from rostra.domain.ending import KeepAlive
from rostra.domain.vocabulary import CallProtocol, Role

ALICE = "sip:alice@example.com"


def wanted(**members: Any) -> Wanted:
    return wanted_of(msgspec.convert({"destination": ALICE, **members}, Dial))


@pytest.mark.spec("API-127")
def test_defaults() -> None:
    assert wanted() == Wanted(destination=ALICE, protocol=None, role=Role.HOST, keep_alive=KeepAlive.YES)


@pytest.mark.spec("API-127", "API-128")
@pytest.mark.parametrize(
    ("members", "changed"),
    [
        ({"protocol": "sip", "role": "guest"}, {"protocol": CallProtocol.SIP, "role": Role.GUEST}),
        ({"protocol": "auto", "role": "CHAIR"}, {}),
        ({"role": "Host"}, {}),
        ({"streaming": "yes"}, {"streaming": True, "keep_alive": KeepAlive.NEVER}),
        ({"streaming": "no"}, {}),
        ({"protocol": "rtmp"}, {"protocol": CallProtocol.RTMP, "keep_alive": KeepAlive.NEVER}),
        (
            {"streaming": "yes", "keep_conference_alive": "keep_conference_alive_if_multiple"},
            {"streaming": True, "keep_alive": KeepAlive.IF_MULTIPLE},
        ),
        ({"presentation_url": "rtmp://h/a"}, {"presentation_url": "rtmp://h/a"}),
        ({"presentation_uri": "rtmp://h/a"}, {"presentation_url": "rtmp://h/a"}),
        ({"dtmf_sequence": "1,#"}, {"dtmf_sequence": "1,#"}),
        ({"source": "sip:meet", "source_display_name": "Us"}, {"source_alias": "meet", "source_name": "Us"}),
        ({"call_type": "audio"}, {"call_type": "audio"}),
        ({"custom_sip_headers": "X-Desk: 7"}, {"headers": (("X-Desk", "7"),)}),
        ({"custom_sip_headers": {"User-to-User": "56"}}, {"headers": (("User-to-User", "56"),)}),
        ({"remote_display_name": " Al ", "text": "A"}, {"display_name": "Al", "overlay_text": "A"}),
    ],
)
def test_members(members: dict[str, Any], changed: dict[str, Any]) -> None:
    assert wanted(**members) == msgspec.structs.replace(wanted(), **changed)


@pytest.mark.parametrize(
    "members",
    [
        {"role": "captain"},
        {"keep_conference_alive": "perhaps"},
        {"custom_sip_headers": "P-Asserted-Identity: <sip:boss@example.com>"},
        {"custom_sip_headers": "nonsense"},
    ],
)
def test_what_makes_no_sense(members: dict[str, str]) -> None:
    with pytest.raises(ApiProblem) as refused:
        wanted(**members)
    assert refused.value.status == 400
