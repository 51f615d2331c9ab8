"""Measurements to run by hand, `python -m benchmarks.NAME` from the repository's root."""
