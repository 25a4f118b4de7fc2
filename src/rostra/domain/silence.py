"""Whose video says nothing because its participant has long been silent (`silent_video_detection`). Pure."""

from __future__ import annotations

import msgspec


class SilenceRules(msgspec.Struct, frozen=True, kw_only=True):
    """When video counts as silent. Seconds."""

    silent_after: float = 15.0
    reactivate_after: float = 2.0
    require_no_faces: bool = True
    """Only video without faces counts. Faces are not looked for here, so nobody's does then."""

    @property
    def value(self) -> tuple[str, ...]:
        """As a register holds it."""
        return (repr(self.silent_after), repr(self.reactivate_after), "faces" if self.require_no_faces else "")


def read(value: object) -> SilenceRules | None:
    """The rules of a register; None: nobody's video counts as silent."""
    if not isinstance(value, tuple) or len(value) != 3:
        return None
    silent_after, reactivate_after, faces = (str(member) for member in value)
    return SilenceRules(
        silent_after=float(silent_after), reactivate_after=float(reactivate_after), require_no_faces=bool(faces)
    )


def judge(rules: SilenceRules | None, *, silent: bool, speaking: bool, lasted: float) -> tuple[bool, float | None]:
    """Does video count as silent now, and in how many seconds to look again (None: only when something changes)?

    `silent`: it did until now; `speaking` has been so for `lasted` seconds.
    """
    if rules is None or rules.require_no_faces:
        return False, None
    if speaking == (not silent):
        return silent, None
    left = (rules.reactivate_after if speaking else rules.silent_after) - lasted
    return (silent, left) if left > 0 else (not speaking, None)
