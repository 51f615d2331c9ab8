"""Diagnoses: their codes and names, the classes and findings to predict, and the waves that show them."""
