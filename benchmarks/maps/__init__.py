"""Where class activation maps point, and whether the answers depend on it. Each yields tables of a `Study`."""
