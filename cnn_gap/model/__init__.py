"""Trained models: folders of them, the shipped ones by name, checks before loading, runtimes and export."""
