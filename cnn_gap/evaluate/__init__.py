"""Scoring: result files, the Challenge's metrics and the thresholds that follow from them."""
