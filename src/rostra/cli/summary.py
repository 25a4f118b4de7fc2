"""What `rostra run` tells the person who started it: where everything is and how to join."""

from __future__ import annotations

from rich import box
from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from rostra.cli.home import FirstPassword
from rostra.environment import Environment

ROOM = "meet.demo"


def summary(environment: Environment, password: FirstPassword, address: str) -> Panel:
    """The framed summary; `address` is where other machines reach this one."""
    web = f"https://localhost:{environment.node_https_port}/"
    sip = f"sip:{ROOM}@{address}"
    if environment.sip_port != 5060:
        sip += f":{environment.sip_port}"
    rows = [
        ("Web app", web),
        ("Admin site", f"https://localhost:{environment.management_https_port}/"),
        ("Administrator", "admin"),
        ("Password", password.value if password.generated else "as set on the first start"),
        ("", ""),
        ("Join by browser", f"{web}?conference={ROOM}"),
        ("Join by SIP", sip),
        ("From elsewhere", f"https://{address}:{environment.node_https_port}/"),
        ("", ""),
        ("State and logs", str(environment.home)),
    ]
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(no_wrap=True, overflow="ignore")
    for label, value in rows:
        table.add_row(label, Text(value))
    notes = Text("Self-signed certificate: browsers ask once. Ctrl-C stops everything.", style="dim")
    return Panel(Group(table, Text(""), notes), title="Rostra", box=box.ROUNDED, expand=False, padding=(1, 2))
