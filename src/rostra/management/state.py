"""What the web half of the process may know of the other half: is it ready, and how to say that rows changed."""

from __future__ import annotations

from collections.abc import Callable


class _State:
    def __init__(self) -> None:
        self.wake: Callable[[], None] = _nobody
        self.ready: Callable[[], bool] = _never


def _nobody() -> None:
    """Before the publisher runs it finds out by itself what is due."""


def _never() -> bool:
    return False


_state = _State()


def connect(*, wake: Callable[[], None] = _nobody, ready: Callable[[], bool] = _never) -> None:
    """Called by the server when it has started; without arguments when it stops."""
    _state.wake, _state.ready = wake, ready


def announce() -> None:
    """Something may have been committed."""
    _state.wake()


def ready() -> bool:
    """Is the database migrated and the fabric connected?"""
    return _state.ready()
