"""What can be diagnosed: codes, names, classes and findings, and which waves show them."""
