"""Rules of addresses and networks that several resources share."""

from __future__ import annotations

import ipaddress

from django.core.exceptions import ValidationError

from rostra.configuration.translating import gettext

_BITS = {4: 32, 6: 128}
_ALL_BITS = 0xFFFFFFFF


def check_netmask(value: str) -> None:
    """A contiguous IPv4 mask that is not empty. Raises ValidationError."""
    try:
        mask = int(ipaddress.IPv4Address(value))
    except ValueError:
        raise ValidationError(gettext("Enter a network mask such as 255.255.255.0."), code="netmask") from None
    holes = ~mask & _ALL_BITS
    if mask == 0 or holes & (holes + 1):
        raise ValidationError(gettext("Enter a network mask such as 255.255.255.0."), code="netmask")


def family(address: str) -> int:
    """4 or 6; ValueError for anything else."""
    return ipaddress.ip_address(address).version


def route_problems(address: str, prefix: int, gateway: str) -> dict[str, str]:
    """What keeps these from being a route, by field (SYS-044). Raises ValueError for what is no address."""
    found: dict[str, str] = {}
    bits = _BITS[family(address)]
    if not 0 <= prefix <= bits:
        found["prefix"] = f"The prefix of an IPv{family(address)} network is 0 to {bits}."
    if family(gateway) != family(address):
        found["gateway"] = f"The gateway has to be an IPv{family(address)} address, as the network is."
    return found
