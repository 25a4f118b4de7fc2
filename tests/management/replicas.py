"""Nodes that only follow the configuration, each a process: `python -m tests.management.replicas DIRECTORY COUNT`.

Each follows in a directory of its own, `DIRECTORY/1` onwards, through the fabric of the environment. They say on
standard output, each line beginning with a node's number: `synchronised POSITION SNAPSHOTS BYTES SECONDS`, and for
every change of a conference `heard KEY TIME`. A line on standard input is answered by each with `checksum POSITION
SUM`; the end of input is theirs.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

import structlog

from rostra.configuration.replica import Replica
from rostra.environment import Environment
from rostra.fabric.bus import Bus
from rostra.fabric.replication import ConfigurationReplica


class Node:
    def __init__(self, number: int, directory: Path) -> None:
        self._number = number
        self._file = directory / str(number) / "configuration.db"

    def say(self, *words: object) -> None:
        """One write, so that lines of several processes do not mix."""
        os.write(sys.stdout.fileno(), " ".join(map(str, (self._number, *words, "\n"))).encode())

    async def run(self, commands: int) -> None:
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
        environment = Environment.load()
        bus = await Bus.join(environment, name=f"replica{self._number}")
        replica = ConfigurationReplica(environment, bus, self._file)
        replica.on_change(lambda resource, key: self._heard(resource, key))
        began = time.monotonic()
        await replica.start()
        await replica.synchronised.wait()
        state = replica.debug_state()
        taken = round(time.monotonic() - began, 3)
        self.say("synchronised", replica.position, state["snapshots"], state["snapshot_bytes"], taken)
        loop = asyncio.get_running_loop()
        while await loop.run_in_executor(None, os.read, commands, 1):
            self.say("checksum", replica.position, await replica.checksum())
        os._exit(0)  # as when the power fails

    def _heard(self, resource: str, key: int) -> None:
        if resource == "conference" and key:
            self.say("heard", key, time.time())


def main(directory: Path, count: int) -> None:
    template = directory / "template.db"
    Replica(template).close()  # migrated once for all of them
    empty = template.read_bytes()
    ends: list[int] = []
    for number in range(1, count + 1):
        file = directory / str(number) / "configuration.db"
        if not file.exists():
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(empty)
        reader, writer = os.pipe()
        if os.fork() == 0:
            for end in (*ends, writer):
                os.close(end)
            asyncio.run(Node(number, directory).run(reader))
        os.close(reader)
        ends.append(writer)
    for _ in sys.stdin:
        for end in ends:
            os.write(end, b"c")
    for end in ends:
        os.close(end)
    for _ in ends:
        os.wait()


class Nodes:
    """The processes, started by a test; `async with`."""

    def __init__(self, environment: Environment, directory: Path, count: int) -> None:
        self._environment = environment
        self._directory = directory
        self.count = count
        self.said: asyncio.Queue[tuple[int, list[str]]] = asyncio.Queue()

    async def __aenter__(self) -> Nodes:
        self._directory.mkdir(exist_ok=True)
        variables = {name: value for name, value in os.environ.items() if not name.startswith("ROSTRA_")}
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-W", "ignore", "-m", "tests.management.replicas", str(self._directory), str(self.count)),
            env=variables | self._environment.variables(), cwd=Path(__file__).parents[2],
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        self._reading = asyncio.create_task(self._read())
        return self

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            number, *words = line.decode().split()
            if number.isdecimal():
                self.said.put_nowait((int(number), words))

    async def every(self, word: str, seconds: float = 60.0) -> dict[int, list[str]]:
        """What each node says next that begins with `word`, without it."""
        found: dict[int, list[str]] = {}
        async with asyncio.timeout(seconds):
            while len(found) < self.count:
                number, words = await self.said.get()
                if words[0] == word:
                    found.setdefault(number, words[1:])
        return found

    async def checksums(self, position: int, seconds: float = 60.0) -> set[str]:
        """The checksums of all nodes, once they have what there is up to `position`."""
        async with asyncio.timeout(seconds):
            while True:
                assert self._process.stdin is not None
                self._process.stdin.write(b"\n")
                found = (await self.every("checksum", seconds)).values()
                if all(int(reached) >= position for reached, _ in found):
                    return {checksum for _, checksum in found}

    async def __aexit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), 20)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
            raise
        finally:
            self._reading.cancel()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
