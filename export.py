"""Export a trained model for other runtimes: python export.py MODEL OUT.onnx."""

from cnn_gap.commands.command import run
from cnn_gap.commands.export import COMMAND

main = COMMAND.main

if __name__ == "__main__":
    run(main)
