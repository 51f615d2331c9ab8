"""Export a trained model for other runtimes: python export.py MODEL OUT.onnx."""

from cnn_gap.commands.export import COMMAND
from cnn_gap.system.exit_codes import run

main = COMMAND.main

if __name__ == "__main__":
    run(main)
