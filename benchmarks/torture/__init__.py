"""Damaged input, killed commands and full disks: no crash, no hang, no excess of memory, no other record
harmed.
"""
