"""Train a model on a folder of records: python train_model.py DATA MODEL."""

from cnn_gap.commands.command import run
from cnn_gap.commands.train import COMMAND

main = COMMAND.main

if __name__ == "__main__":
    run(main)
