"""Experiments beside the package: what teaches the shipped model, and what was tried."""
