"""Alarms: what is wrong with the platform now, and what was (sheet 07, DIAG-096…DIAG-120).

Whoever finds something wrong calls `raising.raise_alarm`, and `raising.lower_alarm` once it is right again; what can
be looked at any time is a check (`checks.register`).
"""
