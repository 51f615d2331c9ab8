"""CNN-GAP: classify 12-lead ECGs with an explainable convolutional network."""

__version__ = "0.1.0"
