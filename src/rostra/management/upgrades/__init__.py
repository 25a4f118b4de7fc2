"""Upgrading the platform by a signed bundle: first the Management Node, then one node after the other (sheet 03,
NODE-092 to NODE-112).
"""
