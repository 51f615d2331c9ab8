"""Runs on many records: classifying or explaining a folder, and training with inputs given as paths."""
