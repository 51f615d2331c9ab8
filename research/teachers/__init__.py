"""Networks of other kinds, in PyTorch, whose probabilities teach a CNN-GAP."""
