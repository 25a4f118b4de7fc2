"""Diagnostic snapshots: what somebody who looks for a fault wants to see, in one file and without secrets."""
