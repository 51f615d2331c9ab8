"""Export a trained model for other runtimes."""

import argparse
from pathlib import Path

from cnn_gap.backend import start_keras
from cnn_gap.commands.command import Command
from cnn_gap.prediction.model_folder import read_description


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "out", metavar="OUT", type=Path, help="file to write: .onnx (pip install 'cnn-gap[export]') or .tflite"
    )


def _execute(options: argparse.Namespace) -> None:
    """Write the model in the format of the output's suffix."""
    read_description(options.model)  # what is wrong shows now: Keras takes seconds to start
    start_keras(lean=True)
    from cnn_gap.classifier import load_classifier
    from cnn_gap.export_network import export_classifier

    export_classifier(load_classifier(options.model), options.out)
    print(f"wrote {options.out}")


COMMAND = Command(
    "export", "Export a trained model for ONNX or LiteRT runtimes.", _add_arguments, _execute, takes_model=True
)
