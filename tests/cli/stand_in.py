"""Stands in for `rostra management` and `rostra node`: serves /healthz, notes what it was told, does as asked.

Run as `stand_in.py BEHAVIOUR ROLE`. Behaviours: `serve`; `fail-ROLE` (that one ends at once with an error);
`deleted` (the node serves until SIGUSR1, then ends as one that was deleted); `again` (the Management Node serves until
SIGUSR1, then asks that everything starts again).
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import ssl
import sys

from rostra.environment import Environment


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    await writer.drain()
    writer.close()


async def main(behaviour: str, role: str) -> None:
    environment = Environment.load()
    told = {"pid": os.getpid(), "password": environment.admin_password}
    environment.home.joinpath(f"told-{role}").write_text(json.dumps(told))
    if behaviour == f"fail-{role}":
        sys.exit(f"the {role} is out of order")
    if role == "management":
        environment.management_home.mkdir(exist_ok=True)
    port = environment.node_https_port if role == "node" else environment.management_https_port
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(environment.home / "tls" / "certificate.pem", environment.home / "tls" / "key.pem")
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    if behaviour == "again" and role == "management":
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, lambda: os._exit(6))
    if behaviour == "deleted":
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, lambda: os._exit(4))
    async with await asyncio.start_server(answer, "127.0.0.1", port, ssl=context):
        await ended.wait()
    print(f"{role} says goodbye", flush=True)
    os._exit(0)


asyncio.run(main(*sys.argv[1:]))
