"""How good a trained model's answers are."""
