"""The home directory of `rostra run`: made on first start, held by one running instance, remembers the password."""

from __future__ import annotations

import dataclasses
import fcntl
import os
import secrets
import string
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from rostra.environment import Environment, EnvironmentProblem, Secret

_ALPHABET = string.ascii_letters + string.digits
"""Nothing a shell or a double click treats as special."""


class HomeInUse(Exception):
    """Another running instance has this home directory."""


@contextmanager
def held(home: Path) -> Generator[None]:
    """Make `home` and keep it ours while the context lasts.

    Raises HomeInUse when another instance has it (the kernel drops the lock of a killed one), EnvironmentProblem
    when it cannot be written.
    """
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(home / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as problem:
        raise EnvironmentProblem(f"ROSTRA_HOME: {home} cannot be used: {problem.strerror}") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
            raise HomeInUse(
                f"{home} is in use by a running Rostra (process {owner}); stop it or set ROSTRA_HOME"
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
        yield
    finally:
        os.close(descriptor)


@dataclasses.dataclass(frozen=True, slots=True)
class FirstPassword:
    """The administrator's password of the first start.

    A generated one waits in a file until it has been shown, so that a first start that fails half-way does not
    leave an administrator nobody can be.
    """

    value: Secret
    generated: bool
    _waiting: Path

    @classmethod
    def choose(cls, environment: Environment) -> FirstPassword:
        """What to give the Management Node: the administrator's own, a generated one, or nothing (already set)."""
        waiting = environment.home / "first-password"
        if environment.admin_password:
            waiting.unlink(missing_ok=True)
            return cls(environment.admin_password, generated=False, _waiting=waiting)
        if waiting.exists():
            return cls(Secret(waiting.read_text()), generated=True, _waiting=waiting)
        if environment.management_home.exists():
            return cls(Secret(""), generated=False, _waiting=waiting)
        password = Secret("".join(secrets.choice(_ALPHABET) for _ in range(16)))
        waiting.touch(mode=0o600)
        waiting.write_text(password)
        return cls(password, generated=True, _waiting=waiting)

    def shown(self) -> None:
        """The administrator has seen it; forget it."""
        self._waiting.unlink(missing_ok=True)
