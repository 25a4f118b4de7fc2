import pytest

from rostra.dialplan.resolve import resolve
from rostra.domain.service import Service, ServiceDescription

SERVICES = {
    name: Service(description=ServiceDescription(id=1, name=name, service_type="conference"))
    for name in ("meet.alice@example.com", "meet.bob", "odd**1234")
}


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
