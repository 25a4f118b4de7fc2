"""What belongs to a backup and what does not (NODE-142, NODE-143).

In it is all that is configured, with accounts, files of themes, certificates and call history. Left out is what
belongs to this installation or to its operation: sessions, logs, alarms, licences, the journal of changes, and the
lists of backups and upgrades themselves.
"""

from __future__ import annotations

from django.db import models

from rostra.configuration import orm

_APPS = frozenset({"sessions", "alarms", "audit", "backups", "upgrades", "licences"})
_MODELS = frozenset(
    {
        "configuration.change",
        "configuration.mark",
        "accounts.loginattempt",
        "accounts.accesstoken",
        "accounts.usedassertion",
    }
)
_ENDED = frozenset({"sessions.session", "accounts.accesstoken"})


def is_left_out(model: type[models.Model]) -> bool:
    """Is this table not part of backups?"""
    meta = orm.meta(model)
    return meta.app_label in _APPS or meta.label_lower in _MODELS


def ends_with_restore(model: type[models.Model]) -> bool:
    """Does it hold who is signed in? Accounts may be other people's after a restore."""
    return orm.meta(model).label_lower in _ENDED
