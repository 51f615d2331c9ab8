"""Recordings: find and read them, name their diagnoses."""
