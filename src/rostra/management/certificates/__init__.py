"""Certificates on the Management Node: its own, those of the nodes, import and export, what is wrong with them."""
