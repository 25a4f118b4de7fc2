"""SIPVicious, unchanged, against a listener of ours: it learns nothing that helps, and those in order do not notice."""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rostra.domain.abuse import Kind, Rules
from rostra.domain.registration import Device
from rostra.sip import digest
from tests.sip.desk import DEVICES, Desk, desk

__all__ = ["desk"]

ONE_OF_MANY = re.compile(r'anna|eric|fred|nonce="[^"]*"|(?:tag=|branch=|Call-ID: |CSeq: )[^;\s]+')
"""What is another in every answer."""
TOOLS = Path(sys.executable).parent
PASSWORDS = [*(f"guess{number}" for number in range(6)), "sesame", "more"]


class Phone:
    """Registers and calls by UDP from an address; its password is that of `tests.sip.desk`."""

    def __init__(self, address: str, name: str, desk: Desk) -> None:
        self._name = name
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind((address, 0))
        self._socket.connect(("127.0.0.1", desk.port))
        self._own = "{}:{}".format(*self._socket.getsockname())
        self._number = 0

    async def ask(self, method: str, who: str) -> str:
        """The first line of the final response. A call is hung up as soon as it is answered."""
        answer = await self._ask(method, who)
        found = re.search("WWW-Authenticate: (.*algorithm=MD5.*)\r\n", answer)
        if found is not None:
            proof = digest.answer(found[1], method, f"sip:{who}@127.0.0.1", lambda _: (self._name, "sesame"), "n")
            answer = await self._ask(method, who, f"Authorization: {proof}\r\n")
        if method == "INVITE" and (tag := re.search("\r\nTo: [^\r]*(;tag=[^\r;]*)", answer)) is not None:
            assert "SIP/2.0 200" in await self._ask("BYE", who, name=f"{self._own}-{self._number}", tag=tag[1])
        return answer.partition("\r\n")[0]

    async def _ask(self, method: str, who: str, more: str = "", *, name: str = "", tag: str = "") -> str:
        """The final response; the request is sent again each half second, as telephones do."""
        self._number += 1
        name = name or f"{self._own}-{self._number}"
        data = (
            f"{method} sip:{who}@127.0.0.1 SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {self._own};branch=z9hG4bK{self._own}-{self._number};rport\r\n"
            f"From: <sip:{self._name}@127.0.0.1>;tag={name}\r\nTo: <sip:{who}@127.0.0.1>{tag}\r\nCall-ID: {name}\r\n"
            f"CSeq: {self._number} {method}\r\nContact: <sip:{self._name}@{self._own}>\r\nMax-Forwards: 70\r\n"
            f"{more}Expires: 600\r\nContent-Length: 0\r\n\r\n"
        ).encode()
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(5):
            while True:
                await loop.sock_sendall(self._socket, data)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.5):
                        return await self._final(f"Call-ID: {name}\r\nCSeq: {self._number} ")

    async def _final(self, asked: str) -> str:
        while True:
            answer = (await asyncio.get_running_loop().sock_recv(self._socket, 65536)).decode()
            if asked in answer and re.match("SIP/2.0 [2-6]", answer):
                return answer

    def close(self) -> None:
        self._socket.close()


async def attack(tool: str, desk: Desk, *options: str, until: Callable[[], bool] | None = None) -> str:
    """What the tool has found, as it prints it; `until` says when that is enough."""
    process = await asyncio.create_subprocess_exec(
        TOOLS / f"sipvicious_{tool}", "-p", str(desk.port), "-t", "0.002", *options, "127.0.0.1",
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        async with asyncio.timeout(20):
            if until is not None:
                await desk.until(until)
                process.send_signal(signal.SIGINT)
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return re.sub(r"\x1b\[[0-9;]*m", "", output.decode())


async def _attacks(desk: Desk, folder: Path) -> tuple[str, str, str, str]:
    """What is found of devices, users, a password, and rooms."""
    words, users, rooms = folder / "words", folder / "users", folder / "rooms"
    words.write_text("\n".join(PASSWORDS))
    users.write_text("\n".join(["anna", "eric", "fred"]))
    rooms.write_text("\n".join([*(f"room{number}" for number in range(40)), "meet.demo"]))
    there = asyncio.ensure_future(attack("svmap", desk))
    known = await attack("svwar", desk, "--force", "-d", str(users))
    shut = desk.registering.shield._of_user
    password = await attack(
        "svcrack", desk, "-u", "eric", "-d", str(words), until=lambda: any("eric" in user for _, user in shut.shut_keys)
    )
    found = await attack("svwar", desk, "-m", "INVITE", "--maximumtime", "1", "-d", str(rooms))
    return await there, known, password, found


async def test_scanners_learn_nothing_and_telephones_go_on(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(DEVICES, "gina", Device(alias="gina", username="gina", password="sesame"))
    shield = desk.registering.shield
    shield.obey(Rules(aliases=6))
    monkeypatch.setattr(shield._of_user, "most", 3)
    shield.known = lambda address: any(one.remote_address == address for one in desk.registry.all())
    phones = [Phone("127.0.0.2", "dora", desk), Phone("127.0.0.1", "gina", desk)]
    assert "SHA-256" in await phones[1]._ask("REGISTER", "eric"), (
        "svcrack gives up at that; from now on it is asked by MD5"
    )
    attacks = asyncio.ensure_future(_attacks(desk, tmp_path))
    last = False
    while not last:
        last = bool((await asyncio.wait([attacks], timeout=0.1))[0])
        for phone, name in zip(phones, ("dora", "gina"), strict=True):
            assert await phone.ask("REGISTER", name) == "SIP/2.0 200 OK"
            assert await phone.ask("INVITE", "meet.demo") == "SIP/2.0 200 OK"
    there, known, password, found = await attacks
    assert "Rostra" in there
    assert "| eric" not in known
    stranger = Phone("127.0.0.3", "zoe", desk)
    answers = {ONE_OF_MANY.sub("", await stranger._ask("REGISTER", name)) for name in ("anna", "eric", "fred")}
    assert len(answers) == 1, "eric is there, anna and fred are not"
    assert "sesame" not in password
    assert "meet.demo" not in found
    assert not shield.hears("127.0.0.1", asyncio.get_running_loop().time(), proven=False)
    assert {(change.kind, change.who) for change in shield.changes(0.0)} == {
        (Kind.ALIASES, "127.0.0.1"), (Kind.PASSWORD, "127.0.0.1"),
    }  # fmt: skip
    for phone in (*phones, stranger):
        phone.close()
