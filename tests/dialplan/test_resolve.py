import pytest

from rostra.dialplan.resolve import resolve
from rostra.domain.service import Service, ServiceDescription
from rostra.domain.vocabulary import CallProtocol

SERVICES = {
    name: Service(description=ServiceDescription(id=1, name=name, service_type="conference"))
    for name in ("meet.alice@example.com", "meet.bob", "odd**1234")
}


SERVICES["ivr@example.com"] = Service(
    description=ServiceDescription(id=2, name="ivr@example.com", service_type="two_stage_dialing")
)  # fmt: skip
SERVICES["10.0.0.1"] = Service(description=ServiceDescription(id=3, name="10.0.0.1", service_type="conference"))

DIALLED = [
    ("sip:meet.bob@10.0.0.9", "sip", "meet.bob", None, None),
    ("sips:meet.bob@10.0.0.9:5061", "sip", "meet.bob", None, None),
    ("h323:meet.bob", "h323", "meet.bob", None, None),
    ("meet.bob@[::1]", "sip", "meet.bob", None, None),
    ("meet.bob**1234@10.0.0.9", "sip", "meet.bob", "1234", None),
    ("meet.alice#1234@example.com", "h323", "meet.alice@example.com", "1234", None),
    ("meet.alice**1234@example.com", "h323", "meet.alice@example.com", "1234", None),
    ("meet.alice**1234@example.com", "mssip", "meet.alice@example.com", "1234", None),
    ("ivr**1234@example.com", "sip", "ivr@example.com", None, "1234"),
    ("ivr#1234@example.com", "h323", "ivr@example.com", None, "1234"),
    ("ivr**1234**5678@example.com", "sip", "ivr@example.com", None, "1234**5678"),
    ("10.0.0.1", "sip", "10.0.0.1", None, None),
]


@pytest.mark.spec("CONF-002", "CONF-003", "CONF-005", "CONF-055", "CONF-056", "SVC-056", "SVC-057")
@pytest.mark.parametrize(("dialled", "protocol", "name", "pin", "extension"), DIALLED)
def test_dial_strings(dialled: str, protocol: str, name: str, pin: str | None, extension: str | None) -> None:
    found = resolve(dialled, SERVICES.get, CallProtocol(protocol))
    assert found is not None
    assert (found.service.description.name, found.pin, found.extension) == (name, pin, extension)


@pytest.mark.spec("CONF-004", "CONF-056")
@pytest.mark.parametrize(
    ("dialled", "protocol"),
    [
        ("meet.alice#1234@example.com", "sip"),
        ("meet.alice**1234@example.com", "api"),
        ("meet.alice", "sip"),
        ("meet.bob@example.com", "sip"),
        ("ivr**@example.com", "sip"),
    ],
)
def test_dial_strings_that_name_nothing(dialled: str, protocol: str) -> None:
    assert resolve(dialled, SERVICES.get, CallProtocol(protocol)) is None


@pytest.mark.spec("CONF-055")
@pytest.mark.parametrize(
    ("dialled", "name", "pin"),
    [
        ("meet.bob", "meet.bob", None),
        ("meet.bob**1234", "meet.bob", "1234"),
        ("meet.alice**1234@example.com", "meet.alice@example.com", "1234"),
        ("odd**1234", "odd**1234", None),
    ],
)
def test_aliases_and_dialled_pins(dialled: str, name: str, pin: str | None) -> None:
    found = resolve(dialled, SERVICES.get)
    assert found is not None
    assert (found.service.description.name, found.pin) == (name, pin)


@pytest.mark.parametrize("dialled", ["nobody", "nobody**1234", "meet.bob**", "meet.bob**x", ""])
def test_what_names_nothing(dialled: str) -> None:
    assert resolve(dialled, SERVICES.get) is None
