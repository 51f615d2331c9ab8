"""Evaluation: the Challenge's metrics, the choice of thresholds, and the calibration of probabilities."""
