"""The name a node goes by in SIP over TLS (NODE-073, NODE-074)."""

from __future__ import annotations

import random

import pytest

from rostra.sip.engine import Engine
from rostra.sip.flow import Flow, Transport
from rostra.sip.message import Request, parse_message

TLS = Flow(Transport.TLS, ("192.0.2.9", 5061), ("192.0.2.1", 40000))
TCP = Flow(Transport.TCP, ("192.0.2.9", 5060), ("192.0.2.1", 40000))


@pytest.mark.spec("NODE-073", "NODE-074")
def test_contact_has_the_name_over_tls_and_the_address_elsewhere() -> None:
    engine = Engine(random.Random(1), {Transport.TLS: 5061, Transport.TCP: 5060})
    engine.tls_name = "sip.example.test"
    for flow, host in ((TLS, "sip.example.test:5061;transport=tls"), (TCP, "192.0.2.1:5060;transport=tcp")):
        engine.invite("sip:bob@192.0.2.9", "sip:meet@sip.example.test", flow, b"v=0\r\n", 0.0)
        sent = engine.data_to_send()
        request = parse_message(sent.data)  # type: ignore[union-attr] - something was sent
        assert request.headers.get("Contact") == f"<sip:meet@{host}>"


@pytest.mark.spec("NODE-073")
def test_requests_of_ours_say_it() -> None:
    engine = Engine(random.Random(1), {Transport.TLS: 5061})
    engine.tls_name = "sip.example.test"
    engine.connected(TLS)
    engine.invite("sip:bob@192.0.2.9", "sip:meet@sip.example.test", TLS, b"v=0\r\n", 0.0)
    sent = engine.data_to_send()
    request = parse_message(sent.data)  # type: ignore[union-attr] - something was sent
    assert isinstance(request, Request)
    assert request.contact is not None
    assert request.contact.bare_host == "sip.example.test"
    assert request.via.host == "sip.example.test"
