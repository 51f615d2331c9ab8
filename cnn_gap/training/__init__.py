"""Training: from windows and labels to a model folder."""
