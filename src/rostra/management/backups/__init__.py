"""Backup and restore of the whole configuration (sheet 03, NODE-137 to NODE-159)."""
