"""Every configurable resource, declared once; used by the Management Node and in each node's local database."""

from __future__ import annotations

from pathlib import Path

__all__ = ["setup_node"]


def setup_node(path: Path) -> None:
    """Make the configuration usable on a node, with its local database at `path`.

    Configures Django with the configuration app alone unless the process has configured it already, then brings
    the database's tables up to date. Safe to call more than once.
    """
    from rostra.configuration import local

    local.setup(path)
