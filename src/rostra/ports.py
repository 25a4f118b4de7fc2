"""Every port Rostra listens on, declared once: what for, where, and who may come to it.

The start check, `rostra ports`, the firewall rules it writes and the page of network ports are made from this list.
"""

from __future__ import annotations

import dataclasses
import enum
import ipaddress
import json
from collections.abc import Iterable, Iterator, Sequence

from rostra.environment import Environment, PortRange, variable_name


class Party(enum.StrEnum):
    """Who listens, or who comes."""

    NODE = "Conferencing Node"
    MANAGEMENT = "Management Node"
    ENDPOINTS = "people and endpoints"
    ADMINISTRATORS = "administrators"


class Reach(enum.Enum):
    """Where a port can be reached."""

    EVERYWHERE = "every address of the machine"
    FABRIC = "the machine's own address"
    LOOPBACK = "loopback only"


class Moment(enum.StrEnum):
    """When a port is open."""

    ALWAYS = ""
    JOINING = "only until a new node has its configuration"
    NOT_YET = "not served yet"


TCP, UDP = "TCP", "UDP"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """One purpose of one port or range of ports."""

    name: str
    """One word, for rules and scripts."""
    purpose: str
    setting: str
    """Field of Environment that holds the port."""
    transports: tuple[str, ...] = (TCP,)
    listeners: tuple[Party, ...]
    callers: tuple[Party, ...] = ()
    """Who opens connections or sends first; nobody: processes of the same machine."""
    reach: Reach = Reach.EVERYWHERE
    moment: Moment = Moment.ALWAYS

    def ports(self, environment: Environment) -> PortRange:
        """Its ports as they are set."""
        value: int | PortRange = getattr(environment, self.setting)
        return PortRange(value, value) if isinstance(value, int) else value


OPENINGS = (
    Opening(
        name="web",
        purpose="web app, client API, `/healthz`",
        setting="node_https_port",
        listeners=(Party.NODE,),
        callers=(Party.ENDPOINTS,),
    ),
    Opening(
        name="sip",
        purpose="SIP",
        setting="sip_port",
        transports=(UDP, TCP),
        listeners=(Party.NODE,),
        callers=(Party.ENDPOINTS,),
    ),
    Opening(
        name="sips",
        purpose="SIP over TLS",
        setting="sip_tls_port",
        listeners=(Party.NODE,),
        callers=(Party.ENDPOINTS,),
    ),
    Opening(
        name="h323",
        purpose="H.323 call signalling",
        setting="h323_port",
        listeners=(Party.NODE,),
        callers=(Party.ENDPOINTS,),
        moment=Moment.NOT_YET,
    ),
    Opening(
        name="media",
        purpose="media of calls: RTP, SRTP, ICE",
        setting="media_ports",
        transports=(UDP,),
        listeners=(Party.NODE,),
        callers=(Party.ENDPOINTS,),
    ),
    Opening(
        name="backplane",
        purpose="media between nodes: SRTP",
        setting="media_ports",
        transports=(UDP,),
        listeners=(Party.NODE,),
        callers=(Party.NODE,),
    ),
    Opening(
        name="fabric",
        purpose="fabric: configuration, conference control, status; TLS both ways",
        setting="fabric_port",
        listeners=(Party.NODE, Party.MANAGEMENT),
        callers=(Party.NODE, Party.MANAGEMENT),
        reach=Reach.FABRIC,
    ),
    Opening(
        name="bootstrap",
        purpose="page that takes a new node's configuration file",
        setting="bootstrap_port",
        listeners=(Party.NODE,),
        callers=(Party.ADMINISTRATORS,),
        moment=Moment.JOINING,
    ),
    Opening(
        name="admin",
        purpose="admin site, management API, `/healthz`",
        setting="management_https_port",
        listeners=(Party.MANAGEMENT,),
        callers=(Party.ADMINISTRATORS,),
    ),
    Opening(
        name="enrolment",
        purpose="enrolment of new nodes",
        setting="management_https_port",
        listeners=(Party.MANAGEMENT,),
        callers=(Party.NODE,),
    ),
    Opening(
        name="nats",
        purpose="fabric inside the machine",
        setting="nats_port",
        listeners=(Party.NODE, Party.MANAGEMENT),
        reach=Reach.LOOPBACK,
    ),
)


HEADINGS = ("Ports", "Transport", "To", "From", "Purpose", "Variable")


def cells(opening: Opening, environment: Environment) -> tuple[str, ...]:
    """One line of the table, under HEADINGS."""
    ports = opening.ports(environment)
    purpose = f"{opening.purpose} ({opening.moment})" if opening.moment else opening.purpose
    return (
        str(ports.low) if ports.low == ports.high else str(ports),
        ", ".join(opening.transports),
        _parties(opening.listeners),
        _parties(opening.callers) or "the same machine",
        purpose,
        variable_name(opening.setting),
    )


def _parties(parties: Iterable[Party]) -> str:
    return ", ".join(parties)


def markdown(environment: Environment) -> str:
    """The table of the documentation."""
    rows = [HEADINGS, ("---",) * len(HEADINGS)]
    for opening in OPENINGS:
        *plain, variable = cells(opening, environment)
        rows.append((*plain, f"`{variable}`"))
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def as_json(environment: Environment) -> str:
    """The same for programs."""
    rows = [
        {
            "name": opening.name,
            "first_port": opening.ports(environment).low,
            "last_port": opening.ports(environment).high,
            "transports": [transport.lower() for transport in opening.transports],
            "listeners": list(opening.listeners),
            "callers": list(opening.callers),
            "reach": opening.reach.name.lower(),
            "moment": opening.moment.name.lower(),
            "purpose": opening.purpose,
            "variable": variable_name(opening.setting),
        }
        for opening in OPENINGS
    ]
    return json.dumps(rows, indent=2)


Networks = Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]


def nftables(environment: Environment, listener: Party, nodes: Networks, administrators: Networks) -> str:
    """Rules of a packet filter for one machine, as `nft --file` takes them.

    They restrict Rostra's own ports and nothing else: what is meant for `nodes` (every machine of the platform) or
    `administrators` is refused to others. Load them on top of rules that refuse what is not permitted, or alone.
    """
    sources = {Party.NODE: nodes, Party.MANAGEMENT: nodes, Party.ADMINISTRATORS: administrators}
    here = [one for one in OPENINGS if listener in one.listeners and one.moment is not Moment.NOT_YET and one.callers]
    lines = [f'{rule} comment "{one.name}"' for one in here for rule in _accepting(one, environment, sources)]
    lines += [f"{match} drop" for match in dict.fromkeys(m for one in here for m in _matches(one, environment))]
    body = "".join(f"    {line}\n" for line in dict.fromkeys(lines))
    return (
        f"# Ports of Rostra on a {listener}.\n"
        "table inet rostra\ndelete table inet rostra\n"
        "table inet rostra {\n"
        "  chain input {\n"
        "    type filter hook input priority filter; policy accept;\n"
        '    iif "lo" accept\n'
        "    ct state established,related accept\n"
        f"{body}  }}\n}}\n"
    )


def _accepting(opening: Opening, environment: Environment, sources: dict[Party, Networks]) -> Iterator[str]:
    for match in _matches(opening, environment):
        if Party.ENDPOINTS in opening.callers:
            yield f"{match} accept"
            continue
        networks = dict.fromkeys(network for caller in opening.callers for network in sources[caller])
        for version, family in ((4, "ip"), (6, "ip6")):
            named = ", ".join(str(network) for network in networks if network.version == version)
            if named:
                yield f"{family} saddr {{ {named} }} {match} accept"


def _matches(opening: Opening, environment: Environment) -> Iterator[str]:
    ports = opening.ports(environment)
    number = str(ports.low) if ports.low == ports.high else str(ports)
    for transport in opening.transports:
        yield f"{transport.lower()} dport {number}"
