"""Score the outputs of a model as the 2020 Challenge does: python evaluate_model.py LABELS OUTPUTS."""

from cnn_gap.commands.evaluate import COMMAND
from cnn_gap.system.exit_codes import run

main = COMMAND.main

if __name__ == "__main__":
    run(main)
