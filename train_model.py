"""Train a model on a folder of records: python train_model.py DATA MODEL."""

from cnn_gap.commands.train import COMMAND
from cnn_gap.system.exit_codes import run

main = COMMAND.main

if __name__ == "__main__":
    run(main)
