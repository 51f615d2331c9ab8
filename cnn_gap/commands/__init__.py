"""The commands, a module each: `cnn-gap drive`, `python -m cnn_gap drive` and `driver.py` are the same."""
