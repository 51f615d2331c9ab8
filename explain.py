"""Show where in a record its diagnoses show: python explain.py MODEL RECORD, or a folder of records."""

from cnn_gap.commands.explain import COMMAND
from cnn_gap.system.exit_codes import run

main = COMMAND.main

if __name__ == "__main__":
    run(main)
