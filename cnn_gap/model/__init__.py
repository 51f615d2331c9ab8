"""The model folder: its files, their checks before loading, what computes its network, and export."""
