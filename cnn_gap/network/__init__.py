"""The network: its layers, its losses and the maps that explain it."""
