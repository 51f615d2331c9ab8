"""Prediction: a trained model's probabilities and what explains them."""
