"""Health check of the containers: exit code 0 when the named part, `node` or `management`, is ready."""

from __future__ import annotations

import asyncio
import sys

from rostra.cli.health import healthy
from rostra.environment import Environment

LIMIT = 4.0
"""Seconds; less than the container engine's own limit, so that the answer is ours."""


async def main(part: str) -> int:
    environment = Environment.load()
    port = environment.management_https_port if part == "management" else environment.node_https_port
    try:
        await asyncio.wait_for(healthy(port), LIMIT)
    except (TimeoutError, OSError) as problem:
        print(f"{part} on port {port} is not ready: {problem!r}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1])))
