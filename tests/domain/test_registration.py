"""Rules of registrations: who, for how long, and the directory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.domain import registration as rules
from rostra.domain.registration import Device, Entry, Refused, RegistrarSettings, TooBrief
from rostra.domain.vocabulary import CallProtocol

SIP, WEB = CallProtocol.SIP, CallProtocol.WEBRTC
PLAIN = Device(alias="a")
LOCKED = Device(alias="a", username="Ann", password="sécret")


@pytest.mark.spec("CONF-012", "CONF-013", "DIAG-053")
@pytest.mark.parametrize(
    ("enable", "device", "protocol", "why"),
    [
        (True, PLAIN, SIP, None),
        (True, LOCKED, WEB, None),
        (True, None, SIP, Refused.UNKNOWN),
        (True, Device(alias="a", protocols=frozenset({SIP})), WEB, Refused.PROTOCOL),
        (False, PLAIN, SIP, Refused.DISABLED),
        (False, None, SIP, Refused.DISABLED),
    ],
)
def test_who_may_register(enable: bool, device: Device | None, protocol: CallProtocol, why: Refused | None) -> None:
    assert rules.admit(RegistrarSettings(enable=enable), device, protocol) is why


@pytest.mark.spec("CONF-014")
@pytest.mark.parametrize(
    ("device", "username", "password", "fits"),
    [
        (PLAIN, "", "", True),
        (PLAIN, "any", "thing", True),
        (LOCKED, "Ann", "sécret", True),
        (LOCKED, "ann", "sécret", False),
        (LOCKED, "Ann", "SÉCRET", False),
        (LOCKED, "", "", False),
        (Device(alias="a", username="Ann"), "Ann", "", True),
        (Device(alias="a", username="Ann"), "", "", False),
    ],
)
def test_credentials(device: Device, username: str, password: str, fits: bool) -> None:
    assert rules.fits(device, username, password) is fits


@pytest.mark.spec("CONF-018", "CONF-019", "CONF-020", "CONF-021")
@pytest.mark.parametrize(
    ("settings", "natted", "requested", "held", "given"),
    [
        (RegistrarSettings(refresh_strategy="maximum"), False, None, 0, 300),
        (RegistrarSettings(refresh_strategy="maximum"), False, 100, 9_000, 100),
        (RegistrarSettings(refresh_strategy="maximum"), False, 60, 0, 60),
        (RegistrarSettings(refresh_strategy="maximum"), False, 59, 0, None),
        (RegistrarSettings(refresh_strategy="maximum"), True, 3600, 0, 90),
        (RegistrarSettings(refresh_strategy="maximum"), True, 59, 0, None),
        (RegistrarSettings(), False, 3600, 0, 60),
        (RegistrarSettings(), False, 3600, 10_000, 500),
        (RegistrarSettings(), False, 300, 10_000, 300),
        (RegistrarSettings(), False, None, 50_000, 2500),
        (RegistrarSettings(), False, 10**9, 10**9, 3600),
        (RegistrarSettings(), False, 1, 0, None),
        (RegistrarSettings(), True, None, 50_000, 90),
        (RegistrarSettings(adaptive_min_refresh=600, adaptive_max_refresh=300), False, 300, 0, 300),
    ],
)
def test_how_long(
    settings: RegistrarSettings, natted: bool, requested: int | None, held: int, given: int | None
) -> None:
    if given is None:
        with pytest.raises(TooBrief) as brief:
            rules.granted(settings, requested, held=held, natted=natted)
        assert brief.value.minimum == 60
    else:
        assert rules.granted(settings, requested, held=held, natted=natted) == given


_bounds = st.integers(60, 7200)


@pytest.mark.spec("CONF-019", "CONF-021")
@given(
    st.tuples(*[_bounds] * 6), st.sampled_from(["adaptive", "maximum"]), st.none() | st.integers(1, 10_000),
    st.integers(0, 200_000), st.booleans(),
)  # fmt: skip
def test_always_within_the_bounds_and_never_more_than_asked_for(
    numbers: tuple[int, ...], strategy: str, requested: int | None, held: int, natted: bool
) -> None:
    names = [f"{kind}_{end}_refresh" for kind in ("adaptive", "maximum", "natted") for end in ("min", "max")]
    settings = RegistrarSettings(refresh_strategy=strategy, **dict(zip(names, numbers, strict=True)))  # type: ignore[arg-type]
    low, high = rules.bounds(settings, natted)
    try:
        given = rules.granted(settings, requested, held=held, natted=natted)
    except TooBrief:
        assert requested is not None
        assert requested < low
        return
    assert low <= given <= high
    assert requested is None or low <= given <= requested
    assert given <= rules.granted(settings, requested, held=held + 5_000, natted=natted)


@pytest.mark.spec("CONF-035", "API-141", "POL-070", "POL-072")
def test_the_directory() -> None:
    services = [Entry(f"s{n}") for n in range(7)]
    devices = [Entry(f"d{n}") for n in range(7)]
    shown = [one.alias for one in rules.directory(services, devices)]
    assert shown == [f"s{n}" for n in range(5)] + [f"d{n}" for n in range(5)]
    given = [Entry("S1", "from outside"), Entry(""), Entry("x")]
    assert [one.alias for one in rules.directory(services[:3], [], given)] == ["S1", "x", "s0", "s2"]
    assert [one.alias for one in rules.directory(services, devices, given, only_given=True)] == ["S1", "x"]
    assert rules.directory(services, devices, (), only_given=True) == []
