"""Threads that keep a connection of Django's to the database."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from django.db import DEFAULT_DB_ALIAS, DatabaseError, InterfaceError, connections


class DatabaseThread(ThreadPoolExecutor):
    """One thread. After an error of the database it begins with a new connection: the old one may be broken for good,
    as after a restart of PostgreSQL, and only Django's requests look for that by themselves.
    """

    def __init__(self, name: str) -> None:
        super().__init__(1, thread_name_prefix=name)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        return super().submit(_watched, fn, *args, **kwargs)


def _watched(function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    try:
        return function(*arguments, **named)
    except (DatabaseError, InterfaceError):
        connections[DEFAULT_DB_ALIAS].close()
        raise
