"""What the person who started Rostra is told: where everything is and how to join."""

from __future__ import annotations

from rich import box
from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from rostra.cli.home import FirstPassword
from rostra.environment import Environment
from rostra.node.identity import NodeIdentity

ROOM = "meet.demo"


def summary(environment: Environment, password: FirstPassword) -> Panel:
    """For everything on one machine."""
    web = f"https://localhost:{environment.node_https_port}/"
    sip = f"sip:{ROOM}@{environment.own_address}"
    if environment.sip_port != 5060:
        sip += f":{environment.sip_port}"
    return _panel(
        [
            ("Web app", web),
            *_administration(environment, password),
            ("", ""),
            ("Join by browser", f"{web}?conference={ROOM}"),
            ("Join by SIP", sip),
            ("From elsewhere", f"https://{environment.own_address}:{environment.node_https_port}/"),
            ("", ""),
            ("State and logs", str(environment.home)),
        ]
    )


def management_summary(environment: Environment, password: FirstPassword) -> Panel:
    """For a Management Node on a machine of its own."""
    return _panel(
        [
            *_administration(environment, password),
            ("From elsewhere", f"https://{environment.own_address}:{environment.management_https_port}/"),
            ("", ""),
            ("State and logs", str(environment.home)),
        ]
    )


def node_summary(environment: Environment, node: NodeIdentity) -> Panel:
    """For a Conferencing Node."""
    return _panel(
        [
            ("Conferencing Node", f"{node.name} ({node.id})"),
            ("Web app", f"https://{node.address}:{environment.node_https_port}/"),
            ("Management Node", ", ".join(node.management) or "this machine's"),
            ("", ""),
            ("State and logs", str(environment.home)),
        ]
    )


def _administration(environment: Environment, password: FirstPassword) -> list[tuple[str, str]]:
    return [
        ("Admin site", f"https://localhost:{environment.management_https_port}/"),
        ("Administrator", "admin"),
        ("Password", password.value if password.generated else "as set on the first start"),
    ]


def _panel(rows: list[tuple[str, str]]) -> Panel:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(no_wrap=True, overflow="ignore")
    for label, value in rows:
        table.add_row(label, Text(value))
    notes = Text("Self-signed certificate: browsers ask once. Ctrl-C stops everything.", style="dim")
    return Panel(Group(table, Text(""), notes), title="Rostra", box=box.ROUNDED, expand=False, padding=(1, 2))
