"""How good a trained model's answers are. Each function of a `Study` yields tables for `benchmarks.results`."""
