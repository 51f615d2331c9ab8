"""The driver by its name in the 2021 Challenge: python test_model.py MODEL DATA OUT."""

from cnn_gap import commands
from driver import main

if __name__ == "__main__":
    commands.run(main)
