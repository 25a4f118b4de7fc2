"""Setting a platform up: the answers of the installation (sheet 03, NODE-115 to NODE-125), and the first steps in the
site.
"""
