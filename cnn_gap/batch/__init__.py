"""Classify or explain a whole folder of records."""
