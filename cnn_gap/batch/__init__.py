"""Runs on many records: classifying or explaining a folder, and training by paths alone."""
