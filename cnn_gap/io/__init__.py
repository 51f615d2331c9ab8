"""Recordings: finding and reading them; the registry of formats; tables of their labels."""
