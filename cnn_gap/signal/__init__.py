"""Windows: what the network sees of a recording."""
