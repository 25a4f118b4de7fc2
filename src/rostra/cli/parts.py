"""The processes of a machine: what each role consists of, in the order of starting."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from rostra.cli.child import Child
from rostra.cli.roles import FINAL, Role
from rostra.environment import Environment, Secret
from rostra.fabric import server
from rostra.management import restart

_NATS_PAUSE = 0.1
"""The fabric holds everything together: back at once after its first death."""
RESTARTS = frozenset({restart.WHOLE_MACHINE})
"""Exit codes after which everything starts again."""


@dataclasses.dataclass(frozen=True, slots=True)
class Part:
    """A child and, when it serves HTTPS, the port where it says that it is ready."""

    child: Child
    health_port: int | None
    label: str
    patience: float
    """Seconds it has to end by itself; all together what Ctrl-C may take."""
    vital: bool = True
    """Without it the others need not run either."""


def parts(
    environment: Environment, role: Role, password: Secret, program: Sequence[str], *, with_node: bool
) -> list[Part]:
    """What runs for `role`. `program` is the command that takes `management` or `node` and becomes that."""
    log = environment.home / "log"
    # Only the Management Node, which makes the administrator, is told the password.
    variables = dataclasses.replace(environment, admin_password=Secret("")).variables()
    told = dataclasses.replace(environment, admin_password=password).variables()
    nats = Child("nats", server.prepare(environment), {}, log / "nats.log", pause=_NATS_PAUSE)
    found = [Part(nats, None, "Fabric", 1.0)]
    if role.has_management:
        management = Child("management", [*program, "management"], told, log / "management.log", final=RESTARTS)
        found.append(Part(management, environment.management_https_port, "Management Node", 1.5))
    if with_node:
        node = Child("node", [*program, "node"], variables, log / "node.log", final={*FINAL, *RESTARTS})
        found.append(Part(node, environment.node_https_port, "Conferencing Node", 2.5, vital=role is Role.NODE))
    return found
