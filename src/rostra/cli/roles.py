"""What a machine can be: everything at once, the Management Node, or a Conferencing Node."""

from __future__ import annotations

import enum

import msgspec

from rostra import machine
from rostra.environment import Environment, EnvironmentProblem
from rostra.node import belonging, identity, upgrading
from rostra.node.identity import NodeIdentity

LOCAL_KEY = 1
"""Id of the node beside the Management Node: the first row of its table, made at the first start."""
LOCAL_NAME = "node1"


class Role(enum.StrEnum):
    EVERYTHING = "run"
    MANAGEMENT = "management"
    NODE = "node"

    @property
    def has_management(self) -> bool:
        return self is not Role.NODE


END_CODES = {belonging.DELETED: 4, belonging.COPIED: 5, upgrading.UPGRADED: 6}
"""Exit codes of a node's process that is not to be started again, by why it ended."""
FINAL = {code: why for why, code in END_CODES.items()}


def local_node(environment: Environment) -> NodeIdentity | None:
    """The node that runs beside the Management Node without having been given a file; None: it was deleted.

    Raises EnvironmentProblem when this home belongs to a node of another machine's platform.
    """
    home = environment.home
    present = identity.load(home)
    if present is None:
        if identity.retired(home):
            return None
        present = NodeIdentity(key=LOCAL_KEY, name=LOCAL_NAME, address=environment.own_address)
        identity.store(home, present)
    if present.management:
        raise EnvironmentProblem(
            f"ROSTRA_HOME: {home} belongs to the node {present.name} of the platform at {present.management[0]};"
            " start it with `rostra node`, or set another home"
        )
    if not machine.has_address(present.address):
        present = msgspec.structs.replace(present, address=environment.own_address)
        identity.store(home, present)
    return present
