"""Training: from a folder of labelled records to a model folder."""
