"""Measurements on recordings of hours."""
