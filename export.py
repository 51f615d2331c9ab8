"""Export a trained model for other runtimes: python export.py MODEL OUT.onnx."""

import argparse
from pathlib import Path

from cnn_gap import commands


def main(arguments: list[str]) -> None:
    """Write the model in the format of the output's suffix."""
    options = _parser().parse_args(arguments)
    commands.start_keras()  # after the arguments: it takes seconds
    from cnn_gap.classifier import load_classifier
    from cnn_gap.export_network import export_classifier

    export_classifier(load_classifier(options.model), options.out)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Export a trained model for ONNX or LiteRT runtimes.")
    parser.add_argument("model", metavar="MODEL", type=Path, help="folder that train_model.py has written")
    parser.add_argument(
        "out", metavar="OUT", type=Path, help="file to write: .onnx (pip install onnx tf2onnx) or .tflite"
    )
    return parser


if __name__ == "__main__":
    commands.run(main)
