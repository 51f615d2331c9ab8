"""The driver by its name in the 2021 Challenge: python test_model.py MODEL DATA OUT."""

from cnn_gap.system.exit_codes import run
from driver import main

if __name__ == "__main__":
    run(main)
