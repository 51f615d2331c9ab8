"""Classify a record with a trained model and print its diagnoses: python predict.py MODEL RECORD."""

from cnn_gap.commands.predict import COMMAND
from cnn_gap.system.exit_codes import run

main = COMMAND.main

if __name__ == "__main__":
    run(main)
