"""What the web half of the process may know of licences in use, and how it says that licences changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from rostra.domain.licensing import LicenceKind, Pool


class Desk(Protocol):
    """Where nodes get licences."""

    @property
    def pool(self) -> Pool: ...

    @property
    def used(self) -> Mapping[LicenceKind, int]: ...

    @property
    def reload(self) -> Callable[[], None]:
        """From any thread: look at what is installed."""
        ...


class _Current:
    desk: Desk | None = None


def open_desk(desk: Desk | None) -> None:
    """Called by the desk when it opens; with None when it closes."""
    _Current.desk = desk


def desk() -> Desk | None:
    """None before the fabric is there."""
    return _Current.desk


def changed() -> None:
    """Licences were installed or removed."""
    if _Current.desk is not None:
        _Current.desk.reload()
