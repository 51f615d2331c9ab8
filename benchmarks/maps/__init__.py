"""Whether activation maps point at the right place."""
