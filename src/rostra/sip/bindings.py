"""What a REGISTER asks for, and what is known of a registered device (RFC 3261 10, 5626, 3327)."""

from __future__ import annotations

import dataclasses
import ipaddress

from rostra.domain.registration import Device
from rostra.sip.errors import RemoteError
from rostra.sip.flow import Flow
from rostra.sip.headers import unquote
from rostra.sip.message import MAX_EXPIRES, Request
from rostra.sip.uri import Uri, parse_name_addr

EVERYTHING = "*"
MAX_URI = 1000
"""Characters of a contact address."""


@dataclasses.dataclass(slots=True, eq=False)
class Binding:
    """How a registered device is called (`Registration.binding`)."""

    uri: str
    """Its Contact: what stands in the Request-URI."""
    flow: Flow
    """Where the REGISTER came from."""
    call_id: str
    sequence: int
    priority: str = ""
    """The `q` it gave."""
    path: tuple[str, ...] = ()
    """Proxies on the way to it, nearest to us first."""
    outbound: str = ""
    """Instance and number of the flow, where the device wants to be called by it alone (RFC 5626)."""
    device: Device | None = None
    """As it was let in, where it has a password or is in no record of ours: only the first registration is asked about
    (POL-076)."""


@dataclasses.dataclass(frozen=True, slots=True)
class Wish:
    """One Contact of a REGISTER."""

    uri: Uri
    expires: int | None
    """Seconds; 0: it goes; None: as we like."""
    priority: str = ""
    outbound: str = ""
    instance: str = ""

    @property
    def text(self) -> str:
        return str(self.uri)


@dataclasses.dataclass(frozen=True, slots=True)
class Wishes:
    """All that a REGISTER asks for."""

    contacts: tuple[Wish, ...] = ()
    """None: it only asks what there is."""
    remove_all: bool = False


class FirstHopLacksOutbound(Exception):
    """The device wants to be called by its flow alone, and the proxy it came by has not promised that (439)."""


def wishes(request: Request) -> Wishes:
    """Read the Contacts. Raises RemoteError, FirstHopLacksOutbound."""
    items = request.headers.items("Contact")
    expires = _seconds(request.headers.get("Expires"))
    if EVERYTHING in items:
        if len(items) > 1 or expires != 0:
            raise RemoteError("Contact * goes with Expires: 0 and no other Contact")
        return Wishes(remove_all=True)
    by_flow = "outbound" in request.headers.tokens("Supported")
    found = Wishes(contacts=tuple(_wish(item, expires, by_flow) for item in items))
    if any(wish.outbound for wish in found.contacts) and not _keeps_flows(request):
        raise FirstHopLacksOutbound
    return found


def _keeps_flows(request: Request) -> bool:
    """Came it from the device itself, or by a proxy that says it keeps the way to it (RFC 5626 5.1, 6)?"""
    if len(request.headers.items("Via")) == 1:
        return True
    paths = request.headers.items("Path")
    return bool(paths) and parse_name_addr(paths[-1]).uri.parameter("ob") is not None


def _wish(item: str, expires: int | None, by_flow: bool) -> Wish:
    address = parse_name_addr(item)
    if not address.uri.is_sip or len(item) > MAX_URI:
        raise RemoteError("a Contact that cannot be called")
    parameters = dict(address.parameters)
    own = _seconds(parameters.get("expires"))
    instance, number = unquote(parameters.get("+sip.instance", "")), parameters.get("reg-id", "")
    outbound = f"{instance};{number}" if by_flow and instance and number.isdecimal() else ""
    priority = parameters.get("q", "")
    return Wish(
        dataclasses.replace(address.uri, headers=""),
        expires if own is None else own,
        priority if _is_priority(priority) else "",
        outbound,
        instance if outbound else "",
    )


def _seconds(text: str | None) -> int | None:
    """A number of seconds; what is none counts as not given (RFC 3261 20.10)."""
    stripped = (text or "").strip()
    if not stripped.isascii() or not stripped.isdecimal() or len(stripped) > 12:
        return None
    return min(int(stripped), MAX_EXPIRES)


def _is_priority(text: str) -> bool:
    try:
        return 0.0 <= float(text) <= 1.0
    except ValueError:
        return False


def same_address(one: str, other: str) -> bool:
    """Is it the same machine? Names are the same only by their letters."""
    try:
        return ipaddress.ip_address(one.strip("[]")) == ipaddress.ip_address(other.strip("[]"))
    except ValueError:
        return one.lower() == other.lower()


def natted(wish: Wish, request: Request, flow: Flow) -> bool:
    """The device's idea of its address is not where it calls from (DIAG-054); not told where a proxy came between."""
    return len(request.headers.items("Via")) == 1 and not same_address(wish.uri.bare_host, flow.remote[0])


def same_device(binding: Binding, wish: Wish) -> bool:
    """One device under one alias: by its instance where it has one, else by the address it gives."""
    if wish.outbound or binding.outbound:
        return wish.outbound == binding.outbound
    return binding.uri == wish.text
