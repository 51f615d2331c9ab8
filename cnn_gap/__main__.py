"""`python -m cnn_gap` is the command `cnn-gap`."""

from cnn_gap.commands.main import console

if __name__ == "__main__":
    console()
