"""Experiments beside the package: the teachers of the shipped model, and trials."""
