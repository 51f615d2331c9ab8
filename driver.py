"""Classify a folder of records with a trained model: python driver.py MODEL DATA OUT."""

from cnn_gap.commands.drive import COMMAND
from cnn_gap.system.exit_codes import run

main = COMMAND.main

if __name__ == "__main__":
    run(main)
