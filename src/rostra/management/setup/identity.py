"""Who the Management Node is, when an administrator said so: kept beside the database, because it is the machine's."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from rostra.environment import Environment, EnvironmentProblem
from rostra.tls import write_file

NAMES = ("hostname", "domain", "netmask", "gateway")


def kept(environment: Environment) -> dict[str, str]:
    """What was said; the rest, the machine tells. Raises EnvironmentProblem when the file is damaged."""
    file = environment.management_home / "identity.json"
    try:
        found = msgspec.json.decode(file.read_bytes(), type=dict[str, str])
    except FileNotFoundError:
        return {}
    except msgspec.DecodeError as problem:
        raise EnvironmentProblem(f"ROSTRA_HOME: {file} is damaged: {problem}") from None
    return {name: value for name, value in found.items() if name in NAMES}


def keep(environment: Environment, said: Mapping[str, str]) -> None:
    """Keep what was said besides what is kept already."""
    named = {name: value for name, value in said.items() if name in NAMES}
    if named:
        content = msgspec.json.format(msgspec.json.encode({**kept(environment), **named}))
        write_file(environment.management_home / "identity.json", content)
    if address := said.get("address"):
        write_file(environment.home / "address", f"{address}\n".encode())
