"""Measure where a map has its maximum, and whether the answer changes without that place.

Each function yields tables of a `Study`.
"""
